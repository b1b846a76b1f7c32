//! The scenarios that come with the program, to choose from: what each is, on which protocol, and what it should end with.

use egui::{RichText, ScrollArea, TextEdit, Ui};

use super::look::UNUSUAL;
use super::{Desk, Scene};
use crate::command::Intent;
use crate::model::library::Entry;

/// What mouse and keys do.
pub(crate) const HELP: &str = "All scenarios that come with the program. Press one to open it; write a part of its name, its \
                               protocol or what it says to find it.";

/// What the panel keeps.
#[derive(Default)]
pub(crate) struct Kept {
    wanted: String,
}

/// Shows the list.
pub(crate) fn show(ui: &mut Ui, scene: &Scene<'_>, desk: &mut Desk, intents: &mut Vec<Intent>) {
    let entries = desk.offers.entries(scene.session.table());
    let wanted = &mut desk.catalogue.wanted;
    let found: Vec<&Entry> = entries.iter().filter(|entry| entry.matches(wanted)).collect();
    ui.horizontal_wrapped(|ui| {
        let label = ui.label("find");
        let field = TextEdit::singleline(wanted).hint_text("a name, a protocol, a word").desired_width(150.0);
        ui.add(field).labelled_by(label.id);
        ui.weak(format!("{} of {}", found.len(), entries.len()));
    });
    ui.separator();
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        for entry in &found {
            row(ui, scene, entry, intents);
        }
        if found.is_empty() {
            ui.weak("no scenario is like that: write less");
        }
    });
}

fn row(ui: &mut Ui, scene: &Scene<'_>, entry: &Entry, intents: &mut Vec<Intent>) {
    let is_open = entry.name.ends_with(&format!("/{}", scene.session.name()));
    ui.horizontal_wrapped(|ui| {
        let name = ui.selectable_label(is_open, RichText::new(entry.name).strong());
        if name.on_hover_text("open it").clicked() {
            intents.push(Intent::Open(entry.name.to_owned()));
        }
        ui.weak(&entry.protocol);
        if let Some(property) = &entry.expects {
            let text = format!("⚠ should violate {property}");
            ui.colored_label(UNUSUAL, text).on_hover_text("what its run should end with");
        }
    });
    ui.indent(entry.name, |ui| ui.weak(&entry.summary));
    ui.add_space(4.0);
}

#[cfg(test)]
mod tests {
    use egui::accesskit::Role;
    use egui_kittest::kittest::Queryable;

    use crate::testing::{panel, press};

    #[test]
    fn a_scenario_is_found_by_a_word_of_its_summary_and_opened() {
        let mut window = panel("raft/steady", "Library");
        let field = window.get_by_role_and_label(Role::TextInput, "find");
        field.focus();
        window.run();
        window.event(egui::Event::Text("duelling".to_owned()));
        window.run();
        assert!(window.query_by_role_and_label(Role::Button, "raft/steady").is_none());
        press(&mut window, "synod/duelling-proposers");
        assert_eq!(window.state().session.name(), "duelling-proposers");
    }
}
