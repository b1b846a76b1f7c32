//! Everything that happened, a row each, up to where the run was computed; searched by words and by node.

use egui::{RichText, Sense, Ui};
use egui_extras::{Column, TableBuilder};
use sim_core::Endpoint;
use sim_core::trace::{Trace, TraceKind};

use super::look::{BAD, CHOSEN, UNUSUAL};
use super::search::Search;
use super::{Desk, Scene};
use crate::command::Intent;
use crate::model::scale::seconds;
use crate::session::BranchId;

/// What the list keeps.
#[derive(Default)]
pub(crate) struct Kept {
    search: Search,
    is_of_node: bool,
    /// The records that were found, for what, and how many were looked at.
    found: Vec<u32>,
    looked: u32,
    asked: Option<(BranchId, String, Option<usize>)>,
    /// Where the list was scrolled to by itself last: where the playhead was then, and what was chosen.
    followed: Option<(u32, Option<u32>)>,
}

/// What mouse and keys do.
pub(crate) const HELP: &str =
    "Press a row to see what led to it, double-press to go there. Rows after the present moment are grey.";

const ROW_HEIGHT: f32 = 18.0;
/// How many records a frame searches through.
const SEARCHED_MAX: u32 = 50_000;

/// How large numbers and times are written.
const NUMBER_SIZE: f32 = 12.0;

/// Shows the list.
pub(crate) fn show(ui: &mut Ui, scene: &Scene<'_>, desk: &mut Desk, intents: &mut Vec<Intent>) {
    let Some(trace) = scene.session.run().trace() else {
        ui.weak("nothing was recorded");
        return;
    };
    let kept = &mut desk.events;
    ui.horizontal(|ui| {
        kept.search.show(ui, "search events", 260.0);
        ui.checkbox(&mut kept.is_of_node, format!("{} alone", scene.selected));
        if kept.is_searching() {
            ui.weak(format!("{} found in {} looked at", kept.found.len(), kept.looked));
        } else {
            ui.weak(format!("{} records", trace.len()));
        }
    });
    kept.look_on(scene, trace);
    kept.search.complain(ui);
    contents(ui, scene, trace, intents);
    if kept.looked < trace.len() && kept.is_searching() {
        ui.ctx().request_repaint();
    }
    let count = if kept.is_searching() { kept.found.len() } else { trace.len() as usize };
    if count == 0 {
        ui.weak(if kept.is_searching() {
            "no row fits this search"
        } else {
            "nothing has happened: press Step or Play"
        });
        return;
    }
    let shown = scene.session.simulation().trace().map_or(0, Trace::len);
    let table =
        TableBuilder::new(ui).striped(true).sense(Sense::click()).auto_shrink(false).animate_scrolling(false);
    let mut table =
        table.column(Column::exact(68.0)).column(Column::exact(120.0)).column(Column::remainder().clip(true));
    let chosen = scene.chosen.map(|chosen| chosen.record);
    let before = kept.followed.replace((shown, chosen));
    if before != Some((shown, chosen)) {
        // What was chosen elsewhere, or else the last of what is shown.
        let is_chosen = before.is_none_or(|(_, before)| before != chosen);
        let end = chosen.filter(|_| is_chosen).map_or(shown, |chosen| chosen + 1);
        let row = if kept.is_searching() {
            kept.found.partition_point(|number| *number < end)
        } else {
            end as usize
        };
        table = table.scroll_to_row(row.saturating_sub(1).min(count - 1), None);
    }
    table.body(|body| {
        body.rows(ROW_HEIGHT, count, |mut row| {
            let number = if kept.is_searching() {
                kept.found[row.index()]
            } else {
                u32::try_from(row.index()).unwrap_or(u32::MAX)
            };
            let Some(record) = trace.get(number) else { return };
            row.set_selected(scene.chosen.is_some_and(|chosen| chosen.record == number));
            let colour = match record.kind() {
                _ if scene.chosen.is_some_and(|chosen| chosen.past.contains(&number)) => Some(CHOSEN),
                _ if number >= shown => None,
                TraceKind::Drop | TraceKind::Crash => Some(BAD),
                TraceKind::Command | TraceKind::Restart | TraceKind::Pause | TraceKind::Resume => {
                    Some(UNUSUAL)
                }
                _ => None,
            };
            let texts = [format!("#{number}"), seconds(record.at()), told(scene, trace, number)];
            for (place, text) in texts.into_iter().enumerate() {
                row.col(|ui| {
                    ui.style_mut().interaction.selectable_labels = false;
                    let text = RichText::new(text);
                    let text = if place < 2 { text.monospace().size(NUMBER_SIZE) } else { text };
                    let text = match colour {
                        Some(colour) => text.color(colour),
                        None if number >= shown => text.weak(),
                        None => text,
                    };
                    ui.label(text);
                });
            }
            let response = row.response();
            if response.double_clicked() {
                intents.push(Intent::SeekRecord(number));
            } else if response.clicked() {
                intents.push(Intent::SelectRecord(Some(number)));
            }
        });
    });
}

