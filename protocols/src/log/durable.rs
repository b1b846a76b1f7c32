//! What a restart must find again.
//!
//! | node | region | kind | holds |
//! | --- | --- | --- | --- |
//! | controller by itself | [`METADATA`] | cell | the cluster's metadata |
//! | one of several controllers | those of [`raft::durable`] | | the replica's |
//! | store | [`EFFECTS`] | log | effects |
//! | broker | [`region_of`] a partition | log | the records of the partition, in order of their offsets |
//! | broker | [`Config::beginning_of`](super::Config::beginning_of) a partition | cell | what is left of the records that it began with, and where the others are |
//!
//! High watermarks and who waits for what are in memory alone: they are found again by asking.

use std::sync::Arc;

use serde::Serialize;
use sim_core::disk::{self, RegionId};

use super::beginning::Beginning;
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
    /// Where a log begins.
    Beginning {
        /// What is left of the records below its base.
        beginning: Arc<Beginning>,
        /// Where in the region of the partition the record at the base stands, or will.
        place: u64,
    },
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

impl Record {
    /// A record of a partition.
    pub(super) const fn entry(&self) -> Option<&Entry> {
        if let Self::Entry(entry) = self { Some(entry) } else { None }
    }
}

impl disk::Record for Record {
    fn size(&self) -> u64 {
        match self {
            Self::Image(image) => image.size(),
            Self::Entry(_) => Entry::SIZE,
            Self::Beginning { beginning, .. } => 8 + beginning.size(),
            Self::Effect(_) => 32,
            Self::Result { .. } => 44,
            Self::Raft(record) => disk::Record::size(record),
        }
    }
}
