//! The causal past of a record, by one scan backwards.
//!
//! Every cause stands before its effect. So a scan from the record to the front meets all effects of a record
//! before the record itself, and knows by then whether it is needed: either an effect names it, or it stands
//! on a lane of which something later is in the past already.

use std::collections::BTreeSet;

use super::{Record, Trace, TraceKind};
use crate::Endpoint;

/// What the scan has found to be needed, of what it has not yet reached.
#[derive(Default)]
struct Needed {
    /// Records that an effect names.
    named: BTreeSet<u32>,
    /// Lanes of which every input is needed.
    lanes: BTreeSet<Endpoint>,
    /// Lanes of which every drop is needed, because a later timer is.
    lanes_of_timers: BTreeSet<Endpoint>,
}

pub(super) fn causal_past(trace: &Trace, number: u32) -> Vec<u32> {
    let record = trace.get(number);
    let record = record.unwrap_or_else(|| panic!("there is no record {number} of {}", trace.len()));
    let mut needed = Needed::default();
    needed.add_causes_of(record);
    let mut past = Vec::new();
    for earlier in (0..number).rev() {
        let record = trace.get(earlier).expect("numbers below the length exist");
        if needed.take(earlier, record) {
            past.push(earlier);
            needed.add_causes_of(record);
        }
    }
    assert!(needed.named.is_empty(), "causes after their effects: {:?}", needed.named);
    past.reverse();
    past
}

impl Needed {
    fn add_causes_of(&mut self, record: &Record) {
        self.named.extend(record.cause());
        let Some(lane) = record.subject() else { return };
        if record.kind() != TraceKind::Drop {
            self.lanes.insert(lane);
        }
        if record.kind() == TraceKind::TimerFired {
            self.lanes_of_timers.insert(lane);
        }
    }

