//! The run in a few words: what it is, how far it has come, and whether anything is wrong.

use eframe::egui::{RichText, Ui};
use scenarios::run::exit_code;

use super::{BAD, GOOD, Scene, UNUSUAL, seconds};
use crate::session::Playback;

/// Shows the words.
pub(crate) fn show(ui: &mut Ui, scene: &Scene<'_>) {
    let session = scene.session;
    let simulation = session.simulation();
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        ui.heading(session.name());
        ui.weak(session.summary());
    });
    ui.horizontal_wrapped(|ui| {
        fact(ui, "seed", session.seed().to_string());
        fact(ui, "time", seconds(simulation.now()));
        fact(ui, "events", simulation.events().to_string());
        fact(ui, "digest", simulation.digest().to_string());
    });
    ui.horizontal_wrapped(|ui| show_verdict(ui, scene));
    ui.add_space(4.0);
}

fn fact(ui: &mut Ui, name: &str, value: String) {
    ui.weak(name);
    ui.monospace(value);
    ui.add_space(12.0);
}

fn show_verdict(ui: &mut Ui, scene: &Scene<'_>) {
    let Some(verdict) = scene.session.verdict() else {
        ui.colored_label(GOOD, "nothing violated so far");
        if scene.session.playback() == Playback::Idle {
            ui.weak("nothing more happens");
        }
        return;
    };
    let colour = match verdict.exit_code() {
        exit_code::PASS => GOOD,
        exit_code::BEYOND_PROMISE => UNUSUAL,
        _ => BAD,
    };
    ui.label(RichText::new(verdict.to_string()).color(colour).strong());
    let simulation = scene.session.simulation();
    for violation in simulation.violations() {
        ui.colored_label(colour, violation.to_string());
    }
    for (node, damage) in simulation.beyond_promise() {
        ui.colored_label(UNUSUAL, format!("{node}: {damage}"));
    }
}
