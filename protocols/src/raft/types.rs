//! The paper's words as types: terms, indices, entries; and the chain, which is ours.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::Serialize;
use sim_core::OpId;
use sim_core::fingerprint::fingerprint;
use sim_core::service::kv;

/// A term (§5.1): the logical clock of Raft. At most one leader a term. 0 is before the first election.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Term(pub u64);

impl Term {
    /// The term after this one, for a candidate.
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t{}", self.0)
    }
}

/// The position of an entry in the log (§5.3), from 1; 0 is before the first entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Index(pub u64);

impl Index {
    /// Before the first entry.
    pub const ZERO: Self = Self(0);

    /// The position after this one.
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The position before this one; 0 stays 0.
    pub const fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// The position `count` after this one.
    pub const fn plus(self, count: u64) -> Self {
        Self(self.0 + count)
    }

    /// How many entries this is after `earlier`; 0 if it is before.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What an entry asks of the state machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Command {
    /// Nothing. A new leader appends it, because committing an entry of its own term is the only way to commit
    /// those of earlier terms (§5.4.2, §8).
    Noop,
    /// A client's operation, with the id under which its retries are recognised (§8).
    Client {
        /// Who asked, and the how-manieth operation of that client it is.
        op: OpId,
        /// What to do to the registers; never a read.
        operation: kv::Operation,
    },
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Noop => f.write_str("noop"),
            Self::Client { op, operation } => write!(f, "{op} {operation}"),
        }
    }
}

/// A log entry (§5.3): a command and the term in which a leader received it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The term of the leader that created the entry.
    pub term: Term,
    /// What it asks of the state machine.
    pub command: Command,
}

impl Entry {
    /// Size on disk and on the wire in bytes: term, client, ordinal, key, two values.
    pub const SIZE: u64 = 40;
}

/// The fingerprint of a log up to and including one entry. Two logs have equal chains at an index if and only
/// if (up to hash collisions, 2⁻⁶⁴) they are equal up to that index, so that comparing prefixes takes no scan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Chain(pub u64);

impl Chain {
    /// The chain of the empty log.
    pub const EMPTY: Self = Self(0);

    /// The chain after one more entry.
    #[inline]
    pub fn extend(self, entry: &Entry) -> Self {
        Self(fingerprint(&(self.0, entry)))
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Consecutive entries on their way to followers, shared by all who get the same ones. None take no memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Entries(Option<Arc<[Entry]>>);

impl Entries {
    /// No entries: a heartbeat.
    pub const NONE: Self = Self(None);
}

impl Deref for Entries {
    type Target = [Entry];

    fn deref(&self) -> &[Entry] {
        self.0.as_deref().unwrap_or(&[])
    }
}

impl FromIterator<Entry> for Entries {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let entries: Arc<[Entry]> = entries.into_iter().collect();
        if entries.is_empty() { Self::NONE } else { Self(Some(entries)) }
    }
}

/// A round of heartbeats of one leader, from 1; a reply echoes the round of what it answers. 0 is before the
/// first. It is what a read waits for (§8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Round(pub u64);

impl Round {
    /// The round after this one.
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

#[cfg(test)]
mod tests {
    use sim_core::ClientId;
    use sim_core::service::Key;

    use super::*;

    fn write(term: u64, value: u64) -> Entry {
        let op = OpId { client: ClientId::new(0), ordinal: 0 };
        Entry {
            term: Term(term),
            command: Command::Client { op, operation: kv::Operation::Write(Key(1), value) },
        }
    }

    #[test]
    fn a_chain_tells_every_difference_in_its_prefix_apart() {
        let chain = |entries: &[Entry]| entries.iter().fold(Chain::EMPTY, Chain::extend);
        let noop = Entry { term: Term(1), command: Command::Noop };
        let all = [
            chain(&[]),
            chain(&[noop]),
            chain(&[write(1, 7)]),
            chain(&[write(2, 7)]),
            chain(&[write(1, 8)]),
            chain(&[noop, write(1, 7)]),
            chain(&[write(1, 7), noop]),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(!all[at + 1..].contains(one), "chain {at} is met twice in {all:?}");
        }
    }

    #[test]
    fn no_entries_are_no_allocation() {
        assert_eq!(std::iter::empty::<Entry>().collect::<Entries>(), Entries::NONE);
        assert!(Entries::NONE.is_empty());
    }
}
