//! `kv`: registers under keys, with compare-and-set.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Key, Model, Outcome, Value};

/// What can be asked of a `kv` service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// The value under a key: [`Outcome::Value`], `None` where nothing was written.
    Read(Key),
    /// Sets a key: [`Outcome::Done`].
    Write(Key, Value),
    /// Sets a key if it holds what is expected: [`Outcome::Done`], else [`Outcome::Rejected`].
    CompareAndSet {
        /// The key.
        key: Key,
        /// What it must hold.
        expected: Value,
        /// What it then gets.
        value: Value,
    },
    /// Removes a key: [`Outcome::Done`], whether or not it was there.
    Delete(Key),
}

impl Operation {
    /// The key that is read or written.
    pub const fn key(self) -> Key {
        match self {
            Self::Read(key) | Self::Write(key, _) | Self::CompareAndSet { key, .. } | Self::Delete(key) => {
                key
            }
        }
    }

    /// Whether it leaves the state as it is whatever happens.
    pub const fn is_read(self) -> bool {
        matches!(self, Self::Read(_))
    }

    /// What it does to the value under its key: the outcome and the value afterwards.
    pub fn evaluate(self, current: Option<Value>) -> (Outcome, Option<Value>) {
        match self {
            Self::Read(_) => (Outcome::Value(current), current),
            Self::Write(_, value) => (Outcome::Done, Some(value)),
            Self::CompareAndSet { expected, value, .. } if current == Some(expected) => {
                (Outcome::Done, Some(value))
            }
            Self::CompareAndSet { .. } => (Outcome::Rejected, current),
            Self::Delete(_) => (Outcome::Done, None),
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(key) => write!(f, "read {key}"),
            Self::Write(key, value) => write!(f, "write {key}={value}"),
            Self::CompareAndSet { key, expected, value } => write!(f, "cas {key} {expected}->{value}"),
            Self::Delete(key) => write!(f, "delete {key}"),
        }
    }
}

/// The sequential meaning of `kv`: every register starts empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct KvModel;

impl Model for KvModel {
    type State = BTreeMap<Key, Value>;

    fn initial(&self) -> Self::State {
        BTreeMap::new()
    }

    fn step(
        &self,
        state: &Self::State,
        operation: &super::Operation,
        outcome: &Outcome,
    ) -> Option<Self::State> {
        let super::Operation::Kv(operation) = operation else { return None };
        let key = operation.key();
        let (answer, after) = operation.evaluate(state.get(&key).copied());
        if !outcome.may_be(&answer) {
            return None;
        }
        let mut next = state.clone();
        match after {
            Some(value) => next.insert(key, value),
            None => next.remove(&key),
        };
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(
        state: &BTreeMap<Key, Value>,
        operation: Operation,
        outcome: &Outcome,
    ) -> Option<BTreeMap<Key, Value>> {
        KvModel.step(state, &super::super::Operation::Kv(operation), outcome)
    }

    #[test]
    fn a_read_sees_the_last_write_and_nothing_else() {
        let written =
            step(&KvModel.initial(), Operation::Write(Key(1), 7), &Outcome::Done).expect("a write is legal");
        assert!(step(&written, Operation::Read(Key(1)), &Outcome::Value(Some(7))).is_some());
        assert!(step(&written, Operation::Read(Key(1)), &Outcome::Value(None)).is_none());
        assert!(step(&written, Operation::Read(Key(2)), &Outcome::Value(None)).is_some());
    }

    #[test]
    fn compare_and_set_takes_effect_only_on_the_expected_value() {
        let written =
            step(&KvModel.initial(), Operation::Write(Key(1), 7), &Outcome::Done).expect("a write is legal");
        let cas = |expected| Operation::CompareAndSet { key: Key(1), expected, value: 9 };
        assert_eq!(step(&written, cas(7), &Outcome::Done).expect("matches")[&Key(1)], 9);
        assert_eq!(step(&written, cas(8), &Outcome::Rejected).expect("does not match")[&Key(1)], 7);
        assert!(step(&written, cas(8), &Outcome::Done).is_none());
    }

    #[test]
    fn an_unknown_outcome_takes_the_effect_it_would_have_had() {
        let after =
            step(&KvModel.initial(), Operation::Write(Key(1), 7), &Outcome::Unknown).expect("may happen");
        assert_eq!(after[&Key(1)], 7);
    }
}
