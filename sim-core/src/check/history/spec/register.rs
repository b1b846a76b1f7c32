//! One key of `kv`.

use serde::Serialize;

use super::{Access, Bond, Bonds, Spec};
use crate::check::history::linearizability::hash::spread_pair;
use crate::service::kv::Operation as KvOperation;
use crate::service::{Key, Operation, Outcome, Value};

/// Registers under keys, with compare-and-set and delete: each key is a part of its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Register;

/// An operation on one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum RegisterCall {
    /// It gave this value, or none.
    Read(Option<Value>),
    /// It sets this value, or removes it.
    Write(Option<Value>),
    /// It found the first value and set the second.
    Exchanged(Value, Value),
    /// It found something else than this.
    NotExchanged(Value),
    /// If it happened, it set the second value where the first was.
    MayExchange(Value, Value),
    /// An outcome that no state gives, such as a read that is `done`.
    Impossible,
}

impl Spec for Register {
    type Call = RegisterCall;
    type State = Option<Value>;

    #[inline]
    fn part(&self, operation: &Operation) -> Option<u64> {
        if let Operation::Kv(operation) = operation { Some(u64::from(operation.key().0)) } else { None }
    }

    fn part_name(&self, part: u64) -> Option<String> {
        u32::try_from(part).ok().map(|key| Key(key).to_string())
    }

    #[inline]
    fn compile(&self, operation: &Operation, outcome: &Outcome) -> Option<RegisterCall> {
        let Operation::Kv(operation) = operation else { return None };
        let is_unknown = *outcome == Outcome::Unknown;
        let is_done = is_unknown || *outcome == Outcome::Done;
        let only_if = |legal: bool, call| if legal { call } else { RegisterCall::Impossible };
        Some(match *operation {
            KvOperation::Read(_) if is_unknown => return None,
            KvOperation::Read(_) => match outcome {
                Outcome::Value(value) => RegisterCall::Read(*value),
                _ => RegisterCall::Impossible,
            },
            KvOperation::Write(_, value) => only_if(is_done, RegisterCall::Write(Some(value))),
            KvOperation::Delete(_) => only_if(is_done, RegisterCall::Write(None)),
            KvOperation::CompareAndSet { expected, value, .. } if is_unknown => {
                RegisterCall::MayExchange(expected, value)
            }
            KvOperation::CompareAndSet { expected, .. } if *outcome == Outcome::Rejected => {
                RegisterCall::NotExchanged(expected)
            }
            KvOperation::CompareAndSet { expected, value, .. } => {
                only_if(is_done, RegisterCall::Exchanged(expected, value))
            }
        })
    }

    fn initial(&self) -> Option<Value> {
        None
    }

    #[inline]
    fn step(&self, state: &Option<Value>, call: &RegisterCall) -> Option<Option<Value>> {
        match *call {
            RegisterCall::Read(seen) => (seen == *state).then_some(*state),
            RegisterCall::Write(value) => Some(value),
            RegisterCall::NotExchanged(expected) => (*state != Some(expected)).then_some(*state),
            // Where one of unknown outcome finds another value, having happened is the same as not.
            RegisterCall::Exchanged(expected, value) | RegisterCall::MayExchange(expected, value) => {
                (*state == Some(expected)).then_some(Some(value))
            }
            RegisterCall::Impossible => None,
        }
    }

    #[inline]
    fn is_pure(&self, call: &RegisterCall) -> bool {
        matches!(call, RegisterCall::Read(_) | RegisterCall::NotExchanged(_) | RegisterCall::Impossible)
    }

    #[inline]
    fn hash(&self, state: &Option<Value>) -> u128 {
        match *state {
            Some(value) => spread_pair(1, value),
            None => 0,
        }
    }

    fn describe(&self, state: &Option<Value>) -> String {
        state.map_or_else(|| "no value".to_owned(), |value| format!("value {value}"))
    }

    fn access(&self, call: &RegisterCall) -> Option<Access> {
        match *call {
            RegisterCall::Read(value) => Some(Access::Read(value)),
            RegisterCall::Write(value) => value.map(Access::Write),
            RegisterCall::Exchanged(..)
            | RegisterCall::NotExchanged(_)
            | RegisterCall::MayExchange(..)
            | RegisterCall::Impossible => None,
        }
    }

    fn bonds(&self, call: &RegisterCall) -> Bonds {
        let bond = |value: Option<Value>| value.map_or(Bond::Nothing, Bond::Value);
        match *call {
            RegisterCall::Read(value) | RegisterCall::Write(value) => Bonds::one(bond(value)),
            RegisterCall::Exchanged(expected, value) | RegisterCall::MayExchange(expected, value) => {
                Bonds::two(Bond::Value(expected), Bond::Value(value))
            }
            RegisterCall::NotExchanged(_) => Bonds::NEGATIVE,
            RegisterCall::Impossible => Bonds::NONE,
        }
    }
}
