//! Distributed snapshots: Chandy and Lamport's algorithm, on a bank whose branches send each other money.
//!
//! # What it guarantees
//!
//! | property | says | checked in |
//! | --- | --- | --- |
//! | consistent cut | no payment is recorded as received that is not recorded as sent | [`invariants::ConsistentCut`] |
//! | channel states | what is recorded of a channel is what was sent before and received after its two ends were recorded | [`invariants::ChannelStates`] |
//! | recorded money | a snapshot has as much money as there is | [`invariants::RecordedMoney`], and the history of the clients |
//! | reachability | each process was in the state that is recorded of it, between the begin of the snapshot and its end | [`invariants::Reachable`] |
//! | conservation | the bank itself neither makes nor loses money | [`invariants::Conservation`] |
//! | channels | what is sent comes out once, and in order | [`invariants::ChannelsInOrder`] |
//! | ending | who begins one snapshot after the other finishes them, if all processes are there for long enough | the liveness condition `all-agree` |
//!
//! **What it cannot** is say what there was at one moment. The bank may never have been in the state that a snapshot shows. But it
//! *could* have been: what happened can be put into another order that no process can tell from the real one, and in
//! that order it was. So what is true of a snapshot and stays true once it is (all money is there; nobody will ever go on; this object is garbage) is true when the
//! snapshot is done. Two snapshots at once may each have a payment that the other has not, and so reads of balances by them are
//! consistent, and **not linearizable**.
//!
//! # The way of a snapshot
//!
//! ```text
//!    n1 (initiator)             n2                        n3
//!      │── Payment 30 ────────────────────────────────────>┊        on its way
//!      │ begins: records 70      │                         ┊
//!      │── Marker ──────────────>│ records 100             ┊
//!      │── Marker ────────────────┊────────────────────────┊──>     behind the 30, and cannot overtake it
//!      │                         │── Marker ──────────────────>│ records 100: n2's channel is empty
//!      │<────────────── Marker ──│                         │<──┘ the 30 come, and belong to n1's channel
//!      │<────────────────────────┊────────────── Marker ───│
//!      │                         │                         │ n1's marker: the state of that channel is 30
//!      │<──────── Part 100, [] ──│                         │
//!      │<────────────────────────────────── Part 100, [30] ─│
//!      │ finished: 70 + 100 + 100 + 30 = 300
//! ```
//!
//! 1. Whoever wants a snapshot records its own state, and sends a *marker* on each of its channels before anything else
//!    ([`branch::Branch`], [`durable::Step::Begin`]).
//! 2. A process that gets the first marker of a snapshot records its state at once, sends markers on all of its channels, and takes
//!    the state of the channel that the marker came on to be empty. From now on it records what comes on the others.
//! 3. Each other marker ends the state of its channel: what came before it on this channel, and after the process had recorded its own state.
//! 4. With a marker from everybody the process has its part ([`types::Part`]): its state and those of its incoming channels.
//!    It sends it to the initiator, which has a snapshot ([`types::Cut`]) when it has the parts of all.
//! 5. Several snapshots may be under way: markers say to which they belong ([`SnapshotId`]), and each process keeps one [`recording::Recording`] for each.
//! 6. An initiator that waits for too long gives the snapshot up and says so to everybody ([`types::Item::Abandon`]). It or another begins
//!    a new one, which has nothing to do with the old one.
//!
//! **Channels.** The algorithm needs channels that lose nothing and keep the order; the network does neither. So each directed channel
//! numbers what it carries, sends again what is not acknowledged, and lets out in order what came ([`channel`]). With
//! [`Channels::Unordered`] it lets out what comes as it comes, still once each: then a payment overtakes a marker, and the snapshot is wrong.
//!
//! **Crashes.** The paper has none. Here a process writes each step that it makes into its log before it does it, and lets nobody see
//! anything of it before it is on disk. What it has (accounts, channels, what it has recorded) is what the steps of its log come to. So to the algorithm
//! a crash with a restart is a pause, and a snapshot goes on after it; one that stays down makes the initiator lose its patience.
//!
//! **Clients** move money by the service `transfer`, and a read of all balances is a snapshot that begins at whom they ask: the balance
//! of an account is what is recorded of it with all that is on its way there. A transfer is done when the money has left.
//!
//! # The paper's words
//!
//! | there | here |
//! | --- | --- |
//! | process, channel | [`Snapshots`], [`channel::Outgoing`] and [`channel::Incoming`] |
//! | token, marker | [`types::Payment`], [`types::Item::Marker`] |
//! | recorded state of a process, of a channel | [`types::State`], the channels of a [`types::Part`] |
//! | marker-sending rule, marker-receiving rule for a process (§3.1) | `record` and `on_marker` of [`branch::Branch`] |
//! | global state | [`types::Cut`] |
//! | spontaneous initiation | [`durable::Step::Begin`] |
//!
//! # What is left out, and what that costs
//!
//! | left out | cost |
//! | --- | --- |
//! | channels that are not between all | a snapshot of n processes takes n(n−1) markers |
//! | checkpoints of the log | it grows for as long as it runs, and a restart reads all of it |
//! | a window for what is under way on a channel | to one that is down everything is kept, in memory too |
//! | algorithms for channels without order (Lai and Yang, Mattern) | channels must be made to keep order |
//! | what snapshots are for: detection of deadlock, of termination, going back to one | only the sum of the money is looked at |
//!
//! # Sources
//!
//! - K. M. Chandy, L. Lamport: Distributed Snapshots: Determining Global States of Distributed Systems, ACM TOCS 3(1), 1985.
//! - J. Gray: Notes on Data Base Operating Systems, 1978: write-ahead logs.

