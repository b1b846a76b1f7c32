//! What was done by hand, as a tree of branches: none is ever thrown away.

use egui::{Button, RichText, ScrollArea, Ui};

use super::look::BAD;
use super::{Desk, Scene, wish_button};
use crate::command::{Intent, REDO, UNDO};
use crate::model::scale::seconds;
use crate::session::{BranchId, BranchInfo};

/// What mouse and keys do.
pub(crate) const HELP: &str = "Each act by hand begins a branch. Press one to go to its end; the branch that is shown is bold. `Compare` says where another \
     one went apart from it.";

/// What the panel keeps.
#[derive(Default)]
pub(crate) struct Kept {
    /// The branch that is compared with the one that is shown.
    other: Option<BranchId>,
}

/// Shows the tree.
pub(crate) fn show(ui: &mut Ui, scene: &Scene<'_>, desk: &mut Desk, intents: &mut Vec<Intent>) {
    let branches = scene.session.branches();
    ui.horizontal(|ui| {
        wish_button(ui, "Undo", &UNDO, scene, intents);
        wish_button(ui, "Redo", &REDO, scene, intents);
        if branches.len() == 1 {
            ui.weak("nothing was done by hand yet");
        }
    });
    let other = &mut desk.branches.other;
    *other = other.filter(|other| branches.iter().any(|branch| branch.id == *other));
    parting(ui, scene, other, intents);
    ScrollArea::both().auto_shrink(false).show(ui, |ui| {
        if let Some(first) = branches.first() {
            row(ui, scene, &branches, first, 0, other, intents);
        }
    });
}

/// Where the compared branch went apart from the one that is shown.
fn parting(ui: &mut Ui, scene: &Scene<'_>, other: &mut Option<BranchId>, intents: &mut Vec<Intent>) {
    let tip = scene.session.tip();
    let Some(compared) = other.filter(|other| *other != tip) else { return };
    ui.group(|ui| {
        ui.set_min_width(ui.available_width());
        let Some(parting) = scene.session.parting(tip, compared) else {
            ui.weak("nothing differs, as far as both were computed");
            return;
        };
        ui.strong(format!("They part at {}, record {}.", seconds(parting.at), parting.record));
        let record = Intent::SeekRecord(parting.record);
        let sides = [("shown", tip, &parting.one), ("compared", compared, &parting.other)];
        for (name, branch, happened) in sides {
            ui.horizontal_wrapped(|ui| {
                ui.weak(format!("{name}:"));
                let Some(happened) = happened else {
                    ui.weak("not computed so far");
                    return;
                };
                if ui.link(happened).on_hover_text("go there").clicked() {
                    intents.extend((branch != tip).then_some(Intent::GoTo(branch)));
                    intents.push(record.clone());
                    *other = Some(if branch == tip { compared } else { tip });
                }
            });
        }
    });
}

fn row(
    ui: &mut Ui,
    scene: &Scene<'_>,
    branches: &[BranchInfo],
    branch: &BranchInfo,
    depth: u8,
    other: &mut Option<BranchId>,
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
        let is_compared = *other == Some(branch.id);
        let compare = Button::new("Compare").small().selected(is_compared);
        if !is_tip
            && ui.add(compare).on_hover_text("where it went apart from the one that is shown").clicked()
        {
            *other = (!is_compared).then_some(branch.id);
        }
    });
    for child in branches.iter().filter(|other| other.parent == Some(branch.id)) {
        // A long row of acts, each after the one before, stays at one depth: a tree is deep where it forks.
        let is_only = branches.iter().filter(|other| other.parent == Some(branch.id)).count() == 1;
        let deeper = if is_only && branch.id != BranchId::FIRST { depth } else { depth.saturating_add(1) };
        row(ui, scene, branches, child, deeper.min(40), other, intents);
    }
}

#[cfg(test)]
mod tests {
    use egui::accesskit::Role;
    use egui_kittest::kittest::Queryable;
    use sim_core::NodeId;
    use sim_core::fault::Command;

    use crate::testing::{panel, press};

    #[test]
    fn two_branches_say_where_they_went_apart_and_a_press_goes_there() {
        let mut window = panel("raft/steady", "Branches");
        let session = &mut window.state_mut().session;
        let forked = session.simulation().events();
        session.apply(Command::Crash(NodeId::new(0))).expect("a world takes commands");
        session.seek_events(forked + 50);
        session.undo();
        session.seek_events(forked + 50);
        session.redo();
        session.seek_events(forked + 50);
        window.run();
        press(&mut window, "Compare");
        assert!(window.query_by_label_contains("They part at").is_some());
        let shown = window.get_all_by_role(Role::Link).next().expect("what happened in both can be pressed");
        shown.click();
        window.run();
        let now = window.state().session.simulation().events();
        assert!((forked..forked + 50).contains(&now), "{now} is not where they part, {forked}");
    }
}
