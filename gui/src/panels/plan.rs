//! Everything that is done to the run from outside, a line each, as scenario files have it: to be read, gone to, changed, taken
//! away and added to.

use egui::{Button, Key, RichText, ScrollArea, TextEdit, Ui};
use sim_core::fault::{Entry, Plan, Trigger};
use sim_core::{SimTime, Span};

use super::look::{self, BAD, CHOSEN};
use super::{Desk, Scene};
use crate::command::Intent;
use crate::model::scale::seconds;

/// What mouse and keys do.
pub(crate) const HELP: &str = "What the scenario and you do to the run, in order. Press a time to go there, a line to change \
it, ✖ to take it away. Lines are those of scenario files; a change begins a branch that runs the whole plan anew.";

/// The line that is being written.
#[derive(Default)]
pub(crate) struct Kept {
    /// Which line it takes the place of; `None` for a new one.
    place: Option<usize>,
    text: String,
    error: Option<String>,
}

impl Kept {
    /// Begins a new line: an act at a time.
    pub(crate) fn draft(&mut self, at: SimTime, act: &str) {
        *self = Self { text: timed(at, act), ..Self::default() };
    }

    fn is_open(&self) -> bool {
        !self.text.is_empty()
    }
}

/// An act at a time, as a line.
pub(crate) fn timed(at: SimTime, act: &str) -> String {
    format!("(at: \"{}\", do: {act})", Span::nanos(at.as_nanos()))
}

/// Shows the lines, and below them the one that is written.
pub(crate) fn show(ui: &mut Ui, scene: &Scene<'_>, desk: &mut Desk, intents: &mut Vec<Intent>) {
    let kept = &mut desk.plan;
    let plan = scene.session.run().plan();
    ui.horizontal(|ui| {
        let why_not = scene.session.hindrance();
        let add = ui.add_enabled(why_not.is_none(), Button::new("Add a line…"));
        let add = add.on_disabled_hover_text(why_not.unwrap_or_default());
        if add.on_hover_text("write what is to happen, and when").clicked() {
            kept.draft(scene.session.playhead(), "Crash(\"leader\")");
        }
        ui.weak(match plan.entries().len() {
            0 => "nothing is done to this run yet: press something in the cluster, or add a line".to_owned(),
            count => look::count(count, "line"),
        });
    });
    let room = if kept.is_open() { 96.0 } else { 0.0 } + kept.error.as_ref().map_or(0.0, |_| 110.0);
    let height = (ui.available_height() - room).max(60.0);
    let row_height = ui.text_style_height(&egui::TextStyle::Monospace) + 4.0;
    ui.scope(|ui| {
        ui.set_max_height(height);
        ScrollArea::both().auto_shrink([false, true]).show_rows(
            ui,
            row_height,
            plan.entries().len(),
            |ui, rows| {
                for index in rows {
                    row(ui, scene, kept, plan, index, intents);
                }
            },
        );
    });
    if kept.is_open() {
        editor(ui, scene, kept, plan, intents);
    }
}

/// What is done, and what that came to, without the time, which stands before it.
fn told(entry: &Entry) -> String {
    let command = match entry.trigger {
        Trigger::At(_) => entry.command.to_string(),
        _ => format!("{}: {}", entry.trigger, entry.command),
    };
    let meant = entry.command.concrete().map(|only| vec![only]);
    match entry.was.as_ref().filter(|was| Some(&was.commands) != meant.as_ref()) {
        None => command,
        Some(was) if was.commands.is_empty() => format!("{command} (nobody was there)"),
        Some(was) => {
            let commands: Vec<String> = was.commands.iter().map(ToString::to_string).collect();
            format!("{command} (was {})", commands.join("; "))
        }
    }
}

fn row(
    ui: &mut Ui,
    scene: &Scene<'_>,
    kept: &mut Kept,
    plan: &Plan,
    index: usize,
    intents: &mut Vec<Intent>,
) {
    let entry = &plan.entries()[index];
    let playhead = scene.session.playhead();
    let is_past = entry.was.as_ref().is_some_and(|was| was.moment.time <= playhead);
    ui.horizontal(|ui| {
        if ui.add(Button::new("✖").frame(false)).on_hover_text("take this line away").clicked() {
            let text = format!("without `{}`", entry.command);
            intents.push(Intent::Replan { plan: replaced(plan, Some(index), Vec::new()), text });
        }
        let moment = entry.moment().map(|moment| moment.time);
        let when = RichText::new(moment.map_or_else(|| "when due".to_owned(), seconds)).monospace();
        let when = ui.add_enabled(moment.is_some(), Button::new(when).frame(false));
        if let Some(time) = moment.filter(|_| when.clicked()) {
            intents.push(Intent::SeekTime(time));
        }
        let line = scene.session.line(entry);
        let mut text = RichText::new(told(entry)).monospace();
        if kept.is_open() && kept.place == Some(index) {
            text = text.color(CHOSEN);
        } else if !is_past {
            text = text.weak();
        }
        let response = ui.add_enabled(line.is_some(), Button::new(text).frame(false));
        let response = response.on_hover_text(if is_past {
            "it has happened; press to change it"
        } else {
            "to come; press to change it"
        });
        if let Some(line) = line.filter(|_| response.clicked()) {
            *kept = Kept { place: Some(index), text: line, error: None };
        }
    });
}

