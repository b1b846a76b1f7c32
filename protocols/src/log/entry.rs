//! What stands in a partition.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use sim_core::service::Value;
use sim_core::{NodeId, OpId};

use super::group::{Generation, GroupImage};
use super::transaction::Written;
use super::types::{Epoch, PartitionId};

/// A record of a partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The epoch of the leader that appended it.
    pub epoch: Epoch,
    /// Who produced it, and the how-manieth operation of that client it is: the producer id and the sequence number; none for
    /// what brokers write down themselves.
    pub op: Option<OpId>,
    /// What it says.
    pub body: Body,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Body {
    /// In a partition of clients: what was appended.
    Value(Value),
    /// In the partition of offsets: consumers have handled everything below `offset` of `partition`.
    Commit {
        /// Of which partition.
        partition: PartitionId,
        /// The first offset not handled.
        offset: u64,
        /// Which member of the group says so, and in which generation; a client otherwise.
        by: Option<(NodeId, Generation)>,
    },
    /// In the partition of offsets: the group is this.
    Group(Arc<GroupImage>),
    /// In partitions of results, of offsets and of transactions: what belongs to a transaction.
    Transactional(Arc<Written>),
}

impl Entry {
    /// Size on disk and on the wire in bytes.
    pub const SIZE: u64 = 40;
}

impl fmt::Display for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => write!(f, "{value}"),
            Self::Commit { partition, offset, by: None } => write!(f, "{partition}@{offset}"),
            Self::Commit { partition, offset, by: Some((node, generation)) } => {
                write!(f, "{partition}@{offset} {node} {generation}")
            }
            Self::Group(group) => write!(f, "{} of {}", group.generation, group.members.len()),
            Self::Transactional(written) => write!(f, "{written}"),
        }
    }
}
