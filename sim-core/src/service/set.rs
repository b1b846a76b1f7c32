//! `set`: a set that grows.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Model, Outcome, Value};

/// What can be asked of a `set` service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// Put a value in: `Done`.
    Add(Value),
    /// All values: `Values` in rising order.
    Read,
}

impl Operation {
    /// Whether it leaves the state as it is whatever happens.
    pub const fn is_read(self) -> bool {
        matches!(self, Self::Read)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Add(value) => write!(f, "add {value}"),
            Self::Read => f.write_str("read"),
        }
    }
}

/// The sequential meaning of `set`: a read gives everything added before, and nothing else.
#[derive(Clone, Copy, Debug, Default)]
pub struct SetModel;

impl Model for SetModel {
    /// What was added.
    type State = BTreeSet<Value>;

    fn initial(&self) -> Self::State {
        BTreeSet::new()
    }

    fn step(
        &self,
        state: &Self::State,
        operation: &super::Operation,
        outcome: &Outcome,
    ) -> Option<Self::State> {
        let super::Operation::Set(operation) = operation else { return None };
        match *operation {
            Operation::Add(value) => step_add(state, value, outcome),
            Operation::Read => step_read(state, outcome),
        }
    }
}

/// Adding to a set that grows; `broadcast` means the same.
pub(super) fn step_add(state: &BTreeSet<Value>, value: Value, outcome: &Outcome) -> Option<BTreeSet<Value>> {
    if !outcome.may_be(&Outcome::Done) {
        return None;
    }
    let mut next = state.clone();
    next.insert(value);
    Some(next)
}

/// Reading a set that grows.
pub(super) fn step_read(state: &BTreeSet<Value>, outcome: &Outcome) -> Option<BTreeSet<Value>> {
    let legal = match outcome.values() {
        Some(values) => values.iter().eq(state),
        None => *outcome == Outcome::Unknown,
    };
    legal.then(|| state.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(state: &BTreeSet<Value>, operation: Operation, outcome: &Outcome) -> Option<BTreeSet<Value>> {
        SetModel.step(state, &super::super::Operation::Set(operation), outcome)
    }

    #[test]
    fn a_read_gives_what_was_added_in_rising_order() {
        let mut state = SetModel.initial();
        for value in [7, 3, 7] {
            state = step(&state, Operation::Add(value), &Outcome::Done).expect("adding is always legal");
        }
        let read = |values: &[Value]| step(&state, Operation::Read, &Outcome::Values(values.into()));
        assert_eq!(read(&[3, 7]), Some(state.clone()));
        for wrong in [&[7, 3][..], &[3], &[3, 7, 9], &[]] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn an_unknown_add_is_in_and_an_unknown_read_changes_nothing() {
        let state = step(&SetModel.initial(), Operation::Add(7), &Outcome::Unknown).expect("may happen");
        assert_eq!(state, BTreeSet::from([7]));
        assert_eq!(step(&state, Operation::Read, &Outcome::Unknown), Some(state.clone()));
        assert_eq!(step(&state, Operation::Add(8), &Outcome::Rejected), None);
    }
}
