//! When operations can have taken effect, where a history is linearizable: what a picture shows of the answer.
//!
//! A legal order of one object's operations gives each a stretch of time: not before its own invocation and those of
//! all that come earlier in the order, not after its own completion and those of all that come later. The middles of
//! these stretches are in the order, too. Objects don't constrain each other: linearizability is local (Herlihy and
//! Wing, 1990, §3.1).

use std::collections::BTreeMap;

use super::part::{self, Part};
use super::search::{Found, Scratch, Search};
use crate::check::history::recorded::Record;
use crate::check::history::spec::Spec;
use crate::history::History;
use crate::{OpId, SimTime};

/// A moment for every operation that must have taken effect; `None` where the steps do not suffice to find a legal
/// order, or there is none.
pub(super) fn find<S: Spec>(spec: &S, history: &History, budget: u64) -> Option<BTreeMap<OpId, SimTime>> {
    let record = Record::new(history);
    let end = history.events().last().map_or(SimTime::ZERO, |event| event.at);
    let mut scratch = Scratch::new();
    let mut points = BTreeMap::new();
    let mut steps = 0;
    for part in part::split(spec, &record) {
        let mut search = Search::new(spec, &part.calls, &part.ends, &mut scratch);
        if search.run(budget.saturating_sub(steps)) != Found::Legal {
            return None;
        }
        steps += search.steps();
        points.extend(place(&record, &part, &search.order(), end));
    }
    Some(points)
}

/// Moments that are in this order.
fn place<C>(record: &Record<'_>, part: &Part<C>, order: &[u32], end: SimTime) -> Vec<(OpId, SimTime)> {
    let recorded = |call: &u32| &record.operations[part.operations[*call as usize] as usize];
    let latest = order.iter().rev().scan(end, |latest, call| {
        let operation = recorded(call);
        let own = operation.completed.filter(|_| operation.is_known()).unwrap_or(end);
        *latest = own.min(*latest);
        Some(*latest)
    });
    let mut latest: Vec<SimTime> = latest.collect();
    latest.reverse();
    let mut earliest = SimTime::ZERO;
    let middle = |(call, latest): (&u32, SimTime)| {
        let operation = recorded(call);
        earliest = earliest.max(operation.invoked);
        assert!(earliest <= latest, "a legal order respects time: {} has no room", operation.op);
        let half = latest.since(earliest).as_nanos() / 2;
        (operation.op, SimTime::from_nanos(earliest.as_nanos() + half))
    };
    order.iter().zip(latest).map(middle).collect()
}
