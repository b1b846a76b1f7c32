//! Counters: each read is within what the additions allow.
//!
//! What a counter can be when it is read is a range. Additions that were answered before the read began are in it;
//! those that had begun when it ended, and may have happened, may be. So the least is the sum of what must be in it and of all
//! subtractions that may be, the most that of what must be in it and of all additions that may be.
//!
//! Two checkers, which differ in how late an addition may be: [`RANGE`] not at all, and [`STABILITY`] by
//! [`STABLE_WITHIN`]. Each takes a step an operation.

use super::broadcast::STABLE_WITHIN;
use super::recorded::{Record, Recorded};
use super::text::Line;
use crate::Span;
use crate::check::{About, Answer, HistoryChecker};
use crate::history::History;
use crate::service::counter::Operation as Counter;
use crate::service::{Certainty, Operation, Outcome};

/// Each read is within the range, and answered additions are in it at once.
pub const RANGE: Range = Range {
    about: &About {
        name: "counter-range",
        statement: "A read is between the least and the most that the counter can be: with all that was answered before it \
                    began, and any of what had begun when it ended.",
        source: "after Jepsen's checker `counter`",
        leaves_out: "the order of reads: two may contradict each other within their ranges",
    },
    within: Span::ZERO,
};

/// Each read is within the range, where answered additions may be ten seconds late.
pub const STABILITY: Range = Range {
    about: &About {
        name: "counter-stability",
        statement: "A read is between the least and the most that the counter can be: with all that was answered ten seconds \
                    before it began, and any of what had begun when it ended.",
        source: "after Jepsen's checker `counter`, for counters that are eventually consistent",
        leaves_out: "faults that last longer: scenarios say which checkers they want",
    },
    within: STABLE_WITHIN,
};

/// Each read is within the range that the additions allow. See the [module documentation](self).
#[derive(Clone, Copy, Debug)]
pub struct Range {
    about: &'static About,
    /// How late an addition may be.
    within: Span,
}

/// Additions by their place in the history, with the sums of what rises and of what falls up to each.
#[derive(Default)]
struct Sums(Vec<(u32, i128, i128)>);

impl Sums {
    fn new(mut additions: Vec<(u32, i64)>) -> Self {
        additions.sort_unstable();
        let mut sums = Self::default();
        for (place, amount) in additions {
            let (_, up, down) = sums.0.last().copied().unwrap_or_default();
            let amount = i128::from(amount);
            sums.0.push((place, up + amount.max(0), down + amount.min(0)));
        }
        sums
    }

    /// Of those before a place.
    fn before(&self, place: u32) -> (i128, i128) {
        let count = self.0.partition_point(|(other, _, _)| *other < place);
        count.checked_sub(1).map_or((0, 0), |last| (self.0[last].1, self.0[last].2))
    }
}

impl HistoryChecker for Range {
    fn about(&self) -> &'static About {
        self.about
    }

    fn check(&self, history: &History, budget: u64) -> Answer {
        let record = Record::new(history);
        if record.operations.len() as u64 > budget {
            return Answer::Inconclusive(format!("more than {budget} operations to look at"));
        }
        let additions = || record.operations.iter().filter_map(|one| Some((one, amount(one)?)));
        let begun = Sums::new(additions().map(|(one, amount)| (one.call_at, amount)).collect());
        let known = additions().filter(|(one, _)| one.is_known());
        let mut answered: Vec<(&Recorded<'_>, i64)> = known.collect();
        answered.sort_unstable_by_key(|(one, _)| one.return_at);
        let done = Sums::new(answered.iter().map(|(one, amount)| (one.return_at, *amount)).collect());
        for (read, value) in reads(&record) {
            // Of those that were answered before the read began, the last ones may be late.
            let is_due = |one: &Recorded<'_>| {
                one.return_at < read.call_at
                    && one.completed.is_some_and(|at| at + self.within <= read.invoked)
            };
            let due = answered.partition_point(|(one, _)| is_due(one));
            let (up_due, down_due) =
                done.before(answered.get(due).map_or(u32::MAX, |(one, _)| one.return_at));
            let (up, down) = begun.before(read.return_at);
            let (least, most) = (up_due + down, up + down_due);
            if !(least..=most).contains(&i128::from(value)) {
                let first = format!("a read gave {value}, and the counter is between {least} and {most}");
                return Answer::Violation(format!("{first}\n  {}", Line(&read.owned())));
            }
        }
        Answer::Pass
    }
}

/// How much an operation adds, if it happened or may have.
fn amount(operation: &Recorded<'_>) -> Option<i64> {
    if let Operation::Counter(Counter::Add(amount)) = operation.operation
        && operation.outcome.certainty() != Certainty::DidNotHappen
    {
        return Some(*amount);
    }
    None
}

