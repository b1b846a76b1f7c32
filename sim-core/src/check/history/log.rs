//! Logs in partitions, as clients see them: what stands at an offset stays there.
//!
//! Four checkers, because a service may promise the one and not the other:
//!
//! - [`Integrity`]: at an offset stands one value, that somebody appended; an offset that is read as committed was committed; what
//!   is said to be gone is before where the partition begins.
//! - [`Duplicates`]: no value stands at two offsets.
//! - [`Order`]: what was appended first stands first.
//! - [`Durability`]: from some time after an append was answered, nobody finds the partition to end before it.
//!
//! A consumer is behind the end of a log at all times, so a poll may find less than there is. What it finds is from the offset
//! that it asks for on, without gaps.

use std::collections::BTreeMap;

use super::recorded::{Record, Recorded, is_before, out_of, violation};
use crate::Span;
use crate::check::{About, Answer, HistoryChecker};
use crate::history::History;
use crate::service::log::Operation as Log;
use crate::service::{Certainty, Operation, Outcome, Value};

/// How long after it was answered an append must be there for everybody.
pub const DURABLE_WITHIN: Span = Span::secs(10);

/// At an offset stands one value, that somebody appended.
#[derive(Clone, Copy, Debug)]
pub struct Integrity;

/// No value stands at two offsets.
#[derive(Clone, Copy, Debug)]
pub struct Duplicates;

/// What was appended first stands first.
#[derive(Clone, Copy, Debug)]
pub struct Order;

/// What was answered stays.
#[derive(Clone, Copy, Debug)]
pub struct Durability;

/// A value at an offset of a partition, and the operation that showed it.
#[derive(Clone, Copy, Debug)]
struct Sight<'a> {
    partition: u32,
    offset: u64,
    value: Value,
    seen: &'a Recorded<'a>,
}

/// All that clients saw of where values stand, in order of completion: answers to appends, and what polls found.
fn sights<'a>(record: &'a Record<'a>) -> Vec<Sight<'a>> {
    let mut completed: Vec<&Recorded<'_>> = record.operations.iter().filter(|one| one.is_known()).collect();
    completed.sort_by_key(|operation| operation.return_at);
    let mut sights = Vec::new();
    for seen in completed {
        match (seen.operation, seen.outcome) {
            (Operation::Log(Log::Append { partition, value }), Outcome::Ticket(offset)) => {
                sights.push(Sight { partition: *partition, offset: *offset, value: *value, seen });
            }
            (Operation::Log(Log::Poll { partition, offset }), Outcome::Values(values)) => {
                let at = |(offset, value): (u64, &Value)| Sight {
                    partition: *partition,
                    offset,
                    value: *value,
                    seen,
                };
                sights.extend((*offset..).zip(values.iter()).map(at));
            }
            _ => {}
        }
    }
    sights
}

/// The answered appends, each with its partition and offset.
fn appends<'a>(record: &'a Record<'a>) -> impl Iterator<Item = (u32, u64, &'a Recorded<'a>)> {
    record.operations.iter().filter_map(|one| match (one.operation, one.outcome) {
        (Operation::Log(Log::Append { partition, .. }), Outcome::Ticket(offset)) => {
            Some((*partition, *offset, one))
        }
        _ => None,
    })
}

/// When each value was first appended, or begun to be.
fn begun<'a>(record: &'a Record<'a>) -> BTreeMap<(u32, Value), &'a Recorded<'a>> {
    let mut begun = BTreeMap::new();
    for one in &record.operations {
        if let Operation::Log(Log::Append { partition, value }) = one.operation
            && one.outcome.certainty() != Certainty::DidNotHappen
        {
            begun.entry((*partition, *value)).or_insert(one);
        }
    }
    begun
}

