//! Checkers of whole histories: what clients asked and got, judged against what a service promises.
//!
//! | module | promise | objects |
//! | --- | --- | --- |
//! | [`linearizability`] | each operation takes effect at one moment between its ends | registers, set, queue, lock |
//! | [`sequential`] | operations happen one after the other, each client's in its order | registers, set, queue, lock |
//! | [`session`] | what a client may count on from one operation to the next | registers with unique values |
//! | [`transfer`] | money is neither made nor lost, and each transfer takes effect once | accounts |
//! | [`broadcast`] | what is sent reaches everybody, and nothing else does | values |
//! | [`set`] | the same of what is added to a set, where reads may be late | values |
//! | [`counter`] | each read is within what the additions allow | numbers |
//! | [`membership`] | lists of members are well-formed, and who has left is in none | members |
//! | [`log`] | what stands at an offset stays there, once, in order | records in partitions |
//! | [`log_results`] | what is aborted is shown to nobody, and what was appended once has one result | results of transactions |
//! | [`queue`] | what comes out went in, once acknowledged no more, in order | messages |
//! | [`unique_ids`] | no two operations get the same | ids |
//! | [`txn`] | no anomaly up to some level of isolation | lists with unique values |
//!
//! A checker answers pass, violation with evidence, or inconclusive, within a budget of steps, and never from
//! anything but the history: the same history and budget give the same answer on every machine. Its evidence is
//! data first, for tools that draw it, and has a text. Besides, those of broadcasts and sets measure: what became of each
//! value, and how long it took until all reads had it ([`Figures`]).

mod anomaly;
pub mod broadcast;
pub mod counter;
mod fates;
mod figures;
pub mod linearizability;
pub mod log;
pub mod log_results;
pub mod membership;
pub mod queue;
mod recorded;
mod registers;
pub mod sequential;
pub mod session;
pub mod set;
pub mod spec;
#[cfg(test)]
mod testing;
mod text;
pub mod transfer;
pub mod txn;
pub mod unique_ids;

use std::fmt;

use serde::Serialize;

pub use anomaly::{Anomaly, Link};
pub use figures::{Figures, Quantiles};

use super::{About, Answer, HistoryChecker};
use crate::service::{Expiry, Service};

/// Steps that are enough for the histories of a run, and take seconds at most.
pub const DEFAULT_BUDGET: u64 = 5_000_000;

/// An answer whose evidence is data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement<E> {
    /// It holds.
    Pass,
    /// It does not, and this shows it.
    Violation(Box<E>),
    /// It could not be decided within the budget, and why.
    Inconclusive(String),
}

impl<E: fmt::Display> From<Judgement<E>> for Answer {
    fn from(judgement: Judgement<E>) -> Self {
        match judgement {
            Judgement::Pass => Self::Pass,
            Judgement::Violation(evidence) => Self::Violation(evidence.to_string().trim_end().to_owned()),
            Judgement::Inconclusive(why) => Self::Inconclusive(why),
        }
    }
}

/// The checkers of what a service promises where nothing weaker was said; none for services without such a promise.
/// Leases may run out: whether they can is not known from a history.
pub fn for_service(service: Service) -> Vec<Box<dyn HistoryChecker>> {
    match service {
        Service::Kv => vec![Box::new(linearizability::kv())],
        Service::Set => {
            vec![Box::new(linearizability::set()), Box::new(set::Integrity), Box::new(set::Stability)]
        }
        Service::Counter => vec![Box::new(counter::RANGE), Box::new(counter::STABILITY)],
        Service::Queue => vec![
            Box::new(linearizability::queue(Expiry::Possible)),
            Box::new(queue::Integrity),
            Box::new(queue::Loss),
            Box::new(queue::Order),
        ],
        Service::Lock => vec![Box::new(linearizability::lock(Expiry::Possible))],
        Service::Broadcast => vec![Box::new(broadcast::Integrity), Box::new(broadcast::Stability)],
        Service::Membership => vec![Box::new(membership::Integrity), Box::new(membership::Departures)],
        Service::Transfer => vec![Box::new(transfer::Conservation), Box::new(transfer::Linearizable)],
        Service::Txn => vec![Box::new(txn::Transactions::new(txn::Isolation::StrictSerializable))],
        Service::Log => vec![
            Box::new(log::Integrity),
            Box::new(log::Duplicates),
            Box::new(log::Order),
            Box::new(log::Durability),
            Box::new(log_results::AbortedReads),
            Box::new(log_results::ResultsOnce),
        ],
        Service::UniqueIds => vec![Box::new(unique_ids::Unique)],
        Service::Echo => Vec::new(),
    }
}
