//! What mattered, as far as the run was computed, the newest at the bottom.

use egui::{Color32, Label, RichText, Sense, Ui};
use egui_extras::{Column, TableBuilder};
use sim_core::milestone::{Happening, Milestone};
use sim_core::status::Standing;

use super::look::{BAD, GOOD, UNUSUAL};
use super::{Desk, Scene};
use crate::command::Intent;
use crate::model::scale::seconds;

/// What mouse and keys do.
pub(crate) const HELP: &str = "Elections, crashes, restarts and commands. Press a row to go there.";

const ROW_HEIGHT: f32 = 18.0;

/// Shows the list.
pub(crate) fn show(ui: &mut Ui, scene: &Scene<'_>, _desk: &mut Desk, intents: &mut Vec<Intent>) {
    let milestones = scene.session.run().milestones();
    let count = usize::try_from(milestones.len()).expect("what is in memory can be counted");
    if count == 0 {
        ui.weak("nothing has mattered yet: no election, crash or command");
        return;
    }
    ui.style_mut().interaction.selectable_labels = false;
    let table =
        TableBuilder::new(ui).striped(true).sense(Sense::click()).stick_to_bottom(true).auto_shrink(false);
    let table = table.min_scrolled_height(0.0);
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
                let colour = colour.unwrap_or(ui.visuals().text_color());
                let is_to_come = milestone.at > scene.session.playhead();
                let colour = if is_to_come { colour.gamma_multiply(0.6) } else { colour };
                ui.add(Label::new(RichText::new(text).color(colour)).truncate());
            });
            if row.response().clicked() {
                intents.push(Intent::SeekTime(milestone.at));
            }
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
