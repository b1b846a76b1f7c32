//! Sequential objects in the form that searches want: operations and outcomes compiled into one small value, states
//! that are cheap to copy and to hash, and what is known of an operation beforehand.
//!
//! | spec | of | its parts |
//! | --- | --- | --- |
//! | [`Register`] | `kv` | a key each |
//! | [`GrowSet`] | `set` | one: a read sees all elements at one moment |
//! | [`Mutex`] | `lock` without tokens | one |
//! | [`Texts`] | `kv` whose values are texts, with append | a key each |
//! | [`Modelled`] | any [`Model`](crate::service::Model): `queue`, `lock` | one |
//!
//! Linearizability is local (Herlihy and Wing, 1990, §3.1): a history is linearizable if and only if the part of each
//! object is. Keys are objects. The elements of a set are none, as long as one read sees several of them.

mod fifo;
mod grow_set;
mod modelled;
mod mutex;
mod register;
mod texts;

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

pub use grow_set::{GrowSet, SetCall};
pub use modelled::Modelled;
pub use mutex::Mutex;
pub use register::{Register, RegisterCall};
pub use texts::{Text, TextCall, Texts};

use crate::service::{Operation, Outcome, Value};

/// A sequential object.
pub trait Spec {
    /// An operation with what is known of its outcome. Those whose outcome is unknown may also not happen.
    type Call: Clone + fmt::Debug + Serialize;
    /// The whole state of a part.
    type State: Clone + fmt::Debug;

    /// The part that an operation belongs to; `None` for operations of other services.
    fn part(&self, operation: &Operation) -> Option<u64>;

    /// What people call a part; `None` where there is only one.
    fn part_name(&self, part: u64) -> Option<String>;

    /// An operation as the search takes it. `None` where it says nothing: a read of unknown outcome.
    /// Operations that were refused are left out before.
    fn compile(&self, operation: &Operation, outcome: &Outcome) -> Option<Self::Call>;

    /// The state before the first operation.
    fn initial(&self) -> Self::State;

    /// The state after a call, `None` where it cannot happen in this state.
    fn step(&self, state: &Self::State, call: &Self::Call) -> Option<Self::State>;

    /// Whether the call leaves every state as it is in which it can happen.
    fn is_pure(&self, call: &Self::Call) -> bool;

    /// A hash under which states that differ don't meet.
    fn hash(&self, state: &Self::State) -> u128;

    /// The state for people.
    fn describe(&self, state: &Self::State) -> String;

    /// The call as a plain read or write of one register; `None` where it is more than that.
    fn access(&self, _call: &Self::Call) -> Option<Access> {
        None
    }

    /// Whether [`Spec::order`] ever says anything.
    const HAS_ORDER: bool = false;

    /// Pairs of calls of which the first comes before the second in every legal order, where time does not say so. It
    /// spares the search orders that fail much later. Calls that never change a state are in none of them.
    fn order(&self, _calls: &[Self::Call], _spans: &[CallSpan]) -> Vec<(u32, u32)> {
        Vec::new()
    }

    /// What must stay together when a history is made smaller.
    fn bonds(&self, call: &Self::Call) -> Bonds;

    /// The call in a history from which everything with these bonds was taken out.
    fn without(&self, call: &Self::Call, _gone: &BTreeSet<Bond>) -> Self::Call {
        call.clone()
    }

    /// The outcome to show for a call, where [`Spec::without`] has changed it.
    fn shown(&self, _call: &Self::Call) -> Option<Outcome> {
        None
    }
}

/// When a call began and ended, counted in ends of calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallSpan {
    /// When it was asked for.
    pub start: u32,
    /// When it was over; `None` where its outcome is unknown.
    pub end: Option<u32>,
}

/// A plain access to a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It gave this, or that there is nothing.
    Read(Option<Value>),
    /// It sets this.
    Write(Value),
}

/// Something that operations have in common: who writes a value and who reads it must leave a history together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bond {
    /// That there is no value.
    Nothing,
    /// A value.
    Value(u64),
    /// A receipt or token.
    Ticket(u64),
}

/// How an operation may leave a history without making a legal rest illegal.
///
/// Take a legal order, and take out all calls that share a bond, and those that share one with these, and so on.
/// What remains never saw their effect, so it is legal, with one exception: a call that saw that something was
/// *not* so. Those go first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bonds {
    /// What it writes, reads or holds. A pure call may also leave alone; another call without bonds stays.
    pub all: [Option<Bond>; 2],
    /// It saw that something was not so: a compare-and-set that failed, a lock that was held.
    pub is_negative: bool,
}

impl Bonds {
    /// Tied to one thing.
    pub const fn one(bond: Bond) -> Self {
        Self { all: [Some(bond), None], is_negative: false }
    }

    /// Tied to two things, which it ties together.
    pub const fn two(first: Bond, second: Bond) -> Self {
        Self { all: [Some(first), Some(second)], is_negative: false }
    }

    /// It saw that something was not so.
    pub const NEGATIVE: Self = Self { all: [None, None], is_negative: true };
    /// Tied to nothing.
    pub const NONE: Self = Self { all: [None, None], is_negative: false };
}
