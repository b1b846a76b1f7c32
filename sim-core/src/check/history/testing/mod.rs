//! What the tests of all checkers share: histories written by hand, random histories, and brute-force twins.

mod random;
mod twin;

use std::ops::Range;

use crate::history::{History, HistoryOperation};
use crate::random::{KeySource, Purpose, Stream};
use crate::service::{Certainty, Key, Operation, Outcome, Value, kv};
use crate::{ClientId, OpId, SimTime};

pub(super) use random::{Shape, random_history};
pub(super) use twin::{agrees, has_legal_order, is_earlier};

/// The draws of the `index`-th history of a test.
pub(super) fn draws(index: u64) -> Stream {
    Stream::new(KeySource::new(index).key(Purpose::Test, 0, 0))
}

/// Operations as a history.
pub(super) fn history_of(operations: &[HistoryOperation]) -> History {
    let mut ends = Vec::new();
    for operation in operations {
        // A completion comes after the invocations of its instant, as in a history with equal instants it may not
        // come before its own.
        ends.push((operation.invoked, 0, operation));
        if let Some(completed) = operation.completed {
            ends.push((completed, 1, operation));
        }
    }
    ends.sort_by_key(|(at, side, operation)| (*at, *side, operation.op));
    let mut history = History::new();
    for (at, side, operation) in ends {
        if side == 0 {
            history.invoke(at, operation.op, operation.operation.clone());
        } else {
            history.complete(at, operation.op, operation.outcome.clone());
        }
    }
    history
}

/// An operation written by hand: client from 1, both instants in milliseconds.
pub(super) fn by_hand(
    client: u32,
    invoked: u64,
    completed: u64,
    operation: Operation,
    outcome: Outcome,
) -> HistoryOperation {
    let at = |millis: u64| SimTime::from_nanos(millis * 1_000_000);
    HistoryOperation {
        op: OpId { client: ClientId::new(client - 1), ordinal: u32::try_from(invoked).expect("small") },
        operation,
        invoked: at(invoked),
        completed: (outcome != Outcome::Unknown).then(|| at(completed)),
        outcome,
    }
}

/// Operations that happened or may have, in order of invocation.
pub(super) fn happened(history: &History) -> Vec<HistoryOperation> {
    let mut operations = history.operations();
    operations.retain(|operation| operation.outcome.certainty() != Certainty::DidNotHappen);
    operations
}

/// A write that takes a millisecond.
pub(super) fn write(client: u32, at: u64, key: u32, value: Value) -> HistoryOperation {
    write_during(client, at..at + 1, key, value)
}

/// A read that takes a millisecond.
pub(super) fn read(client: u32, at: u64, key: u32, value: Option<Value>) -> HistoryOperation {
    read_during(client, at..at + 1, key, value)
}

/// A write with both its instants, in milliseconds.
pub(super) fn write_during(client: u32, time: Range<u64>, key: u32, value: Value) -> HistoryOperation {
    let operation = Operation::Kv(kv::Operation::Write(Key(key), value));
    by_hand(client, time.start, time.end, operation, Outcome::Done)
}

/// A read with both its instants, in milliseconds.
pub(super) fn read_during(client: u32, time: Range<u64>, key: u32, value: Option<Value>) -> HistoryOperation {
    let operation = Operation::Kv(kv::Operation::Read(Key(key)));
    by_hand(client, time.start, time.end, operation, Outcome::Value(value))
}