impl HistoryChecker for Integrity {
    fn about(&self) -> &'static About {
        &About {
            name: "log-integrity",
            statement: "At an offset of a partition stands one value for ever, and somebody had begun to append it there; an \
                        offset that is read as committed was committed; what is said to be gone is before where the \
                        partition begins.",
            source: "after Jepsen's workload for Kafka (2022): inconsistent offsets, unexpected values",
            leaves_out: "whether what was appended stays: `log-durability`",
        }
    }

    fn check(&self, history: &History, budget: u64) -> Answer {
        let record = Record::new(history);
        let sights = sights(&record);
        if sights.len() as u64 > budget {
            return out_of(budget);
        }
        let begun = begun(&record);
        let mut known: BTreeMap<(u32, u64), Sight<'_>> = BTreeMap::new();
        for sight in sights {
            let Sight { partition, offset, value, seen } = sight;
            let is_begun =
                begun.get(&(partition, value)).is_some_and(|append| append.call_at < seen.return_at);
            if !is_begun {
                return violation(
                    &format!("out of thin air: {value} stands at p{partition}@{offset}"),
                    &[seen],
                );
            }
            let before = known.entry((partition, offset)).or_insert(sight);
            if before.value != value {
                let what = format!(
                    "inconsistent offsets: at p{partition}@{offset} stands {}, and then {value}",
                    before.value
                );
                return violation(&what, &[before.seen, seen]);
            }
        }
        committed(&record).or_else(|| begins_before(&record)).unwrap_or(Answer::Pass)
    }
}

/// The polls that were told that the partition begins later: what they asked for, and where it begins.
fn gone<'a>(record: &'a Record<'a>) -> impl Iterator<Item = (u32, u64, u64, &'a Recorded<'a>)> {
    record.operations.iter().filter_map(|one| match (one.operation, one.outcome) {
        (Operation::Log(Log::Poll { partition, offset }), Outcome::Ticket(begin)) => {
            Some((*partition, *offset, *begin, one))
        }
        _ => None,
    })
}

/// A poll that was told that the partition begins later, and it begins there or before.
fn begins_before(record: &Record<'_>) -> Option<Answer> {
    gone(record).find_map(|(partition, offset, begin, one)| {
        let what = format!("p{partition}@{offset} is said to be gone, and p{partition} to begin at {begin}");
        (begin <= offset).then(|| violation(&what, &[one]))
    })
}

/// A partition that begins behind more records than anybody had begun to append: one of them stood there twice.
fn begins_too_late(record: &Record<'_>) -> Option<Answer> {
    let mut calls: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for one in &record.operations {
        if let Operation::Log(Log::Append { partition, .. }) = one.operation {
            calls.entry(*partition).or_default().push(one.call_at);
        }
    }
    for calls in calls.values_mut() {
        calls.sort_unstable();
    }
    gone(record).find_map(|(partition, _, begin, one)| {
        let calls = calls.get(&partition).map_or(&[][..], Vec::as_slice);
        let most = calls.partition_point(|call_at| *call_at < one.return_at) as u64;
        let what = format!("duplicated: p{partition} begins at {begin}, and {most} appends had begun");
        (begin > most).then(|| violation(&what, &[one]))
    })
}

/// An offset that was read as committed and that nobody had begun to commit; 0 is before the first.
fn committed(record: &Record<'_>) -> Option<Answer> {
    let mut commits: BTreeMap<(u32, u64), u32> = BTreeMap::new();
    for one in &record.operations {
        if let Operation::Log(Log::Commit { partition, offset }) = one.operation {
            let first = commits.entry((*partition, *offset)).or_insert(one.call_at);
            *first = one.call_at.min(*first);
        }
    }
    record.operations.iter().find_map(|one| match (one.operation, one.outcome) {
        (Operation::Log(Log::Committed { partition }), Outcome::Ticket(offset)) if *offset > 0 => {
            let is_begun =
                commits.get(&(*partition, *offset)).is_some_and(|call_at| *call_at < one.return_at);
            let what = format!("out of thin air: p{partition}@{offset} is committed");
            (!is_begun).then(|| violation(&what, &[one]))
        }
        _ => None,
    })
}

