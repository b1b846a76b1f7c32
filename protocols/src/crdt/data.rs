//! The state of a replica: one of the types, behind the operations of the services.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;
use sim_core::NodeId;
use sim_core::service::{Key, Operation, Outcome, Value, counter, kv, set};

use super::config::Kind;
use super::mutants::Mutant;
use super::types::{Dot, GCounter, GSet, Join, OrMap, PnCounter};

/// A state, or a delta.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Data {
    /// See [`Kind::GCounter`].
    GCounter(GCounter),
    /// See [`Kind::PnCounter`].
    PnCounter(PnCounter),
    /// See [`Kind::GSet`].
    GSet(GSet<Value>),
    /// See [`Kind::OrMap`].
    OrMap(OrMap<Value>),
}

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// A read, and its answer.
    Read(Outcome),
    /// A change: the delta.
    Change(Data),
    /// What this type cannot do.
    Unsupported,
}

impl Data {
    /// The state of a replica that knows nothing.
    pub fn nothing(kind: Kind) -> Self {
        match kind {
            Kind::GCounter => Self::GCounter(GCounter::default()),
            Kind::PnCounter => Self::PnCounter(PnCounter::default()),
            Kind::GSet => Self::GSet(GSet::default()),
            Kind::OrMap => Self::OrMap(OrMap::default()),
        }
    }

    /// What comes of an operation at `replica`. A change is made with what `staged` has, which is this state with the
    /// changes that are on their way to disk.
    pub(super) fn ask(
        &self,
        staged: &Self,
        replica: NodeId,
        operation: &Operation,
        mutant: Option<Mutant>,
    ) -> Asked {
        match (self, staged, operation) {
            (Self::GCounter(own), Self::GCounter(staged), Operation::Counter(operation)) => match operation {
                counter::Operation::Read => Asked::Read(Outcome::Value(Some(own.value()))),
                counter::Operation::Add(amount) => match u64::try_from(*amount) {
                    Ok(amount) => Asked::Change(Self::GCounter(staged.add(replica, amount))),
                    Err(_negative) => Asked::Unsupported,
                },
            },
            (Self::PnCounter(own), Self::PnCounter(staged), Operation::Counter(operation)) => match operation
            {
                counter::Operation::Read => Asked::Read(Outcome::Value(Some(own.value().cast_unsigned()))),
                counter::Operation::Add(amount) => {
                    Asked::Change(Self::PnCounter(staged.add(replica, *amount)))
                }
            },
            (Self::GSet(own), Self::GSet(_), Operation::Set(operation)) => match operation {
                set::Operation::Read => Asked::Read(Outcome::Values(own.elements().copied().collect())),
                set::Operation::Add(value) => Asked::Change(Self::GSet(GSet::of(*value))),
            },
            (Self::OrMap(own), Self::OrMap(staged), Operation::Kv(operation)) => {
                ask_map(own, staged, replica, *operation, mutant)
            }
            _ => Asked::Unsupported,
        }
    }

    /// Joins another state or delta of the same type.
    ///
    /// # Panics
    /// If it is of another type: all replicas have the same configuration.
    pub(super) fn join(&mut self, other: &Self, mutant: Option<Mutant>) {
        let sums = mutant == Some(Mutant::JoinsBySum);
        match (&mut *self, other) {
            (Self::GCounter(own), Self::GCounter(other)) if sums => own.join_by_sum(other),
            (Self::PnCounter(own), Self::PnCounter(other)) if sums => {
                own.up.join_by_sum(&other.up);
                own.down.join_by_sum(&other.down);
            }
            (Self::GCounter(own), Self::GCounter(other)) => own.join(other),
            (Self::PnCounter(own), Self::PnCounter(other)) => own.join(other),
            (Self::GSet(own), Self::GSet(other)) => own.join(other),
            (Self::OrMap(own), Self::OrMap(other)) => {
                own.join(other);
                if mutant == Some(Mutant::ContextTruncated) {
                    own.context_mut().truncate(2);
                }
            }
            (own, other) => panic!("{own:?} is sent {other:?}, which is of another type"),
        }
    }

    /// Whether joining `other` would change nothing.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::GCounter(own), Self::GCounter(other)) => own.covers(other),
            (Self::PnCounter(own), Self::PnCounter(other)) => own.covers(other),
            (Self::GSet(own), Self::GSet(other)) => own.covers(other),
            (Self::OrMap(own), Self::OrMap(other)) => own.covers(other),
            _ => false,
        }
    }

    /// Its size on the wire and on disk, in bytes.
    pub fn size(&self) -> u64 {
        let entries = match self {
            Self::GCounter(counter) => counter.counts().len(),
            Self::PnCounter(counter) => counter.up.counts().len() + counter.down.counts().len(),
            Self::GSet(set) => set.elements().len(),
            Self::OrMap(map) => 2 * map.values().count() + map.context().len(),
        };
        12 * entries as u64
    }
}

fn ask_map(
    own: &OrMap<Value>,
    staged: &OrMap<Value>,
    replica: NodeId,
    operation: kv::Operation,
    mutant: Option<Mutant>,
) -> Asked {
    match operation {
        // Of several values that were written at the same time all replicas that have them give the same one.
        kv::Operation::Read(key) => {
            let last = own.under(&key).max_by_key(|(dot, _)| *dot);
            Asked::Read(Outcome::Value(last.map(|(_, value)| *value)))
        }
        kv::Operation::Write(key, value) => Asked::Change(Data::OrMap(staged.put(replica, key, value))),
        kv::Operation::Delete(key) if mutant == Some(Mutant::RemovesUnseen) => {
            Asked::Change(Data::OrMap(staged.remove_unseen(&key)))
        }
        kv::Operation::Delete(key) => Asked::Change(Data::OrMap(staged.remove(&key))),
        // Nobody knows what all replicas have.
        kv::Operation::CompareAndSet { .. } => Asked::Unsupported,
    }
}

impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GCounter(counter) => counts(counter, "+", f),
            Self::PnCounter(counter) => {
                counts(&counter.up, "+", f)?;
                f.write_str(" ")?;
                counts(&counter.down, "-", f)
            }
            Self::GSet(set) => list(set.elements(), f),
            Self::OrMap(map) => {
                let values = map
                    .values()
                    .map(|(key, dot, value)| format!("{key}={value}@{}.{}", dot.replica, dot.count));
                list(values, f)?;
                gone(map, f)
            }
        }
    }
}

/// What a state or delta of a map says to be removed or replaced.
fn gone(map: &OrMap<Value>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let held: BTreeSet<Dot> = map.values().map(|(_, dot, _)| dot).collect();
    let gone: Vec<Dot> = map.context().dots().filter(|dot| !held.contains(dot)).collect();
    if gone.is_empty() {
        return Ok(());
    }
    f.write_str(" gone ")?;
    if gone.len() > GONE_MAX {
        return write!(f, "{} others", gone.len());
    }
    list(gone.iter().map(|dot| format!("{}.{}", dot.replica, dot.count)), f)
}

/// So many dots are listed.
const GONE_MAX: usize = 6;

fn counts(counter: &GCounter, sign: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    list(counter.counts().map(|(replica, count)| format!("{replica}:{sign}{count}")), f)
}

fn list(items: impl Iterator<Item = impl fmt::Display>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let texts: Vec<String> = items.map(|item| item.to_string()).collect();
    write!(f, "{{{}}}", texts.join(","))
}

/// The key that an operation removes.
pub(super) const fn deleted_key(operation: &Operation) -> Option<Key> {
    if let Operation::Kv(kv::Operation::Delete(key)) = operation { Some(*key) } else { None }
}
