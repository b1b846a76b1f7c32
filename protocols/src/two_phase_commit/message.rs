//! What nodes send each other.

use std::sync::Arc;

use serde::Serialize;
use sim_core::{NodeId, process};

use super::types::{Change, Txn, Vote, in_words};

/// A message between nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Message {
    /// A coordinator wants to know the balances of a participant, and that they stay until it votes.
    Read {
        /// For which transaction.
        txn: Txn,
    },
    /// The balances, in order of account; `None` while somebody changes one of them.
    Balances {
        /// For which transaction.
        txn: Txn,
        /// The balances.
        balances: Option<Arc<[u64]>>,
    },
    /// Phase one: the coordinator wants a vote.
    Prepare {
        /// On which transaction.
        txn: Txn,
        /// What it does to the accounts of who gets this; nothing for a read.
        changes: Arc<[Change]>,
        /// All who vote on it.
        participants: Arc<[NodeId]>,
    },
    /// The vote.
    Vote {
        /// On which transaction.
        txn: Txn,
        /// What it is.
        vote: Vote,
    },
    /// Phase two: all have voted yes.
    Commit {
        /// Which transaction.
        txn: Txn,
    },
    /// Phase two: somebody has not.
    Abort {
        /// Which transaction.
        txn: Txn,
    },
    /// A participant has the decision on disk.
    Acknowledge {
        /// On which transaction.
        txn: Txn,
    },
    /// A participant in doubt asks for the decision.
    Inquire {
        /// On which transaction.
        txn: Txn,
    },
}

impl process::Message for Message {
    const KINDS: &'static [&'static str] =
        &["Read", "Balances", "Prepare", "Vote", "Commit", "Abort", "Acknowledge", "Inquire"];

    fn kind(&self) -> u8 {
        match self {
            Self::Read { .. } => 0,
            Self::Balances { .. } => 1,
            Self::Prepare { .. } => 2,
            Self::Vote { .. } => 3,
            Self::Commit { .. } => 4,
            Self::Abort { .. } => 5,
            Self::Acknowledge { .. } => 6,
            Self::Inquire { .. } => 7,
        }
    }

    fn size(&self) -> u64 {
        const TXN: u64 = 20;
        match self {
            Self::Read { .. }
            | Self::Commit { .. }
            | Self::Abort { .. }
            | Self::Acknowledge { .. }
            | Self::Inquire { .. } => TXN,
            Self::Vote { .. } => TXN + 1,
            Self::Balances { balances, .. } => {
                TXN + 8 * balances.as_ref().map_or(0, |balances| balances.len() as u64)
            }
            Self::Prepare { changes, participants, .. } => {
                TXN + 16 * changes.len() as u64 + 4 * participants.len() as u64
            }
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Read { txn } => format!("Read {txn}"),
            Self::Balances { txn, balances: Some(balances) } => format!("Balances {txn} {balances:?}"),
            Self::Balances { txn, balances: None } => format!("Balances {txn} busy"),
            Self::Prepare { txn, changes, .. } => format!("Prepare {txn} {}", in_words(changes)),
            Self::Vote { txn, vote } => format!("Vote {txn} {vote}"),
            Self::Commit { txn } => format!("Commit {txn}"),
            Self::Abort { txn } => format!("Abort {txn}"),
            Self::Acknowledge { txn } => format!("Acknowledge {txn}"),
            Self::Inquire { txn } => format!("Inquire {txn}"),
        }
    }
}
