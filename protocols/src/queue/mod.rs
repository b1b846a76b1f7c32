//! Queue: a message queue, its consumers, and the store that their work has effects on.
//!
//! The first node is the broker, or the first few are, the last is the store, and those between are consumers. Clients are
//! producers, and may take messages themselves; with [`Config::producers`], nodes after the brokers send for them, each
//! with a transactional outbox.
//!
//! # What it guarantees
//!
//! | property | says | checked in |
//! | --- | --- | --- |
//! | conservation | what was sent is queued, in flight, acknowledged, a dead letter, expired or dropped | [`invariants::Conservation`] |
//! | no loss | what was confirmed to its producer survives any crash of the broker | [`invariants::NoLoss`] |
//! | agreement | all brokers, in all restarts, read the same log | [`invariants::Agreed`] |
//! | Raft's own | the replicas of several brokers keep to what Raft promises | [`raft::invariants`] |
//! | exclusive visibility | a message has one valid receipt, until its time is over | [`invariants::VisibilityExclusive`] |
//! | deduplication | a message that is sent again within the window is the same | [`invariants::Deduplicated`] |
//! | order | a message of a group is delivered after those before it are gone | [`invariants::OrderWithinGroup`] |
//! | isolation | no message is delivered more often than it may fail | [`invariants::PoisonIsolated`] |
//! | bounds | queue and consumers hold no more than they may | [`invariants::Bounded`] |
//! | work conservation | no message is ready while a consumer takes more: so queues drain | [`invariants::WorkConserving`] |
//! | outbox | producers tell of what they have done, and of nothing else | [`invariants::Outbox`] |
//! | at most once | no message has two effects | [`invariants::AtMostOnce`] |
//! | at least once | what is acknowledged had an effect | [`invariants::AtLeastOnce`] |
//! | effectively once | no message has two effects, and what is acknowledged had one | [`invariants::EffectivelyOnce`] |
//!
//! The last three depend on [`Config::guarantee`]. **Exclusive is a lease, not a lock**: a consumer that was paused for longer
//! than the visibility timeout handles a message that another one has by then. That is why effects need a key or a
//! fencing token at the store, and why no queue alone can promise exactly once.
//!
//! # The way of a message
//!
//! ```text
//!  client          broker n1                  consumer n2              store n3
//!    │                │<── Credit window=10 ──────│                       │
//!    ├── enqueue 7 ──>│ log, sync                 │                       │
//!    │<── done ───────│ log, sync                 │                       │
//!    │                │── Deliver m1/1 ──────────>│ handles it            │
//!    │                │   (invisible for 30 s)    │── Apply m1/1 ────────>│ log, sync
//!    │                │                           │<── Applied m1/1 ──────│
//!    │                │<── Acknowledge m1/1 ──────│                       │
//!    │       log, sync│── Settled m1/1 ──────────>│                       │
//! ```
//!
//! 1. A producer sends. The command goes into the broker's log ([`durable::LOG`]) and through the state machine
//!    ([`state::Queue`]); when the log is on disk the producer is told (publisher confirm).
//! 2. A consumer has said how many messages it takes ([`message::Message::Credit`]). As long as it holds fewer, the broker
//!    pushes: it logs the delivery, which makes the message invisible, and sends it. That the delivery is on disk first
//!    keeps receipts unique and counts right over a crash.
//! 3. A worker handles the message, which takes a service time, and asks the store for the effect.
//! 4. The store keeps the effect, and with [`Guarantee::EffectivelyOnce`] in the same record that it has had it.
//! 5. The consumer acknowledges with its receipt: the message, and which delivery of it. If the message was delivered again
//!    meanwhile, the receipt is void.
//! 6. A message that is not acknowledged in time, or returned, goes back to its place; after
//!    [`Rules::max_receives`](config::Rules) failures it is a dead letter, until an administrator redrives it.
//!
//! With several brokers ([`Config::brokers`]) the log is Raft's, and the broker is whoever leads: see [`replicated`]. Then
//! `log, sync` is to be read as: on the disks of a majority.
//!
//! # The field's words
//!
//! | word | here |
//! | --- | --- |
//! | send, publisher confirm | `enqueue`, and that it is answered `done` |
//! | receive, lease, unacked | [`command::Event::Delivered`], [`state::Stage::Held`] |
//! | receipt handle, delivery tag | [`command::Receipt`] |
//! | delete, ack; nack, reject | [`command::Command::Acknowledge`]; [`command::Command::Return`] |
//! | change of visibility, heartbeat | [`command::Command::Extend`], [`Config::heartbeat`] |
//! | message group, deduplication id | drawn from the value: [`config::Rules::group_of`]; the value |
//! | redrive policy, delivery limit | [`config::Rules::max_receives`] |
//! | prefetch, credit | [`Config::prefetch`], [`message::Message::Credit`] |
//! | idempotent receiver, transactional inbox | [`store`] |
//! | transactional outbox, message relay | [`producer`] |
//! | quorum queue | [`replicated`] |
//!
//! # What is left out, and what that costs
//!
//! | left out | cost |
//! | --- | --- |
//! | long polls and batches of clients | a client that dequeues asks again and again |
//! | the store forgets no keys | its memory grows with every message |
//! | exchanges, topics, routing | one queue |
//!
//! # Sources
//!
//! - Amazon SQS Developer Guide: visibility timeout, receipt handles, delay, FIFO queues, dead-letter queues and redrive.
//! - `RabbitMQ`: Consumer Acknowledgements and Publisher Confirms, Consumer Prefetch, Queue Length Limit, TTL, Quorum Queues.
//! - P. Helland: Life beyond Distributed Transactions, CIDR 2007; Idempotence Is Not a Medical Condition, ACM Queue 2012.
//! - M. Kleppmann: Designing Data-Intensive Applications (2017), chapters 8 (fencing) and 11 (acknowledgement, redelivery).
//! - C. Richardson: Microservices Patterns (2018) §3.3: competing receivers, duplicate messages, transactional messaging.

