//! What a restart must find again: one log a node.
//!
//! | record | by | forced |
//! | --- | --- | --- |
//! | [`Record::Epoch`] | a coordinator that starts | yes: before its first transaction |
//! | [`Record::Prepared`] | a participant, before it votes yes | **yes** |
//! | [`Record::Decided`] | a coordinator, before it tells anybody | a commit **yes**; an abort only if nothing is presumed |
//! | [`Record::Ended`] | a participant, before it acknowledges | a commit **yes**; an abort only if nothing is presumed |
//! | [`Record::Forgotten`] | a coordinator, when all have acknowledged | no |
//! | [`Record::Answered`] | a coordinator, before it answers a client with anything but a commit | yes, for the client's session |
//!
//! An abort that is presumed may not be in the log of a participant that has let go of its accounts: where the disk was full. A later
//! [`Record::Prepared`] with one of the accounts tells so.
//!
//! With n participants a commit so takes n + 1 + n forced writes, and an abort n or fewer, those of who had voted yes.

use std::sync::Arc;

use serde::Serialize;
use sim_core::disk::{self, Disk, RegionId};
use sim_core::service::Outcome;
use sim_core::{NodeId, OpId};

use super::types::{Change, Decision, Txn};

/// The only region: the log.
pub const LOG: RegionId = RegionId::new(0);

/// What is written to disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Record {
    /// A coordinator begins a life.
    Epoch(u64),
    /// A participant can commit.
    Prepared {
        /// Which transaction.
        txn: Txn,
        /// What it does here.
        changes: Arc<[Change]>,
        /// All who vote on it.
        participants: Arc<[NodeId]>,
    },
    /// A coordinator has decided.
    Decided {
        /// On which transaction.
        txn: Txn,
        /// What.
        decision: Decision,
        /// For whom.
        op: OpId,
        /// Who must acknowledge it.
        participants: Arc<[NodeId]>,
    },
    /// A participant knows the decision.
    Ended {
        /// On which transaction.
        txn: Txn,
        /// What it is.
        decision: Decision,
    },
    /// All have acknowledged a decision.
    Forgotten {
        /// On which transaction.
        txn: Txn,
    },
    /// A client's operation came to something else than a commit.
    Answered {
        /// Which operation.
        op: OpId,
        /// To what.
        outcome: Outcome,
    },
}

impl disk::Record for Record {
    fn size(&self) -> u64 {
        const TXN: u64 = 20;
        match self {
            Self::Epoch(_) => 8,
            Self::Prepared { changes, participants, .. } => {
                TXN + 16 * changes.len() as u64 + 4 * participants.len() as u64
            }
            Self::Decided { participants, .. } => TXN + 9 + 4 * participants.len() as u64,
            Self::Ended { .. } => TXN + 1,
            Self::Forgotten { .. } => TXN,
            Self::Answered { .. } => 16,
        }
    }
}

/// All records that can be read, the oldest first. One that cannot is beyond what is promised to be survived.
pub(super) fn records(disk: &Disk<Record>) -> Vec<Record> {
    let bounds = disk.log_bounds(LOG);
    let entries = bounds.filter_map(|index| disk.read_entry(LOG, index).ok().flatten());
    entries.cloned().collect()
}