/// The reads that were answered, in order of invocation.
fn reads<'a>(record: &'a Record<'a>) -> impl Iterator<Item = (&'a Recorded<'a>, i64)> {
    record.operations.iter().filter_map(|operation| match (operation.operation, operation.outcome) {
        (Operation::Counter(Counter::Read), Outcome::Value(Some(value))) => {
            Some((operation, value.cast_signed()))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::check::history::DEFAULT_BUDGET;
    use crate::{ClientId, OpId, SimTime};

    const fn secs(seconds: u64) -> SimTime {
        SimTime::from_nanos(seconds * 1_000_000_000)
    }

    type Step = (u32, Counter, u64, u64, Outcome);

    fn history(steps: &[Step]) -> History {
        let mut ends: Vec<(u64, u8, OpId, &Step)> = Vec::new();
        for (ordinal, step) in (0..).zip(steps) {
            let op = OpId { client: ClientId::new(step.0), ordinal };
            ends.push((step.2, 1, op, step));
            ends.push((step.3, 0, op, step));
        }
        // Of the same instant completions come first.
        ends.sort_by_key(|(at, is_call, op, _)| (*at, *is_call, *op));
        let mut history = History::new();
        for (at, is_call, op, step) in ends {
            if is_call == 1 {
                history.invoke(secs(at), op, Operation::Counter(step.1));
            } else {
                history.complete(secs(at), op, step.4.clone());
            }
        }
        history
    }

    fn add(amount: i64, begun: u64, ended: u64) -> Step {
        (0, Counter::Add(amount), begun, ended, Outcome::Done)
    }

    fn read(value: i64, begun: u64, ended: u64) -> Step {
        (1, Counter::Read, begun, ended, Outcome::Value(Some(value.cast_unsigned())))
    }

    fn passes(checker: Range, steps: &[Step]) -> bool {
        checker.check(&history(steps), DEFAULT_BUDGET) == Answer::Pass
    }

    #[test]
    fn a_read_has_all_that_was_answered_and_any_of_what_had_begun() {
        let steps = |value| [add(5, 0, 1), add(3, 2, 6), add(-2, 2, 7), read(value, 3, 4)];
        let legal: Vec<i64> = (-5..12).filter(|value| passes(RANGE, &steps(*value))).collect();
        assert_eq!(legal, (3..=8).collect::<Vec<_>>());
        let later = |value| [add(5, 0, 1), add(3, 2, 6), add(-2, 2, 7), read(value, 8, 9)];
        assert!(passes(RANGE, &later(6)));
        assert!(!passes(RANGE, &later(5)) && !passes(RANGE, &later(7)));
    }

    #[test]
    fn what_may_have_happened_may_count_and_what_did_not_does_not() {
        let unknown = (0, Counter::Add(5), 0, 1, Outcome::Unknown);
        assert!(passes(RANGE, &[unknown.clone(), read(0, 2, 3)]) && passes(RANGE, &[unknown, read(5, 2, 3)]));
        let refused = (0, Counter::Add(5), 0, 1, Outcome::Refused(crate::service::Refusal::Overloaded));
        assert!(!passes(RANGE, &[refused, read(5, 2, 3)]));
    }

    #[test]
    fn an_addition_may_be_ten_seconds_late_where_that_is_allowed_and_is_never_counted_twice() {
        assert!(!passes(RANGE, &[add(5, 0, 1), read(0, 2, 3)]));
        assert!(passes(STABILITY, &[add(5, 0, 1), read(0, 2, 3)]));
        assert!(passes(STABILITY, &[add(5, 0, 1), read(0, 10, 11)]));
        assert!(!passes(STABILITY, &[add(5, 0, 1), read(0, 11, 12)]));
        assert!(!passes(STABILITY, &[add(5, 0, 1), read(10, 2, 3)]));
        assert!(!passes(STABILITY, &[read(5, 0, 1), add(5, 2, 3)]), "not yet");
    }

    #[test]
    fn more_operations_than_the_budget_are_inconclusive() {
        let history = history(&[add(5, 0, 1), read(5, 2, 3)]);
        assert!(matches!(RANGE.check(&history, 1), Answer::Inconclusive(_)));
        assert_eq!(RANGE.check(&history, 2), Answer::Pass);
    }

    proptest! {
        /// The brute-force twin: the range by looking at all pairs.
        #[test]
        fn the_range_is_that_of_all_pairs(
            draws in prop::collection::vec((-4_i64..5, 0_u64..20, 0_u64..4, 0_u8..3), 0..12),
            value in -12_i64..13,
            (begun, length) in (0_u64..20, 1_u64..4),
        ) {
            let outcome = |kind| match kind {
                0 | 1 => Outcome::Done,
                _ => Outcome::Unknown,
            };
            let mut steps: Vec<Step> = draws.iter().map(|(amount, at, length, kind)| {
                // At odd times, so that no two ends that matter are of the same instant.
                (0, Counter::Add(*amount), 4 * at + 1, 4 * (at + length) + 3, outcome(*kind))
            }).collect();
            let (from, to) = (4 * begun + 2, 4 * (begun + length));
            let must = |step: &Step| step.4 == Outcome::Done && step.3 < from;
            let may = |step: &Step| step.2 < to;
            let amounts = |which: &dyn Fn(&Step) -> bool, sign: i64| -> i64 {
                let chosen = steps.iter().filter(|step| which(step));
                chosen.filter_map(|step| match step.1 {
                    Counter::Add(amount) if amount.signum() == sign => Some(amount),
                    Counter::Add(_) | Counter::Read => None,
                }).sum()
            };
            let least = amounts(&must, 1) + amounts(&may, -1);
            let most = amounts(&may, 1) + amounts(&must, -1);
            steps.push(read(value, from, to));
            prop_assert_eq!(passes(RANGE, &steps), (least..=most).contains(&value));
        }
    }
}