impl HistoryChecker for Duplicates {
    fn about(&self) -> &'static About {
        &About {
            name: "log-duplicates",
            statement: "A value that was appended once stands at one offset.",
            source: "after Jepsen's workload for Kafka (2022): duplicates",
            leaves_out: "values that were appended more than once",
        }
    }

    fn check(&self, history: &History, budget: u64) -> Answer {
        let record = Record::new(history);
        let sights = sights(&record);
        if sights.len() as u64 > budget {
            return out_of(budget);
        }
        let mut appended: BTreeMap<(u32, Value), u32> = BTreeMap::new();
        for one in &record.operations {
            if let Operation::Log(Log::Append { partition, value }) = one.operation {
                *appended.entry((*partition, *value)).or_default() += 1;
            }
        }
        let mut places: BTreeMap<(u32, Value), Sight<'_>> = BTreeMap::new();
        for sight in sights {
            let Sight { partition, offset, value, seen } = sight;
            let before = places.entry((partition, value)).or_insert(sight);
            if before.offset != offset && appended.get(&(partition, value)) == Some(&1) {
                let what = format!(
                    "duplicated: {value} stands at p{partition}@{} and at p{partition}@{offset}",
                    before.offset
                );
                return violation(&what, &[before.seen, seen]);
            }
        }
        begins_too_late(&record).unwrap_or(Answer::Pass)
    }
}

impl HistoryChecker for Order {
    fn about(&self) -> &'static About {
        &About {
            name: "log-order",
            statement: "Of two appends to a partition, of which one was answered before the other began, that one stands first.",
            source: "after Jepsen's workload for Kafka (2022): external and internal order",
            leaves_out: "appends without a known outcome",
        }
    }

    /// In the order of beginning; the highest offset of all that were answered before is kept.
    fn check(&self, history: &History, budget: u64) -> Answer {
        let record = Record::new(history);
        if record.operations.len() as u64 > budget {
            return out_of(budget);
        }
        let mut by_partition: BTreeMap<u32, Vec<(u64, &Recorded<'_>)>> = BTreeMap::new();
        for (partition, offset, one) in appends(&record) {
            by_partition.entry(partition).or_default().push((offset, one));
        }
        by_partition.values().find_map(|appends| reordered(appends)).unwrap_or(Answer::Pass)
    }
}

