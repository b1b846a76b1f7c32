//! `log`: an append-only log in partitions.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Model, Outcome, Value};

/// What can be asked of a `log` service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// Append to a partition: `Ticket` with the offset, counted from 0.
    Append {
        /// The partition, from 0.
        partition: u32,
        /// What is appended.
        value: Value,
    },
    /// Read from an offset on: `Values` in order of offset, as many as the server likes, but one where there
    /// is one. Where what stood there is gone, `Ticket` with the first offset that is left.
    Poll {
        /// The partition, from 0.
        partition: u32,
        /// The first offset wanted.
        offset: u64,
    },
    /// A consumer group has handled everything below an offset: `Done`. The last commit counts, be it lower.
    Commit {
        /// The partition, from 0.
        partition: u32,
        /// The first offset not handled.
        offset: u64,
    },
    /// The committed offset: `Ticket`, 0 where nothing was committed.
    Committed {
        /// The partition, from 0.
        partition: u32,
    },
    /// Read results, which others than clients have written, from an offset on: `Records` in order of offset, with gaps.
    Results {
        /// The partition of results, from 0.
        partition: u32,
        /// The first offset wanted.
        offset: u64,
    },
}

impl Operation {
    /// The partition it is about.
    pub const fn partition(self) -> u32 {
        match self {
            Self::Append { partition, .. }
            | Self::Poll { partition, .. }
            | Self::Commit { partition, .. }
            | Self::Committed { partition }
            | Self::Results { partition, .. } => partition,
        }
    }

    /// Whether it leaves the state as it is whatever happens.
    pub const fn is_read(self) -> bool {
        match self {
            Self::Append { .. } | Self::Commit { .. } => false,
            Self::Poll { .. } | Self::Committed { .. } | Self::Results { .. } => true,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Append { partition, value } => write!(f, "append p{partition} {value}"),
            Self::Poll { partition, offset } => write!(f, "poll p{partition}@{offset}"),
            Self::Commit { partition, offset } => write!(f, "commit p{partition}@{offset}"),
            Self::Committed { partition } => write!(f, "committed p{partition}"),
            Self::Results { partition, offset } => write!(f, "results p{partition}@{offset}"),
        }
    }
}

/// One partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Partition {
    /// What was appended; the index is the offset.
    pub values: Vec<Value>,
    /// The committed offset.
    pub committed: u64,
}

/// The sequential meaning of a `log` that keeps everything: offsets are dense from 0, what was appended stays, and a read sees all of
/// it. Every partition exists, empty. Clients alone write no results: there are none.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogModel;

impl Model for LogModel {
    /// The partitions that were written to, by number.
    type State = BTreeMap<u32, Partition>;

    fn initial(&self) -> Self::State {
        BTreeMap::new()
    }

    fn step(
        &self,
        state: &Self::State,
        operation: &super::Operation,
        outcome: &Outcome,
    ) -> Option<Self::State> {
        let super::Operation::Log(operation) = operation else { return None };
        let empty = Partition::default();
        let partition = state.get(&operation.partition()).unwrap_or(&empty);
        let legal = match *operation {
            Operation::Append { .. } => outcome.may_be(&Outcome::Ticket(partition.values.len() as u64)),
            Operation::Poll { offset, .. } => may_poll(&partition.values, offset, outcome),
            Operation::Commit { .. } => outcome.may_be(&Outcome::Done),
            Operation::Committed { .. } => outcome.may_be(&Outcome::Ticket(partition.committed)),
            Operation::Results { .. } => outcome.may_be(&Outcome::Records([].into())),
        };
        legal.then(|| after(state, *operation))
    }
}

fn after(state: &BTreeMap<u32, Partition>, operation: Operation) -> BTreeMap<u32, Partition> {
    let mut next = state.clone();
    match operation {
        Operation::Append { partition, value } => next.entry(partition).or_default().values.push(value),
        Operation::Commit { partition, offset } => next.entry(partition).or_default().committed = offset,
        Operation::Poll { .. } | Operation::Committed { .. } | Operation::Results { .. } => {}
    }
    next
}

fn may_poll(values: &[Value], offset: u64, outcome: &Outcome) -> bool {
    let Some(polled) = outcome.values() else { return *outcome == Outcome::Unknown };
    let available = usize::try_from(offset).ok().and_then(|offset| values.get(offset..)).unwrap_or(&[]);
    available.starts_with(polled) && polled.is_empty() == available.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    type State = BTreeMap<u32, Partition>;

    fn step(state: &State, operation: Operation, outcome: &Outcome) -> Option<State> {
        LogModel.step(state, &super::super::Operation::Log(operation), outcome)
    }

    fn append(partition: u32, value: Value) -> Operation {
        Operation::Append { partition, value }
    }

    fn appended(values: &[Value]) -> State {
        (0..).zip(values).fold(LogModel.initial(), |state, (offset, &value)| {
            step(&state, append(0, value), &Outcome::Ticket(offset)).expect("dense offsets are legal")
        })
    }

    #[test]
    fn offsets_are_dense_in_each_partition() {
        let state = appended(&[7, 8]);
        assert!(step(&state, append(0, 9), &Outcome::Ticket(2)).is_some());
        assert!(step(&state, append(1, 9), &Outcome::Ticket(0)).is_some());
        assert!(step(&state, append(0, 9), &Outcome::Ticket(1)).is_none(), "an offset is given once");
        assert!(step(&state, append(0, 9), &Outcome::Ticket(3)).is_none(), "no gaps");
    }

    #[test]
    fn a_poll_gives_a_first_part_of_what_is_there() {
        let state = appended(&[7, 8, 9]);
        let poll = |offset, values: &[Value]| {
            step(&state, Operation::Poll { partition: 0, offset }, &Outcome::Values(values.into())).is_some()
        };
        assert!(poll(1, &[8]) && poll(1, &[8, 9]) && poll(3, &[]) && poll(u64::MAX, &[]));
        assert!(!poll(1, &[]), "there is something to read");
        assert!(!poll(1, &[9]) && !poll(1, &[7]) && !poll(1, &[8, 9, 7]));
    }

    #[test]
    fn the_last_commit_counts() {
        let commit = |state: &State, offset| {
            step(state, Operation::Commit { partition: 0, offset }, &Outcome::Done).expect("legal")
        };
        let committed = |state: &State, offset| {
            step(state, Operation::Committed { partition: 0 }, &Outcome::Ticket(offset)).is_some()
        };
        let state = commit(&LogModel.initial(), 5);
        assert!(committed(&LogModel.initial(), 0) && committed(&state, 5) && !committed(&state, 0));
        assert!(committed(&commit(&state, 3), 3));
    }

    #[test]
    fn an_unknown_append_is_there() {
        let state = step(&LogModel.initial(), append(0, 7), &Outcome::Unknown).expect("may happen");
        assert_eq!(state[&0].values, [7]);
        assert_eq!(
            step(&state, Operation::Poll { partition: 0, offset: 0 }, &Outcome::Unknown),
            Some(state.clone())
        );
    }
}
