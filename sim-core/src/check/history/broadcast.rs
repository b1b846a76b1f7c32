//! Broadcasts: what is sent reaches everybody, and nothing else does.
//!
//! Two checkers, because a protocol may promise the one and not the other:
//!
//! - [`Integrity`]: a read holds only what was sent, each value once, in rising order.
//! - [`Stability`]: from some time after a value was there, every read has it.
//!
//! A value *is there* from when its broadcast was answered, or from when a read that had it was. A read that begins
//! [`STABLE_WITHIN`] later or more, and does not have it, *misses* it; a value that all of those miss is *lost*. Whom
//! a read was asked of does not count. Both take a step a value of a read.
//!
//! The words are those of Jepsen's `set-full` checker (lost, stable), which has no bound, and leaves it to the test to
//! wait before its last reads. A run ends when it ends, so the bound stands here. [`Stability`] also measures as `set-full`
//! does, without the bound: how many values are stable, stale, lost or never read, and quantiles of how long it took.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::fates;
use super::figures::Figures;
use super::recorded::{Record, Recorded};
use super::text::Line;
use crate::check::{About, Answer, HistoryChecker};
use crate::history::History;
use crate::service::broadcast::Operation as Broadcast;
use crate::service::set::Operation as Set;
use crate::service::{Certainty, Operation, Outcome, Value};
use crate::{SimTime, Span};

/// How long after it was there a value must be in every read.
pub const STABLE_WITHIN: Span = Span::secs(10);

/// So many missing values are listed.
const LISTED_MAX: usize = 10;

/// A read holds only what was sent, each value once, in rising order.
#[derive(Clone, Copy, Debug)]
pub struct Integrity;

/// From some time after a value was there, every read has it.
#[derive(Clone, Copy, Debug)]
pub struct Stability;

impl HistoryChecker for Integrity {
    fn about(&self) -> &'static About {
        &About {
            name: "broadcast-integrity",
            statement: "A read has only values whose broadcast had begun, each once, in rising order.",
            source: "Hadzilacos and Toueg (1994), broadcast: integrity",
            leaves_out: "whether values arrive: `broadcast-stability` sees to that",
        }
    }

    fn check(&self, history: &History, budget: u64) -> Answer {
        integrity(history, budget)
    }
}

/// Whether reads have only what was put there, each once, in rising order.
pub(super) fn integrity(history: &History, budget: u64) -> Answer {
    let record = Record::new(history);
    let sent = sent(&record);
    let mut steps = 0;
    for (read, values) in reads(&record) {
        steps += values.len() as u64;
        if steps > budget {
            return out_of(budget);
        }
        if let Some(wrong) = wrong_in(read, values, &sent) {
            return Answer::Violation(format!("{wrong}\n  {}", Line(&read.owned())));
        }
    }
    Answer::Pass
}

/// What is wrong with the values of a read.
fn wrong_in(read: &Recorded<'_>, values: &[Value], sent: &BTreeMap<Value, u32>) -> Option<String> {
    if let Some(pair) = values.windows(2).find(|pair| pair[0] >= pair[1]) {
        return Some(if pair[0] == pair[1] {
            format!("duplicated: {} is twice in one read", pair[0])
        } else {
            format!("unordered: {} comes before {}", pair[0], pair[1])
        });
    }
    let is_early = |value: &&Value| sent.get(*value).is_none_or(|begun| *begun > read.return_at);
    let early = values.iter().find(is_early)?;
    Some(format!("out of thin air: {early} was read, and nobody had sent it"))
}

impl HistoryChecker for Stability {
    fn about(&self) -> &'static About {
        &About {
            name: "broadcast-stability",
            statement: "A read that begins ten seconds or more after a value was there has it: after its broadcast was \
                        answered, or a read that had it.",
            source: "after Jepsen's checker `set-full`; Hadzilacos and Toueg (1994), broadcast: agreement",
            leaves_out: "protocols that promise most nodes and not all, and faults that last longer: scenarios say which \
                         checkers they want",
        }
    }

    fn check(&self, history: &History, budget: u64) -> Answer {
        stability(history, budget)
    }

    fn figures(&self, history: &History, budget: u64) -> Option<Figures> {
        fates::figures(history, budget)
    }
}

