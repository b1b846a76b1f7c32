//! What processes state about themselves.

use std::sync::Arc;

use sim_core::NodeId;

use super::types::{Cut, Item, SnapshotId};

/// A statement of one process. A crash takes the end of a log that was not on disk, and with it what was stated of it; so a
/// process that restarts says what its past is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// It starts. All that it has done follows, from its log.
    Restarted,
    /// It has just done this.
    Did(Event),
    /// It had done this before it restarted.
    HadDone(Event),
}

impl Fact {
    /// What it has done, now or before.
    pub const fn event(&self) -> Option<&Event> {
        match self {
            Self::Restarted => None,
            Self::Did(event) | Self::HadDone(event) => Some(event),
        }
    }
}

/// What happens in a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It puts something into a channel.
    Sent {
        /// Whose.
        to: NodeId,
        /// As the how-manieth.
        sequence: u64,
        /// What.
        item: Item,
        /// How much money it has then.
        holds: u128,
    },
    /// It takes something out of a channel.
    Received {
        /// Whose.
        from: NodeId,
        /// The how-manieth it was sent as.
        sequence: u64,
        /// What.
        item: Item,
        /// How much money it has then.
        holds: u128,
    },
    /// It begins a snapshot.
    Begun(SnapshotId),
    /// It records its state.
    Recorded(SnapshotId),
    /// It has the states of all incoming channels, too.
    Completed {
        /// Of which snapshot.
        snapshot: SnapshotId,
        /// How many payments they have.
        payments: u64,
        /// How large its part is, in bytes.
        bytes: u64,
    },
    /// The initiator has all parts.
    Finished(Arc<Cut>),
    /// The initiator has given up.
    Abandoned(SnapshotId),
}
