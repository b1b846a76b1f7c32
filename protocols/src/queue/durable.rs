//! What a restart must find again, and answers that wait for the disk.
//!
//! | node | region | kind | holds |
//! | --- | --- | --- | --- |
//! | standalone broker | [`LOG`] | log | commands, each with the time at which it was performed |
//! | standalone broker | [`SNAPSHOT`] | cell | the queue as it was after so many commands; the log begins there or before |
//! | one of several brokers | those of [`raft::durable`] | | the replica's |
//! | producer | [`LOG`] | log | rows of its outbox |
//! | store | [`LOG`] | log | effects |
//! | store | [`INBOX`] | log | used by mutants only: which messages had their effect |

use std::sync::Arc;

use serde::Serialize;
use sim_core::disk::{self, RegionId};
use sim_core::service::Value;
use sim_core::{LocalTime, Span};

use super::command::Command;
use super::facts::Effect;
use super::ledger::Ledger;
use super::state::Queue;
use crate::raft;
use crate::replicated::Told;

/// The region of the log.
pub const LOG: RegionId = RegionId::new(0);
/// The region of the broker's snapshot.
pub const SNAPSHOT: RegionId = RegionId::new(1);
/// The region where a mutant of the store keeps apart what belongs together.
pub const INBOX: RegionId = RegionId::new(2);

/// How long a node waits before it tries a full disk again.
pub(super) const DISK_RETRY: Span = Span::millis(100);

/// The queue as it was after so many commands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// How many: the index of the first command that it does not have.
    pub upto: u64,
    /// The queue.
    pub queue: Queue,
}

impl Snapshot {
    /// Size on disk and on the wire in bytes.
    pub fn size(&self) -> u64 {
        64 + 48 * self.queue.messages().len() + 32 * self.queue.dead_letters().len()
    }
}

/// What is written to disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Record {
    /// Into the broker's [`LOG`].
    Command {
        /// When it was performed, by the broker's clock.
        at: LocalTime,
        /// What.
        command: Command,
    },
    /// Into [`SNAPSHOT`].
    Snapshot(Arc<Snapshot>),
    /// Into the store's [`LOG`].
    Effect(Effect),
    /// Into [`INBOX`]: the key of an effect.
    Key(u64),
    /// Into a producer's [`LOG`]: what it has done, and that a message must tell of it.
    Row(Value),
    /// Of a broker's replica, into the regions that Raft names.
    Raft(raft::RecordOf<Told<Ledger>>),
}

impl disk::Record for Record {
    fn size(&self) -> u64 {
        match self {
            Self::Command { .. } | Self::Effect(_) | Self::Row(_) => 32,
            Self::Snapshot(snapshot) => snapshot.size(),
            Self::Key(_) => 8,
            Self::Raft(record) => disk::Record::size(record),
        }
    }
}
