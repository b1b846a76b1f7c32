//! The question before the window closes, where something was done by hand and not saved.

use egui::{Modal, Ui};

use crate::command::{Close, Intent};

/// Asks.
pub(crate) fn show(ui: &Ui, intents: &mut Vec<Intent>) {
    let modal = Modal::new(egui::Id::unique("leave")).show(ui.ctx(), |ui| {
        ui.set_max_width(380.0);
        ui.heading("What you did is not saved");
        ui.label(
            "Save… in the bar writes it to a file that the command line replays. Without that it is gone.",
        );
        ui.add_space(8.0);
        ui.horizontal(|ui| {
            if ui.button("Stay").clicked() {
                intents.push(Intent::Close(Close::Stay));
            }
            if ui.button("Close without saving").clicked() {
                intents.push(Intent::Close(Close::Anyway));
            }
        });
    });
    if modal.should_close() {
        intents.push(Intent::Close(Close::Stay));
    }
}
