//! The door to files: what is written, and the desktop's dialog. Nothing is ever written over.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::sync::mpsc::{Receiver, Sender, channel};

use egui::{Color32, ColorImage, Context};
use scenarios::export;
use scenarios::plan::by_hand::Unwritable;

use crate::model::{space_time, svg};
pub(crate) use crate::open::CAPSULE_ENDING as CAPSULE;
use crate::open::RECORDING_ENDING;
use crate::session::{RECORDED_EVENTS_MAX, Session};

/// In which form something is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Capsule,
    Scenario,
    /// Takes a frame to be drawn: [`Inbox::screenshot`].
    Picture,
    Diagram,
    /// All that happened, to be shown again without running again.
    Recording,
    /// The trace, as the command line exports it.
    Trace(export::Form),
}

/// Each form with its ending, and what is written.
pub(crate) const FORMS: &[(Form, &str, &str)] = &[
    (Form::Capsule, CAPSULE, "a capsule: the scenario, the seed and all that was done, to be replayed"),
    (Form::Scenario, ".ron", "a scenario file with what was done among its faults"),
    (
        Form::Recording,
        RECORDING_ENDING,
        "a recording: all that happened, to be looked at without running again",
    ),
    (Form::Picture, ".png", "a picture of the window"),
    (
        Form::Diagram,
        ".svg",
        "the space-time diagram of what led to the moment shown, to be opened in a browser",
    ),
    (Form::Trace(export::Form::Text), ".trace.txt", "the trace, a line for each record, for people"),
    (
        Form::Trace(export::Form::Jsonl),
        ".trace.jsonl",
        "the trace, a JSON object for each record, one a line",
    ),
    (Form::Trace(export::Form::Chrome), ".trace.json", "the trace, to be opened in https://ui.perfetto.dev"),
    (
        Form::Trace(export::Form::Shiviz),
        ".trace.log",
        "the trace with vector clocks, to be opened in https://bestchai.bitbucket.io/shiviz/",
    ),
];

impl Form {
    /// The form of a file by its name; the first whose ending it has.
    pub(crate) fn of(path: &str) -> Option<Self> {
        FORMS.iter().find(|(_, ending, _)| path.ends_with(ending)).map(|(form, ..)| *form)
    }

    /// Whether the file has all that was done by hand, to be gone on with.
    pub(crate) const fn keeps_deeds(self) -> bool {
        matches!(self, Self::Capsule | Self::Scenario)
    }
}

/// So many lanes are drawn in a file at most.
const LANES_MAX: usize = 200;

/// Why something is not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SaveError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Unwritable(#[from] Unwritable),
    #[error(
        "the run has {0} events, and a recording holds up to {RECORDED_EVENTS_MAX}; a capsule repeats it"
    )]
    TooLong(u64),
    #[error(
        "this is a recording: it has no plan to be followed again; its recording and its trace can be saved"
    )]
    NoRun,
    #[error("nothing is recorded of this run")]
    NoTrace,
    #[error("its name ends with none of {}", FORMS.iter().map(|(_, ending, _)| format!("`{ending}`")).collect::<Vec<_>>().join(", "))]
    Ending,
}

/// Writes what was done, or what came of it, to a new file; says what to do with it.
pub(crate) fn save(session: &Session, path: &str) -> Result<String, SaveError> {
    let is_plain = path.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
    let name = if is_plain { path.to_owned() } else { format!("'{path}'") };
    if session.hindrance().is_some() && Form::of(path).is_some_and(Form::keeps_deeds) {
        return Err(SaveError::NoRun);
    }
    let (text, advice) = match Form::of(path) {
        Some(Form::Capsule) => {
            let command = format!("splitbrain replay {name}");
            (session.capsule(&command), format!("to repeat it: {command}"))
        }
        Some(Form::Scenario) => {
            let command = format!("splitbrain run {name} --seed {}", session.seed());
            (session.scenario_file(&command)?, format!("to repeat it: {command}"))
        }
        Some(Form::Diagram) => {
            (picture(session).ok_or(SaveError::NoTrace)?, format!("open {name} in a browser"))
        }
        Some(Form::Recording) => (recording(session)?, format!("to look at it: splitbrain-gui {name}")),
        Some(Form::Trace(form)) => (trace(session, form)?, format!("{name} is {}", what(path))),
        Some(Form::Picture) | None => return Err(SaveError::Ending),
    };
    write_new(path, |file| file.write_all(text.as_bytes()))?;
    Ok(advice)
}

/// What a file of this name holds.
fn what(path: &str) -> &'static str {
    let known = FORMS.iter().find(|(_, ending, _)| path.ends_with(ending));
    known.map_or("nothing that is known", |(.., what)| what)
}

