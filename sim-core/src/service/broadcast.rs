//! `broadcast`: values that reach every node.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Model, Outcome, Value, set};

/// What can be asked of a `broadcast` service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// Spread a value: `Done` once the asked node has it.
    Send(Value),
    /// What the asked node has: `Values` in rising order.
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
            Self::Send(value) => write!(f, "send {value}"),
            Self::Read => f.write_str("read"),
        }
    }
}

/// The sequential meaning of `broadcast`: that of [`set`]. On one machine a value sent is there at once; how
/// long it may take to reach other nodes is for the stability checker, not for this model.
#[derive(Clone, Copy, Debug, Default)]
pub struct BroadcastModel;

impl Model for BroadcastModel {
    /// What was sent.
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
        let super::Operation::Broadcast(operation) = operation else { return None };
        match *operation {
            Operation::Send(value) => set::step_add(state, value, outcome),
            Operation::Read => set::step_read(state, outcome),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_read() {
        let step = |state: &_, operation, outcome: &_| {
            BroadcastModel.step(state, &super::super::Operation::Broadcast(operation), outcome)
        };
        let state = step(&BroadcastModel.initial(), Operation::Send(4), &Outcome::Done).expect("legal");
        assert!(step(&state, Operation::Read, &Outcome::Values([4].into())).is_some());
        assert!(step(&state, Operation::Read, &Outcome::Values([].into())).is_none());
        assert!(step(&state, Operation::Send(5), &Outcome::Rejected).is_none());
    }
}
