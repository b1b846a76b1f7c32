//! Transactions (KIP-98): records of several partitions, and an offset, that become visible together or not at all.
//!
//! With [`Guarantee::Transactional`](super::Guarantee::Transactional) members of the group read records of clients, handle
//! them, and write results to partitions of results. Results and the offset up to which a member has come are one transaction.
//!
//! | part | is |
//! | --- | --- |
//! | `coordinator` | at the leader of the partition of transactions: which transaction is how far |
//! | `leader` | at the leaders of partitions: takes what producers write and the markers, shows what is stable |
//! | [`index`] | what a log says about transactions: producer epochs, open transactions, the ended ones |
//! | [`message`] | what coordinator and leaders send each other |
//! | [`producing`](super::group::producing) | at the members: how far a producer is with its transaction |
//! | [`reader`](super::group::reader) | at the store: reads results |
//!
//! ```text
//!  member n5          coordinator n3       leader of results n2   leader of offsets n4     store n8
//!    │── InitProducerId ──>│ t0 e4, to disk        │                      │                 │
//!    │<── Begun t0 e4 ─────│                       │                      │                 │
//!    │── AddPartitions ───>│ ongoing, to disk      │                      │                 │
//!    │<── Added ───────────│                       │                      │                 │
//!    │── Produce t0 e4 ───────────────────────────>│                      │                 │
//!    │<── Written ─────────────────────────────────│                      │                 │
//!    │── Produce t0 e4 offset ───────────────────────────────────────────>│                 │
//!    │<── Written ────────────────────────────────────────────────────────│                 │
//!    │── EndTxn commit ───>│ prepared, to disk     │                      │                 │
//!    │                     │── WriteMarker t0 e5 ─>│ marker               │                 │
//!    │                     │── WriteMarker t0 e5 ────────────────────────>│ marker          │
//!    │                     │<── MarkerWritten ─────│──────────────────────│                 │
//!    │<── Ended t0 e5 ─────│ completed, to disk    │                      │                 │
//!    │                     │                       │── Results ──────────────────────────────>│ effects
//! ```
//!
//! A transactional id stands for a partition that clients append to, and not for a member: **whoever gets the partition begins
//! with the next producer epoch, and so fences whoever had it**, whatever that one still sends. It is told so when the
//! transaction of before has ended, and asks only then for the offset.
//!
//! Below the **last stable offset** no transaction is open, and all of it is committed: so far whoever reads what is committed
//! may read, and leaves out what an abort marker follows.
//!
//! Without [`Config::epoch_per_transaction`](super::Config::epoch_per_transaction), which is KIP-890's defence, a record that
//! is late may arrive after the marker of its transaction. Nobody ends that: it hangs, or the next transaction takes it along.

mod coordinator;
pub mod index;
mod leader;
pub mod message;

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;
use sim_core::NodeId;

pub use coordinator::TransactionCoordinator;

use super::group::in_words;
use super::group::message::Effect;
use super::types::PartitionId;

/// Who writes transactions: one for each partition that clients append to, whoever has it. Printed `t0`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct TransactionalId(pub u32);

impl TransactionalId {
    /// The one that handles this partition.
    pub const fn of(partition: PartitionId) -> Self {
        Self(partition.0)
    }

    /// The partition whose records it handles.
    pub const fn partition(self) -> PartitionId {
        PartitionId(self.0)
    }
}

impl fmt::Display for TransactionalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t{}", self.0)
    }
}

/// As for people, so that what holds one in its own `Debug` text names it as everything else does.
impl fmt::Debug for TransactionalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A producer epoch: another one for each owner of a transactional id, rising, and with KIP-890 for each transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ProducerEpoch(pub u32);

impl ProducerEpoch {
    /// The one after it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for ProducerEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "e{}", self.0)
    }
}

/// How a transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum End {
    /// All of it counts.
    Commit,
    /// Nothing of it does.
    Abort,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Commit => "commit",
            Self::Abort => "abort",
        })
    }
}

