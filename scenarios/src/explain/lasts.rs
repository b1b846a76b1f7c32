//! Where something is missing, no event shows the failure. What tells most is what happened for the last time: from
//! there on it is missing.
//!
//! What ended in the second half of the time after the faults says nothing: it may have gone on.

use std::collections::BTreeMap;

use sim_core::history::HistoryOperation;
use sim_core::service::Outcome;
use sim_core::status::Standing;
use sim_core::trace::TraceKind;
use sim_core::{NodeId, SimTime};

use super::moment::Told;

/// By record, what happened with it for the last time, in words.
pub(super) type Lasts = BTreeMap<u32, Vec<String>>;

/// What happened for the last time, of what these nodes are to go on with; nothing that happened after `by`.
pub(super) fn lasts(told: &Told, nodes: &[NodeId], operations: &[HistoryOperation], by: SimTime) -> Lasts {
    let mut lasts = Lasts::new();
    let found =
        learned(told, nodes, by).into_iter().chain(completed(told, operations, by)).chain(led(told, by));
    for (record, text) in found {
        lasts.entry(record).or_default().push(text);
    }
    lasts
}

/// The last time that a node learned of anything that it was decided: those that are concerned and behind; where all are
/// concerned, all together.
fn learned(told: &Told, nodes: &[NodeId], by: SimTime) -> Vec<(u32, String)> {
    let before = |(event, commit): (u64, u64)| (commit > 0 && told.time_of(event) < by).then_some(event);
    if nodes.len() == told.learned.len() {
        let latest = told.learned.iter().copied().max().and_then(before);
        let record = latest.and_then(|event| told.cause_of(event));
        let text = || "nothing more is known to be decided after this".to_owned();
        return record.map(|record| (record, text())).into_iter().collect();
    }
    let most = told.learned.iter().map(|(_, commit)| *commit).max();
    let of = |node: &NodeId| {
        let learned = Some(told.learned[node.index()]).filter(|(_, commit)| Some(*commit) < most)?;
        let record = told.cause_of(before(learned)?)?;
        Some((record, format!("{node} learns of nothing more that is decided after this")))
    };
    nodes.iter().filter_map(of).collect()
}

/// The last answer to a client, where others wait for one.
fn completed(told: &Told, operations: &[HistoryOperation], by: SimTime) -> Option<(u32, String)> {
    let is_answered = |operation: &&HistoryOperation| operation.outcome != Outcome::Unknown;
    let answered = operations.iter().filter(is_answered);
    let (at, op) = answered.filter_map(|operation| Some((operation.completed?, operation.op))).max()?;
    if operations.iter().all(|operation| is_answered(&operation)) {
        return None;
    }
    let is_it = |number: &u32| {
        let record = told.record(*number);
        record.kind() == TraceKind::Reply && record.op() == Some(op) && record.at() == at
    };
    let record = (0..told.trace().len()).rev().find(is_it).filter(|_| at < by)?;
    Some((record, "no operation is answered after this".to_owned()))
}

/// The last time that somebody stopped leading, where nobody leads in the end.
fn led(told: &Told, by: SimTime) -> Option<(u32, String)> {
    let mut leaders = BTreeMap::new();
    let mut last = None;
    for change in told.trace().status_changes(0..told.trace().len()) {
        let leads = change.after.is_some_and(|after| after.standing == Standing::Leader);
        let led = leaders.insert(change.node, leads).unwrap_or(false);
        if led && !leads {
            last = Some(change.record);
        }
    }
    let record = last.filter(|_| leaders.values().all(|leads| !leads))?;
    let is_before = told.record(record).at() < by;
    is_before.then(|| (told.input_of(record), "nobody leads after this".to_owned()))
}