fn reordered(appends: &[(u64, &Recorded<'_>)]) -> Option<Answer> {
    let (mut all, mut done) = (appends.to_vec(), appends.to_vec());
    all.sort_by_key(|(_, one)| one.call_at);
    done.sort_by_key(|(_, one)| one.return_at);
    let mut done = done.into_iter().peekable();
    let mut highest: Option<(u64, &Recorded<'_>)> = None;
    for (offset, one) in all {
        while let Some(before) = done.next_if(|(_, before)| is_before(before, one)) {
            highest = highest.max_by_offset(before);
        }
        if let Some((_, first)) = highest.filter(|(above, _)| *above > offset) {
            return Some(violation("reordered: what was appended first stands last", &[first, one]));
        }
    }
    None
}

/// Keeps what stands further.
trait Highest<'a> {
    fn max_by_offset(self, other: (u64, &'a Recorded<'a>)) -> Self;
}

impl<'a> Highest<'a> for Option<(u64, &'a Recorded<'a>)> {
    fn max_by_offset(self, other: (u64, &'a Recorded<'a>)) -> Self {
        self.filter(|known| known.0 >= other.0).or(Some(other))
    }
}

impl HistoryChecker for Durability {
    fn about(&self) -> &'static About {
        &About {
            name: "log-durability",
            statement: "A poll that begins ten seconds or more after an append was answered finds something, if it asks for \
                        its offset or one before.",
            source: "after Jepsen's workload for Kafka (2022): lost writes",
            leaves_out: "faults that last longer: scenarios say which checkers they want",
        }
    }

    fn check(&self, history: &History, budget: u64) -> Answer {
        let record = Record::new(history);
        if record.operations.len() as u64 > budget {
            return out_of(budget);
        }
        // By partition, in order of completion, each with the highest offset so far.
        let mut answered: BTreeMap<u32, Vec<(u64, &Recorded<'_>)>> = BTreeMap::new();
        let mut in_order: Vec<_> = appends(&record).collect();
        in_order.sort_by_key(|(_, _, one)| one.return_at);
        for (partition, offset, one) in in_order {
            let all = answered.entry(partition).or_default();
            all.push(all.last().copied().max_by_offset((offset, one)).unwrap_or((offset, one)));
        }
        record.operations.iter().find_map(|one| missed(one, &answered)).unwrap_or(Answer::Pass)
    }
}

/// A poll that finds nothing where something was answered long before.
fn missed(poll: &Recorded<'_>, answered: &BTreeMap<u32, Vec<(u64, &Recorded<'_>)>>) -> Option<Answer> {
    let Operation::Log(Log::Poll { partition, offset }) = poll.operation else { return None };
    if !matches!(poll.outcome, Outcome::Values(values) if values.is_empty()) {
        return None;
    }
    let all = answered.get(partition)?;
    let is_old = |one: &Recorded<'_>| one.completed.is_some_and(|at| at + DURABLE_WITHIN <= poll.invoked);
    let (there, append) = all[..all.partition_point(|(_, one)| is_old(one))].last()?;
    let what = format!("lost: the partition p{partition} ends before {offset}, and {there} was answered");
    (there >= offset).then(|| violation(&what, &[append, poll]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::history::DEFAULT_BUDGET;
    use crate::check::history::testing::{by_hand, history_of};

    type Step = (Log, u64, u64, Outcome);

    /// A history of clients that each ask once: what, from when to when in seconds, and what they get.
    fn history(steps: &[Step]) -> History {
        let operation = |(client, (asked, begun, ended, outcome)): (u32, &Step)| {
            by_hand(client, *begun * 1_000, *ended * 1_000, Operation::Log(*asked), outcome.clone())
        };
        history_of(&(1..).zip(steps).map(operation).collect::<Vec<_>>())
    }

    fn append(value: Value, at: u64, offset: u64) -> Step {
        (Log::Append { partition: 0, value }, at, at + 1, Outcome::Ticket(offset))
    }

    fn poll(offset: u64, at: u64, values: &[Value]) -> Step {
        (Log::Poll { partition: 0, offset }, at, at + 1, Outcome::Values(values.into()))
    }

    fn first_line(checker: &dyn HistoryChecker, steps: &[Step]) -> String {
        match checker.check(&history(steps), DEFAULT_BUDGET) {
            Answer::Pass => "pass".to_owned(),
            Answer::Violation(text) | Answer::Inconclusive(text) => {
                text.lines().next().unwrap_or_default().to_owned()
            }
        }
    }

    #[test]
    fn at_an_offset_stands_one_value_that_was_appended() {
        let judge = |steps: &[Step]| first_line(&Integrity, steps);
        assert_eq!(judge(&[append(7, 0, 0), append(8, 2, 1), poll(0, 4, &[7, 8]), poll(1, 6, &[8])]), "pass");
        assert_eq!(judge(&[append(7, 0, 0), poll(0, 2, &[])]), "pass", "a consumer may be late");
        let thin = "out of thin air: 9 stands at p0@1";
        assert_eq!(judge(&[append(7, 0, 0), poll(0, 2, &[7, 9])]), thin);
        assert_eq!(judge(&[append(7, 0, 0), poll(0, 2, &[7, 9]), append(9, 5, 1)]), thin, "not yet");
        let other = "inconsistent offsets: at p0@0 stands 7, and then 8";
        assert_eq!(judge(&[append(7, 0, 0), append(8, 2, 0)]), other, "overwritten");
        assert_eq!(judge(&[append(7, 0, 0), append(8, 2, 1), poll(0, 4, &[8])]), other, "skipped");
        let unknown = (Log::Append { partition: 0, value: 7 }, 0, 9, Outcome::Unknown);
        assert_eq!(judge(&[unknown, poll(0, 2, &[7])]), "pass");
    }

    #[test]
    fn what_is_gone_is_before_where_the_partition_begins() {
        let gone =
            |offset, at, begin| (Log::Poll { partition: 0, offset }, at, at + 1, Outcome::Ticket(begin));
        let both =
            |steps: &[Step]| [first_line(&Integrity, steps), first_line(&Duplicates, steps)].join(", ");
        assert_eq!(both(&[append(7, 0, 0), append(8, 2, 1), gone(0, 4, 2), gone(0, 6, 1)]), "pass, pass");
        let there = "p0@1 is said to be gone, and p0 to begin at 1, pass";
        assert_eq!(both(&[append(7, 0, 0), gone(1, 2, 1)]), there);
        let twice = "pass, duplicated: p0 begins at 2, and 1 appends had begun";
        assert_eq!(both(&[append(7, 0, 0), gone(0, 2, 2)]), twice);
        assert_eq!(both(&[append(7, 0, 0), gone(0, 2, 2), append(8, 5, 1)]), twice, "not yet");
    }

    #[test]
    fn an_offset_that_is_read_as_committed_was_committed() {
        let judge = |steps: &[Step]| first_line(&Integrity, steps);
        let commit = |offset, at| (Log::Commit { partition: 0, offset }, at, at + 1, Outcome::Done);
        let committed = |offset, at| (Log::Committed { partition: 0 }, at, at + 1, Outcome::Ticket(offset));
        assert_eq!(judge(&[committed(0, 0), commit(3, 2), committed(3, 4)]), "pass");
        assert_eq!(judge(&[commit(3, 2), committed(4, 4)]), "out of thin air: p0@4 is committed");
        assert_eq!(judge(&[committed(3, 0), commit(3, 2)]), "out of thin air: p0@3 is committed");
    }

    #[test]
    fn a_value_stands_once() {
        let judge = |steps: &[Step]| first_line(&Duplicates, steps);
        assert_eq!(judge(&[append(7, 0, 0), poll(0, 2, &[7])]), "pass");
        assert_eq!(
            judge(&[append(7, 0, 0), poll(0, 2, &[7, 7])]),
            "duplicated: 7 stands at p0@0 and at p0@1"
        );
        assert_eq!(judge(&[append(7, 0, 0), append(7, 2, 1)]), "pass", "two appends may say the same");
    }

    #[test]
    fn what_was_appended_first_stands_first() {
        let judge = |steps: &[Step]| first_line(&Order, steps);
        let reordered = "reordered: what was appended first stands last";
        assert_eq!(judge(&[append(7, 0, 1), append(8, 2, 0)]), reordered);
        assert_eq!(judge(&[append(7, 0, 1), append(8, 0, 0)]), "pass", "at the same time");
        assert_eq!(judge(&[append(6, 0, 0), append(7, 2, 1), append(8, 4, 2)]), "pass");
    }

    #[test]
    fn what_was_answered_stays() {
        let judge = |steps: &[Step]| first_line(&Durability, steps);
        let lost = "lost: the partition p0 ends before 0, and 0 was answered";
        assert_eq!(judge(&[append(7, 0, 0), poll(0, 20, &[])]), lost);
        assert_eq!(judge(&[append(7, 0, 0), poll(0, 5, &[])]), "pass", "late");
        assert_eq!(judge(&[append(7, 0, 0), poll(1, 20, &[])]), "pass", "that is the end");
        assert_eq!(judge(&[append(7, 0, 0), poll(0, 20, &[7])]), "pass");
        let second = "lost: the partition p0 ends before 1, and 1 was answered";
        assert_eq!(judge(&[append(7, 0, 0), append(8, 2, 1), poll(1, 20, &[])]), second);
    }
}
