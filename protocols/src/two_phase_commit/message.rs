//! What nodes send each other.

use std::sync::Arc;

use serde::Serialize;
use sim_core::{NodeId, process};

use super::types::{Change, Hold, Told, Txn, Vote, in_words};

/// A message between nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Message {
    /// A coordinator wants to know the balances of a participant, and that they stay until it votes.
    Read {
        /// For which transaction.
        txn: Txn,
    },
    /// The balances, and the hold that keeps them as they are.
    Balances {
        /// For which transaction.
        txn: Txn,
        /// What there is to tell; `None` while somebody changes one of them.
        told: Option<Told>,
    },
    /// Phase one: the coordinator wants a vote.
    Prepare {
        /// On which transaction.
        txn: Txn,
        /// What it does to the accounts of who gets this.
        changes: Arc<[Change]>,
        /// All who vote on it.
        participants: Arc<[NodeId]>,
    },
    /// Phase one of a read: the coordinator wants to know whether the hold with which it was told the balances has not ended.
    PrepareRead {
        /// Of which transaction.
        txn: Txn,
        /// Which hold.
        hold: Hold,
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
        &["Read", "Balances", "Prepare", "PrepareRead", "Vote", "Commit", "Abort", "Acknowledge", "Inquire"];

    fn kind(&self) -> u8 {
        match self {
            Self::Read { .. } => 0,
            Self::Balances { .. } => 1,
            Self::Prepare { .. } => 2,
            Self::PrepareRead { .. } => 3,
            Self::Vote { .. } => 4,
            Self::Commit { .. } => 5,
            Self::Abort { .. } => 6,
            Self::Acknowledge { .. } => 7,
            Self::Inquire { .. } => 8,
        }
    }

    fn size(&self) -> u64 {
        const TXN: u64 = 20;
        const HOLD: u64 = 8;
        match self {
            Self::Read { .. }
            | Self::Balances { told: None, .. }
            | Self::Commit { .. }
            | Self::Abort { .. }
            | Self::Acknowledge { .. }
            | Self::Inquire { .. } => TXN,
            Self::Vote { .. } => TXN + 1,
            Self::Balances { told: Some(told), .. } => TXN + HOLD + 8 * told.balances.len() as u64,
            Self::PrepareRead { .. } => TXN + HOLD,
            Self::Prepare { changes, participants, .. } => {
                TXN + 16 * changes.len() as u64 + 4 * participants.len() as u64
            }
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Read { txn } => format!("Read {txn}"),
            Self::Balances { txn, told: Some(Told { balances, hold }) } => {
                format!("Balances {txn} {balances:?} hold {hold}")
            }
            Self::Balances { txn, told: None } => format!("Balances {txn} busy"),
            Self::Prepare { txn, changes, .. } => format!("Prepare {txn} {}", in_words(changes)),
            Self::PrepareRead { txn, hold } => format!("PrepareRead {txn} hold {hold}"),
            Self::Vote { txn, vote } => format!("Vote {txn} {vote}"),
            Self::Commit { txn } => format!("Commit {txn}"),
            Self::Abort { txn } => format!("Abort {txn}"),
            Self::Acknowledge { txn } => format!("Acknowledge {txn}"),
            Self::Inquire { txn } => format!("Inquire {txn}"),
        }
    }
}