/// What tells a write of a producer from all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Stamp {
    /// Whose.
    pub id: TransactionalId,
    /// In which epoch.
    pub epoch: ProducerEpoch,
    /// The how-manieth, with gaps.
    pub sequence: u64,
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.epoch)
    }
}

/// The end of a transaction, as it stands in a partition: a control record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Marker {
    /// Whose.
    pub id: TransactionalId,
    /// Older epochs write nothing after it.
    pub epoch: ProducerEpoch,
    /// The how-manieth transaction of this id.
    pub number: u64,
    /// How it ends.
    pub end: End,
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} #{} {}", self.id, self.epoch, self.number, self.end)
    }
}

/// Where a transactional id is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum State {
    /// No transaction, since its owner began.
    Empty,
    /// One is open.
    Ongoing,
    /// It is decided how one ends, and not all partitions have the marker.
    Prepared(End),
    /// All have.
    Completed(End),
}

/// A transactional id as it stands in the partition of transactions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TransactionImage {
    /// Which.
    pub id: TransactionalId,
    /// Who began with this epoch or one before: the member, its life, and which of its times with the partition.
    pub owner: (NodeId, u64, u64),
    /// Its epoch.
    pub epoch: ProducerEpoch,
    /// How many transactions of it are decided.
    pub number: u64,
    /// Where it is.
    pub state: State,
    /// The partitions of the transaction.
    pub partitions: BTreeSet<PartitionId>,
    /// The last end that was decided, and the epoch that its producer had.
    pub last: Option<(ProducerEpoch, End)>,
}

impl TransactionImage {
    /// The marker of its last end that was decided; `None` where there was none.
    pub fn marker(&self) -> Option<Marker> {
        let (_, end) = self.last?;
        Some(Marker { id: self.id, epoch: self.epoch, number: self.number, end })
    }
}

impl fmt::Display for TransactionImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, epoch, partitions, .. } = self;
        let partitions: Vec<PartitionId> = partitions.iter().copied().collect();
        match self.state {
            State::Empty => write!(f, "{id} {epoch} empty"),
            State::Ongoing => write!(f, "{id} {epoch} ongoing {}", in_words(&partitions)),
            State::Prepared(end) => write!(f, "{id} {epoch} prepared {end} {}", in_words(&partitions)),
            State::Completed(end) => write!(f, "{id} {epoch} completed {end}"),
        }
    }
}

/// What stands in partitions because of transactions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Written {
    /// In a partition of results: the result of a record. Its attempt is the sequence number.
    Result {
        /// The producer's epoch.
        epoch: ProducerEpoch,
        /// What it is.
        effect: Effect,
    },
    /// In the partition of offsets: if the transaction commits, everything below has been handled.
    Offset {
        /// By whom.
        by: Stamp,
        /// The first offset not handled.
        offset: u64,
    },
    /// In any of them: a transaction has ended.
    Marker(Marker),
    /// In the partition of transactions: a transactional id is there.
    State(TransactionImage),
}

impl Written {
    /// What tells it from other writes of its producer; `None` for what brokers write.
    pub fn stamp(&self) -> Option<Stamp> {
        match self {
            Self::Result { epoch, effect } => {
                let id = TransactionalId::of(effect.partition);
                Some(Stamp { id, epoch: *epoch, sequence: effect.attempt })
            }
            Self::Offset { by, .. } => Some(*by),
            Self::Marker(_) | Self::State(_) => None,
        }
    }
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Result { epoch, effect } => {
                let id = TransactionalId::of(effect.partition);
                write!(f, "{id} {epoch} {} of {}@{}", effect.value, effect.partition, effect.offset)
            }
            Self::Offset { by, offset } => write!(f, "{by} {}@{offset}", by.id.partition()),
            Self::Marker(marker) => write!(f, "{marker}"),
            Self::State(image) => write!(f, "{image}"),
        }
    }
}
