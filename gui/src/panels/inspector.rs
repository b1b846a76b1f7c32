//! One node: what can be done to it, and the state of its process as a tree.

use eframe::egui::{CollapsingHeader, Color32, Grid, Label, RichText, ScrollArea, Ui};
use sim_core::fault::Command;
use sim_core::status::Power;
use sim_core::view::{Cell, Content, Part, Strip, Table, ViewRequest};

use super::{Scene, button, nodes};
use crate::command::Intent;

/// Backgrounds of log cells: entries of one epoch share one, and neighbouring epochs differ.
const EPOCHS: [Color32; 6] = [
    Color32::from_rgb(52, 84, 130),
    Color32::from_rgb(120, 78, 38),
    Color32::from_rgb(48, 102, 72),
    Color32::from_rgb(116, 56, 92),
    Color32::from_rgb(92, 92, 40),
    Color32::from_rgb(80, 64, 128),
];

/// Shows the selected node.
pub(crate) fn show(ui: &mut Ui, scene: &Scene<'_>, intents: &mut Vec<Intent>) {
    let node = scene.selected;
    let status = &scene.statuses[node.index()];
    let (power, colour) = nodes::power(status.power);
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        ui.heading(node.to_string());
        ui.colored_label(colour, power);
        ui.weak(format!("incarnation {}", status.incarnation));
    });
    ui.horizontal(|ui| {
        let crash = ("Crash", "the process stops at once", Command::Crash(node));
        let acts = match status.power {
            Power::Running => vec![crash, ("Pause", "the process is not scheduled", Command::Pause(node))],
            Power::Paused => vec![crash, ("Resume", "the process goes on", Command::Resume(node))],
            Power::Down => {
                vec![("Restart", "a fresh process, on what the disk kept", Command::Restart(node))]
            }
        };
        for (text, hint, act) in acts {
            button(ui, text, hint, scene.act(act), intents);
        }
    });
    ui.separator();
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        show_parts(ui, &scene.session.simulation().view(node, &ViewRequest::default()));
    });
}

fn show_parts(ui: &mut Ui, parts: &[Part]) {
    for part in parts {
        match &part.content {
            Content::Text(text) => field(ui, &part.name, text),
            Content::Number(number) => field(ui, &part.name, &number.to_string()),
            Content::Group(parts) => section(ui, &part.name, |ui| show_parts(ui, parts)),
            Content::Strip(strip) => section(ui, &part.name, |ui| show_strip(ui, strip)),
            Content::Table(table) => section(ui, &part.name, |ui| show_table(ui, &part.name, table)),
        }
    }
}

fn field(ui: &mut Ui, name: &str, value: &str) {
    ui.horizontal(|ui| {
        ui.weak(name);
        ui.monospace(value);
    });
}

fn section(ui: &mut Ui, name: &str, content: impl FnOnce(&mut Ui)) {
    CollapsingHeader::new(name).default_open(true).show(ui, content);
}

fn show_strip(ui: &mut Ui, strip: &Strip) {
    ui.horizontal_wrapped(|ui| {
        for (mark, index) in &strip.marks {
            field(ui, mark, &index.to_string());
        }
        ui.weak(format!("showing {} of {}", strip.cells.len(), strip.available.end - strip.available.start));
    });
    ui.horizontal_wrapped(|ui| {
        for cell in &strip.cells {
            show_cell(ui, cell);
        }
    });
}

fn show_cell(ui: &mut Ui, cell: &Cell) {
    let colour = epoch_colour(cell.epoch);
    let text = RichText::new(format!(" {} {} ", cell.index, cell.label)).color(Color32::WHITE);
    let label = Label::new(text.small().background_color(colour)).extend();
    ui.add(label).on_hover_text(format!("index {}, epoch {}", cell.index, cell.epoch));
}

#[expect(clippy::cast_possible_truncation, reason = "the remainder is below the length, a `usize`")]
const fn epoch_colour(epoch: u64) -> Color32 {
    EPOCHS[(epoch % EPOCHS.len() as u64) as usize]
}

fn show_table(ui: &mut Ui, name: &str, table: &Table) {
    Grid::new(name).striped(true).show(ui, |ui| {
        for head in &table.columns {
            ui.strong(*head);
        }
        ui.end_row();
        for row in &table.rows {
            for text in row {
                ui.monospace(text);
            }
            ui.end_row();
        }
    });
}
