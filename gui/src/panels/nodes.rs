//! All nodes at a glance, as a table; pressing a row looks into its node.

use egui::{Color32, ProgressBar, Sense, Ui, WidgetText};
use egui_extras::{Column, TableBuilder, TableRow};
use sim_core::NodeId;
use sim_core::status::{NodeStatus, Standing};

use super::look::{self, GOOD, UNUSUAL};
use super::{Desk, Scene};
use crate::command::Intent;

/// What mouse and keys do.
pub(crate) const HELP: &str = "Press a row to look into its node.";

const HEADS: [&str; 7] = ["node", "power", "role", "epoch", "leader", "commit", "gauge"];
const ROW_HEIGHT: f32 = 22.0;
const GAUGE_WIDTH: f32 = 160.0;
/// So that columns don't move when values change.
const COLUMN_WIDTH_MIN: f32 = 72.0;

/// Shows the table.
pub(crate) fn show(ui: &mut Ui, scene: &Scene<'_>, _desk: &mut Desk, intents: &mut Vec<Intent>) {
    // A label that can be selected would take the press from its row.
    ui.style_mut().interaction.selectable_labels = false;
    let gauge_max = scene.statuses.iter().filter_map(|status| Some(status.process?.gauge)).max().unwrap_or(0);
    let table = TableBuilder::new(ui).striped(true).sense(Sense::click()).auto_shrink(false);
    let column = Column::auto().at_least(COLUMN_WIDTH_MIN);
    let table = table.columns(column, HEADS.len() - 1).column(Column::remainder());
    let table = table.header(ROW_HEIGHT, |mut row| {
        for head in HEADS {
            text(&mut row, head);
        }
    });
    table.body(|body| {
        body.rows(ROW_HEIGHT, scene.statuses.len(), |mut row| {
            let index = row.index();
            let node = NodeId::new(u32::try_from(index).expect("nodes are numbered in 32 bits"));
            row.set_selected(node == scene.selected);
            show_row(&mut row, node, &scene.statuses[index], gauge_max);
            if row.response().clicked() {
                intents.push(Intent::Select(node));
            }
        });
    });
}

fn show_row(row: &mut TableRow<'_, '_>, node: NodeId, status: &NodeStatus, gauge_max: u64) {
    text(row, node.to_string());
    let (power, colour) = look::power(status.power);
    coloured(row, colour, power);
    let Some(process) = status.process else {
        // Cells that are not there would have neither stripe nor press.
        for _ in 2..HEADS.len() {
            text(row, "");
        }
        return;
    };
    match process.standing {
        Standing::Leader => coloured(row, GOOD, process.role),
        Standing::Candidate => coloured(row, UNUSUAL, process.role),
        Standing::Follower | Standing::Peer => text(row, process.role),
    }
    text(row, process.epoch.to_string());
    text(row, process.leader.map_or_else(String::new, |leader| leader.to_string()));
    text(row, process.commit.to_string());
    row.col(|ui| {
        // Not the colour of a row that is selected.
        let fill = ui.visuals().weak_text_color().gamma_multiply(0.5);
        let bar = ProgressBar::new(share(process.gauge, gauge_max)).desired_width(GAUGE_WIDTH).fill(fill);
        ui.add(bar.text(process.gauge.to_string()));
    });
}

#[expect(clippy::cast_precision_loss, reason = "the length of a bar")]
fn share(part: u64, whole: u64) -> f32 {
    part as f32 / whole.max(1) as f32
}

fn text(row: &mut TableRow<'_, '_>, value: impl Into<WidgetText>) {
    row.col(|ui| {
        ui.label(value);
    });
}

fn coloured(row: &mut TableRow<'_, '_>, colour: Color32, value: &str) {
    row.col(|ui| {
        ui.colored_label(colour, value);
    });
}
