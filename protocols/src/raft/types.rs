//! The paper's words as types: terms, entries, rounds.

use std::fmt;

use serde::Serialize;

use super::membership::Membership;
use crate::replicated::{Agreeable, Command, Executable};

pub use crate::replicated::Round;

/// A term (§5.1): the logical clock of Raft. At most one leader a term. 0 is before the first election.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Term(pub u64);

impl Term {
    /// The term after this one, for a candidate.
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The term before this one; 0 stays 0.
    pub const fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t{}", self.0)
    }
}

/// A log entry (§5.3): what it says, and the term in which a leader received it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Entry<C = Command> {
    /// The term of the leader that created the entry.
    pub term: Term,
    /// What it says.
    pub payload: Payload<C>,
}

/// What an entry says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Payload<C = Command> {
    /// To the state machine.
    Command(C),
    /// To Raft itself: who takes part from here on (§6).
    Members(Membership),
}

impl<C: Agreeable> Executable for Entry<C> {
    type Command = C;

    fn command(&self) -> Option<&C> {
        match &self.payload {
            Payload::Command(command) => Some(command),
            Payload::Members(_) => None,
        }
    }
}

impl<C: Agreeable> Entry<C> {
    /// Size on disk and on the wire in bytes.
    pub const SIZE: u64 = 8 + C::SIZE;

    /// An entry for the state machine.
    pub const fn command(term: Term, command: C) -> Self {
        Self { term, payload: Payload::Command(command) }
    }

    /// The membership that it brings; `None` for a command.
    #[inline]
    pub const fn members(&self) -> Option<Membership> {
        match self.payload {
            Payload::Members(members) => Some(members),
            Payload::Command(_) => None,
        }
    }
}

impl<C: fmt::Display> fmt::Display for Payload<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(command) => command.fmt(f),
            Self::Members(members) => write!(f, "members {members}"),
        }
    }
}

/// Consecutive entries on their way to others.
pub type Entries<C = Command> = crate::replicated::Entries<Entry<C>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_membership_makes_an_entry_no_larger_in_memory_than_a_command_does() {
        assert!(std::mem::size_of::<Entry>() <= 56, "{} bytes", std::mem::size_of::<Entry>());
    }
}
