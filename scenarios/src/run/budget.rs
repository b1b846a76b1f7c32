//! What a run that spent its event budget is so busy with.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use sim_core::trace::{Payload, Record, TraceKind};
use sim_core::{Endpoint, SimTime, Simulation, Span};

/// How many events are looked at.
const SAMPLE: u64 = 10_000;

/// What happened most often among some events behind the budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Busiest {
    /// Where: `n2`.
    pub endpoint: String,
    /// An example in words: `n2: timer election fires`.
    pub what: String,
    /// How often.
    pub count: u64,
    /// Of so many records.
    pub of: u64,
    /// How much time passed meanwhile, in nanoseconds; 0 is an endless loop in one instant.
    pub passed_ns: u64,
}

impl fmt::Display for Busiest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let passed = Span::nanos(self.passed_ns);
        write!(f, "`{}`, {} of {} records in {passed} at {}", self.what, self.count, self.of, self.endpoint)
    }
}

/// What counts as the same thing: where, what kind of record, and which message or timer.
type Group = (Option<Endpoint>, TraceKind, Option<usize>);

/// Lets the simulation go on for a while with its trace on, and looks what happens most.
pub(super) fn busiest(simulation: &mut dyn Simulation) -> Option<Busiest> {
    let begun = simulation.now();
    if simulation.trace().is_none() {
        simulation.start_trace();
    }
    let first = simulation.trace().map_or(0, sim_core::trace::Trace::len);
    simulation.run(SimTime::MAX - Span::nanos(1), SAMPLE);
    let passed_ns = simulation.now().since(begun).as_nanos();
    let trace = simulation.trace()?;
    let mut groups: BTreeMap<Group, (u64, Record)> = BTreeMap::new();
    let mut of = 0;
    for record in trace.range(first..trace.len()) {
        groups.entry(group(record)).or_insert((0, *record)).0 += 1;
        of += 1;
    }
    let ((endpoint, ..), (count, example)) = groups.into_iter().max_by_key(|(_, (count, _))| *count)?;
    let endpoint = endpoint.map_or_else(|| "nobody".to_owned(), |endpoint| endpoint.to_string());
    Some(Busiest { endpoint, what: simulation.describe(&example), count, of, passed_ns })
}

fn group(record: &Record) -> Group {
    let message = match record.payload() {
        Some(Payload::Message(kind)) => Some(usize::from(kind)),
        Some(Payload::Request | Payload::Reply) | None => record.timer(),
    };
    (record.subject(), record.kind(), message)
}
