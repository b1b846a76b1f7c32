//! What a restart must find again.
//!
//! | node | region | kind | holds |
//! | --- | --- | --- | --- |
//! | controller by itself | [`METADATA`] | cell | the cluster's metadata |
//! | one of several controllers | those of [`raft::durable`] | | the replica's |
//! | store | [`EFFECTS`] | log | effects |
//! | broker | [`region_of`] a partition | log | the records of the partition, by offset |
//!
//! High watermarks and who waits for what are in memory alone: they are found again by asking.

use std::sync::Arc;

use serde::Serialize;
use sim_core::disk::{self, RegionId};

use super::entry::Entry;
use super::group::message::Effect;
use super::image::Image;
use super::metadata::Metadata;
use super::types::PartitionId;
use crate::raft;
use crate::replicated::Told;

/// The controller's region.
pub const METADATA: RegionId = RegionId::new(0);

/// The store's region.
pub const EFFECTS: RegionId = RegionId::new(0);

/// A broker's region for a partition.
///
/// # Panics
/// If there are more partitions than a disk has regions.
pub fn region_of(partition: PartitionId) -> RegionId {
    RegionId::new(1 + u16::try_from(partition.0).expect("a scenario with so many partitions is refused"))
}

/// What is written to disk.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Record {
    /// Into [`METADATA`].
    Image(Arc<Image>),
    /// Into the region of a partition.
    Entry(Entry),
    /// Into [`EFFECTS`].
    Effect(Effect),
    /// Into [`EFFECTS`], with transactions.
    Result {
        /// In which partition of results it was read.
        partition: PartitionId,
        /// Where.
        offset: u64,
        /// The effect.
        effect: Effect,
    },
    /// Of a controller's replica, into the regions that Raft names.
    Raft(raft::RecordOf<Told<Metadata>>),
}

impl disk::Record for Record {
    fn size(&self) -> u64 {
        match self {
            Self::Image(image) => image.size(),
            Self::Entry(_) => Entry::SIZE,
            Self::Effect(_) => 32,
            Self::Result { .. } => 44,
            Self::Raft(record) => disk::Record::size(record),
        }
    }
}
