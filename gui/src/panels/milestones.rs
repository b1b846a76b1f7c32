//! What mattered so far, the newest at the bottom.

use eframe::egui::{Color32, Ui};
use egui_extras::{Column, TableBuilder};
use sim_core::milestone::{Happening, Milestone};
use sim_core::status::Standing;

use super::{BAD, GOOD, Scene, UNUSUAL, seconds};

const ROW_HEIGHT: f32 = 18.0;

/// Shows the list.
pub(crate) fn show(ui: &mut Ui, scene: &Scene<'_>) {
    let milestones = scene.session.simulation().milestones();
    let count = usize::try_from(milestones.len()).expect("what is in memory can be counted");
    ui.add_space(4.0);
    ui.strong("What mattered");
    let table = TableBuilder::new(ui).stick_to_bottom(true).auto_shrink(false);
    let table = table.column(Column::exact(120.0)).column(Column::exact(80.0)).column(Column::remainder());
    table.body(|body| {
        body.rows(ROW_HEIGHT, count, |mut row| {
            let milestone = milestones.get(row.index() as u64).expect("the table asks for rows there are");
            let (text, colour) = describe(milestone);
            row.col(|ui| {
                ui.monospace(seconds(milestone.at));
            });
            row.col(|ui| {
                ui.weak(format!("#{}", milestone.event)).on_hover_text("after so many events");
            });
            row.col(|ui| {
                ui.colored_label(colour.unwrap_or(ui.visuals().text_color()), text);
            });
        });
    });
}

/// A milestone in words, and its colour if it has one.
fn describe(milestone: &Milestone) -> (String, Option<Color32>) {
    match &milestone.what {
        Happening::Stands { node, status } => {
            let colour = match status.standing {
                Standing::Leader => Some(GOOD),
                Standing::Candidate => Some(UNUSUAL),
                Standing::Follower | Standing::Peer => None,
            };
            (format!("{node} is {}, epoch {}", status.role, status.epoch), colour)
        }
        Happening::Crashed(node) => (format!("{node} crashes"), Some(BAD)),
        Happening::Restarted(node) => (format!("{node} restarts"), None),
        Happening::Command(text) => (format!("command: {text}"), Some(UNUSUAL)),
    }
}
