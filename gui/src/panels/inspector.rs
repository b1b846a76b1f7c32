//! One node: what can be done to it, and the state of its process as a tree, with what the last event changed marked.

use std::collections::BTreeSet;

use egui::{CollapsingHeader, Grid, Label, RichText, ScrollArea, Ui};
use sim_core::NodeId;
use sim_core::status::Power;
use sim_core::view::{Cell, Content, Part, Strip, Table, ViewRequest};

use super::look::{self, CHOSEN};
use super::{Desk, Scene, host, wish_button};
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
    /// The fields that are watched, of any node, by their paths.
    watches: BTreeSet<(NodeId, String)>,
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
        ui.weak(look::starts(status.incarnation));
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
    let Kept { changed, watches, .. } = &mut desk.inspector;
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        show_watches(ui, scene, watches);
        if let Some(view) = scene.session.simulation().host(node) {
            section(ui, "host", |ui| host::show(ui, scene, &view));
        }
        if parts.is_empty() {
            ui.weak("down: its process is gone, its disk keeps what was synced");
        }
        let mut tree = Tree { node, changed, watches, pressed: None };
        tree.parts(ui, "", &parts);
        let pressed = tree.pressed.map(|path| (node, path));
        if let Some(watch) = pressed.filter(|watch| !watches.remove(watch)) {
            watches.insert(watch);
        }
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
            Content::Links(links) => drop(into.insert((path, links.to_string()))),
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

/// The fields that are watched, those of several nodes together.
fn show_watches(ui: &mut Ui, scene: &Scene<'_>, watches: &mut BTreeSet<(NodeId, String)>) {
    watches.retain(|(node, _)| node.index() < scene.statuses.len());
    if watches.is_empty() {
        return;
    }
    let mut gone = None;
    section(ui, "watches", |ui| {
        Grid::new("watches").num_columns(3).show(ui, |ui| {
            for watch in watches.iter() {
                let (node, path) = watch;
                let mut fields = BTreeSet::new();
                flatten("", &scene.session.simulation().view(*node, &ViewRequest::default()), &mut fields);
                let value = fields.into_iter().find(|(known, _)| known == path).map(|(_, value)| value);
                if star(ui, true, &format!("unpin {node}{path}")) {
                    gone = Some(watch.clone());
                }
                ui.weak(format!("{node}{path}"));
                ui.monospace(value.unwrap_or_else(|| "not there now".to_owned()));
                ui.end_row();
            }
        });
    });
    if let Some(gone) = gone {
        watches.remove(&gone);
    }
}

/// A star to press: full where the field is watched.
fn star(ui: &mut Ui, is_full: bool, label: &str) -> bool {
    let sign = RichText::new(if is_full { "★" } else { "☆" }).small();
    let response = ui.add(egui::Button::new(sign).frame(false)).on_hover_text("watch this field above");
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, label));
    response.clicked()
}

struct Tree<'a> {
    node: NodeId,
    changed: &'a BTreeSet<String>,
    watches: &'a BTreeSet<(NodeId, String)>,
    /// The field whose star was pressed.
    pressed: Option<String>,
}

impl Tree<'_> {
    fn parts(&mut self, ui: &mut Ui, path: &str, parts: &[Part]) {
        for part in parts {
            let path = format!("{path}/{}", part.name);
            match &part.content {
                Content::Text(text) => self.field(ui, &path, &part.name, text),
                Content::Number(number) => self.field(ui, &path, &part.name, &number.to_string()),
                Content::Links(links) => self.field(ui, &path, &part.name, &links.to_string()),
                Content::Group(parts) => section(ui, &part.name, |ui| self.parts(ui, &path, parts)),
                Content::Strip(strip) => section(ui, &part.name, |ui| self.strip(ui, &path, strip)),
                Content::Table(table) => section(ui, &part.name, |ui| self.table(ui, &path, table)),
            }
        }
    }

    fn field(&mut self, ui: &mut Ui, path: &str, name: &str, value: &str) {
        ui.horizontal(|ui| {
            let is_watched = self.watches.contains(&(self.node, path.to_owned()));
            if star(ui, is_watched, &format!("pin {path}")) {
                self.pressed = Some(path.to_owned());
            }
            ui.weak(name);
            let text = RichText::new(value).monospace();
            ui.label(if self.changed.contains(path) { text.color(CHOSEN).strong() } else { text });
        });
    }

    fn strip(&mut self, ui: &mut Ui, path: &str, strip: &Strip) {
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
    let fill = look::epoch(cell.epoch);
    let text = RichText::new(format!(" {} {} ", cell.index, cell.label)).small();
    let text = text.color(look::on(fill, ui.visuals())).background_color(fill);
    let label = Label::new(if is_changed { text.underline().strong() } else { text }).extend();
    ui.add(label).on_hover_text(format!("index {}, epoch {}", cell.index, cell.epoch));
}

#[cfg(test)]
mod tests {
    use egui_kittest::kittest::Queryable;
    use sim_core::NodeId;
    use sim_core::fault::Command;

    use crate::testing::panel;

    #[test]
    fn fields_of_several_nodes_are_watched_together_until_they_are_let_go() {
        let mut window = panel("raft/steady", "Node");
        window.get_by_label("pin /persistent/current term").click();
        window.run();
        window.state_mut().selected = NodeId::new(1);
        window.run();
        window.get_by_label("pin /persistent/current term").click();
        window.run();
        let label = |node: u32| format!("unpin n{node}/persistent/current term");
        assert!(window.query_by_label(&label(1)).is_some() && window.query_by_label(&label(2)).is_some());
        window.get_by_label(&label(1)).click();
        window.run();
        assert!(window.query_by_label(&label(1)).is_none() && window.query_by_label(&label(2)).is_some());
    }

    #[test]
    fn timers_clocks_and_disk_of_the_host_are_shown_also_while_it_is_down() {
        let mut window = panel("raft/steady", "Node");
        assert!(window.query_all_by_label_contains("timer ").next().is_some());
        assert!(window.query_all_by_label_contains("durable").next().is_some());
        window.state_mut().session.apply(Command::Crash(NodeId::new(0))).expect("a world takes commands");
        window.run();
        assert!(window.query_all_by_label_contains("timer ").next().is_none(), "its timers are void");
        assert!(window.query_all_by_label_contains("all durable").next().is_some());
    }
}
