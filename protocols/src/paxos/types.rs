//! Proposals, and what an acceptor says it has accepted.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::Serialize;
use sim_core::NodeId;

use crate::replicated::{Ballot, Command, Executable, Index, Life, NodeSet};

pub use crate::replicated::Round;

/// What is decided for a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Proposal {
    /// A command for the state machine; nothing, to fill a hole.
    Command(Command),
    /// A change of the acceptors, in force a window of slots later.
    Reconfigure(Change),
}

/// A change of the acceptors by one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Change {
    /// This one comes.
    Add(NodeId),
    /// This one goes.
    Remove(NodeId),
    /// This one has lost its disk, and is an acceptor in a new life, if it is one: somebody else who has its name.
    Readmit(NodeId, Life),
}

impl Change {
    /// The members after it.
    #[must_use]
    pub const fn apply(self, members: NodeSet) -> NodeSet {
        match self {
            Self::Add(node) => members.with(node),
            Self::Remove(node) => members.without(node),
            Self::Readmit(..) => members,
        }
    }
}

impl Proposal {
    /// Nothing.
    pub const NOOP: Self = Self::Command(Command::Noop);
    /// Size on disk and on the wire in bytes.
    pub const SIZE: u64 = Command::SIZE;
}

impl Executable for Proposal {
    type Command = Command;

    fn command(&self) -> Option<&Command> {
        match self {
            Self::Command(command) => Some(command),
            Self::Reconfigure(_) => None,
        }
    }
}

impl fmt::Display for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(command) => command.fmt(f),
            Self::Reconfigure(Change::Add(node)) => write!(f, "add {node}"),
            Self::Reconfigure(Change::Remove(node)) => write!(f, "remove {node}"),
            Self::Reconfigure(Change::Readmit(node, life)) => write!(f, "readmit {node}/{life}"),
        }
    }
}

/// A pvalue (PMMC §3): a proposal for a slot under a ballot, accepted by an acceptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Pvalue {
    /// For which slot.
    pub slot: Index,
    /// Under which ballot.
    pub ballot: Ballot,
    /// What.
    pub proposal: Proposal,
}

impl Pvalue {
    /// Size on disk and on the wire in bytes.
    pub const SIZE: u64 = 8 + Ballot::SIZE + Proposal::SIZE;
}

/// Proposals for consecutive slots, on their way to others. One takes no allocation, because under a steady load most
/// messages carry one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Proposals {
    /// One.
    One([Proposal; 1]),
    /// Any number.
    Many(Arc<[Proposal]>),
}

impl Proposals {
    /// One proposal.
    #[inline]
    pub const fn one(proposal: Proposal) -> Self {
        Self::One([proposal])
    }
}

impl Deref for Proposals {
    type Target = [Proposal];

    #[inline]
    fn deref(&self) -> &[Proposal] {
        match self {
            Self::One(one) => one,
            Self::Many(many) => many,
        }
    }
}

impl FromIterator<Proposal> for Proposals {
    fn from_iter<I: IntoIterator<Item = Proposal>>(proposals: I) -> Self {
        Self::Many(proposals.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_proposal_is_the_same_as_a_list_of_one() {
        let (one, many) = (Proposals::one(Proposal::NOOP), Proposals::from_iter([Proposal::NOOP]));
        assert_eq!(&one[..], &many[..]);
    }

    #[test]
    fn a_change_adds_or_removes_one_node() {
        let members: NodeSet = [0, 1].map(NodeId::new).into_iter().collect();
        let grown = Change::Add(NodeId::new(4)).apply(members);
        assert_eq!(grown.to_string(), "n1,n2,n5");
        assert_eq!(Change::Remove(NodeId::new(0)).apply(grown).to_string(), "n2,n5");
    }
}
