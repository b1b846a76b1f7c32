//! Log: partitions of records, replicated among brokers, as Kafka has them.
//!
//! The first node is the controller, or the first few are, those after it are brokers. Clients are producers and consumers: they append to
//! partitions, read from offsets on, and keep in the partition of offsets how far they have come. If there are consumers among
//! the nodes ([`Config::consumers`]), they are a group that shares the partitions, and the last node is the store that their
//! work has effects on: see [`group`]. Their results can be transactions: see [`transaction`].
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
//! | single owner | offsets are kept for who has the partition, and do not go back | [`invariants::SingleOwner`] |
//! | kept is handled | at least and effectively once: below a kept offset everything has had an effect | [`invariants::KeptIsHandled`] |
//! | one effect | at most and effectively once: no record has two | [`invariants::EffectOnce`] |
//! | effects in order | a record has its first effect after those before it | [`invariants::EffectsInOrder`] |
//! | bounded | what a consumer has read and not handled: `backlog_max` and one fetch | [`invariants::Bounded`] |
//! | atomic transactions | a transaction ends in all its partitions as it was decided | [`invariants::TransactionAtomicity`] |
//! | aborted is unread | who reads what is committed is shown nothing else | [`invariants::AbortedUnread`] |
//! | last stable offset | no open transaction is below it, and it does not fall | [`invariants::LastStableOffset`] |
//! | fenced producers | a producer's older epoch writes nothing after the newer one began | [`invariants::ProducerFencing`] |
//! | no hanging transaction | a transaction that has ended is not opened again | [`invariants::NoHangingTransaction`] |
//! | exactly once | transactional: each record that an offset passes has one result | [`invariants::ExactlyOnce`] |
//! | retention | what is removed is old, and committed | [`invariants::Retention`] |
//! | compaction | of what is compacted the last record of each key stays | [`invariants::Compaction`] |
//! | Raft's own | the replicas of several controllers keep to what Raft promises | [`raft::invariants`] |
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
//! # The way of a consumer
//!
//! ```text
//!  consumer n5        coordinator n4                 leader n2            store n8
//!    │── JoinGroup ────────>│ g2, to the partition of offsets │                │
//!    │<── Assigned g2 p0 ───│ committed                       │                │
//!    │── OffsetFetch p0 ───>│                                 │                │
//!    │<── Offset p0@7 ──────│                                 │                │
//!    │── Read p0@7 ──────────────────────────────────────────>│                │
//!    │<── Records p0@7 ───────────────────────────────────────│                │
//!    │ handles it                                                              │
//!    │── Apply p0@7 g2 ───────────────────────────────────────────────────────>│ to disk
//!    │<── Applied ─────────────────────────────────────────────────────────────│
//!    │── OffsetCommit g2 p0@8 ─>│ a record, too                                │
//!    │── GroupHeartbeat g2 ────>│                                              │
//! ```
//!
//! The leader of the partition of offsets coordinates. Who is in the group, who has what, and how far it has come are records
//! there: the next leader finds them. **A consumer that stands still loses its partitions and does not know it**: the coordinator
//! keeps no offset of a generation that is over, and the store refuses the effect of who has lost a partition.
//!
//! # The field's words
//!
//! | word | here |
//! | --- | --- |
//! | controller quorum (`KRaft`) | [`Config::controllers`]; [`quorum`], [`metadata`] |
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
//! | `JoinGroup`, generation, rebalance; member epoch (KIP-848) | [`group::Generation`], [`group::coordinator`] |
//! | session and poll timeouts | [`Config::group_session`], [`Config::poll_interval_max`] |
//! | auto-commit | [`Config::commit_interval`] |
//! | `transactional.id`; producer epoch | [`TransactionalId`], one for each partition that is handled; [`transaction::ProducerEpoch`] |
//! | `__transaction_state`; transaction coordinator | [`Config::transactions_partition`]; [`transaction::TransactionCoordinator`] |
//! | control record, `WriteTxnMarkers` | [`transaction::Marker`], [`transaction::message`] |
//! | LSO, last stable offset; aborted index | [`transaction::index::TransactionIndex`] |
//! | `isolation.level` | [`Config::isolation`] |
//! | `retention.bytes`, `retention.ms`; log start offset | [`Config::retention_records`], [`Config::retention_time`]; [`beginning`] |
//! | `cleanup.policy`, log cleaner | [`Config::compaction`], `cleaner` |
//! | `auto.offset.reset`, `seek`, `pause` | [`Config::offset_reset`], [`Config::failure_pause`] |
//! | transaction version 2 (KIP-890) | [`Config::epoch_per_transaction`] |
//!
//! # What is left out, and what that costs
//!
//! | left out | cost |
//! | --- | --- |
//! | acknowledgement before the disk has it (Kafka's usual setting) | an append takes the time of a sync at the leader and at a follower, one after the other in part |
//! | more than one group, subscriptions | all consumers are in one group, and it reads all partitions |
//! | assignment by a member (`SyncGroup`) | the coordinator shares partitions out in all protocols, and sees to it that they are even |
//! | the wait before the first generation | a group that comes up goes through some generations |
//! | transactions of clients | only members of the group write them; a client's record is there or not, whatever else it sends |
//! | a transaction of several input partitions (KIP-447) | one for each partition that a member has, so more of them |
//! | batches, an answer to the end before the markers are written | a message a result; the next transaction of a partition begins when the last one is over |
//! | segments; compaction of what clients append | records go one by one; clients' records have no keys |
//! | one fetch for many partitions | a message each, where nothing happens too |
//! | checkpoints of the high watermark | a broker that restarts asks anew |
//!
//! # Sources
//!
//! - Apache Kafka, Documentation §4: Design (replication, ISR, unclean election, acks, idempotent producer).
//! - KIP-98 (idempotent and transactional producers), KIP-129 (exactly once), KIP-890 (hanging transactions), KIP-101 and
//!   KIP-279 (leader epochs), KIP-207 (offsets after an election), KIP-497 (`AlterIsr`), KIP-595 and KIP-631 (`KRaft`).
//! - J. Kreps, N. Narkhede, J. Rao: Kafka: a Distributed Messaging System for Log Processing, `NetDB` 2011.
//! - K. Kingsbury: Jepsen: Kafka (2013), Redpanda 21.10.1 (2022).

