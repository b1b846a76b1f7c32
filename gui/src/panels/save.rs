//! Asks for the name of a new file, whose ending says in which form what was done is written.

use egui::{Button, Id, Key, Modal, RichText, TextEdit, Ui};

use super::{Desk, Scene};
use crate::command::Intent;
use crate::files::{CAPSULE, FORMS, Form};

/// What is being written; nothing where nobody asks.
#[derive(Default)]
pub(crate) struct Kept {
    path: Option<String>,
}

impl Kept {
    /// Asks for a name, beginning with one of the scenario.
    pub(crate) fn open(&mut self, scenario: &str) {
        self.path = Some(format!("{scenario}-by-hand{CAPSULE}"));
    }
}

/// Asks, if somebody wants to save.
pub(crate) fn show(ui: &Ui, scene: &Scene<'_>, desk: &mut Desk, intents: &mut Vec<Intent>) {
    let Some(path) = &mut desk.save.path else { return };
    let mut is_over = false;
    let modal = Modal::new(Id::unique("save")).show(ui.ctx(), |ui| {
        ui.set_width(460.0);
        ui.heading("Save to a new file");
        ui.horizontal_wrapped(|ui| {
            for (form, ending, what) in FORMS {
                let is_it = Form::of(path) == Some(*form);
                let name = RichText::new(*ending).monospace();
                let why_not = scene.session.hindrance().filter(|_| form.keeps_deeds());
                let button = ui.add_enabled(why_not.is_none(), Button::selectable(is_it, name));
                let button = button.on_disabled_hover_text(why_not.unwrap_or_default());
                if button.on_hover_text(*what).clicked() {
                    *path = format!("{}-by-hand{ending}", scene.session.name());
                }
            }
        });
        let form = FORMS.iter().find(|(_, ending, _)| path.ends_with(ending));
        ui.weak(form.map_or("the name ends with one of these", |(.., what)| what));
        let label = ui.label("file");
        let field = ui.add(TextEdit::singleline(path).desired_width(f32::INFINITY)).labelled_by(label.id);
        let is_entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        if !is_entered && ui.memory(|memory| memory.focused().is_none()) {
            field.request_focus();
        }
        ui.horizontal(|ui| {
            let save = ui.add_enabled(form.is_some(), Button::new("Save"));
            if save.clicked() || (is_entered && form.is_some()) {
                intents.push(Intent::Save(path.clone()));
                is_over = true;
            }
            is_over |= ui.button("Leave it").clicked();
        });
    });
    if is_over || modal.should_close() {
        desk.save.path = None;
    }
}

#[cfg(test)]
mod tests {
    use egui::Modifiers;
    use egui_kittest::kittest::Queryable;

    use super::*;
    use crate::testing::{press, window};

    #[test]
    fn the_form_is_chosen_by_a_button_or_by_the_name_and_a_name_of_no_form_cannot_be_saved() {
        let mut window = window("raft/steady");
        window.key_press_modifiers(Modifiers::COMMAND, Key::S);
        window.run();
        let path = |window: &crate::testing::Window| window.state().desk.save.path.clone().expect("it asks");
        assert_eq!(path(&window), "steady-by-hand.capsule.ron");
        press(&mut window, ".svg");
        assert_eq!(path(&window), "steady-by-hand.svg");
        window.state_mut().desk.save.path = Some("steady.txt".to_owned());
        window.run();
        assert!(window.query_by_label_contains("the name ends with one of these").is_some());
        press(&mut window, "Leave it");
        assert!(window.state().desk.save.path.is_none());
    }
}
