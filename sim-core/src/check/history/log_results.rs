//! Results of a log, which others than clients write in transactions, as clients see them.
//!
//! Two checkers, because a reader of what is not committed may expect the one and not the other:
//!
//! - [`AbortedReads`]: what one reader is shown at an offset every reader is shown that passes it.
//! - [`ResultsOnce`]: what was appended once has one result.
//!
//! A result says what its record says. There are gaps between results: markers, and what was aborted.

use std::collections::BTreeMap;

use super::recorded::{Record, Recorded, out_of, violation};
use crate::check::{About, Answer, HistoryChecker};
use crate::history::History;
use crate::service::log::Operation as Log;
use crate::service::{Certainty, Operation, Outcome, Value};

/// What one reader is shown every reader is shown.
#[derive(Clone, Copy, Debug)]
pub struct AbortedReads;

/// What was appended once has one result.
#[derive(Clone, Copy, Debug)]
pub struct ResultsOnce;

/// What a reader was shown: from which offset on, the records, and the operation.
struct Shown<'a> {
    partition: u32,
    from: u64,
    records: &'a [(u64, Value)],
    by: &'a Recorded<'a>,
}

/// All that readers were shown.
fn shown<'a>(record: &'a Record<'a>) -> impl Iterator<Item = Shown<'a>> {
    record.operations.iter().filter_map(|by| match (by.operation, by.outcome) {
        (Operation::Log(Log::Results { partition, offset }), Outcome::Records(records)) => {
            Some(Shown { partition: *partition, from: *offset, records, by })
        }
        _ => None,
    })
}

fn size(record: &Record<'_>) -> u64 {
    shown(record).map(|shown| 1 + shown.records.len() as u64).sum()
}

impl HistoryChecker for AbortedReads {
    fn about(&self) -> &'static About {
        &About {
            name: "log-aborted-reads",
            statement: "What one reader of results is shown at an offset every reader is shown that passes this offset, and \
                        somebody had begun to append it.",
            source: "after Jepsen's workload for Kafka (2022): aborted reads",
            leaves_out: "an aborted result that every reader is shown; whether readers are shown the newest",
        }
    }

    fn check(&self, history: &History, budget: u64) -> Answer {
        let record = Record::new(history);
        if size(&record) > budget {
            return out_of(budget);
        }
        let begun = begun(&record);
        let mut known: BTreeMap<(u32, u64), (Value, &Recorded<'_>)> = BTreeMap::new();
        for shown in shown(&record) {
            for (offset, value) in shown.records {
                if begun.get(value).is_none_or(|call_at| *call_at > shown.by.return_at) {
                    let what =
                        format!("out of thin air: {value} is the result at p{}@{offset}", shown.partition);
                    return violation(&what, &[shown.by]);
                }
                let (before, by) = *known.entry((shown.partition, *offset)).or_insert((*value, shown.by));
                if before != *value {
                    let what = format!(
                        "inconsistent offsets: the result at p{}@{offset} is {before}, and then {value}",
                        shown.partition
                    );
                    return violation(&what, &[by, shown.by]);
                }
            }
        }
        shown(&record).find_map(|shown| passed_over(&shown, &known)).unwrap_or(Answer::Pass)
    }
}

/// When each value was first appended, or begun to be, to whichever partition.
fn begun(record: &Record<'_>) -> BTreeMap<Value, u32> {
    let mut begun = BTreeMap::new();
    for one in &record.operations {
        if let Operation::Log(Log::Append { value, .. }) = one.operation
            && one.outcome.certainty() != Certainty::DidNotHappen
        {
            let first = begun.entry(*value).or_insert(one.call_at);
            *first = one.call_at.min(*first);
        }
    }
    begun
}

/// Somebody else was shown something that this reader has passed over.
fn passed_over(shown: &Shown<'_>, known: &BTreeMap<(u32, u64), (Value, &Recorded<'_>)>) -> Option<Answer> {
    let (last, _) = shown.records.last()?;
    let mut mine = shown.records.iter().map(|(offset, _)| *offset).peekable();
    for ((partition, offset), (value, by)) in
        known.range((shown.partition, shown.from)..=(shown.partition, *last))
    {
        if mine.next_if_eq(offset).is_none() {
            let what =
                format!("aborted read: {value} was the result at p{partition}@{offset}, and there is none");
            return Some(violation(&what, &[by, shown.by]));
        }
    }
    None
}

