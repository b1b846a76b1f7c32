//! What nodes state about themselves.

use std::sync::Arc;

use sim_core::NodeId;

use super::types::{Decision, Txn};

/// A statement of one node about what it has just done. Reads change nothing and are not mentioned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A coordinator begins phase one.
    Begun {
        /// Of which transaction.
        txn: Txn,
        /// Who votes.
        participants: Arc<[NodeId]>,
    },
    /// A participant votes yes; that is on disk.
    VotedYes {
        /// On which transaction.
        txn: Txn,
    },
    /// A participant votes no.
    VotedNo {
        /// On which transaction.
        txn: Txn,
    },
    /// A coordinator hears a yes.
    HeardYes {
        /// On which transaction.
        txn: Txn,
        /// Of whom.
        from: NodeId,
    },
    /// A coordinator cannot write that it commits: its disk is full. It aborts.
    NoRoom {
        /// Which transaction.
        txn: Txn,
    },
    /// A coordinator has decided; a commit is on disk.
    Decided {
        /// On which transaction.
        txn: Txn,
        /// What.
        decision: Decision,
    },
    /// A participant that has voted yes, or has forgone to, comes to the decision; a commit is on disk.
    Ended {
        /// Of which transaction.
        txn: Txn,
        /// What it is.
        decision: Decision,
        /// How much money its accounts have more by it.
        net: i128,
    },
}

impl Fact {
    /// What it says to be decided on which transaction, whoever says it.
    pub const fn decision(&self) -> Option<(Txn, Decision)> {
        match self {
            Self::Decided { txn, decision } | Self::Ended { txn, decision, .. } => Some((*txn, *decision)),
            Self::Begun { .. }
            | Self::NoRoom { .. }
            | Self::VotedYes { .. }
            | Self::VotedNo { .. }
            | Self::HeardYes { .. } => None,
        }
    }
}
