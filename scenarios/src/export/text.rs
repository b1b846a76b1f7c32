//! One line a record: time, lane, what happened.
//!
//! ```text
//!     0.213512345s  n3   timer election fires; starts an election in term 1
//!                        candidate, epoch 1
//!     0.214000000s  n1   receives RequestVote from n3
//! ```

use std::fmt;
use std::io::{self, Write};

use sim_core::Simulation;
use sim_core::trace::StatusChange;

use super::timeline::{Clock, Standpoint};
use super::{Entry, entries, trace_of, words};

/// How much a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Time, lane, what happened.
    Plain,
    /// The record's number and that of its cause as well.
    Causes,
}

pub(super) fn write(simulation: &dyn Simulation, writer: &mut dyn Write) -> io::Result<()> {
    write!(writer, "{}", Lines { simulation, detail: Detail::Causes })
}

/// The whole trace as lines.
pub struct Lines<'a> {
    /// Of this run, which recorded it.
    pub simulation: &'a dyn Simulation,
    /// How much each says.
    pub detail: Detail,
}

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        entries(trace_of(self.simulation)).try_for_each(|entry| self.write_entry(f, &entry))
    }
}

impl Lines<'_> {
    fn write_entry(&self, f: &mut fmt::Formatter<'_>, entry: &Entry<'_>) -> fmt::Result {
        let record = entry.record;
        let lane = record.subject().map_or_else(|| "-".to_owned(), |lane| lane.to_string());
        let text = words(self.simulation, entry);
        let text = text
            .strip_prefix(lane.as_str())
            .map_or(text.as_str(), |rest| rest.trim_start_matches(": ").trim_start());
        if self.detail == Detail::Causes {
            let cause = record.cause().map_or_else(|| "-".to_owned(), |cause| cause.to_string());
            write!(f, "{:>7} <- {cause:>7}  ", entry.number)?;
        }
        writeln!(f, "{}  {lane:<5} {text}", Clock(record.at()))?;
        entry.changes.iter().try_for_each(|change| self.write_change(f, change))
    }

    fn write_change(&self, f: &mut fmt::Formatter<'_>, change: &StatusChange) -> fmt::Result {
        if self.detail == Detail::Causes {
            write!(f, "{:20}", "")?;
        }
        writeln!(f, "{:16}  {:<5} {}", "", "", Standpoint { node: change.node, status: change.after })
    }
}
