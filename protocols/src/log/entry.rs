//! What stands in a partition.

use std::fmt;

use serde::Serialize;
use sim_core::OpId;
use sim_core::service::Value;

use super::types::{Epoch, PartitionId};

/// A record of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The epoch of the leader that appended it.
    pub epoch: Epoch,
    /// Who produced it, and the how-manieth operation of that client it is: the producer id and the sequence number.
    pub op: OpId,
    /// What it says.
    pub body: Body,
}

/// What a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Body {
    /// In a partition of clients: what was appended.
    Value(Value),
    /// In the partition of offsets: consumers have handled everything below `offset` of `partition`.
    Commit {
        /// Of which partition.
        partition: PartitionId,
        /// The first offset not handled.
        offset: u64,
    },
}

impl Entry {
    /// Size on disk and on the wire in bytes.
    pub const SIZE: u64 = 40;
}

impl fmt::Display for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => write!(f, "{value}"),
            Self::Commit { partition, offset } => write!(f, "{partition}@{offset}"),
        }
    }
}
