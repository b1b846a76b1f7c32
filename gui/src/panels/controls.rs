//! Time and the world in one row: play, pause, step, begin again; crash the leader, heal.

use eframe::egui::{ComboBox, TextEdit, Ui};
use sim_core::fault::{Command, Target};

use super::{BAD, Scene, button};
use crate::command::Intent;
use crate::session::{Playback, Speed};

/// Shows the row; `seed` is the text of its field.
pub(crate) fn show(ui: &mut Ui, scene: &Scene<'_>, seed: &mut String, intents: &mut Vec<Intent>) {
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        time(ui, scene, intents);
        ui.separator();
        beginning(ui, seed, intents);
        ui.separator();
        world(ui, scene, intents);
        if let Some(complaint) = scene.complaint {
            ui.colored_label(BAD, complaint);
        }
    });
    ui.add_space(2.0);
}

fn time(ui: &mut Ui, scene: &Scene<'_>, intents: &mut Vec<Intent>) {
    let can_step = scene.session.simulation().capabilities().step;
    let (text, intent) = match scene.session.playback() {
        Playback::Playing => ("Pause", Intent::Pause),
        Playback::Paused | Playback::Idle => ("Play", Intent::Play),
    };
    button(ui, text, "let simulated time pass, or hold it", can_step.then_some(intent), intents);
    button(ui, "Step", "go on by one event", can_step.then_some(Intent::Step), intents);
    let speed = scene.session.speed();
    ComboBox::from_id_salt("speed").width(64.0).selected_text(speed.to_string()).show_ui(ui, |ui| {
        for choice in Speed::ALL {
            if ui.selectable_label(choice == speed, choice.to_string()).clicked() {
                intents.push(Intent::SetSpeed(choice));
            }
        }
    });
}

fn beginning(ui: &mut Ui, seed: &mut String, intents: &mut Vec<Intent>) {
    ui.label("seed");
    ui.add(TextEdit::singleline(seed).desired_width(90.0));
    let restart = seed.trim().parse().ok().map(|seed| Intent::Restart { seed });
    let hint = "begin again at time zero with this seed, without what was done by hand";
    button(ui, "Restart", hint, restart, intents);
}

fn world(ui: &mut Ui, scene: &Scene<'_>, intents: &mut Vec<Intent>) {
    let leader = Target::Leader.resolve(scene.statuses, &[], 0).first().copied();
    let crash = leader.and_then(|node| scene.act(Command::Crash(node)));
    button(ui, "Crash leader", "the leader stops at once", crash, intents);
    let hint = "network, clocks and disks are well again, all nodes run";
    button(ui, "Heal everything", hint, scene.act(Command::Recover), intents);
}