pub mod branch;
pub mod channel;
pub mod config;
pub mod durable;
pub mod facts;
pub mod invariants;
pub mod message;
mod metrics;
pub mod mutants;
mod process;
pub mod recording;
pub mod types;
mod view;

use serde::Serialize;
use sim_core::NodeId;

pub use config::{Channels, Config, ConfigError};
pub use facts::{Event, Fact};
pub use message::Message;
pub use mutants::Mutant;
pub use process::Snapshots;
pub use types::SnapshotId;

/// What a node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Timer {
    /// When to pay something by itself.
    Pay,
    /// When to begin a snapshot by itself.
    Begin,
    /// When to send again what this process has not acknowledged.
    Resend(NodeId),
    /// The end of the patience with a snapshot.
    Patience(SnapshotId),
}

/// Situations worth reaching in a sweep; the index is the place in [`POINTS`].
#[derive(Clone, Copy, Debug)]
enum Point {
    CameEarly,
    CameAgain,
    SentAgain,
    MoneyInChannel,
    TwoUnderWay,
    RestartedRecording,
    InitiatorRestarted,
    Abandoned,
    PartCameLate,
}

const POINTS: [&str; 9] = [
    "something came before what was sent before it",
    "something came twice",
    "something was sent again",
    "money was recorded in a channel",
    "two snapshots were under way at a process",
    "a process restarted while it recorded a snapshot",
    "an initiator restarted with a snapshot under way",
    "a snapshot was given up",
    "a part came when its snapshot had been given up",
];

/// Places inside handlers where a crash is worth trying; the index is the place in [`FAULT_POINTS`].
#[derive(Clone, Copy, Debug)]
enum FaultPoint {
    /// A payment is written and not yet durable.
    PaymentWritten,
    /// What came out of a channel is written and not yet durable.
    DeliveryWritten,
    /// A state is recorded, and not yet durable.
    StateRecorded,
    /// Something that was put into a channel is durable, and not yet sent.
    BeforeSending,
}

const FAULT_POINTS: [&str; 4] = ["payment-written", "delivery-written", "state-recorded", "before-sending"];

#[cfg(test)]
mod conversations;
#[cfg(test)]
mod tests;
