//! `txn`: transactions over lists, as Elle checks them (Kingsbury & Alvaro, VLDB 2020).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Key, Model, Operation, Outcome, Value};

/// One step of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// Append a value to the list under a key.
    Append(Key, Value),
    /// Read the list under a key.
    Read(Key),
}

impl Step {
    /// Whether it leaves the state as it is whatever happens.
    pub const fn is_read(self) -> bool {
        matches!(self, Self::Read(_))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Append(key, value) => write!(f, "append {key} {value}"),
            Self::Read(key) => write!(f, "read {key}"),
        }
    }
}

/// What a step gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StepOutcome {
    /// The append is part of the transaction.
    Appended,
    /// The list as the transaction saw it.
    List(Arc<[Value]>),
}

impl fmt::Display for StepOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Appended => f.write_str("appended"),
            Self::List(values) => super::text::write_list(f, values.iter()),
        }
    }
}

/// The sequential meaning of `txn`: transactions run one after the other, the steps of each in order, and a
/// step sees the earlier ones of its own transaction. Every list starts empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct TxnModel;

impl Model for TxnModel {
    /// The lists that were appended to, by key.
    type State = BTreeMap<Key, Vec<Value>>;

    fn initial(&self) -> Self::State {
        BTreeMap::new()
    }

    fn step(&self, state: &Self::State, operation: &Operation, outcome: &Outcome) -> Option<Self::State> {
        let Operation::Txn(steps) = operation else { return None };
        let mut next = state.clone();
        let results: Vec<StepOutcome> = steps.iter().map(|&step| run(&mut next, step)).collect();
        let legal = match outcome {
            Outcome::Txn(seen) => seen[..] == results[..],
            other => *other == Outcome::Unknown,
        };
        legal.then_some(next)
    }
}

fn run(lists: &mut BTreeMap<Key, Vec<Value>>, step: Step) -> StepOutcome {
    match step {
        Step::Append(key, value) => {
            lists.entry(key).or_default().push(value);
            StepOutcome::Appended
        }
        Step::Read(key) => {
            StepOutcome::List(lists.get(&key).map_or_else(|| [].into(), |list| list[..].into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type State = BTreeMap<Key, Vec<Value>>;

    fn step(state: &State, steps: &[Step], outcome: &Outcome) -> Option<State> {
        TxnModel.step(state, &Operation::Txn(steps.into()), outcome)
    }

    fn results(outcomes: &[StepOutcome]) -> Outcome {
        Outcome::Txn(outcomes.into())
    }

    fn list(values: &[Value]) -> StepOutcome {
        StepOutcome::List(values.into())
    }

    #[test]
    fn a_transaction_sees_its_own_appends_and_those_before() {
        let steps =
            [Step::Append(Key(1), 7), Step::Read(Key(1)), Step::Append(Key(1), 8), Step::Read(Key(2))];
        let good = results(&[StepOutcome::Appended, list(&[7]), StepOutcome::Appended, list(&[])]);
        let state = step(&TxnModel.initial(), &steps, &good).expect("legal");
        assert_eq!(state[&Key(1)], [7, 8]);
        let read = |values| step(&state, &[Step::Read(Key(1))], &results(&[list(values)])).is_some();
        assert!(read(&[7, 8]));
        assert!(!read(&[8, 7]) && !read(&[7]) && !read(&[]));
    }

    #[test]
    fn all_steps_have_results_of_their_kind() {
        let append = [Step::Append(Key(1), 7)];
        assert!(step(&TxnModel.initial(), &append, &results(&[])).is_none());
        assert!(step(&TxnModel.initial(), &append, &results(&[list(&[7])])).is_none());
        assert!(step(&TxnModel.initial(), &append, &Outcome::Done).is_none());
        let state = step(&TxnModel.initial(), &append, &Outcome::Unknown).expect("may happen");
        assert_eq!(state[&Key(1)], [7]);
    }
}
