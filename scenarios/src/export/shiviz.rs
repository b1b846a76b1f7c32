//! A log for `ShiViz` (Beschastnikh et al., "Visualizing distributed system executions", TOSEM 2020): two lines an
//! event, a vector clock in the first. The first line of the file is the expression to parse the rest with, the
//! second, which is empty, would divide several executions.
//!
//! A record's clock is that of the record before it on its lane and of its cause, joined, and one step further. Two
//! lanes are no hosts: `outside` has the commands, and `lost` what never arrived, so that a node does not seem to
//! know of a message that was dropped on its way.
//!
//! Memory is in proportion to the messages in flight times the lanes: a clock is forgotten with its last use.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};

use sim_core::Simulation;
use sim_core::trace::{Record, Trace, TraceKind};

use super::{entries, trace_of, words};

/// What `ShiViz` parses the log with.
const EXPRESSION: &str = r"(?<host>\S*) (?<clock>{.*})\n(?<event>.*)";

pub(super) fn write(simulation: &dyn Simulation, writer: &mut dyn Write) -> io::Result<()> {
    let trace = trace_of(simulation);
    let mut clocks = Clocks::new(trace);
    writeln!(writer, "{EXPRESSION}\n")?;
    for entry in entries(trace) {
        let lane = Lane::of(entry.record);
        let clock = clocks.advance(entry.number, entry.record);
        writeln!(writer, "{lane} {clock}\n{}", words(simulation, &entry).replace('\n', " "))?;
    }
    Ok(())
}

/// A line of `ShiViz`'s picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Lane {
    Endpoint(sim_core::Endpoint),
    Outside,
    Lost,
}

impl Lane {
    fn of(record: &Record) -> Self {
        match record.kind() {
            TraceKind::Command => Self::Outside,
            TraceKind::Drop => Self::Lost,
            TraceKind::Delivery
            | TraceKind::TimerFired
            | TraceKind::Durable
            | TraceKind::Request
            | TraceKind::Reply
            | TraceKind::HandlerStart
            | TraceKind::Start
            | TraceKind::Crash
            | TraceKind::Restart
            | TraceKind::Pause
            | TraceKind::Resume => record.subject().map_or(Self::Outside, Self::Endpoint),
        }
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint(endpoint) => endpoint.fmt(f),
            Self::Outside => f.write_str("outside"),
            Self::Lost => f.write_str("lost"),
        }
    }
}

/// How many events of each lane have happened before, as far as one of them can know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct VectorClock(BTreeMap<Lane, u32>);

impl VectorClock {
    fn join(&mut self, other: &Self) {
        for (&lane, &count) in &other.0 {
            let known = self.0.entry(lane).or_default();
            *known = count.max(*known);
        }
    }
}

/// `{"n1":3,"n2":1}`.
impl fmt::Display for VectorClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (index, (lane, count)) in self.0.iter().enumerate() {
            write!(f, "{}\"{lane}\":{count}", if index == 0 { "" } else { "," })?;
        }
        f.write_str("}")
    }
}

/// The clocks of all lanes, and of records that are yet to cause something.
struct Clocks {
    lanes: BTreeMap<Lane, VectorClock>,
    causes: BTreeMap<u32, VectorClock>,
    /// How many later records each record causes.
    uses_left: Vec<u32>,
}

impl Clocks {
    fn new(trace: &Trace) -> Self {
        let mut uses_left = vec![0; trace.len() as usize];
        for cause in trace.iter().filter_map(Record::cause) {
            uses_left[cause as usize] += 1;
        }
        Self { lanes: BTreeMap::new(), causes: BTreeMap::new(), uses_left }
    }

    /// The clock of the next record.
    fn advance(&mut self, number: u32, record: &Record) -> &VectorClock {
        let lane = Lane::of(record);
        let cause = record.cause().and_then(|cause| self.use_cause(cause));
        let clock = self.lanes.entry(lane).or_default();
        if let Some(cause) = cause {
            clock.join(&cause);
        }
        *clock.0.entry(lane).or_default() += 1;
        if self.uses_left[number as usize] > 0 {
            self.causes.insert(number, clock.clone());
        }
        clock
    }

    fn use_cause(&mut self, cause: u32) -> Option<VectorClock> {
        let uses_left = &mut self.uses_left[cause as usize];
        *uses_left -= 1;
        if *uses_left == 0 { self.causes.remove(&cause) } else { self.causes.get(&cause).cloned() }
    }
}

#[cfg(test)]
mod tests {
    use sim_core::network::DropReason;
    use sim_core::trace::{Lifecycle, Payload};
    use sim_core::{NodeId, SimTime};

    use super::*;

    const AT: SimTime = SimTime::ZERO;

    fn clocks_of(trace: &Trace) -> Vec<String> {
        let mut clocks = Clocks::new(trace);
        let all = (0..).zip(trace);
        all.map(|(number, record)| clocks.advance(number, record).to_string()).collect()
    }

    #[test]
    fn a_message_carries_the_clock_of_its_sender() {
        let (n1, n2) = (NodeId::new(0), NodeId::new(1));
        let mut trace = Trace::new();
        let start = trace.push(Record::lifecycle(AT, None, n1, Lifecycle::Start));
        trace.push(Record::lifecycle(AT, None, n2, Lifecycle::Start));
        trace.push(Record::timer_fired(AT, Some(start), n1.into(), Some(0)));
        trace.push(Record::delivery(AT, Some(start), n1.into(), n2.into(), 0));
        assert_eq!(clocks_of(&trace), [r#"{"n1":1}"#, r#"{"n2":1}"#, r#"{"n1":2}"#, r#"{"n1":1,"n2":2}"#]);
    }

    #[test]
    fn a_node_does_not_know_of_what_was_lost_on_its_way() {
        let (n1, n2) = (NodeId::new(0), NodeId::new(1));
        let mut trace = Trace::new();
        let start = trace.push(Record::lifecycle(AT, None, n1, Lifecycle::Start));
        let lost = Payload::Message(0);
        trace.push(Record::drop(AT, Some(start), n1.into(), n2.into(), lost, DropReason::Loss));
        trace.push(Record::lifecycle(AT, None, n2, Lifecycle::Start));
        assert_eq!(clocks_of(&trace), [r#"{"n1":1}"#, r#"{"n1":1,"lost":1}"#, r#"{"n2":1}"#]);
    }
}
