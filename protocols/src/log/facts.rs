//! What nodes state about themselves.

use std::sync::Arc;

use sim_core::OpId;
use strum::{EnumCount, EnumDiscriminants};

use super::entry::Body;
use super::group::message::Effect;
use super::image::{Image, PartitionState};
use super::transaction::TransactionImage;
use super::types::{Epoch, PartitionId};
use crate::raft;
use crate::replicated::{Chain, NodeSet};

/// A statement of one node about what it has just done.
#[derive(Clone, Debug, PartialEq, Eq, EnumDiscriminants)]
#[strum_discriminants(name(Kind), vis(pub(super)), derive(EnumCount), doc = "Of what kind a fact is.")]
pub enum Fact {
    /// The controller has changed a partition, and it is on disk.
    Changed {
        /// Which.
        partition: PartitionId,
        /// What it is now.
        state: PartitionState,
        /// Who was in sync before.
        was: NodeSet,
    },
    /// One of several controllers has executed a decision.
    Decided {
        /// What the cluster looks like now.
        image: Arc<Image>,
    },
    /// A broker leads a partition.
    Led {
        /// Which.
        partition: PartitionId,
        /// In which epoch.
        epoch: Epoch,
        /// Where its log ends.
        end: u64,
    },
    /// A broker has a record more.
    Appended {
        /// In which partition.
        partition: PartitionId,
        /// Where.
        offset: u64,
        /// Of which epoch.
        epoch: Epoch,
        /// The chain of all records up to it.
        chain: Chain,
    },
    /// A broker has cut off what its leader does not have.
    Truncated {
        /// In which partition.
        partition: PartitionId,
        /// Where its log ends now.
        end: u64,
    },
    /// A copy has other records in place of those below an offset, or none.
    Began {
        /// Of which partition.
        partition: PartitionId,
        /// Below which.
        base: u64,
    },
    /// A leader knows that everything below is committed.
    Committed {
        /// In which partition.
        partition: PartitionId,
        /// In which epoch.
        epoch: Epoch,
        /// Below which offset.
        high_watermark: u64,
        /// The chain of all records below.
        chain: Chain,
    },
    /// A producer is told that its record is kept.
    Acknowledged {
        /// In which partition.
        partition: PartitionId,
        /// Which.
        op: OpId,
        /// Where.
        offset: u64,
    },
    /// The leader of the partition of offsets knows that a record of it is committed.
    Recorded {
        /// Where.
        index: u64,
        /// What it says.
        body: Body,
    },
    /// A consumer has read records of a partition that it has.
    Read {
        /// Of which partition.
        partition: PartitionId,
        /// How many of it wait for a worker now.
        waiting: u64,
    },
    /// The store has an effect, and it is on disk.
    Effected {
        /// Where in its log.
        index: u64,
        /// Which.
        effect: Effect,
    },
    /// A client is given the records below this offset.
    Served {
        /// Of which partition.
        partition: PartitionId,
        /// Below which.
        upto: u64,
    },
    /// The coordinator of transactions knows that a step of one is committed.
    Stepped {
        /// Where the transactional id is now.
        image: Arc<TransactionImage>,
    },
    /// Who reads what is committed is shown these results.
    Showed {
        /// Of which partition.
        partition: PartitionId,
        /// Where they stand.
        offsets: Arc<[u64]>,
    },
    /// What the replica of a controller states.
    Raft(raft::Fact),
}

const _: () = assert!(
    Kind::Raft as usize + 1 == Kind::COUNT,
    "the kinds of a replica's statements come after all others"
);

impl Fact {
    /// Its kind as a number: those of a replica's statements come last.
    pub(super) fn kind(&self) -> u32 {
        let kind = Kind::from(self) as u32;
        if let Self::Raft(fact) = self { kind + fact.kind() } else { kind }
    }

    /// An effect that the store has, and where in its log.
    pub(super) const fn effect(&self) -> Option<(u64, &Effect)> {
        if let Self::Effected { index, effect } = self { Some((*index, effect)) } else { None }
    }

    /// A committed record of the partition of offsets, and where it stands.
    pub(super) const fn record(&self) -> Option<(u64, &Body)> {
        if let Self::Recorded { index, body } = self { Some((*index, body)) } else { None }
    }
}