/// A recording of the present path as far as it was computed.
fn recording(session: &Session) -> Result<String, SaveError> {
    let recorded = session.recorded().ok_or(SaveError::TooLong(session.run().events()))?;
    let mut bytes = Vec::new();
    scenarios::recording::write(&recorded, session.loaded(), session.seed(), &mut bytes)?;
    Ok(String::from_utf8(bytes).expect("JSON is text"))
}

/// The trace of the present path as far as it was computed.
fn trace(session: &Session, form: export::Form) -> Result<String, SaveError> {
    let run = session.run();
    run.trace().ok_or(SaveError::NoTrace)?;
    let mut bytes = Vec::new();
    export::write(form, run, &session.names(), &mut bytes)?;
    Ok(String::from_utf8(bytes).expect("all forms are text"))
}

/// The space-time diagram of what led to the moment that is shown.
fn picture(session: &Session) -> Option<String> {
    let mut lanes = space_time::lanes(0..session.scenario().nodes, session.scenario().clients.total());
    lanes.truncate(LANES_MAX);
    svg::space_time(session.run(), &lanes, session.playhead())
}

/// Writes a new file; one that cannot be finished is taken away.
fn write_new(path: &str, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let mut file = BufWriter::new(File::create_new(path)?);
    let written = write(&mut file).and_then(|()| file.flush()).and_then(|()| file.get_ref().sync_all());
    if let Err(error) = written {
        fs::remove_file(path)?;
        return Err(error);
    }
    Ok(())
}

/// What has come of something that took longer than a frame.
pub(crate) enum Letter {
    /// This file is to be opened.
    #[cfg(not(target_arch = "wasm32"))]
    Open(String),
    /// Something was done.
    Notice(String),
    /// Something went wrong.
    Complaint(String),
}

/// Where letters come in.
pub(crate) struct Inbox {
    sender: Sender<Letter>,
    receiver: Receiver<Letter>,
}

impl Default for Inbox {
    fn default() -> Self {
        let (sender, receiver) = channel();
        Self { sender, receiver }
    }
}

impl Inbox {
    /// What has come in.
    pub(crate) fn letters(&self) -> Vec<Letter> {
        self.receiver.try_iter().collect()
    }

    /// A browser has no such dialog.
    #[cfg(target_arch = "wasm32")]
    pub(crate) fn browse(&self, context: &Context) {
        let _the_window_is_gone =
            self.sender.send(Letter::Complaint("drop a file on the window to open it".to_owned()));
        context.request_repaint();
    }

    /// Asks for a file in the desktop's dialog, which runs beside the window.
    #[cfg(not(target_arch = "wasm32"))]
    #[expect(clippy::disallowed_methods, reason = "the dialog waits for a person; no simulation runs in it")]
    pub(crate) fn browse(&self, context: &Context) {
        let (sender, context) = (self.sender.clone(), context.clone());
        std::thread::spawn(move || {
            let dialog = rfd::FileDialog::new()
                .set_title("Open a scenario or a capsule")
                .add_filter("Splitbrain", &["ron", "json"]);
            if let Some(path) = dialog.pick_file() {
                let _the_window_is_gone = sender.send(Letter::Open(path.to_string_lossy().into_owned()));
                context.request_repaint();
            }
        });
    }

    /// Writes a picture of the window to a new file, once it is drawn.
    pub(crate) fn screenshot(&self, context: &Context, path: String) {
        let (sender, again) = (self.sender.clone(), context.clone());
        context.request_screenshot(move |image| {
            let letter = match write_new(&path, |file| write_png(&image, file)) {
                Ok(()) => Letter::Notice(format!("written: {path}")),
                Err(error) => Letter::Complaint(format!("`{path}` is not written: {error}")),
            };
            let _the_window_is_gone = sender.send(letter);
            again.request_repaint();
        });
    }
}

