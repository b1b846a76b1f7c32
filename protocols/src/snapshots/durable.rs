//! What a restart must find again: the steps of a process, one log a node.
//!
//! Everything that a process has is what its steps come to, one after the other: accounts, channels, what it has recorded.
//! So a step happens as a whole or not at all, and after a crash the process is where it was after some step.
//! Whatever others can see of a step (a message, an acknowledgement, an answer) waits until it is on disk.

use serde::Serialize;
use sim_core::disk::{self, Disk, RegionId};
use sim_core::{NodeId, OpId};

use super::types::{Item, Payment, SnapshotId};

/// The only region: the log.
pub const LOG: RegionId = RegionId::new(0);

/// A step of a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Step {
    /// Money leaves an account: into another here, or into the channel to where that is.
    Pay {
        /// From where to where.
        payment: Payment,
        /// For which client; `None` where the process pays by itself.
        op: Option<OpId>,
    },
    /// A client wants more than is there.
    Decline {
        /// What it asked.
        op: OpId,
    },
    /// Something comes out of a channel.
    Deliver {
        /// Who has sent it.
        from: NodeId,
        /// As the how-manieth.
        sequence: u64,
        /// What it is.
        item: Item,
    },
    /// A snapshot begins.
    Begin,
    /// A snapshot that was begun here takes too long.
    Abandon {
        /// Which one.
        snapshot: SnapshotId,
    },
}

impl disk::Record for Step {
    fn size(&self) -> u64 {
        match self {
            Self::Decline { .. } | Self::Abandon { .. } => 12,
            Self::Deliver { item: Item::Part(part), .. } => 12 + part.size(),
            Self::Pay { .. } | Self::Deliver { .. } => 28,
            Self::Begin => 1,
        }
    }
}

/// All steps that can be read, the oldest first. One that cannot is beyond what is promised to be survived.
pub(super) fn steps(disk: &Disk<Step>) -> Vec<Step> {
    let bounds = disk.log_bounds(LOG);
    let entries = bounds.filter_map(|index| disk.read_entry(LOG, index).ok().flatten());
    entries.cloned().collect()
}
