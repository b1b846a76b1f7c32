//! A set that grows.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use super::{Bond, Bonds, Spec};
use crate::check::history::linearizability::hash::spread;
use crate::persist::PersistentMap;
use crate::service::set::Operation as SetOperation;
use crate::service::{Operation, Outcome, Value};

/// A set that grows, read as a whole.
#[derive(Clone, Copy, Debug, Default)]
pub struct GrowSet;

/// An operation on the set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum SetCall {
    /// It puts a value in.
    Add(Value),
    /// It gave these values, whose hashes give this one together.
    Read(u128, Arc<[Value]>),
    /// An outcome that no state gives, such as values out of order.
    Impossible,
}

/// What was added, and the hash of it. Copies share what they have in common.
#[derive(Clone, Debug, Default)]
pub struct Added {
    hash: u128,
    values: PersistentMap<Value, ()>,
}

impl Spec for GrowSet {
    type Call = SetCall;
    type State = Added;

    fn part(&self, operation: &Operation) -> Option<u64> {
        matches!(operation, Operation::Set(_)).then_some(0)
    }

    fn part_name(&self, _part: u64) -> Option<String> {
        None
    }

    fn compile(&self, operation: &Operation, outcome: &Outcome) -> Option<SetCall> {
        let Operation::Set(operation) = operation else { return None };
        match (operation, outcome) {
            (SetOperation::Add(value), Outcome::Done | Outcome::Unknown) => Some(SetCall::Add(*value)),
            (SetOperation::Read, Outcome::Values(values)) => Some(read(values.clone())),
            (SetOperation::Read, Outcome::Unknown) => None,
            _ => Some(SetCall::Impossible),
        }
    }

    fn initial(&self) -> Added {
        Added::default()
    }

    fn step(&self, state: &Added, call: &SetCall) -> Option<Added> {
        match call {
            SetCall::Add(value) if state.values.contains_key(value) => Some(state.clone()),
            SetCall::Add(value) => {
                let mut next = state.clone();
                next.values.insert(*value, ());
                next.hash ^= spread(*value);
                Some(next)
            }
            SetCall::Read(hash, _) => (*hash == state.hash).then(|| state.clone()),
            SetCall::Impossible => None,
        }
    }

    fn is_pure(&self, call: &SetCall) -> bool {
        matches!(call, SetCall::Read(..) | SetCall::Impossible)
    }

    fn hash(&self, state: &Added) -> u128 {
        state.hash
    }

    fn describe(&self, state: &Added) -> String {
        let values: Vec<Value> = state.values.iter().map(|(value, ())| *value).collect();
        format!("{} values: {values:?}", values.len())
    }

    fn bonds(&self, call: &SetCall) -> Bonds {
        match call {
            SetCall::Add(value) => Bonds::one(Bond::Value(*value)),
            SetCall::Read(..) | SetCall::Impossible => Bonds::NONE,
        }
    }

    /// The set is a product of its elements: without some of them, a legal history stays legal.
    fn without(&self, call: &SetCall, gone: &BTreeSet<Bond>) -> SetCall {
        match call {
            SetCall::Read(_, values) => {
                let is_left = |value: &&Value| !gone.contains(&Bond::Value(**value));
                read(values.iter().filter(is_left).copied().collect())
            }
            SetCall::Add(_) | SetCall::Impossible => call.clone(),
        }
    }

    fn shown(&self, call: &SetCall) -> Option<Outcome> {
        if let SetCall::Read(_, values) = call { Some(Outcome::Values(values.clone())) } else { None }
    }
}

fn read(values: Arc<[Value]>) -> SetCall {
    if values.windows(2).any(|pair| pair[0] >= pair[1]) {
        return SetCall::Impossible;
    }
    SetCall::Read(values.iter().fold(0, |hash, value| hash ^ spread(*value)), values)
}
