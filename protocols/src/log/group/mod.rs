//! Consumers in a group: who reads which partition, how far they have come, and what their work has effects on.
//!
//! | part | is |
//! | --- | --- |
//! | [`coordinator`] | at the leader of the partition of offsets: who is in the group, and who has which partition |
//! | `keeping` | there, too: how far partitions were handled |
//! | [`assign`] | who gets what |
//! | [`consumer`] | a member: reads, handles, has effects, keeps offsets |
//! | [`share`] | what a member knows of a partition that it has |
//! | `workers` | of a member: each handles one record at a time |
//! | `reading` | a member reads, and finds who leads |
//! | `seeking` | a member reads on elsewhere: back at what failed, ahead where something is gone |
//! | [`producing`] | how far a member is with a transaction |
//! | [`store`] | has the effects, and knows repetitions |
//! | [`reader`] | with transactions the store reads results |
//! | [`message`] | what they send each other |

pub mod assign;
pub mod consumer;
pub mod coordinator;
mod keeping;
pub mod message;
pub mod producing;
pub mod reader;
mod reading;
mod seeking;
pub mod share;
pub mod store;
mod workers;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use sim_core::NodeId;

use super::types::PartitionId;

/// A generation of the group: another one whenever its members change, rising.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Generation(pub u32);

impl Generation {
    /// The one after it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "g{}", self.0)
    }
}

/// Partitions, in order.
pub type Partitions = Arc<[PartitionId]>;

/// The group as it stands in the partition of offsets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GroupImage {
    /// Which generation.
    pub generation: Generation,
    /// The members: what each calls its life, and what it has.
    pub members: BTreeMap<NodeId, (u64, Partitions)>,
}

impl GroupImage {
    /// Who has a partition.
    pub fn owner(&self, partition: PartitionId) -> Option<NodeId> {
        let has = |(_, (_, partitions)): &(&NodeId, &(u64, Partitions))| partitions.contains(&partition);
        self.members.iter().find(has).map(|(node, _)| *node)
    }
}

/// `p0,p2`; `nothing`.
pub fn in_words(partitions: &[PartitionId]) -> String {
    if partitions.is_empty() {
        return "nothing".to_owned();
    }
    partitions.iter().map(PartitionId::to_string).collect::<Vec<_>>().join(",")
}