impl HistoryChecker for ResultsOnce {
    fn about(&self) -> &'static About {
        &About {
            name: "log-results-once",
            statement: "A value that was appended once has one result, in one partition.",
            source: "after Jepsen's workload for Kafka (2022): duplicates; KIP-129: exactly once",
            leaves_out: "values that were appended more than once, and records without a result",
        }
    }

    fn check(&self, history: &History, budget: u64) -> Answer {
        let record = Record::new(history);
        if size(&record) > budget {
            return out_of(budget);
        }
        let mut appended: BTreeMap<Value, u32> = BTreeMap::new();
        for one in &record.operations {
            if let Operation::Log(Log::Append { value, .. }) = one.operation {
                *appended.entry(*value).or_default() += 1;
            }
        }
        let mut places: BTreeMap<Value, (u32, u64, &Recorded<'_>)> = BTreeMap::new();
        for shown in shown(&record) {
            for (offset, value) in shown.records {
                let here = (shown.partition, *offset, shown.by);
                let (partition, at, by) = *places.entry(*value).or_insert(here);
                if (partition, at) != (shown.partition, *offset) && appended.get(value) == Some(&1) {
                    let what = format!(
                        "duplicated: {value} is the result at p{partition}@{at} and at p{}@{offset}",
                        shown.partition
                    );
                    return violation(&what, &[by, shown.by]);
                }
            }
        }
        Answer::Pass
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::history::DEFAULT_BUDGET;
    use crate::check::history::testing::{by_hand, history_of};

    type Step = (Log, u64, Outcome);

    /// A history of clients that each ask once, one after the other, each for a second.
    fn history(steps: &[Step]) -> History {
        let operation = |(client, (asked, begun, outcome)): (u32, &Step)| {
            by_hand(client, *begun * 1_000, *begun * 1_000 + 1_000, Operation::Log(*asked), outcome.clone())
        };
        history_of(&(1..).zip(steps).map(operation).collect::<Vec<_>>())
    }

    fn append(value: Value, at: u64) -> Step {
        (Log::Append { partition: 0, value }, at, Outcome::Ticket(at))
    }

    fn read(partition: u32, offset: u64, at: u64, records: &[(u64, Value)]) -> Step {
        (Log::Results { partition, offset }, at, Outcome::Records(records.into()))
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
    fn what_one_reader_is_shown_every_reader_is_shown_that_passes_it() {
        let judge = |later: &[Step]| {
            let mut steps = vec![append(7, 0), append(8, 2), append(9, 4)];
            steps.extend_from_slice(later);
            first_line(&AbortedReads, &steps)
        };
        assert_eq!(judge(&[read(0, 0, 6, &[(0, 7), (3, 8)]), read(0, 1, 8, &[(3, 8), (5, 9)])]), "pass");
        assert_eq!(
            judge(&[read(0, 0, 6, &[(0, 7), (3, 8)]), read(0, 0, 8, &[])]),
            "pass",
            "a reader may be late"
        );
        let aborted = "aborted read: 7 was the result at p0@0, and there is none";
        assert_eq!(judge(&[read(0, 0, 6, &[(0, 7)]), read(0, 0, 8, &[(3, 8)])]), aborted);
        assert_eq!(
            judge(&[read(0, 0, 6, &[(3, 8)]), read(0, 0, 8, &[(0, 7)])]),
            aborted,
            "in whichever order"
        );
        assert_eq!(
            judge(&[read(0, 0, 6, &[(0, 7)]), read(0, 0, 8, &[(0, 8)])]),
            "inconsistent offsets: the result at p0@0 is 7, and then 8"
        );
        assert_eq!(judge(&[read(0, 0, 6, &[(0, 5)])]), "out of thin air: 5 is the result at p0@0");
    }

    #[test]
    fn what_was_appended_once_has_one_result() {
        let judge = |later: &[Step]| {
            let mut steps = vec![append(7, 0), append(8, 2)];
            steps.extend_from_slice(later);
            first_line(&ResultsOnce, &steps)
        };
        assert_eq!(judge(&[read(0, 0, 6, &[(0, 7), (3, 8)]), read(0, 3, 8, &[(3, 8)])]), "pass");
        let twice = "duplicated: 7 is the result at p0@0 and at p0@4";
        assert_eq!(judge(&[read(0, 0, 6, &[(0, 7), (4, 7)])]), twice);
        let elsewhere = "duplicated: 7 is the result at p0@0 and at p1@1";
        assert_eq!(judge(&[read(0, 0, 6, &[(0, 7)]), read(1, 0, 8, &[(1, 7)])]), elsewhere);
        assert_eq!(judge(&[append(7, 4), read(0, 0, 6, &[(0, 7), (4, 7)])]), "pass", "it was appended twice");
    }
}
