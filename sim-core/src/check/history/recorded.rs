//! A history as checkers take it: each operation with both its ends, borrowed, and the order of all ends.
//!
//! The order of events in the history is the order of time, also of events with the same instant: a run has a total
//! order, and so has a file.

use std::collections::BTreeMap;

use crate::history::{History, HistoryEvent, HistoryEventKind, HistoryOperation};
use crate::service::{Certainty, Operation, Outcome};
use crate::{OpId, SimTime};

/// An operation that happened or may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recorded<'a> {
    pub(super) op: OpId,
    pub(super) operation: &'a Operation,
    /// [`Outcome::Unknown`] also where the operation never completed.
    pub(super) outcome: &'a Outcome,
    pub(super) invoked: SimTime,
    pub(super) completed: Option<SimTime>,
}

impl Recorded<'_> {
    /// As a value of its own.
    pub(super) fn owned(&self) -> HistoryOperation {
        HistoryOperation {
            op: self.op,
            operation: self.operation.clone(),
            invoked: self.invoked,
            completed: self.completed,
            outcome: self.outcome.clone(),
        }
    }
}

/// One end of an operation: its index times two, plus one for the return.
pub(super) type PackedEnd = u32;

/// All operations in order of invocation, and their ends in order of time. What was refused is in `operations` but
/// has no ends; what is unknown has no return.
pub(super) struct Record<'a> {
    pub(super) operations: Vec<Recorded<'a>>,
    pub(super) ends: Vec<PackedEnd>,
}

impl<'a> Record<'a> {
    pub(super) fn new(history: &'a History) -> Self {
        let capacity = usize::try_from(history.len()).expect("a history fits into memory");
        let mut record =
            Self { operations: Vec::with_capacity(capacity / 2 + 1), ends: Vec::with_capacity(capacity) };
        let mut open = BTreeMap::new();
        let mut refused_count = 0;
        for event in history.events() {
            refused_count += u32::from(record.push(event, &mut open));
        }
        if refused_count > 0 {
            record.drop_refused();
        }
        record
    }

    /// Whether the event says that an operation did not happen.
    fn push(&mut self, event: &'a HistoryEvent, open: &mut BTreeMap<OpId, u32>) -> bool {
        match &event.what {
            HistoryEventKind::Invoked(operation) => {
                let index =
                    u32::try_from(self.operations.len()).expect("a history has fewer than 2^31 operations");
                open.insert(event.op, index);
                self.ends.push(index << 1);
                self.operations.push(Recorded {
                    op: event.op,
                    operation,
                    outcome: &Outcome::Unknown,
                    invoked: event.at,
                    completed: None,
                });
                false
            }
            HistoryEventKind::Completed(outcome) => {
                let index = open.remove(&event.op).expect("a history completes what was invoked");
                let operation = &mut self.operations[index as usize];
                operation.completed = Some(event.at);
                operation.outcome = outcome;
                let certainty = outcome.certainty();
                if certainty == Certainty::Happened {
                    self.ends.push(index << 1 | 1);
                }
                certainty == Certainty::DidNotHappen
            }
        }
    }

    fn drop_refused(&mut self) {
        let operations = &self.operations;
        self.ends
            .retain(|end| operations[(end >> 1) as usize].outcome.certainty() != Certainty::DidNotHappen);
    }

    /// The operations that happened or may have, with their indices.
    pub(super) fn happened(&self) -> impl Iterator<Item = (u32, &Recorded<'a>)> {
        (0..)
            .zip(&self.operations)
            .filter(|(_, operation)| operation.outcome.certainty() != Certainty::DidNotHappen)
    }
}
