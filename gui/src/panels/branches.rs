//! What was done by hand, as a tree of branches: none is ever thrown away.

use egui::{RichText, ScrollArea, Ui};

use super::look::BAD;
use super::{Desk, Scene, wish_button};
use crate::command::{Intent, REDO, UNDO};
use crate::model::scale::seconds;
use crate::session::{BranchId, BranchInfo};

/// What mouse and keys do.
pub(crate) const HELP: &str =
    "Each act by hand begins a branch. Press one to go to its end; the branch that is shown is bold.";

/// Shows the tree.
pub(crate) fn show(ui: &mut Ui, scene: &Scene<'_>, _desk: &mut Desk, intents: &mut Vec<Intent>) {
    let branches = scene.session.branches();
    ui.horizontal(|ui| {
        wish_button(ui, "Undo", &UNDO, scene, intents);
        wish_button(ui, "Redo", &REDO, scene, intents);
        if branches.len() == 1 {
            ui.weak("nothing was done by hand yet");
        }
    });
    ScrollArea::both().auto_shrink(false).show(ui, |ui| {
        if let Some(first) = branches.first() {
            row(ui, scene, &branches, first, 0, intents);
        }
    });
}

fn row(
    ui: &mut Ui,
    scene: &Scene<'_>,
    branches: &[BranchInfo],
    branch: &BranchInfo,
    depth: u8,
    intents: &mut Vec<Intent>,
) {
    ui.horizontal(|ui| {
        ui.add_space(f32::from(depth) * 14.0);
        let text = if branch.act.is_empty() { "the run as the scenario has it" } else { branch.act.as_str() };
        let text = RichText::new(text);
        let text = if branch.is_on_path { text.strong() } else { text };
        let is_tip = branch.id == scene.session.tip();
        if ui.selectable_label(is_tip, text).on_hover_text("go to its end").clicked() {
            intents.push(Intent::GoTo(branch.id));
        }
        ui.weak(format!("from {}, {} events", seconds(branch.began), branch.events));
        if branch.violations > 0 {
            ui.colored_label(BAD, "✖ violates");
        }
    });
    for child in branches.iter().filter(|other| other.parent == Some(branch.id)) {
        // A long row of acts, each after the one before, stays at one depth: a tree is deep where it forks.
        let is_only = branches.iter().filter(|other| other.parent == Some(branch.id)).count() == 1;
        let deeper = if is_only && branch.id != BranchId::FIRST { depth } else { depth.saturating_add(1) };
        row(ui, scene, branches, child, deeper.min(40), intents);
    }
}