/// Whether reads have what was there [`STABLE_WITHIN`] before.
pub(super) fn stability(history: &History, budget: u64) -> Answer {
    let record = Record::new(history);
    let Some(there) = there(&record, budget) else { return out_of(budget) };
    let mut values: Vec<(SimTime, Value)> = there.iter().map(|(value, at)| (*at, *value)).collect();
    values.sort_unstable();
    let mut steps = 0;
    let mut fates: BTreeMap<Value, Fate<'_>> = BTreeMap::new();
    for (read, read_values) in reads(&record) {
        let due = values.partition_point(|(at, _)| *at + STABLE_WITHIN <= read.invoked);
        steps += due as u64;
        if steps > budget {
            return out_of(budget);
        }
        for (_, value) in &values[..due] {
            let fate = fates.entry(*value).or_default();
            if read_values.binary_search(value).is_ok() {
                fate.seen_count += 1;
            } else {
                fate.missed_count += 1;
                fate.missed_first.get_or_insert(read);
            }
        }
    }
    fates.retain(|_, fate| fate.missed_count > 0);
    if fates.is_empty() { Answer::Pass } else { Answer::Violation(evidence(&fates, &there)) }
}

/// What became of a value in the reads that must have it.
#[derive(Clone, Copy, Debug, Default)]
struct Fate<'a> {
    seen_count: u64,
    missed_count: u64,
    missed_first: Option<&'a Recorded<'a>>,
}

/// The first line says how many values are missed, and how many of them no read has that must; the others show them.
fn evidence(fates: &BTreeMap<Value, Fate<'_>>, there: &BTreeMap<Value, SimTime>) -> String {
    let gone = fates.values().filter(|fate| fate.seen_count == 0).count();
    let missing = fates.len();
    let mut text = format!(
        "values missing {STABLE_WITHIN} after they were there: {missing}; of these in no later read: {gone}"
    );
    for (value, fate) in fates.iter().take(LISTED_MAX) {
        let Fate { seen_count, missed_count, missed_first } = fate;
        let (at, of) = (there[value], seen_count + missed_count);
        let read = missed_first.map(|read| format!("{} at {}", read.op, read.invoked)).unwrap_or_default();
        write!(text, "\n  {value}, there at {at}: missing in {missed_count} of {of} reads, first in {read}")
            .expect("a text takes all");
    }
    if fates.len() > LISTED_MAX {
        write!(text, "\n  and {} more", fates.len() - LISTED_MAX).expect("a text takes all");
    }
    text
}

fn out_of(budget: u64) -> Answer {
    Answer::Inconclusive(format!("more than {budget} values of reads to look at"))
}

/// What an operation puts where reads find it: a set that grows means the same as broadcasts.
pub(super) const fn put(operation: &Operation) -> Option<Value> {
    if let Operation::Broadcast(Broadcast::Send(value)) | Operation::Set(Set::Add(value)) = operation {
        Some(*value)
    } else {
        None
    }
}

/// What was sent, or may have been, with the place of its first invocation in the history.
fn sent(record: &Record<'_>) -> BTreeMap<Value, u32> {
    let mut sent = BTreeMap::new();
    for operation in &record.operations {
        if let Some(value) = put(operation.operation)
            && operation.outcome.certainty() != Certainty::DidNotHappen
        {
            sent.entry(value).or_insert(operation.call_at);
        }
    }
    sent
}

/// Since when each value was there, as far as clients know; `None` if that takes more steps than there are.
fn there(record: &Record<'_>, budget: u64) -> Option<BTreeMap<Value, SimTime>> {
    let mut there = BTreeMap::new();
    let mut add = |value: Value, at: SimTime| {
        let since = there.entry(value).or_insert(at);
        *since = at.min(*since);
    };
    for operation in record.operations.iter().filter(|operation| operation.is_known()) {
        if let (Some(value), Some(at)) = (put(operation.operation), operation.completed) {
            add(value, at);
        }
    }
    let mut steps = 0;
    for (read, values) in reads(record) {
        steps += values.len() as u64;
        if steps > budget {
            return None;
        }
        for value in values {
            add(*value, read.completed.expect("it was answered"));
        }
    }
    Some(there)
}

