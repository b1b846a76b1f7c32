//! Unique ids: no two operations get the same.
//!
//! Takes a step an operation.

use std::collections::BTreeMap;

use super::recorded::{Record, out_of, violation};
use crate::check::{About, Answer, HistoryChecker};
use crate::history::History;
use crate::service::Outcome;

/// No id is given to two operations.
#[derive(Clone, Copy, Debug)]
pub struct Unique;

impl HistoryChecker for Unique {
    fn about(&self) -> &'static About {
        &About {
            name: "unique-ids",
            statement: "Every operation that was answered got an id, and no two the same.",
            source: "after Jepsen's checker `unique-ids`; the meaning of the service",
            leaves_out: "ids whose client had given up: nobody has seen them",
        }
    }

    fn check(&self, history: &History, budget: u64) -> Answer {
        let record = Record::new(history);
        if record.operations.len() as u64 > budget {
            return out_of(budget);
        }
        let mut given = BTreeMap::new();
        for operation in record.operations.iter().filter(|operation| operation.is_known()) {
            let Outcome::Value(Some(id)) = operation.outcome else { return violation("no id", &[operation]) };
            if let Some(before) = given.insert(*id, operation) {
                return violation(&format!("{id} was given twice"), &[before, operation]);
            }
        }
        Answer::Pass
    }
}

#[cfg(test)]
mod tests {
    use super::super::DEFAULT_BUDGET;
    use super::super::testing::{by_hand, history_of};
    use super::*;
    use crate::service::{Operation, Value};

    fn judge(outcomes: &[Outcome]) -> Answer {
        let operations: Vec<_> = (0..)
            .zip(outcomes)
            .map(|(at, outcome)| by_hand(1, 10 * at, 10 * at + 5, Operation::UniqueId, outcome.clone()))
            .collect();
        Unique.check(&history_of(&operations), DEFAULT_BUDGET)
    }

    fn id(id: Value) -> Outcome {
        Outcome::Value(Some(id))
    }

    #[test]
    fn ids_in_any_order_are_fine_and_one_that_is_given_twice_is_found() {
        assert_eq!(judge(&[id(5), id(3), Outcome::Unknown, id(4), Outcome::Unknown]), Answer::Pass);
        let Answer::Violation(text) = judge(&[id(5), id(3), id(5)]) else { panic!("5 was given twice") };
        assert!(text.starts_with("5 was given twice\n") && text.lines().count() == 3, "{text}");
    }

    #[test]
    fn an_answer_without_an_id_is_found() {
        assert!(matches!(judge(&[id(5), Outcome::Value(None)]), Answer::Violation(_)));
        assert!(matches!(judge(&[Outcome::Done]), Answer::Violation(_)));
    }

    #[test]
    fn a_history_beyond_the_budget_is_not_judged() {
        let operations = [by_hand(1, 0, 5, Operation::UniqueId, id(5))];
        assert!(matches!(Unique.check(&history_of(&operations), 0), Answer::Inconclusive(_)));
    }
}