mod answers;
mod broker;
pub mod command;
pub mod config;
mod consumer;
pub mod durable;
pub mod facts;
pub mod invariants;
pub mod ledger;
pub mod message;
mod metrics;
pub mod mutants;
mod process;
pub mod producer;
pub mod replicated;
mod standalone;
pub mod state;
pub mod store;
mod view;
mod work;

use serde::Serialize;

use crate::raft;

pub use broker::Broker;
pub use config::{Config, ConfigError, Guarantee, Overflow, Role, Rules, Shedding, Stall};
pub use consumer::Consumer;
pub use facts::Fact;
pub use message::Message;
pub use mutants::Mutant;
pub use producer::Producer;
pub use replicated::Replicated;
pub use standalone::Standalone;
pub use store::Store;

/// What a node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Timer {
    /// A broker: something comes due.
    Deadline,
    /// A consumer: it says how much it takes.
    Credit,
    /// A consumer: it asks for more time.
    Heartbeat,
    /// A worker of a consumer, from 0: the end of its service, its call or its pause.
    Worker(u32),
    /// Of a broker's replica.
    Raft(raft::Timer),
    /// A producer: it publishes again what was not answered.
    Relay,
}

/// Places inside handlers where a crash is worth trying: this is written, and not yet durable. The index is the place in [`FAULT_POINTS`].
#[derive(Clone, Copy, Debug)]
enum FaultPoint {
    Command,
    Snapshot,
    Effect,
    Outbox,
    /// The first of those of a replica.
    Raft,
}

const FAULT_POINTS: [&str; 8] = [
    "command-written",
    "snapshot-written",
    "effect-written",
    "outbox-written",
    raft::FAULT_POINTS[0],
    raft::FAULT_POINTS[1],
    raft::FAULT_POINTS[2],
    raft::FAULT_POINTS[3],
];

/// Situations worth reaching in a sweep; the index is the place in [`POINTS`].
#[derive(Clone, Copy, Debug)]
enum Point {
    Redelivered,
    TimedOut,
    VoidReceipt,
    Extended,
    DeadLettered,
    Redriven,
    Expired,
    Dropped,
    Blocked,
    Deduplicated,
    LateDelivery,
    BacklogFull,
    Shed,
    Failed,
    Stalled,
    EffectRepeated,
    EffectFenced,
    BrokerChanged,
    PublishedAgain,
}

const POINTS: [&str; 19] = [
    "a message was delivered again",
    "a delivery ran out of time",
    "a receipt settled nothing",
    "a consumer was given more time for a message",
    "a message became a dead letter",
    "a dead letter came back",
    "a message waited for too long",
    "a message was dropped because there was no room",
    "a producer had to wait for room",
    "a message was known as a duplicate",
    "a consumer was sent what an earlier life of it had asked for",
    "a consumer was sent more than it takes",
    "a consumer left out a message because its time was over",
    "handling a message failed",
    "a worker paused",
    "the store knew an effect as a repetition",
    "the store refused the effect of an older delivery",
    "a consumer or producer turned to another broker",
    "a producer published a message again",
];

/// One node, in its role. See the [module documentation](self).
#[derive(Clone, Serialize)]
pub enum Node {
    /// Keeps the queue by itself.
    Broker(Box<Standalone>),
    /// Keeps the queue together with others.
    Replicated(Box<Replicated>),
    /// Does something and has a message tell of it.
    Producer(Box<Producer>),
    /// Handles messages.
    Consumer(Box<Consumer>),
    /// Has their effects.
    Store(Box<Store>),
}

impl Node {
    /// The producer, if this is one.
    pub fn producer(&self) -> Option<&Producer> {
        if let Self::Producer(producer) = self { Some(producer) } else { None }
    }

    /// The broker of the queue, where this node is that and in office.
    pub fn broker(&self) -> Option<&Broker> {
        match self {
            Self::Broker(standalone) => Some(&standalone.broker),
            Self::Replicated(replicated) => replicated.broker(),
            Self::Producer(_) | Self::Consumer(_) | Self::Store(_) => None,
        }
    }
}

#[cfg(test)]
mod conversations;
#[cfg(test)]
mod tests;
