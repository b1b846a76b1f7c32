//! `counter`: a number that is added to.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Model, Outcome};

/// What can be asked of a `counter` service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// Add (or subtract), wrapping at 64 bits: `Done`.
    Add(i64),
    /// The sum: `Value`, two's complement.
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
            Self::Add(amount) => write!(f, "add {amount}"),
            Self::Read => f.write_str("read"),
        }
    }
}

/// The sequential meaning of `counter`: the sum of what was added, from 0.
#[derive(Clone, Copy, Debug, Default)]
pub struct CounterModel;

impl Model for CounterModel {
    /// The sum.
    type State = i64;

    fn initial(&self) -> i64 {
        0
    }

    fn step(&self, sum: &i64, operation: &super::Operation, outcome: &Outcome) -> Option<i64> {
        let super::Operation::Counter(operation) = operation else { return None };
        let (answer, next) = match operation {
            Operation::Add(amount) => (Outcome::Done, sum.wrapping_add(*amount)),
            Operation::Read => (Outcome::Value(Some(sum.cast_unsigned())), *sum),
        };
        outcome.may_be(&answer).then_some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(sum: i64, operation: Operation, outcome: &Outcome) -> Option<i64> {
        CounterModel.step(&sum, &super::super::Operation::Counter(operation), outcome)
    }

    #[test]
    fn a_read_gives_the_sum_also_below_zero() {
        assert_eq!(step(3, Operation::Add(-5), &Outcome::Done), Some(-2));
        assert_eq!(step(-2, Operation::Read, &Outcome::Value(Some(u64::MAX - 1))), Some(-2));
        assert_eq!(step(-2, Operation::Read, &Outcome::Value(Some(2))), None);
        assert_eq!(step(-2, Operation::Read, &Outcome::Value(None)), None);
    }

    #[test]
    fn an_unknown_add_counts() {
        assert_eq!(step(3, Operation::Add(5), &Outcome::Unknown), Some(8));
        assert_eq!(step(i64::MAX, Operation::Add(1), &Outcome::Done), Some(i64::MIN));
        assert_eq!(step(3, Operation::Add(5), &Outcome::Rejected), None);
    }
}
