//! Sequential consistency: whether all operations can have happened one after the other, those of each client in the
//! order in which it asked for them (Lamport, 1979). Unlike linearizability it allows a client to see the past.
//!
//! It is not local: two registers may each be sequentially consistent and both together not. So one order is looked
//! for over all keys, in three steps:
//!
//! 1. A history that is linearizable is sequentially consistent, and that is fast to see.
//! 2. Where written values are unique, it is known who read from whom, and what must come before what follows by
//!    rules ([`saturate`]). A circle is a violation, with the circle as evidence. (Gibbons and Korach, 1997, have the
//!    problem; the rules are those that Biswas and Enea, 2019, and others before them saturate with.)
//!    An exchange that failed says what was not there: the rules leave it to the search.
//! 3. Else a search over how far each client has come, with a memo, guided by what the rules have found.
//!
//! An operation of unknown outcome may take effect late: later operations of its client need not come after it.

mod saturate;
mod search;
#[cfg(test)]
mod tests;

use super::anomaly::{Anomaly, circle_of};
use super::linearizability::Linearizability;
use super::recorded::Record;
use super::registers::{Accesses, Unpaired};
use super::spec::{GrowSet, Modelled, Mutex, Register, Spec, Texts};
use super::{About, Answer, Judgement};
use crate::check::HistoryChecker;
use crate::history::History;
use crate::service::lock::LockModel;
use crate::service::queue::QueueModel;
use crate::service::{Expiry, Service};

use self::search::{Found, Program, Search};

/// Longer histories go to the search without the rules, which take a bit for each pair of operations: half a GiB here.
const RULED_MAX: usize = 1 << 16;

/// What it says, for all services.
pub static ABOUT: About = About {
    name: "sequential-consistency",
    statement: "all operations happen one after the other, those of each client in the order in which it asked",
    source: "Lamport, 1979",
    leaves_out: "the order in time of operations of different clients, on purpose; where the steps of the search run \
                 out, the answer is inconclusive",
};

/// Checks histories of one kind of object. See the [module documentation](self).
#[derive(Clone, Copy, Debug)]
pub struct Sequential<S> {
    spec: S,
    /// Whether values that are unique say who read from whom: so for registers.
    is_register: bool,
}

impl<S: Spec + Clone> Sequential<S> {
    /// Judges a history in about `budget` steps of each kind: of the rules, and of the search.
    pub fn judge(&self, history: &History, budget: u64) -> Judgement<Anomaly> {
        if Linearizability::new(self.spec.clone()).is_linearizable(history, budget / 4) {
            return Judgement::Pass;
        }
        let record = Record::new(history);
        let mut program = Program::new(&self.spec, &record);
        if self.is_register && record.operations.len() <= RULED_MAX {
            // The search sees to it that failed exchanges fit; the rules say enough without them.
            match Accesses::pair(&record) {
                Err(Unpaired::OutOfThinAir(anomaly)) => return Judgement::Violation(anomaly),
                Err(Unpaired::Ambiguous(_)) => {}
                Ok(accesses) => match saturate::saturate(&record, &accesses, budget) {
                    Err(circle) => {
                        let says = "each of these must come before the next, and the last before the first";
                        let anomaly = circle_of(&record, ABOUT.name, says, &circle);
                        return Judgement::Violation(Box::new(anomaly));
                    }
                    Ok(order) => program.follow(&record, &accesses, &order),
                },
            }
        }
        let mut search = Search::new(&self.spec, &program);
        match search.run(budget) {
            Found::Legal => Judgement::Pass,
            Found::OutOfBudget => {
                Judgement::Inconclusive(format!("no answer after {} steps", search.steps()))
            }
            Found::Illegal { furthest } => Judgement::Violation(Box::new(Anomaly {
                name: ABOUT.name.to_owned(),
                says: format!(
                    "no order is legal; the longest legal prefix has {} of {} operations, and none of these fits then",
                    furthest.len,
                    program.len(),
                ),
                operations: furthest
                    .next
                    .iter()
                    .map(|index| record.operations[*index as usize].owned())
                    .collect(),
                links: Vec::new(),
            })),
        }
    }
}

impl<S: Spec + Clone + Send + Sync> HistoryChecker for Sequential<S> {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, history: &History, budget: u64) -> Answer {
        self.judge(history, budget).into()
    }
}

/// Registers under keys.
pub const fn kv() -> Sequential<Register> {
    Sequential { spec: Register, is_register: true }
}

/// The set that grows.
pub const fn set() -> Sequential<GrowSet> {
    Sequential { spec: GrowSet, is_register: false }
}

/// The queue; see [`linearizability::queue`](super::linearizability::queue).
pub const fn queue(expiry: Expiry) -> Sequential<Modelled<QueueModel>> {
    let spec = Modelled { model: QueueModel { expiry }, service: Service::Queue, expiry };
    Sequential { spec, is_register: false }
}

/// A lock without tokens.
pub const fn mutex() -> Sequential<Mutex> {
    Sequential { spec: Mutex, is_register: false }
}

/// Texts under keys, where numbers stand for these texts.
pub const fn texts(texts: Texts) -> Sequential<Texts> {
    Sequential { spec: texts, is_register: false }
}

/// The lock; see [`linearizability::lock`](super::linearizability::lock).
pub const fn lock(expiry: Expiry) -> Sequential<Modelled<LockModel>> {
    let spec = Modelled { model: LockModel { expiry }, service: Service::Lock, expiry };
    Sequential { spec, is_register: false }
}
