//! The trace of a run in forms that other tools read.
//!
//! | form | for |
//! | --- | --- |
//! | [`text`] | people, `grep` |
//! | [`jsonl`] | scripts: one JSON object a record |
//! | [`chrome`] | Perfetto (<https://ui.perfetto.dev>), `chrome://tracing` |
//! | [`shiviz`] | `ShiViz` (<https://bestchai.bitbucket.io/shiviz/>) |

mod chrome;
mod jsonl;
mod shiviz;
mod text;
mod timeline;

use std::io::{self, Write};
use std::iter::Peekable;

use sim_core::Simulation;
use sim_core::trace::{Record, StatusChange, Trace};

pub use text::{Detail, Lines};
pub use timeline::{Clock, Standpoint};

use crate::protocol::ProtocolAbout;

/// A form of the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A line for each record, for people.
    Text,
    /// A JSON object for each record, one a line.
    Jsonl,
    /// Chrome trace-event JSON: open it in <https://ui.perfetto.dev>.
    Chrome,
    /// A log with vector clocks for `ShiViz`.
    Shiviz,
}

/// What a protocol calls its messages and plain timers, by number.
#[derive(Clone, Debug)]
pub struct Names {
    messages: Vec<&'static str>,
    timers: Vec<&'static str>,
}

impl From<&ProtocolAbout> for Names {
    fn from(about: &ProtocolAbout) -> Self {
        Self { messages: about.message_kinds.clone(), timers: about.timers.clone() }
    }
}

/// Writes the whole trace of `simulation`, whose protocol uses `names`.
///
/// # Errors
/// If the writer has some.
///
/// # Panics
/// If it recorded none.
pub fn write(
    form: Form,
    simulation: &dyn Simulation,
    names: &Names,
    writer: &mut dyn Write,
) -> io::Result<()> {
    match form {
        Form::Text => text::write(simulation, writer),
        Form::Jsonl => jsonl::write(simulation, names, writer),
        Form::Chrome => chrome::write(simulation, writer),
        Form::Shiviz => shiviz::write(simulation, writer),
    }
}

fn trace_of(simulation: &dyn Simulation) -> &Trace {
    simulation.trace().expect("a run that is exported records its trace")
}

/// The number of the first record: not 0 where recording began in the middle of a run.
fn first_number(trace: &Trace) -> u32 {
    let count = u32::try_from(trace.iter().len()).expect("record numbers fit 32 bits");
    trace.len() - count
}

/// One record with all that belongs to it.
struct Entry<'a> {
    number: u32,
    record: &'a Record,
    notes: Vec<&'a str>,
    changes: Vec<&'a StatusChange>,
}

/// All records in order, each with its notes and changes of status, in one pass over the three lists.
fn entries(trace: &Trace) -> impl Iterator<Item = Entry<'_>> {
    let mut notes = trace.notes(0..u32::MAX).peekable();
    let mut changes = trace.status_changes(0..u32::MAX).peekable();
    (first_number(trace)..).zip(trace).map(move |(number, record)| Entry {
        number,
        record,
        notes: take_of(&mut notes, |note| note.record == number).map(|note| &*note.text).collect(),
        changes: take_of(&mut changes, |change| change.record == number).collect(),
    })
}

fn take_of<'a, I: Iterator>(
    list: &'a mut Peekable<I>,
    belongs: impl Fn(&I::Item) -> bool + 'a,
) -> impl Iterator<Item = I::Item> + 'a {
    std::iter::from_fn(move || list.next_if(|item| belongs(item)))
}

/// What a record says, its notes included: a command's note is what it says.
fn words(simulation: &dyn Simulation, entry: &Entry<'_>) -> String {
    if entry.record.kind() == sim_core::trace::TraceKind::Command && !entry.notes.is_empty() {
        return entry.notes.join("; ");
    }
    let text = simulation.describe(entry.record);
    let notes = entry.notes.iter();
    notes.fold(text, |text, note| format!("{text}; {note}"))
}
