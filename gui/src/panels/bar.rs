//! The row at the top: what is open, time and the world by buttons, and whether anything is wrong.

use egui::{ComboBox, RichText, TextEdit, Ui};
use scenarios::run::exit_code;

use super::look::{BAD, GOOD, UNUSUAL};
use super::{Desk, PANELS, Scene, wish_button};
use crate::command::{
    CRASH_LEADER, HEAL, HELP, HUNT, Intent, MEND, NEXT_SEED, PALETTE, PLAY, PREVIOUS_SEED, RANDOM_SEED, REDO,
    SAVE, STEP, STEP_BACK, STOP, TO_END, TO_START, UNDO,
};
use crate::model::library::Entry;
use crate::model::scale::seconds;
use crate::session::{Playback, Search, Speed};

/// What the row keeps.
#[derive(Default)]
pub(crate) struct Kept {
    /// The seed of the next restart, while it is being typed.
    seed: Option<String>,
    /// Part of the name of a scenario to open.
    wanted: String,
}

/// Shows the rows.
pub(crate) fn show(ui: &mut Ui, scene: &Scene<'_>, desk: &mut Desk, intents: &mut Vec<Intent>) {
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        scenario(ui, scene, desk, intents);
        seed(ui, scene, desk, intents);
        ui.separator();
        wish_button(ui, "Save…", &SAVE, scene, intents);
        panels(ui, intents);
        wish_button(ui, "Find…", &PALETTE, scene, intents);
        wish_button(ui, "?", &HELP, scene, intents);
    });
    ui.horizontal_wrapped(|ui| {
        time(ui, scene, intents);
        ui.separator();
        wish_button(ui, "Crash leader", &CRASH_LEADER, scene, intents);
        wish_button(ui, "Mend network", &MEND, scene, intents);
        wish_button(ui, "Heal all", &HEAL, scene, intents);
        wish_button(ui, "Undo", &UNDO, scene, intents);
        wish_button(ui, "Redo", &REDO, scene, intents);
        ui.separator();
        search(ui, scene, intents);
        verdict(ui, scene);
    });
    ui.add_space(2.0);
}

fn scenario(ui: &mut Ui, scene: &Scene<'_>, desk: &mut Desk, intents: &mut Vec<Intent>) {
    let name = RichText::new(scene.session.name()).strong();
    let menu = ui.menu_button(name, |ui| {
        ui.set_min_width(460.0);
        let wanted = &mut desk.bar.wanted;
        let field = TextEdit::singleline(wanted)
            .hint_text("part of a name, or the path of a file")
            .desired_width(f32::INFINITY);
        let response = ui.add(field);
        if response.lost_focus()
            && ui.input(|input| input.key_pressed(egui::Key::Enter))
            && !wanted.is_empty()
        {
            intents.push(Intent::Open(wanted.trim().to_owned()));
            ui.close();
        }
        egui::ScrollArea::vertical().max_height(420.0).show(ui, |ui| {
            let is_meant = |entry: &&Entry| {
                entry.name.contains(wanted.as_str()) || entry.summary.contains(wanted.as_str())
            };
            for entry in desk.offers.entries(scene.session.table()).iter().filter(is_meant) {
                if ui.button(entry.name).on_hover_text(&entry.summary).clicked() {
                    intents.push(Intent::Open(entry.name.to_owned()));
                    ui.close();
                }
            }
        });
    });
    menu.response.on_hover_text(format!("{}\n\nOpen another scenario", scene.session.summary()));
}

fn seed(ui: &mut Ui, scene: &Scene<'_>, desk: &mut Desk, intents: &mut Vec<Intent>) {
    wish_button(ui, "◀", &PREVIOUS_SEED, scene, intents);
    let mut text = desk.bar.seed.clone().unwrap_or_else(|| scene.session.seed().to_string());
    let label = ui.label("seed");
    let field = TextEdit::singleline(&mut text).desired_width(70.0);
    let field = ui.add_enabled(scene.session.hindrance().is_none(), field).labelled_by(label.id);
    let field = field.on_disabled_hover_text(scene.session.hindrance().unwrap_or_default());
    let field =
        field.on_hover_text("decides everything but what is done by hand; Enter begins again with it");
    desk.bar.seed = field.has_focus().then(|| text.clone());
    if field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter)) {
        intents.extend(text.trim().parse().ok().map(|seed| Intent::Restart { seed }));
    }
    wish_button(ui, "▶", &NEXT_SEED, scene, intents);
    wish_button(ui, "Random", &RANDOM_SEED, scene, intents);
    wish_button(ui, "Until it breaks", &HUNT, scene, intents);
}

