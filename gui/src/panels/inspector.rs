//! One node: what can be done to it, and the state of its process as a tree, with what the last event changed marked.

use std::collections::BTreeSet;

use egui::{CollapsingHeader, Color32, Grid, Label, RichText, ScrollArea, Ui};
use sim_core::NodeId;
use sim_core::status::Power;
use sim_core::view::{Cell, Content, Part, Strip, Table, ViewRequest};

use super::look::{self, CHOSEN};
use super::{Desk, Scene, wish_button};
use crate::command::{CRASH, ISOLATE, Intent, PAUSE_NODE, WIPE};
use crate::session::{BranchId, Playback};

/// What mouse and keys do.
pub(crate) const HELP: &str = "The state of the selected node. What the last event changed is blue. \
Cells of a log have the colour of their epoch.";

/// What the tree keeps.
#[derive(Default)]
pub(crate) struct Kept {
    /// The fields that the last event changed, and for what that was asked.
    changed: BTreeSet<String>,
    asked: Option<(BranchId, u64, NodeId)>,
}

/// Shows the selected node.
pub(crate) fn show(ui: &mut Ui, scene: &Scene<'_>, desk: &mut Desk, intents: &mut Vec<Intent>) {
    let node = scene.selected;
    let status = &scene.statuses[node.index()];
    let (power, colour) = look::power(status.power);
    ui.horizontal_wrapped(|ui| {
        ui.heading(node.to_string());
        ui.colored_label(colour, power);
        ui.weak(format!("started {} times", status.incarnation));
        let crash = if status.power == Power::Down { "Restart" } else { "Crash" };
        let pause = if status.power == Power::Paused { "Resume" } else { "Pause" };
        wish_button(ui, crash, &CRASH, scene, intents);
        wish_button(ui, pause, &PAUSE_NODE, scene, intents);
        wish_button(ui, "Cut off", &ISOLATE, scene, intents);
        wish_button(ui, "Wipe", &WIPE, scene, intents);
    });
    ui.separator();
    let parts = scene.session.simulation().view(node, &ViewRequest::default());
    desk.inspector.ask(scene, &parts);
    if parts.is_empty() {
        ui.weak("down: its process is gone, its disk keeps what was synced");
        return;
    }
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        Tree { changed: &desk.inspector.changed }.parts(ui, "", &parts);
    });
}

impl Kept {
    /// What has changed is found by a look at the moment before: once a moment, and not while time passes.
    fn ask(&mut self, scene: &Scene<'_>, parts: &[Part]) {
        let asked = (scene.session.tip(), scene.session.simulation().events(), scene.selected);
        if self.asked == Some(asked) {
            return;
        }
        self.asked = Some(asked);
        self.changed.clear();
        if scene.session.playback() == Playback::Playing {
            return;
        }
        let Some(before) = scene.session.before() else { return };
        let (mut old, mut new) = (BTreeSet::new(), BTreeSet::new());
        flatten("", &before.view(scene.selected, &ViewRequest::default()), &mut old);
        flatten("", parts, &mut new);
        self.changed = new.difference(&old).map(|(path, _)| path.clone()).collect();
    }
}

/// All fields, cells and rows with their paths.
fn flatten(path: &str, parts: &[Part], into: &mut BTreeSet<(String, String)>) {
    for part in parts {
        let path = format!("{path}/{}", part.name);
        match &part.content {
            Content::Text(text) => drop(into.insert((path, text.clone()))),
            Content::Number(number) => drop(into.insert((path, number.to_string()))),
            Content::Group(parts) => flatten(&path, parts, into),
            Content::Strip(strip) => {
                into.extend(
                    strip.marks.iter().map(|(name, index)| (format!("{path}/{name}"), index.to_string())),
                );
                into.extend(strip.cells.iter().map(|cell| {
                    (format!("{path}/{}", cell.index), format!("{} {}", cell.epoch, cell.label))
                }));
            }
            Content::Table(table) => {
                into.extend(
                    table
                        .rows
                        .iter()
                        .enumerate()
                        .map(|(row, texts)| (format!("{path}/{row}"), texts.join("|"))),
                );
            }
        }
    }
}

struct Tree<'a> {
    changed: &'a BTreeSet<String>,
}

impl Tree<'_> {
    fn parts(&self, ui: &mut Ui, path: &str, parts: &[Part]) {
        for part in parts {
            let path = format!("{path}/{}", part.name);
            match &part.content {
                Content::Text(text) => self.field(ui, &path, &part.name, text),
                Content::Number(number) => self.field(ui, &path, &part.name, &number.to_string()),
                Content::Group(parts) => section(ui, &part.name, |ui| self.parts(ui, &path, parts)),
                Content::Strip(strip) => section(ui, &part.name, |ui| self.strip(ui, &path, strip)),
                Content::Table(table) => section(ui, &part.name, |ui| self.table(ui, &path, table)),
            }
        }
    }

    fn field(&self, ui: &mut Ui, path: &str, name: &str, value: &str) {
        ui.horizontal(|ui| {
            ui.weak(name);
            let text = RichText::new(value).monospace();
            ui.label(if self.changed.contains(path) { text.color(CHOSEN).strong() } else { text });
        });
    }

    fn strip(&self, ui: &mut Ui, path: &str, strip: &Strip) {
        ui.horizontal_wrapped(|ui| {
            for (mark, index) in &strip.marks {
                self.field(ui, &format!("{path}/{mark}"), mark, &index.to_string());
            }
            ui.weak(format!(
                "showing {} of {}",
                strip.cells.len(),
                strip.available.end - strip.available.start
            ));
        });
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = egui::vec2(4.0, 2.0);
            for cell in &strip.cells {
                show_cell(ui, cell, self.changed.contains(&format!("{path}/{}", cell.index)));
            }
        });
    }

    fn table(&self, ui: &mut Ui, path: &str, table: &Table) {
        Grid::new(path).striped(true).show(ui, |ui| {
            for head in &table.columns {
                ui.strong(*head);
            }
            ui.end_row();
            for (row, texts) in table.rows.iter().enumerate() {
                let is_changed = self.changed.contains(&format!("{path}/{row}"));
                for text in texts {
                    let text = RichText::new(text).monospace();
                    ui.label(if is_changed { text.color(CHOSEN) } else { text });
                }
                ui.end_row();
            }
        });
    }
}

fn section(ui: &mut Ui, name: &str, content: impl FnOnce(&mut Ui)) {
    CollapsingHeader::new(name).default_open(true).show(ui, content);
}

fn show_cell(ui: &mut Ui, cell: &Cell, is_changed: bool) {
    let text = RichText::new(format!(" {} {} ", cell.index, cell.label)).color(Color32::WHITE).small();
    let text = text.background_color(look::epoch(cell.epoch));
    let label = Label::new(if is_changed { text.underline().strong() } else { text }).extend();
    ui.add(label).on_hover_text(format!("index {}, epoch {}", cell.index, cell.epoch));
}