/// The record that is looked at: what it says, and both its ends, to go to.
fn contents(ui: &mut Ui, scene: &Scene<'_>, trace: &Trace, intents: &mut Vec<Intent>) {
    let Some(chosen) = scene.chosen else { return };
    let Some(record) = trace.get(chosen.record) else { return };
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(told(scene, trace, chosen.record)).strong());
        let sent = record.payload().and_then(|_| record.cause());
        if let (Some(cause), Some(from)) = (sent, record.peer())
            && ui.button(format!("sent by {from}")).on_hover_text("go to where it was sent").clicked()
        {
            intents.push(Intent::SeekRecord(cause));
        }
        if let Some(to) = record.subject() {
            let text =
                if record.payload().is_some() { format!("arrived at {to}") } else { format!("at {to}") };
            if ui.button(text).on_hover_text("go to where it happened").clicked() {
                intents.push(Intent::SeekRecord(chosen.record));
            }
        }
        ui.weak(format!("{} led to it, {} followed", chosen.past.len(), chosen.future.len()));
    });
}

/// A record in words, with what was noted about it.
pub(super) fn told(scene: &Scene<'_>, trace: &Trace, number: u32) -> String {
    let Some(record) = trace.get(number) else { return String::new() };
    let notes: Vec<&str> = trace.notes(number..number + 1).map(|note| &*note.text).collect();
    let text = scene.session.run().describe(record);
    if notes.is_empty() { text } else { format!("{text}: {}", notes.join("; ")) }
}

impl Kept {
    fn is_searching(&self) -> bool {
        !self.search.filter().is_empty() || self.is_of_node
    }

    /// Looks on through the trace; from its beginning, where something else is wanted than before.
    fn look_on(&mut self, scene: &Scene<'_>, trace: &Trace) {
        let node = self.is_of_node.then(|| scene.selected.index());
        let asked = Some((scene.session.tip(), self.search.text().to_owned(), node));
        if self.asked != asked || self.looked > trace.len() {
            (self.asked, self.looked) = (asked, 0);
            self.found.clear();
        }
        if !self.is_searching() {
            return;
        }
        let kinds = scene.session.run().message_kinds();
        let end = trace.len().min(self.looked + SEARCHED_MAX);
        for number in self.looked..end {
            let Some(record) = trace.get(number) else { break };
            let is_there = node.is_none_or(|node| {
                record.subject().and_then(Endpoint::node).is_some_and(|id| id.index() == node)
            });
            if is_there && self.search.filter().fits(record, kinds, || told(scene, trace, number)) {
                self.found.push(number);
            }
        }
        self.looked = end;
    }
}

#[cfg(test)]
mod tests {
    use egui::Event;
    use egui::accesskit::Role;
    use egui_kittest::kittest::Queryable;

    use crate::testing::{Window, panel, press};

    fn search(window: &mut Window, text: &str) {
        window.get_by_role_and_label(Role::TextInput, "search events").focus();
        window.run();
        window.event(Event::Text(text.to_owned()));
        window.run_steps(10);
    }

    #[test]
    fn a_search_by_fields_finds_what_fits_and_nothing_else() {
        let mut window = panel("raft/steady", "Events");
        search(&mut window, "to:n2 time>500ms kind:append");
        let kept = &window.state().desk.events;
        let trace = window.state().session.run().trace().expect("it is recorded");
        assert!(kept.found.len() > 3, "{} found", kept.found.len());
        for number in &kept.found {
            let record = trace.get(*number).expect("it was found");
            assert_eq!(record.subject().map(|end| end.to_string()).as_deref(), Some("n2"));
            assert!(record.at().as_nanos() > 500_000_000);
        }
    }

    #[test]
    fn a_search_that_means_nothing_is_told_in_place_and_hides_no_row() {
        let mut window = panel("raft/steady", "Events");
        search(&mut window, "node:nobody");
        assert!(window.query_by_label_contains("no node such as `n1`").is_some());
        assert!(!window.state().desk.events.is_searching());
    }

    #[test]
    fn what_is_chosen_elsewhere_is_scrolled_to() {
        let mut window = panel("raft/leader-crash", "Events");
        let row = "#40";
        assert!(window.query_by_label(row).is_none(), "the list is at its end");
        window.state_mut().choose(Some(40));
        window.run();
        assert!(window.query_by_label(row).is_some());
    }

    #[test]
    fn both_ends_of_a_message_can_be_gone_to() {
        let mut window = panel("raft/steady", "Events");
        let trace = window.state().session.run().trace().expect("it is recorded");
        let message = (0..trace.len()).rev().find(|number| trace.sent_at(*number).is_some());
        let message = message.expect("something arrived");
        let record = *trace.get(message).expect("it is there");
        window.state_mut().choose(Some(message));
        window.run();
        press(&mut window, &format!("sent by {}", record.peer().expect("a message has two ends")));
        assert_eq!(window.state().chosen.as_ref().map(|chosen| chosen.record), record.cause());
    }
}
