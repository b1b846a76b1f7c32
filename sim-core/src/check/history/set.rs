//! Sets that grow, where reads may be late: what is added is in every read some time later, and nothing else is.
//!
//! They are broadcasts under another name: see [`broadcast`]. A set whose reads may not be late is
//! [linearizable](super::linearizability::set).

use super::figures::Figures;
use super::{broadcast, fates};
use crate::check::{About, Answer, HistoryChecker};
use crate::history::History;

/// A read holds only what was added, each value once, in rising order.
#[derive(Clone, Copy, Debug)]
pub struct Integrity;

/// From some time after a value was there, every read has it.
#[derive(Clone, Copy, Debug)]
pub struct Stability;

impl HistoryChecker for Integrity {
    fn about(&self) -> &'static About {
        &About {
            name: "set-integrity",
            statement: "A read has only values that somebody had begun to add, each once, in rising order.",
            source: "after Jepsen's checker `set-full`: never-read, duplicated",
            leaves_out: "whether values arrive: `set-stability` sees to that",
        }
    }

    fn check(&self, history: &History, budget: u64) -> Answer {
        broadcast::integrity(history, budget)
    }
}

impl HistoryChecker for Stability {
    fn about(&self) -> &'static About {
        &About {
            name: "set-stability",
            statement: "A read that begins ten seconds or more after a value was there has it: after its addition was \
                        answered, or a read that had it.",
            source: "after Jepsen's checker `set-full`: lost, stable",
            leaves_out: "faults that last longer: scenarios say which checkers they want",
        }
    }

    fn check(&self, history: &History, budget: u64) -> Answer {
        broadcast::stability(history, budget)
    }

    fn figures(&self, history: &History, budget: u64) -> Option<Figures> {
        fates::figures(history, budget)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::history::DEFAULT_BUDGET;
    use crate::service::{Operation, Outcome, Value, set};
    use crate::{ClientId, OpId, SimTime};

    /// What each checker says of a client that adds and reads, a second each.
    fn judged(steps: &[(set::Operation, u64, Outcome)]) -> [bool; 2] {
        let mut history = History::new();
        for (ordinal, (operation, at, outcome)) in (0..).zip(steps) {
            let op = OpId { client: ClientId::new(0), ordinal };
            let at = SimTime::from_nanos(at * 1_000_000_000);
            history.invoke(at, op, Operation::Set(*operation));
            history.complete(at, op, outcome.clone());
        }
        let passes = |checker: &dyn HistoryChecker| checker.check(&history, DEFAULT_BUDGET) == Answer::Pass;
        [passes(&Integrity), passes(&Stability)]
    }

    #[test]
    fn an_addition_may_be_late_and_must_not_be_lost_or_made_up() {
        let add = |value, at| (set::Operation::Add(value), at, Outcome::Done);
        let read = |at, values: &[Value]| (set::Operation::Read, at, Outcome::Values(values.into()));
        assert_eq!(judged(&[add(7, 0), read(1, &[]), read(20, &[7])]), [true, true]);
        assert_eq!(judged(&[add(7, 0), read(20, &[])]), [true, false], "lost");
        assert_eq!(judged(&[add(7, 0), read(1, &[7, 8])]), [false, true], "made up");
        assert_eq!(judged(&[add(7, 0), read(1, &[7, 7])]), [false, true], "duplicated");
    }
}
