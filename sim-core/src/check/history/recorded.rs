//! A history as checkers take it: each operation with both its ends, borrowed, and the order of all ends.
//!
//! The order of events in the history is the order of time, also of events with the same instant: a run has a total
//! order, and so has a file.

use std::collections::BTreeMap;

use super::text::Line;
use crate::check::Answer;
use crate::history::{History, HistoryEvent, HistoryEventKind, HistoryOperation};
use crate::service::{Certainty, Operation, Outcome};
use crate::{ClientId, OpId, SimTime};

/// An operation that happened or may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recorded<'a> {
    pub(super) op: OpId,
    pub(super) operation: &'a Operation,
    /// [`Outcome::Unknown`] also where the operation never completed.
    pub(super) outcome: &'a Outcome,
    pub(super) invoked: SimTime,
    pub(super) completed: Option<SimTime>,
    /// The place of its invocation among all events.
    pub(super) call_at: u32,
    /// The place of its completion; means nothing where the outcome is unknown.
    pub(super) return_at: u32,
}

impl Recorded<'_> {
    /// Whether it certainly happened.
    pub(super) fn is_known(&self) -> bool {
        self.outcome.certainty() == Certainty::Happened
    }

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

/// Whether one was answered before the other was asked.
pub(super) const fn is_before(first: &Recorded<'_>, second: &Recorded<'_>) -> bool {
    first.return_at < second.call_at
}

/// The history is longer than the budget.
pub(super) fn out_of(budget: u64) -> Answer {
    Answer::Inconclusive(format!("more than {budget} operations to look at"))
}

/// A violation, and the operations that show it.
pub(super) fn violation(what: &str, operations: &[&Recorded<'_>]) -> Answer {
    let lines: Vec<String> =
        operations.iter().map(|operation| format!("\n  {}", Line(&operation.owned()))).collect();
    Answer::Violation(format!("{what}{}", lines.concat()))
}

/// Which operations have not completed. Nearly always it is the last one of its client, which is found at once.
#[derive(Default)]
struct Open {
    /// For each client its last operation, plus one.
    last: Vec<u32>,
    /// Those of clients that have several open, and of clients with high numbers.
    others: BTreeMap<OpId, u32>,
}

/// Clients below have a place in [`Open::last`].
const CLIENTS_DENSE: usize = 4_096;

impl Open {
    fn insert(&mut self, op: OpId, index: u32, operations: &[Recorded<'_>]) {
        let client = op.client.index();
        if client >= CLIENTS_DENSE {
            self.others.insert(op, index);
            return;
        }
        if client >= self.last.len() {
            self.last.resize(client + 1, 0);
        }
        let before = std::mem::replace(&mut self.last[client], index + 1);
        if let Some(before) = before.checked_sub(1) {
            self.others.insert(operations[before as usize].op, before);
        }
    }

    fn remove(&mut self, op: OpId, operations: &[Recorded<'_>]) -> Option<u32> {
        if let Some(last) = self.last.get_mut(op.client.index())
            && let Some(index) = last.checked_sub(1)
            && operations[index as usize].op == op
        {
            *last = 0;
            return Some(index);
        }
        self.others.remove(&op)
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
        let mut open = Open::default();
        let mut refused_count = 0;
        for (at, event) in (0..).zip(history.events()) {
            refused_count += u32::from(record.push(at, event, &mut open));
        }
        if refused_count > 0 {
            record.drop_refused();
        }
        record
    }

    /// Whether the event says that an operation did not happen.
    fn push(&mut self, at: u32, event: &'a HistoryEvent, open: &mut Open) -> bool {
        match &event.what {
            HistoryEventKind::Invoked(operation) => {
                let index =
                    u32::try_from(self.operations.len()).expect("a history has fewer than 2^31 operations");
                open.insert(event.op, index, &self.operations);
                self.ends.push(index << 1);
                self.operations.push(Recorded {
                    op: event.op,
                    operation,
                    outcome: &Outcome::Unknown,
                    invoked: event.at,
                    completed: None,
                    call_at: at,
                    return_at: at,
                });
                false
            }
            HistoryEventKind::Completed(outcome) => {
                let index =
                    open.remove(event.op, &self.operations).expect("a history completes what was invoked");
                let operation = &mut self.operations[index as usize];
                operation.completed = Some(event.at);
                operation.return_at = at;
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

    /// For each client its operations in the order in which it asked, those left out that did not happen. One after
    /// another is certain only where the first has completed before the second begins.
    pub(super) fn by_client(&self) -> BTreeMap<ClientId, Vec<u32>> {
        let mut clients: BTreeMap<ClientId, Vec<u32>> = BTreeMap::new();
        for (index, operation) in self.happened() {
            clients.entry(operation.op.client).or_default().push(index);
        }
        clients
    }

    /// Which operation of a client certainly comes before which: it has completed before the other was asked for. Pairs
    /// that follow from others are left out.
    pub(super) fn program_order(&self) -> Vec<(u32, u32)> {
        let mut pairs = Vec::new();
        for operations in self.by_client().into_values() {
            let mut recent: Vec<u32> = Vec::new();
            for index in operations {
                let call_at = self.operations[index as usize].call_at;
                let is_before = |earlier: u32| self.operations[earlier as usize].return_at < call_at;
                let before: Vec<u32> = recent.iter().copied().filter(|earlier| is_before(*earlier)).collect();
                let is_implied = |earlier: u32| {
                    let return_at = self.operations[earlier as usize].return_at;
                    before.iter().any(|other| return_at < self.operations[*other as usize].call_at)
                };
                recent.retain(|earlier| !is_implied(*earlier));
                let last = before.iter().filter(|earlier| !is_implied(**earlier));
                pairs.extend(last.map(|earlier| (*earlier, index)));
                if self.operations[index as usize].is_known() {
                    recent.push(index);
                }
            }
        }
        pairs
    }

    /// The operations of each client in chains: in a chain each operation has completed before the next begins. One
    /// of unknown outcome ends its chain, for it may still take effect.
    pub(super) fn chains(&self) -> Vec<Vec<u32>> {
        let mut chains = Vec::new();
        for operations in self.by_client().into_values() {
            // The chains of this client, each with the moment from which on it can go on.
            let mut open: Vec<(Vec<u32>, Option<u32>)> = Vec::new();
            for index in operations {
                let operation = &self.operations[index as usize];
                let free =
                    open.iter_mut().find(|(_, from)| from.is_some_and(|from| from < operation.call_at));
                let until = operation.is_known().then_some(operation.return_at);
                match free {
                    Some((chain, from)) => {
                        chain.push(index);
                        *from = until;
                    }
                    None => open.push((vec![index], until)),
                }
            }
            chains.extend(open.into_iter().map(|(chain, _)| chain));
        }
        chains
    }

    /// The operations that happened or may have, with their indices.
    pub(super) fn happened(&self) -> impl Iterator<Item = (u32, &Recorded<'a>)> {
        (0..)
            .zip(&self.operations)
            .filter(|(_, operation)| operation.outcome.certainty() != Certainty::DidNotHappen)
    }
}
