//! Any service by its sequential model, unsplit.

use super::{Bond, Bonds, CallSpan, Spec, fifo};
use crate::check::history::linearizability::hash::spread;
use crate::fingerprint::fingerprint;
use crate::service::{Expiry, Model, Operation, Outcome, Service, lock, queue};

/// A service that is judged by its [`Model`]: slower than a spec of its own, and always right.
#[derive(Clone, Copy, Debug)]
pub struct Modelled<M> {
    /// The meaning.
    pub model: M,
    /// Whose operations.
    pub service: Service,
    /// Whether holding something can end by itself.
    pub expiry: Expiry,
}

impl<M: Model> Spec for Modelled<M> {
    type Call = (Operation, Outcome);
    type State = M::State;

    fn part(&self, operation: &Operation) -> Option<u64> {
        (operation.service() == Some(self.service)).then_some(0)
    }

    fn part_name(&self, _part: u64) -> Option<String> {
        None
    }

    fn compile(&self, operation: &Operation, outcome: &Outcome) -> Option<Self::Call> {
        let is_silent = *outcome == Outcome::Unknown && operation.is_read();
        (!is_silent).then(|| (operation.clone(), outcome.clone()))
    }

    fn initial(&self) -> M::State {
        self.model.initial()
    }

    fn step(&self, state: &M::State, (operation, outcome): &Self::Call) -> Option<M::State> {
        self.model.step(state, operation, outcome)
    }

    fn is_pure(&self, (operation, outcome): &Self::Call) -> bool {
        let is_strict = self.expiry == Expiry::Never;
        match operation {
            Operation::Queue(queue::Operation::Dequeue) => *outcome == Outcome::Value(None),
            Operation::Lock(lock::Operation::Acquire) => *outcome == Outcome::Rejected,
            // With leases, a void receipt or token is news: whoever had it has lost it.
            Operation::Queue(queue::Operation::Acknowledge { .. } | queue::Operation::Return { .. })
            | Operation::Lock(lock::Operation::Release { .. }) => is_strict && *outcome == Outcome::Rejected,
            other => other.is_read(),
        }
    }

    fn hash(&self, state: &M::State) -> u128 {
        spread(fingerprint(state))
    }

    fn describe(&self, state: &M::State) -> String {
        self.model.describe(state)
    }

    const HAS_ORDER: bool = true;

    fn order(&self, calls: &[Self::Call], spans: &[CallSpan]) -> Vec<(u32, u32)> {
        let is_strict_queue = self.service == Service::Queue && self.expiry == Expiry::Never;
        // What is given back is taken out of order.
        let goes_back = |(operation, _): &Self::Call| {
            matches!(operation, Operation::Queue(queue::Operation::Return { .. }))
        };
        if is_strict_queue && !calls.iter().any(goes_back) { fifo::order(calls, spans) } else { Vec::new() }
    }

    fn bonds(&self, (operation, outcome): &Self::Call) -> Bonds {
        match (operation, outcome) {
            (Operation::Queue(operation), _) => queue_bonds(*operation, outcome),
            (Operation::Lock(lock::Operation::Acquire), Outcome::Ticket(token)) => {
                Bonds::one(Bond::Ticket(*token))
            }
            (Operation::Lock(lock::Operation::Acquire), Outcome::Rejected) => Bonds::NEGATIVE,
            (Operation::Lock(lock::Operation::Release { token }), _) => Bonds::one(Bond::Ticket(*token)),
            _ => Bonds::NONE,
        }
    }
}

fn queue_bonds(operation: queue::Operation, outcome: &Outcome) -> Bonds {
    match (operation, outcome) {
        (queue::Operation::Enqueue(value), _) => Bonds::one(Bond::Value(value)),
        (queue::Operation::Dequeue, Outcome::Received { receipt, value, .. }) => {
            Bonds::two(Bond::Value(*value), Bond::Ticket(*receipt))
        }
        (queue::Operation::Acknowledge { receipt } | queue::Operation::Return { receipt }, _) => {
            Bonds::one(Bond::Ticket(receipt))
        }
        (queue::Operation::Dequeue | queue::Operation::Redrive, _) => Bonds::NONE,
    }
}
