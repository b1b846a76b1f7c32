//! Running twice: whether the same scenario and seed do the same, and if not, from which event on.

use serde::Serialize;
use sim_core::trace::{Record, Trace};
use sim_core::{SimTime, Simulation};

use super::{RunOptions, run};
use crate::assemble::assemble;
use crate::load::Loaded;
use crate::protocol::ProtocolTable;
use crate::run::Report;

/// How many events happen between two comparisons.
const STRIDE: u64 = 1_000;

/// Two runs of the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TwiceRun {
    /// What came of the first.
    pub report: Report,
    /// Where the second went its own way; `None` where it did not.
    pub divergence: Option<Divergence>,
}

/// The first event that two runs of the same scenario and seed do not share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Divergence {
    /// The how-manieth event, from 1.
    pub event: u64,
    /// The first run there.
    pub first: Side,
    /// The second.
    pub second: Side,
}

/// One of two runs at the first event that they do not share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Side {
    /// When.
    pub at_ns: u64,
    /// What happened, in words.
    pub what: String,
    /// The digest after it: where both sides say the same, the contents of what was sent differ.
    pub digest: String,
}

/// Runs a scenario twice, and finds where the runs part.
///
/// # Panics
/// As [`run`].
pub fn run_twice(loaded: &Loaded, table: &ProtocolTable, seed: u64, options: &RunOptions) -> TwiceRun {
    let report = run(loaded, table, seed, options).report;
    let second = run(loaded, table, seed, options).report;
    if (report.digest, report.events) == (second.digest, second.events) {
        return TwiceRun { report, divergence: None };
    }
    let configured = loaded.configured(seed, table);
    let fresh = || assemble(&configured.scenario, table, seed, options.replay.as_ref());
    let events = report.events.max(second.events);
    let divergence = first_divergence(fresh(), fresh(), events);
    TwiceRun { divergence: Some(divergence.unwrap_or_else(|| at_the_end(&report, &second))), report }
}

/// The runs ended apart, but two more runs of the same did not part: all that is known is how they ended.
fn at_the_end(first: &Report, second: &Report) -> Divergence {
    let side = |report: &Report| Side {
        at_ns: report.simulated_ns,
        what: format!("the run ends after {} events: {}", report.events, report.verdict),
        digest: report.digest.to_string(),
    };
    Divergence { event: first.events.min(second.events) + 1, first: side(first), second: side(second) }
}

/// Runs two worlds side by side for so many events, until their digests differ; then event by event from the last
/// common point. `None` where they never part.
pub fn first_divergence(
    mut first: Box<dyn Simulation>,
    mut second: Box<dyn Simulation>,
    events: u64,
) -> Option<Divergence> {
    first.start_trace();
    second.start_trace();
    while first.events() < events {
        let common = first.fork().ok().zip(second.fork().ok());
        let records = record_count(first.as_ref());
        let stops = [&mut first, &mut second].map(|world| world.run(END, STRIDE));
        if differ(first.as_ref(), second.as_ref()) {
            let stepped = common.and_then(|(first, second)| step_apart(first, second));
            return Some(
                stepped.unwrap_or_else(|| compare_records(first.as_ref(), second.as_ref(), records)),
            );
        }
        if stops.contains(&sim_core::world::Stop::Idle) || first.breakdown().is_some() {
            return None;
        }
    }
    None
}

const END: SimTime = SimTime::from_nanos(u64::MAX - 1);

fn differ(first: &dyn Simulation, second: &dyn Simulation) -> bool {
    (first.digest(), first.events()) != (second.digest(), second.events())
}

/// Goes on from a common point by single events.
fn step_apart(mut first: Box<dyn Simulation>, mut second: Box<dyn Simulation>) -> Option<Divergence> {
    for _ in 0..STRIDE {
        let records = record_count(first.as_ref());
        first.step();
        second.step();
        if differ(first.as_ref(), second.as_ref()) {
            return Some(compare_records(first.as_ref(), second.as_ref(), records));
        }
    }
    None
}

/// The first records from number `from` on that differ, else the last ones.
fn compare_records(first: &dyn Simulation, second: &dyn Simulation, from: u32) -> Divergence {
    let record =
        |world: &dyn Simulation, number: u32| world.trace().and_then(|trace| trace.get(number)).copied();
    let end = record_count(first).max(record_count(second));
    let number = (from..end).find(|number| record(first, *number) != record(second, *number));
    let number = number.unwrap_or(end.saturating_sub(1));
    Divergence {
        event: first.events().min(second.events()),
        first: side(first, record(first, number)),
        second: side(second, record(second, number)),
    }
}

fn side(world: &dyn Simulation, record: Option<Record>) -> Side {
    Side {
        at_ns: record.map_or(world.now(), |record| record.at()).as_nanos(),
        what: record.map_or_else(|| "nothing happens".to_owned(), |record| world.describe(&record)),
        digest: world.digest().to_string(),
    }
}

fn record_count(world: &dyn Simulation) -> u32 {
    world.trace().map_or(0, Trace::len)
}