/// Writes a picture as PNG.
pub(crate) fn write_png(image: &ColorImage, file: &mut BufWriter<File>) -> io::Result<()> {
    let [width, height] =
        image.size.map(|side| u32::try_from(side).expect("a window has fewer pixels a side"));
    let mut encoder = png::Encoder::new(file, width, height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let pixels: Vec<u8> = image.pixels.iter().flat_map(Color32::to_srgba_unmultiplied).collect();
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use egui::accesskit::Role;
    use egui_kittest::kittest::{NodeT, Queryable};
    use sim_core::{SimTime, Span};

    use super::*;
    use crate::testing::{Window, digest, down, press, window};

    /// A name that no file has.
    #[expect(clippy::disallowed_methods, reason = "a file of a test needs a place and a name of its own")]
    fn new_file(ending: &str) -> String {
        let name = format!("splitbrain-gui-{}{ending}", std::process::id());
        std::env::temp_dir().join(name).to_str().expect("the path is text").to_owned()
    }

    fn saved(window: &Window, path: &str) -> Result<String, String> {
        save(&window.state().session, path).map_err(|error| error.to_string())
    }

    /// A run in which the leader was crashed by hand, saved and opened again.
    fn reopened(ending: &str) -> (Window, String) {
        let path = new_file(ending);
        let mut window = window("raft/steady");
        press(&mut window, "Crash leader");
        let before = digest(&window);
        saved(&window, &path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let again = saved(&window, &path).expect_err("it is there already");
        assert!(again.contains("exists"), "{again}");
        window.state_mut().open(&path);
        window.run();
        fs::remove_file(&path).expect("it was just written");
        assert_eq!(
            (window.state().session.simulation().events(), window.state().complaint.as_deref()),
            (0, None)
        );
        window.state_mut().session.seek_time(SimTime::ZERO + Span::secs(1));
        window.run_steps(20);
        (window, before)
    }

    #[test]
    fn what_was_done_is_saved_as_a_capsule_or_a_scenario_and_is_the_same_run_again() {
        for ending in [CAPSULE, ".ron"] {
            let (window, before) = reopened(ending);
            assert_eq!(down(&window), 1, "{ending}: the leader crashes as it did");
            assert_eq!(digest(&window), before, "{ending}: it is the same run");
        }
    }

    #[test]
    fn the_diagram_of_a_moment_is_a_picture_with_its_lanes_and_messages() {
        let window = window("raft/steady");
        let path = new_file(".svg");
        saved(&window, &path).expect("it is recorded");
        let text = fs::read_to_string(&path).expect("it was just written");
        fs::remove_file(&path).expect("it was just written");
        assert!(text.starts_with("<svg") && text.trim_end().ends_with("</svg>"), "{text}");
        assert!(text.contains(">n5</text>") && text.contains("<title>n1 receives"), "{text}");
    }

    #[test]
    fn a_recording_is_opened_with_what_it_cannot_do_greyed_and_the_reason_beside_it() {
        let (mut window, path) = (window("raft/steady"), new_file(RECORDING_ENDING));
        saved(&window, &path).expect("it is short");
        window.state_mut().open(&path);
        window.run();
        fs::remove_file(&path).expect("it was just written");
        assert_eq!(window.state().complaint, None);
        window.get_by_label("recording");
        let is_grey = |window: &Window, label: &str| {
            window.get_by_role_and_label(Role::Button, label).accesskit_node().is_disabled()
        };
        for label in ["Crash leader", "Heal all", "Until it breaks", "Random"] {
            assert!(is_grey(&window, label), "{label}");
        }
        assert!(!is_grey(&window, "Step") && !is_grey(&window, "Play"));
        press(&mut window, "Step");
        assert_eq!(window.state().session.simulation().events(), 1);
        window.get_by_role_and_label(Role::Button, "Crash leader").hover();
        window.run();
        assert!(window.query_by_label_contains("takes no commands").is_some());
        let refusal = saved(&window, &new_file(CAPSULE)).expect_err("it has no plan to follow");
        assert!(refusal.contains("this is a recording"), "{refusal}");
    }

    #[test]
    fn the_trace_is_written_in_each_form_of_the_command_line() {
        let window = window("raft/steady");
        let written = |ending: &str| {
            let path = new_file(ending);
            let advice = saved(&window, &path).unwrap_or_else(|error| panic!("{path}: {error}"));
            assert!(advice.contains("the trace"), "{advice}");
            let text = fs::read_to_string(&path).expect("it was just written");
            fs::remove_file(&path).expect("it was just written");
            text
        };
        let run = window.state().session.run();
        let count = run.trace().map_or(0, sim_core::trace::Trace::len) as usize;
        let lines = written(".trace.jsonl");
        assert_eq!(lines.lines().count(), count);
        let last: serde_json::Value =
            lines.lines().last().map(serde_json::from_str).expect("a line").expect("JSON");
        assert_eq!(last["number"], count - 1);
        assert!(written(".trace.txt").lines().count() >= count);
        let chrome: serde_json::Value = serde_json::from_str(&written(".trace.json")).expect("JSON");
        assert!(chrome["traceEvents"].as_array().is_some_and(|events| events.len() > count));
        let log = written(".trace.log");
        assert!(log.starts_with("(?<host>") && log.lines().count() == 2 + 2 * count, "{log}");
    }

    #[test]
    fn another_ending_is_refused_with_those_that_are_known() {
        let refusal = saved(&window("raft/steady"), "it.txt").expect_err("nothing is written so");
        assert!(refusal.contains("`.capsule.ron`") && refusal.contains("`.svg`"), "{refusal}");
    }
}