/// The reads that were answered, in order of invocation.
pub(super) fn reads<'a>(record: &'a Record<'a>) -> impl Iterator<Item = (&'a Recorded<'a>, &'a [Value])> {
    record.operations.iter().filter_map(|operation| match (operation.operation, operation.outcome) {
        (Operation::Broadcast(Broadcast::Read) | Operation::Set(Set::Read), Outcome::Values(values)) => {
            Some((operation, &values[..]))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::history::DEFAULT_BUDGET;
    use crate::{ClientId, OpId};

    const fn secs(seconds: u64) -> SimTime {
        SimTime::from_nanos(seconds * 1_000_000_000)
    }

    /// A history of one client: what it asks, from when to when, and what it gets.
    fn history(steps: &[(Broadcast, u64, u64, Outcome)]) -> History {
        let mut history = History::new();
        for (ordinal, (operation, begun, ended, outcome)) in (0..).zip(steps) {
            let op = OpId { client: ClientId::new(0), ordinal };
            history.invoke(secs(*begun), op, Operation::Broadcast(*operation));
            history.complete(secs(*ended), op, outcome.clone());
        }
        history
    }

    fn send(value: Value, at: u64) -> (Broadcast, u64, u64, Outcome) {
        (Broadcast::Send(value), at, at, Outcome::Done)
    }

    fn read(at: u64, values: &[Value]) -> (Broadcast, u64, u64, Outcome) {
        (Broadcast::Read, at, at, Outcome::Values(values.into()))
    }

    fn first_line(answer: Answer) -> String {
        match answer {
            Answer::Pass => "pass".to_owned(),
            Answer::Violation(text) | Answer::Inconclusive(text) => {
                text.lines().next().unwrap_or_default().to_owned()
            }
        }
    }

    fn integrity(steps: &[(Broadcast, u64, u64, Outcome)]) -> String {
        first_line(Integrity.check(&history(steps), DEFAULT_BUDGET))
    }

    fn stability(steps: &[(Broadcast, u64, u64, Outcome)]) -> String {
        first_line(Stability.check(&history(steps), DEFAULT_BUDGET))
    }

    #[test]
    fn reads_have_what_was_sent_each_once_in_order() {
        let unknown = (Broadcast::Send(9), 1, 2, Outcome::Unknown);
        assert_eq!(integrity(&[send(7, 0), unknown.clone(), read(3, &[7, 9])]), "pass");
        assert_eq!(integrity(&[send(7, 0), unknown, read(3, &[])]), "pass", "missing is another matter");
        assert_eq!(integrity(&[send(7, 0), read(1, &[7, 7])]), "duplicated: 7 is twice in one read");
        assert_eq!(integrity(&[send(7, 0), send(8, 0), read(1, &[8, 7])]), "unordered: 8 comes before 7");
    }

    #[test]
    fn a_value_that_nobody_has_sent_is_found() {
        let thin = "out of thin air: 8 was read, and nobody had sent it";
        assert_eq!(integrity(&[send(7, 0), read(1, &[7, 8])]), thin);
        assert_eq!(integrity(&[send(7, 0), read(1, &[7, 8]), send(8, 2)]), thin, "not yet");
        let refused = Outcome::Refused(crate::service::Refusal::Overloaded);
        assert_eq!(integrity(&[(Broadcast::Send(8), 0, 1, refused), read(2, &[8])]), thin, "it was refused");
    }

    #[test]
    fn a_value_is_in_every_read_from_ten_seconds_after_it_was_there() {
        assert_eq!(stability(&[send(7, 0), read(9, &[]), read(10, &[7])]), "pass");
        let missing = "values missing 10s after they were there: 1; of these in no later read: 0";
        assert_eq!(stability(&[send(7, 0), read(10, &[7]), read(11, &[])]), missing);
        let lost = "values missing 10s after they were there: 1; of these in no later read: 1";
        assert_eq!(stability(&[send(7, 0), read(3, &[7]), read(11, &[]), read(12, &[])]), lost);
    }

    #[test]
    fn a_broadcast_without_an_answer_counts_from_when_it_was_read() {
        let unknown = (Broadcast::Send(7), 0, 1, Outcome::Unknown);
        assert_eq!(stability(&[unknown.clone(), read(50, &[])]), "pass", "it may never have happened");
        assert_eq!(stability(&[unknown.clone(), read(5, &[7]), read(14, &[])]), "pass");
        assert_ne!(stability(&[unknown, read(5, &[7]), read(15, &[])]), "pass");
    }

    #[test]
    fn more_than_the_budget_is_inconclusive() {
        let history = history(&[send(7, 0), read(10, &[7]), read(11, &[7])]);
        assert!(matches!(Integrity.check(&history, 1), Answer::Inconclusive(_)));
        assert!(matches!(Stability.check(&history, 1), Answer::Inconclusive(_)));
        assert_eq!(Stability.check(&history, 2), Answer::Pass);
    }
}