fn editor(ui: &mut Ui, scene: &Scene<'_>, kept: &mut Kept, plan: &Plan, intents: &mut Vec<Intent>) {
    ui.separator();
    let title = if kept.place.is_some() { "change this line" } else { "a new line" };
    let label = ui.label(title);
    let field = TextEdit::singleline(&mut kept.text).code_editor().desired_width(f32::INFINITY);
    let response = ui.add(field).labelled_by(label.id);
    let enter = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    let (mut is_wanted, mut is_over) = (enter, false);
    ui.horizontal(|ui| {
        is_wanted |= ui.button("Put it in").clicked();
        is_over = ui.button("Leave it").clicked();
    });
    if is_wanted {
        match scene.session.read_line(&kept.text) {
            Ok(new) => {
                let text = if kept.place.is_some() { "changed to" } else { "with" };
                let text = format!("{text} `{}`", kept.text);
                intents.push(Intent::Replan { plan: replaced(plan, kept.place, new), text });
                is_over = true;
            }
            Err(error) => kept.error = Some(error.to_string()),
        }
    }
    if is_over {
        *kept = Kept::default();
    }
    if let Some(error) = &kept.error {
        ScrollArea::vertical()
            .id_salt("error")
            .show(ui, |ui| ui.label(RichText::new(error).monospace().color(BAD)));
    }
}

/// The plan with other lines in the place of one, or with more.
fn replaced(plan: &Plan, place: Option<usize>, new: Vec<Entry>) -> Plan {
    let mut plan = plan.clone();
    if let Some(place) = place {
        plan.remove(place);
    }
    for entry in new {
        plan.insert(entry);
    }
    plan
}

#[cfg(test)]
mod tests {
    use egui_kittest::kittest::Queryable;
    use sim_core::status::Power;

    use crate::testing::{Window, digest, down, panel, press};

    fn lines(window: &Window) -> usize {
        window.state().session.run().plan().entries().len()
    }

    /// Writes a line and puts it in.
    fn put(window: &mut Window, line: &str) {
        press(window, "Add a line…");
        window.state_mut().desk.plan.text = line.to_owned();
        window.run();
        press(window, "Put it in");
        window.run_steps(8);
    }

    #[test]
    fn a_line_that_is_put_in_happens_and_undo_takes_it_back() {
        let mut window = panel("raft/steady", "Plan");
        let (before, count) = (digest(&window), lines(&window));
        put(&mut window, "(at: \"400ms\", do: Crash(\"n2\"))");
        assert_eq!((lines(&window), down(&window)), (count + 1, 1));
        assert_eq!(window.state().statuses[1].power, Power::Down);
        window.state_mut().session.undo();
        window.run_steps(8);
        assert_eq!((digest(&window), lines(&window)), (before, count));
        window.state_mut().session.redo();
        window.run_steps(8);
        assert_eq!(down(&window), 1);
    }

    #[test]
    fn a_line_that_is_changed_or_taken_away_is_another_run_from_its_start() {
        let mut window = panel("raft/steady", "Plan");
        let before = digest(&window);
        put(&mut window, "(at: \"400ms\", do: Crash(\"n2\"))");
        press(&mut window, "crash n2");
        let text = window.state().desk.plan.text.clone();
        assert_eq!(text, "(at: \"400ms\", do: Crash(\"n2\"))");
        window.state_mut().desk.plan.text = text.replace("n2", "n3");
        window.run();
        press(&mut window, "Put it in");
        window.run_steps(8);
        assert_eq!(window.state().statuses[2].power, Power::Down);
        assert_eq!(down(&window), 1);
        window.get_all_by_label("✖").next().expect("each line has one").click();
        window.run_steps(8);
        assert_eq!(digest(&window), before);
    }

    #[test]
    fn a_wrong_line_stays_with_what_is_wrong_below_it() {
        let mut window = panel("raft/steady", "Plan");
        let before = lines(&window);
        put(&mut window, "(at: \"400ms\", do: Crash(\"n77\"))");
        assert_eq!(lines(&window), before);
        assert!(window.query_by_label_contains("n77").is_some());
        assert!(window.state().desk.plan.error.as_ref().is_some_and(|error| error.contains("n77")));
    }
}