pub mod beginning;
pub mod broker;
mod cleaner;
pub mod config;
pub mod controller;
pub mod copies;
pub mod durable;
pub mod entry;
pub mod facts;
mod follower;
pub mod group;
pub mod image;
pub mod invariants;
mod leader;
pub mod message;
pub mod metadata;
mod metrics;
pub mod mutants;
pub mod offsets;
pub mod partition_log;
mod process;
pub mod producers;
pub mod quorum;
pub mod replica;
mod standalone;
pub mod transaction;
pub mod types;
mod view;
mod work;

use serde::Serialize;
use sim_core::NodeId;

use crate::raft;

pub use broker::Broker;
pub use config::{
    Acks, Config, ConfigError, Election, GroupProtocol, Guarantee, Isolation, Membership, OffsetReset,
};
pub use controller::Controller;
pub use facts::Fact;
pub use group::consumer::Consumer;
pub use group::store::Store;
pub use message::Message;
pub use mutants::Mutant;
pub use quorum::Quorum;
pub use standalone::Standalone;
pub use transaction::TransactionalId;
pub use types::{Epoch, PartitionId};

/// What a node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Timer {
    /// A broker: it tells the controller that it lives.
    Heartbeat,
    /// A broker: it looks for followers that are late.
    Lag,
    /// A broker: it looks for records that are to go.
    Clean,
    /// The controller: partitions go back to the first of their replicas.
    Rebalance,
    /// The controller: this broker was not heard of.
    Session(NodeId),
    /// A broker: it asks for records of this partition, again if it has to.
    Fetch(PartitionId),
    /// The coordinator: this member was not heard of.
    Member(NodeId),
    /// The coordinator: members had time enough to join again.
    Gathering,
    /// A consumer: it tells the coordinator that it lives.
    Beat,
    /// A consumer: it keeps how far it has come.
    Keep,
    /// A consumer: it asks for the offset or for records of this partition. The store: for results.
    Share(PartitionId),
    /// A worker of a consumer, from 0: the end of its service, or of its call.
    Worker(u32),
    /// The coordinator of transactions: markers that were not answered.
    Markers,
    /// The coordinator of transactions: this one has been open for too long.
    Transaction(TransactionalId),
    /// Of a controller's replica.
    Raft(raft::Timer),
}

/// Places inside handlers where a crash is worth trying: this is written, and not yet durable. The index is the place in
/// [`FAULT_POINTS`].
#[derive(Clone, Copy, Debug)]
enum FaultPoint {
    Metadata,
    Record,
    Copy,
    Effect,
    Beginning,
    /// The first of those of a replica.
    Raft,
}

const FAULT_POINTS: [&str; 9] = [
    "metadata-written",
    "record-written",
    "copy-written",
    "effect-written",
    "beginning-written",
    raft::FAULT_POINTS[0],
    raft::FAULT_POINTS[1],
    raft::FAULT_POINTS[2],
    raft::FAULT_POINTS[3],
];

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
    Rebalancing,
    MemberGone,
    LeftStuck,
    CommitFenced,
    ReadingPaused,
    EffectRepeated,
    EffectFenced,
    ProducerFenced,
    TransactionTakenOver,
    TransactionTimedOut,
    EndTakenOver,
    NotYetStable,
    AbortedLeftOut,
    ControllerChanged,
    Retained,
    Compacted,
    BegunLater,
    OutOfRange,
    HandlingFailed,
}

const POINTS: [&str; 30] = [
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
    "members had to join again",
    "a member was gone because it was not heard of",
    "a consumer left because it had a record in hand for too long",
    "an offset was not kept because somebody else has the partition",
    "a consumer read no more because too much waited",
    "the store knew an effect as a repetition",
    "the store refused the effect of who has lost the partition",
    "a producer was refused because its epoch is over",
    "an open transaction was aborted for the next owner of its partition",
    "a transaction was aborted because it had been open for too long",
    "a new coordinator ended a transaction that was decided",
    "a reader was not shown what is committed and not stable",
    "a reader was not shown the results of a transaction that was aborted",
    "a broker turned to another controller",
    "a copy removed old records",
    "a copy was compacted",
    "a follower began where its leader's log begins",
    "a reader was told that the partition begins later",
    "a consumer failed to handle a record, went back to it and paused",
];

/// One node, in its role. See the [module documentation](self).
#[derive(Clone, Serialize)]
pub enum Node {
    /// Decides who leads, by itself.
    Controller(Box<Standalone>),
    /// Decides together with others.
    Quorum(Box<Quorum>),
    /// Keeps records.
    Broker(Box<Broker>),
    /// Handles them.
    Consumer(Box<Consumer>),
    /// Has their effects.
    Store(Box<Store>),
}

#[cfg(test)]
mod conversations;
#[cfg(test)]
mod tests;
