//! What is drawn: one file a panel, with one function `show`. A panel reads the [`Scene`] and adds what was asked for
//! to a list of intents; it changes nothing itself.
//!
//! A new panel is a file here, its `mod` line, and its place in `app`.

pub(crate) mod controls;
pub(crate) mod inspector;
pub(crate) mod milestones;
pub(crate) mod nodes;
pub(crate) mod overview;

use eframe::egui::{Button, Color32, Ui};
use sim_core::fault::Command;
use sim_core::status::NodeStatus;
use sim_core::{NodeId, SimTime};

use crate::command::Intent;
use crate::session::Session;

/// Colours say again what the text says; readable on dark and on light.
pub(crate) const GOOD: Color32 = Color32::from_rgb(60, 160, 90);
/// Something is amiss, but may be meant to.
pub(crate) const UNUSUAL: Color32 = Color32::from_rgb(200, 140, 30);
/// Something is wrong.
pub(crate) const BAD: Color32 = Color32::from_rgb(215, 75, 70);

/// What the panels draw: one moment of a run.
pub(crate) struct Scene<'a> {
    pub(crate) session: &'a Session,
    /// All nodes, in order.
    pub(crate) statuses: &'a [NodeStatus],
    /// The node that is looked into.
    pub(crate) selected: NodeId,
    /// Why the last intent came to nothing.
    pub(crate) complaint: Option<&'a str>,
}

impl Scene<'_> {
    /// The wish for a command, where commands are taken.
    pub(crate) fn act(&self, command: Command) -> Option<Intent> {
        self.session.simulation().capabilities().command.then_some(Intent::Apply(command))
    }
}

/// A button that asks for `intent`; grey where there is none.
pub(crate) fn button(ui: &mut Ui, text: &str, hint: &str, intent: Option<Intent>, intents: &mut Vec<Intent>) {
    let response = ui.add_enabled(intent.is_some(), Button::new(text)).on_hover_text(hint);
    intents.extend(intent.filter(|_| response.clicked()));
}

/// A time in seconds with all its digits, so that numbers stand still while they count.
pub(crate) fn seconds(time: SimTime) -> String {
    let nanos = time.as_nanos();
    format!("{}.{:09} s", nanos / 1_000_000_000, nanos % 1_000_000_000)
}
