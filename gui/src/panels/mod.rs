//! What is drawn: one file a panel, with one function `show`. A panel reads the [`Scene`], keeps what belongs to it
//! alone in the [`Desk`], and adds what was asked for to a list of intents; it changes nothing itself.
//!
//! A new panel is a file here, its `mod` line, and a line of [`PANELS`].

mod acts;
pub(crate) mod bar;
mod branches;
mod checks;
mod cluster;
mod events;
mod history;
mod host;
pub(crate) mod ink;
mod inspector;
pub(crate) mod leave;
mod library;
mod logs;
pub(crate) mod look;
mod metrics;
mod milestones;
mod nodes;
pub(crate) mod palette;
mod picture;
pub(crate) mod plan;
pub(crate) mod save;
mod search;
mod setup;
mod space_time;
pub(crate) mod timeline;
pub(crate) mod tour;
mod why;

use std::collections::BTreeSet;

use egui::{Button, Ui};
use sim_core::NodeId;
use sim_core::status::NodeStatus;

use crate::command::{Intent, Wish};
use crate::model::lanes::Lanes;
use crate::model::library::Library;
use crate::session::Session;

/// What the panels draw: one moment of a run.
pub(crate) struct Scene<'a> {
    pub(crate) session: &'a Session,
    /// All nodes, in order.
    pub(crate) statuses: &'a [NodeStatus],
    /// How all nodes stood over time, as far as the run was computed.
    pub(crate) lanes: &'a Lanes,
    /// The node that is looked into.
    pub(crate) selected: NodeId,
    /// The record that is looked at, and what belongs to it.
    pub(crate) chosen: Option<&'a Chosen>,
    /// Whether there is a run that was shown before this one.
    pub(crate) has_before: bool,
    /// Why the last intent came to nothing.
    pub(crate) complaint: Option<&'a str>,
    /// What came of the last intent, where that is not to be seen.
    pub(crate) notice: Option<&'a str>,
}

/// A record that is looked at.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    pub(crate) record: u32,
    /// What led to it.
    pub(crate) past: BTreeSet<u32>,
    /// What followed from it.
    pub(crate) future: BTreeSet<u32>,
}

/// What panels keep from frame to frame, each its own part.
#[derive(Default)]
pub(crate) struct Desk {
    pub(crate) bar: bar::Kept,
    pub(crate) branches: branches::Kept,
    pub(crate) cluster: cluster::Kept,
    pub(crate) events: events::Kept,
    pub(crate) history: history::Kept,
    pub(crate) inspector: inspector::Kept,
    pub(crate) catalogue: library::Kept,
    pub(crate) logs: logs::Kept,
    pub(crate) metrics: metrics::Kept,
    pub(crate) offers: Library,
    pub(crate) palette: palette::Kept,
    pub(crate) plan: plan::Kept,
    pub(crate) save: save::Kept,
    pub(crate) setup: setup::Kept,
    pub(crate) space_time: space_time::Kept,
    pub(crate) timeline: timeline::Kept,
    pub(crate) tour: tour::Kept,
    pub(crate) why: why::Kept,
}

/// A panel that can be moved, closed and opened.
pub(crate) struct Panel {
    /// Its title.
    pub(crate) name: &'static str,
    /// What it shows and what mouse and keys do in it.
    pub(crate) help: &'static str,
    /// Draws it.
    pub(crate) show: fn(&mut Ui, &Scene<'_>, &mut Desk, &mut Vec<Intent>),
}

/// All panels.
pub(crate) const PANELS: &[Panel] = &[
    Panel { name: "Cluster", help: cluster::HELP, show: cluster::show },
    Panel { name: "Space-time", help: space_time::HELP, show: space_time::show },
    Panel { name: "Node", help: inspector::HELP, show: inspector::show },
    Panel { name: "Nodes", help: nodes::HELP, show: nodes::show },
    Panel { name: "Events", help: events::HELP, show: events::show },
    Panel { name: "History", help: history::HELP, show: history::show },
    Panel { name: "Logs", help: logs::HELP, show: logs::show },
    Panel { name: "Metrics", help: metrics::HELP, show: metrics::show },
    Panel { name: "Milestones", help: milestones::HELP, show: milestones::show },
    Panel { name: "Checks", help: checks::HELP, show: checks::show },
    Panel { name: "Plan", help: plan::HELP, show: plan::show },
    Panel { name: "Branches", help: branches::HELP, show: branches::show },
    Panel { name: "Why", help: why::HELP, show: why::show },
    Panel { name: "Setup", help: setup::HELP, show: setup::show },
    Panel { name: "Library", help: library::HELP, show: library::show },
];

/// Where a panel stands in the table.
///
/// # Panics
/// If it does not.
pub(crate) fn place(name: &str) -> usize {
    PANELS.iter().position(|panel| panel.name == name).expect("it is in the table")
}

/// A button for a wish; grey where it cannot be had.
pub(crate) fn wish_button(
    ui: &mut Ui,
    text: &str,
    wish: &Wish,
    scene: &Scene<'_>,
    intents: &mut Vec<Intent>,
) {
    let intent = (wish.intent)(scene);
    let hint = match wish.key {
        Some(key) => format!("{} ({})", wish.hint, ui.ctx().format_shortcut(&key)),
        None => wish.hint.to_owned(),
    };
    let response = ui.add_enabled(intent.is_some(), Button::new(text));
    let why_not = scene.session.hindrance().map_or_else(|| hint.clone(), |why| format!("{hint}\n\n{why}"));
    let response = response.on_hover_text(&hint).on_disabled_hover_text(why_not);
    intents.extend(intent.filter(|_| response.clicked()));
}

/// Wishes as the rows of a menu.
pub(crate) fn wish_menu(ui: &mut Ui, wishes: &[&Wish], scene: &Scene<'_>, intents: &mut Vec<Intent>) {
    for wish in wishes {
        let intent = (wish.intent)(scene);
        let row = Button::new(wish.name)
            .shortcut_text(wish.key.map_or_else(String::new, |key| ui.ctx().format_shortcut(&key)));
        let why_not = scene.session.hindrance().unwrap_or(wish.hint);
        let row = ui.add_enabled(intent.is_some(), row).on_disabled_hover_text(why_not);
        if row.on_hover_text(wish.hint).clicked() {
            intents.extend(intent);
            ui.close();
        }
    }
}