/// How far the search for a seed that breaks something is, or what has come of it.
fn search(ui: &mut Ui, scene: &Scene<'_>, intents: &mut Vec<Intent>) {
    match scene.session.search() {
        None => {}
        Some(Search::Underway { seed, tried }) => {
            ui.spinner();
            ui.label(format!("trying seed {seed}; {tried} have passed"));
            wish_button(ui, "Stop", &STOP, scene, intents);
        }
        Some(Search::Found { verdict, tried }) => {
            let text = format!("seed {} breaks it, after {tried} that pass", scene.session.seed());
            ui.label(text).on_hover_text(verdict.to_string());
            // What the run itself does not show: what clients saw, and whether it converges.
            if scene.session.verdict().is_none() {
                ui.label(RichText::new(format!("⚠ {verdict}")).color(BAD).strong());
            }
        }
        Some(Search::Stopped { tried }) => {
            ui.weak(format!("stopped: {tried} seeds have passed"));
        }
    }
}

fn panels(ui: &mut Ui, intents: &mut Vec<Intent>) {
    ui.menu_button("Panels", |ui| {
        for (place, panel) in PANELS.iter().enumerate() {
            if ui.button(panel.name).on_hover_text(panel.help).clicked() {
                intents.push(Intent::TogglePanel(place));
                ui.close();
            }
        }
        ui.separator();
        if ui.button("Where they were at first").clicked() {
            intents.push(Intent::ResetPanels);
            ui.close();
        }
    });
}

fn time(ui: &mut Ui, scene: &Scene<'_>, intents: &mut Vec<Intent>) {
    let play = if scene.session.playback() == Playback::Playing { "Pause" } else { "Play" };
    wish_button(ui, "⏮", &TO_START, scene, intents);
    wish_button(ui, "Back", &STEP_BACK, scene, intents);
    wish_button(ui, play, &PLAY, scene, intents);
    wish_button(ui, "Step", &STEP, scene, intents);
    wish_button(ui, "⏭", &TO_END, scene, intents);
    let speed = scene.session.speed();
    let label = ui.label("speed");
    let chosen = ComboBox::from_id_salt("speed").width(64.0).selected_text(speed.to_string());
    let chosen = chosen.show_ui(ui, |ui| {
        for choice in Speed::ALL {
            if ui.selectable_label(choice == speed, choice.to_string()).clicked() {
                intents.push(Intent::SetSpeed(choice));
            }
        }
    });
    chosen.response.labelled_by(label.id).on_hover_text("simulated time for each second on the wall");
    ui.monospace(seconds(scene.session.playhead())).on_hover_text("simulated time");
    let events = scene.session.simulation().events();
    ui.weak(format!("event {events}"))
        .on_hover_text(format!("digest {}", scene.session.simulation().digest()));
    if scene.session.is_seeking() {
        ui.spinner();
        ui.weak("computing…");
    }
}

fn verdict(ui: &mut Ui, scene: &Scene<'_>) {
    if let Some(why) = scene.session.hindrance() {
        ui.colored_label(UNUSUAL, "recording").on_hover_text(why);
    }
    if let Some(complaint) = scene.complaint.or(scene.session.trouble()) {
        ui.colored_label(BAD, complaint);
    }
    if let Some(notice) = scene.notice {
        ui.colored_label(GOOD, notice);
    }
    let Some(verdict) = scene.session.verdict() else {
        if !matches!(scene.session.search(), Some(Search::Found { .. })) {
            ui.colored_label(GOOD, "nothing violated so far");
        }
        if scene.session.playback() == Playback::Idle {
            ui.weak("nothing more happens");
        }
        return;
    };
    let (sign, colour) = match verdict.exit_code() {
        exit_code::PASS => ("✔", GOOD),
        exit_code::BEYOND_PROMISE => ("⚠", UNUSUAL),
        _ => ("✖", BAD),
    };
    ui.label(RichText::new(format!("{sign} {verdict}")).color(colour).strong());
}
