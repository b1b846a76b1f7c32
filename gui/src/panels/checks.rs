//! What was violated so far, with its evidence; and how often the points worth reaching were reached.

use egui::{CollapsingHeader, RichText, ScrollArea, Ui};

use super::look::{BAD, GOOD, UNUSUAL};
use super::{Desk, Scene};
use crate::command::Intent;
use crate::model::scale::seconds;
use crate::session::{Direction, Landmark};

/// What mouse and keys do.
pub(crate) const HELP: &str = "Press a violation to go to where it shows.";

/// Shows the list.
pub(crate) fn show(ui: &mut Ui, scene: &Scene<'_>, _desk: &mut Desk, intents: &mut Vec<Intent>) {
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        violations(ui, scene, intents);
        for (node, damage) in scene.session.simulation().beyond_promise() {
            ui.colored_label(
                UNUSUAL,
                format!("{node}: {damage}, beyond what the protocol promises to survive"),
            );
        }
        ui.add_space(8.0);
        let simulation = scene.session.simulation();
        points(ui, "Worth reaching", &simulation.points());
        points(ui, "Fault points", &simulation.fault_points());
    });
}

fn violations(ui: &mut Ui, scene: &Scene<'_>, intents: &mut Vec<Intent>) {
    let violations = scene.session.run().violations();
    if violations.is_empty() {
        ui.colored_label(GOOD, "✔ nothing was violated as far as the run was computed");
        if ui
            .button("Run until something breaks")
            .on_hover_text("goes on until a property is violated")
            .clicked()
        {
            intents.push(Intent::Jump(Landmark::Violation, Direction::Forward));
        }
        return;
    }
    for violation in violations {
        let title = RichText::new(format!("✖ {}", violation.property)).color(BAD).strong();
        if ui.link(title).on_hover_text("go to where it shows").clicked() {
            intents.push(Intent::SeekEvents(violation.event));
        }
        let place = violation.node.map_or_else(String::new, |node| format!(" at {node}"));
        ui.weak(format!("{}, event {}{place}", seconds(violation.at), violation.event));
        ui.label(&violation.evidence);
        ui.add_space(6.0);
    }
}

fn points(ui: &mut Ui, title: &str, points: &[(&'static str, u64)]) {
    if points.is_empty() {
        return;
    }
    let reached = points.iter().filter(|(_, count)| *count > 0).count();
    CollapsingHeader::new(format!("{title}: {reached} of {} reached", points.len())).id_salt(title).show(
        ui,
        |ui| {
            for (name, count) in points {
                ui.horizontal(|ui| {
                    ui.monospace(format!("{count:>7}"));
                    if *count > 0 { ui.label(*name) } else { ui.weak(*name) }
                });
            }
        },
    );
}
