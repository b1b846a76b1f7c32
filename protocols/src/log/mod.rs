//! Log: partitions of records, replicated among brokers, as Kafka has them.
//!
//! The first node is the controller, all others are brokers. Clients are producers and consumers: they append to partitions,
//! read from offsets on, and keep in the partition of offsets how far they have come.
//!
//! # What it guarantees
//!
//! | property | says | checked in |
//! | --- | --- | --- |
//! | one leader an epoch | no two brokers lead a partition in one epoch | [`invariants::OneLeaderAnEpoch`] |
//! | log matching | copies with a record of one epoch at one offset are the same up to it | [`invariants::LogMatching`] |
//! | in sync has all | what is committed is on the disk of everybody in sync | [`invariants::InSyncHasAll`] |
//! | clean election | who leads was in sync | [`invariants::CleanElection`] |
//! | committed stays | what is committed is in the log of every later leader, at its offset | [`invariants::CommittedStays`] |
//! | acknowledged is kept | with acks=all, what is answered is on `min_insync` disks | [`invariants::AcknowledgedKept`] |
//! | reads are committed | clients are shown nothing that may go away | [`invariants::ReadsCommitted`] |
//! | idempotence | what a producer sends again stands there once | [`invariants::Idempotent`] |
//!
//! **What it does not**: reads may be late. A leader that the controller has replaced, and that does not know it, still shows
//! what it has: a beginning of what the new one has, never something else. And a committed record is only as safe as those
//! in sync are many: that is what `min_insync` is for.
//!
//! # The way of a record
//!
//! ```text
//!  client         leader n2                followers n3, n4             controller n1
//!    │                │<── Fetch from 7 ──────────│ (waits)                   │
//!    ├── append v ───>│ record 7, to disk         │                           │
//!    │                │── Fetched 7 ─────────────>│ to disk                   │
//!    │                │<── Fetch from 8 ──────────│ "7 is on my disk"         │
//!    │<── offset 7 ───│ high watermark 8                                      │
//!    │                │── Fetched hw 8 ──────────>│                           │
//!    │                │                                                       │
//!    │                │ n4 has not had everything for `lag_max`               │
//!    │                │── AlterPartition isr=n2,n3 ──────────────────────────>│ to disk
//!    │                │<── Metadata ──────────────────────────────────────────│ to all
//! ```
//!
//! 1. A producer appends at the leader. Its id and its number tell a record that comes again ([`producers`]).
//! 2. Followers ask for what comes next, and wait if there is nothing. **A fetch from an offset says that all below is on
//!    the follower's disk** and that its last record is of an epoch; if the leader has something else there, the follower
//!    cuts its log off and asks again.
//! 3. The **high watermark** is the lowest offset up to which the leader and all in sync have everything on disk. What is
//!    below is committed; it is all that clients may read, and where producers that want all are answered.
//! 4. Who is **in sync** is decided by the controller, at the leader's request. Until it has answered, those of before and
//!    those of after count. So at every moment everybody whom the controller may make leader has all that is committed.
//! 5. A broker that the controller does not hear of is **fenced**: it is not in sync any more, and what it led gets another
//!    leader from those in sync, in the next epoch. A broker that has restarted is fenced until it knows what has happened.
//! 6. A new leader knows only what it has, not how far it is committed: until all that it began with is, clients have to
//!    wait.
//!
//! # The field's words
//!
//! | word | here |
//! | --- | --- |
//! | controller (`KRaft`) | [`Controller`]: one, not a quorum |
//! | ISR; maximal ISR (KIP-497) | [`image::PartitionState::isr`]; those of before and after |
//! | LEO, log end offset | [`PartitionLog::end`](partition_log::PartitionLog::end) |
//! | high watermark | [`replica::Replica::high_watermark`] |
//! | leader epoch cache, `OffsetsForLeaderEpoch` (KIP-101) | [`partition_log::PartitionLog::end_of`] |
//! | diverging epoch (KIP-595) | [`message::Found::Diverging`] |
//! | broker epoch, fencing (KIP-631) | [`types::BrokerEpoch`], [`image::Registration`] |
//! | producer id, sequence number (KIP-98) | the client and the number of its operation |
//! | `__consumer_offsets` | [`Config::offsets_partition`] |
//! | `OFFSET_NOT_AVAILABLE` (KIP-207) | refused as unavailable |
//! | preferred leader election | [`Config::rebalance`] |
//!
//! # What is left out, and what that costs
//!
//! | left out | cost |
//! | --- | --- |
//! | a quorum of controllers | while the controller is down nobody is fenced or elected; what it decided is on its disk |
//! | acknowledgement before the disk has it (Kafka's usual setting) | an append takes the time of a sync at the leader and at a follower, one after the other in part |
//! | consumer groups | clients choose their partitions themselves |
//! | transactions | a record is there or not, whatever else its producer sends |
//! | retention and compaction | a partition grows without end |
//! | one fetch for many partitions | a message each, where nothing happens too |
//! | checkpoints of the high watermark | a broker that restarts asks anew |
//!
//! # Sources
//!
//! - Apache Kafka, Documentation §4: Design (replication, ISR, unclean election, acks, idempotent producer).
//! - KIP-98 (idempotent producers), KIP-101 and KIP-279 (leader epochs), KIP-207 (offsets after an election), KIP-497
//!   (`AlterIsr`), KIP-595 and KIP-631 (`KRaft`).
//! - J. Kreps, N. Narkhede, J. Rao: Kafka: a Distributed Messaging System for Log Processing, `NetDB` 2011.
//! - K. Kingsbury: Jepsen: Kafka (2013), Redpanda 21.10.1 (2022).

