//! What can be done by hand to what was pressed in a picture.

use egui::Ui;

use super::cluster::Hit;
use super::{Scene, wish_menu};
use crate::command::{CRASH, HEAL, ISOLATE, Intent, MEND, PAUSE_NODE, WIPE};

/// The rows of the menu for what was pressed, then those for everything.
pub(crate) fn menu(ui: &mut Ui, scene: &Scene<'_>, hit: &Hit, intents: &mut Vec<Intent>) {
    match hit {
        // The press has selected it, and these wishes act on what is selected.
        Hit::Node(node) => {
            ui.strong(node.to_string());
            wish_menu(ui, &[&CRASH, &PAUSE_NODE, &WIPE, &ISOLATE], scene, intents);
            ui.separator();
        }
        Hit::Client(_) | Hit::Flight(_) | Hit::Link(..) | Hit::Nothing => {}
    }
    wish_menu(ui, &[&MEND, &HEAL], scene, intents);
}