    fn take(&mut self, number: u32, record: &Record) -> bool {
        let lanes = if record.kind() == TraceKind::Drop { &self.lanes_of_timers } else { &self.lanes };
        let on_lane = record.subject().is_some_and(|lane| lanes.contains(&lane));
        self.named.remove(&number) || on_lane
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::network::DropReason;
    use crate::trace::{Lifecycle, Payload};
    use crate::{NodeId, SimTime};

    const AT: SimTime = SimTime::ZERO;

    fn node(index: u32) -> Endpoint {
        NodeId::new(index).into()
    }

    fn lost(cause: u32, from: u32, to: u32) -> Record {
        Record::drop(AT, Some(cause), node(from), node(to), Payload::Message(0), DropReason::Loss)
    }

    /// The picture of the module documentation of `trace`.
    #[test]
    fn a_drop_is_a_cause_of_the_next_timer_and_of_no_delivery() {
        let mut trace = Trace::new();
        let start = trace.push(Record::lifecycle(AT, None, NodeId::new(0), Lifecycle::Start));
        let delivery = trace.push(Record::delivery(AT, Some(start), node(0), node(1), 0));
        let other = trace.push(Record::lifecycle(AT, None, NodeId::new(2), Lifecycle::Start));
        let drop = trace.push(lost(delivery, 1, 0));
        let arrival = trace.push(Record::delivery(AT, Some(other), node(2), node(0), 0));
        let timer = trace.push(Record::timer_fired(AT, Some(start), node(0), Some(0)));
        assert_eq!(trace.causal_past(drop), [start, delivery]);
        assert_eq!(trace.causal_past(arrival), [start, other], "the drop is not seen by the node");
        assert_eq!(trace.causal_past(timer), [start, delivery, other, drop, arrival]);
    }

    /// The definition, edge by edge: direct causes of one record, found by looking at all before it.
    fn direct_causes(trace: &Trace, number: u32) -> Vec<u32> {
        let record = trace.get(number).expect("exists");
        let mut causes: Vec<u32> = record.cause().into_iter().collect();
        if record.kind() == TraceKind::Drop {
            return causes;
        }
        let lane = || {
            (0..number)
                .rev()
                .map(|n| (n, trace.get(n).expect("exists")))
                .filter(|(_, earlier)| record.subject().is_some() && earlier.subject() == record.subject())
        };
        causes.extend(lane().find(|(_, earlier)| earlier.kind() != TraceKind::Drop).map(|(n, _)| n));
        if record.kind() == TraceKind::TimerFired {
            let since = lane().take_while(|(_, earlier)| earlier.kind() != TraceKind::TimerFired);
            causes.extend(since.filter(|(_, earlier)| earlier.kind() == TraceKind::Drop).map(|(n, _)| n));
        }
        causes
    }

    fn closure(trace: &Trace, number: u32) -> BTreeSet<u32> {
        let mut found = BTreeSet::new();
        let mut open = direct_causes(trace, number);
        while let Some(next) = open.pop() {
            if found.insert(next) {
                open.extend(direct_causes(trace, next));
            }
        }
        found
    }

    /// One component for each lane; what is on no lane, or is no input of it, has one of its own.
    type Clock = BTreeMap<(bool, u32), u32>;

    fn component(number: u32, record: &Record) -> (bool, u32) {
        let lane = record.subject().filter(|_| record.kind() != TraceKind::Drop);
        lane.map_or((true, number), |lane| (false, lane.raw()))
    }

    /// Vector clocks as Mattern and Fidge have them; a timer joins the clocks of what was lost on its lane since the timer
    /// before.
    fn vector_clocks(trace: &Trace) -> Vec<Clock> {
        let mut clocks: Vec<Clock> = Vec::new();
        for (number, record) in (0_u32..).zip(trace) {
            let mut clock = Clock::new();
            for cause in direct_causes(trace, number) {
                for (place, count) in &clocks[cause as usize] {
                    let known = clock.entry(*place).or_default();
                    *known = (*known).max(*count);
                }
            }
            *clock.entry(component(number, record)).or_default() += 1;
            clocks.push(clock);
        }
        clocks
    }

    fn happened_before(trace: &Trace, clocks: &[Clock], one: u32, other: u32) -> bool {
        let place = component(one, trace.get(one).expect("exists"));
        let seen = clocks[other as usize].get(&place).copied().unwrap_or_default();
        one != other && clocks[one as usize][&place] <= seen
    }

    /// A trace that the steps draw: each a kind, two nodes, and the record that caused it.
    fn drawn(steps: Vec<(u8, u32, u32, u32)>) -> Trace {
        let mut trace = Trace::new();
        for (kind, from, to, draw) in steps {
            let cause = trace.len().checked_sub(1).map(|last| draw % (last + 1));
            trace.push(match kind {
                0 => Record::timer_fired(AT, cause, node(to), None),
                1 => Record::command(AT, None),
                2 | 3 => Record::delivery(AT, cause, node(from), node(to), 0),
                _ => cause.map_or(Record::command(AT, Some(node(to))), |cause| lost(cause, from, to)),
            });
        }
        trace
    }

    proptest! {
        #[test]
        fn the_causal_past_is_what_vector_clocks_say(
            steps in prop::collection::vec((0_u8..5, 0_u32..4, 0_u32..4, any::<u32>()), 1..60),
        ) {
            let trace = drawn(steps);
            let clocks = vector_clocks(&trace);
            for number in 0..trace.len() {
                let expected: Vec<u32> =
                    (0..number).filter(|earlier| happened_before(&trace, &clocks, *earlier, number)).collect();
                prop_assert_eq!(trace.causal_past(number), expected, "record {}", number);
            }
        }

        #[test]
        fn one_scan_finds_the_closure_of_the_direct_causes(
            steps in prop::collection::vec((0_u8..5, 0_u32..4, 0_u32..4, any::<u32>()), 1..60),
        ) {
            let trace = drawn(steps);
            for number in 0..trace.len() {
                let expected: Vec<u32> = closure(&trace, number).into_iter().collect();
                prop_assert_eq!(trace.causal_past(number), expected, "record {}", number);
            }
        }
    }
}