pub mod broker;
pub mod config;
pub mod controller;
pub mod durable;
pub mod entry;
pub mod facts;
mod follower;
pub mod image;
pub mod invariants;
mod leader;
pub mod message;
mod metrics;
pub mod mutants;
pub mod partition_log;
mod process;
pub mod producers;
pub mod replica;
pub mod types;
mod view;

use serde::Serialize;
use sim_core::NodeId;

pub use broker::Broker;
pub use config::{Acks, CONTROLLER, Config, ConfigError, Election, Idempotence};
pub use controller::Controller;
pub use facts::Fact;
pub use message::Message;
pub use mutants::Mutant;
pub use types::{Epoch, PartitionId};

/// What a node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Timer {
    /// A broker: it tells the controller that it lives.
    Heartbeat,
    /// A broker: it looks for followers that are late.
    Lag,
    /// The controller: partitions go back to the first of their replicas.
    Rebalance,
    /// The controller: this broker was not heard of.
    Session(NodeId),
    /// A broker: it asks for records of this partition, again if it has to.
    Fetch(PartitionId),
}

/// Places inside handlers where a crash is worth trying: this is written, and not yet durable. The index is the place in
/// [`FAULT_POINTS`].
#[derive(Clone, Copy, Debug)]
enum FaultPoint {
    Metadata,
    Record,
    Copy,
}

const FAULT_POINTS: [&str; 3] = ["metadata-written", "record-written", "copy-written"];

/// Situations worth reaching in a sweep; the index is the place in [`POINTS`].
#[derive(Clone, Copy, Debug)]
enum Point {
    Fenced,
    Rebalanced,
    UncleanElection,
    ChangeRefused,
    Shrunk,
    Expanded,
    Diverged,
    Truncated,
    Repeated,
    NotEnoughReplicas,
    NotYetKnown,
}

const POINTS: [&str; 11] = [
    "a broker was fenced because it was not heard of",
    "a partition went back to the first of its replicas",
    "a broker became leader that was not in sync",
    "the controller refused to change who is in sync",
    "a follower was late and fell out of sync",
    "a follower had caught up and was in sync again",
    "a follower had records that its leader does not have",
    "a follower cut records off",
    "a record came again and was known",
    "an append was refused because too few replicas are in sync",
    "a new leader did not know yet what is committed",
];

/// One node, in its role. See the [module documentation](self).
#[derive(Clone, Serialize)]
pub enum Node {
    /// Decides who leads.
    Controller(Box<Controller>),
    /// Keeps records.
    Broker(Box<Broker>),
}

#[cfg(test)]
mod conversations;
#[cfg(test)]
mod tests;
