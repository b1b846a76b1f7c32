//! Chain replication, and with apportioned queries CRAQ: a key-value store on servers in a row.
//!
//! # What it guarantees
//!
//! | property | says | checked in |
//! | --- | --- | --- |
//! | Update Propagation | a server's history is a prefix of that of each server before it | [`invariants::UpdatePropagation`] |
//! | Inprocess Requests | what a server has and one after it may lack is on its list of sent updates | [`invariants::InprocessRequests`] |
//! | one order | what tails commit is one sequence, over all failures | [`invariants::OneOrder`] |
//! | committed survives | what is committed is with every server of the newest chain | [`invariants::CommittedSurvives`] |
//! | one chain an epoch | all agree on the chain of an epoch, and nobody goes back to an older one | [`invariants::OneChainAnEpoch`] |
//! | answers are fenced | who answers a query is in the newest chain | [`invariants::AnswersAreFenced`] |
//! | same state | servers with the same history have the same registers and sessions | [`invariants::SameState`] |
//! | removed by the detector | with SWIM only a server that is dead to the group, or not itself any more, is removed | [`invariants::RemovedByDetector`] |
//!
//! For clients this means linearizability, with both ways to answer queries. As long as one server of the chain keeps its memory,
//! nothing that a client was told of is lost: a chain of t servers survives t − 1 failures, where protocols with majorities survive (t − 1) / 2.
//! In exchange an update waits for all servers, and while the master has not yet removed one that has failed, for all the time
//! that a lease takes, nothing is committed.
//!
//! # The way of an update, and of a query
//!
//! ```text
//! client       n2 (head)        n3 (middle)        n4 (tail)          n1 (master)
//!   │─ write ────>│                 │                 │                   │
//!   │             │ in Hist, Sent   │                 │                   │
//!   │             │──── Forward ───>│                 │                   │
//!   │             │                 │──── Forward ───>│                   │
//!   │<──────────────────── done ──────────────────────│ committed         │
//!   │             │                 │<── Acknowledge ─│                   │
//!   │             │<── Acknowledge ─│ off Sent        │                   │
//!   │             │ off Sent        │                 │                   │
//!   │─ read ─────────────────────────────────────────>│ has a lease?      │
//!   │<──────────────────── value ─────────────────────│                   │
//!   │             │── Heartbeat ─────────────────────────────────────────>│
//!   │             │<─────────────────────────────────────────── Lease ────│
//! ```
//!
//! 1. **The head** ([`server::Server`]) gives an update the next index, has it in its history and its state, and sends it to its successor
//!    ([`Message::Forward`]; `propagation`; §3.1). A client that asks somebody else is sent there.
//! 2. **Each server** does the same, in the same order. What it has sent and is not acknowledged is its list Sent.
//! 3. **The tail** answers the client: everybody has the update. Its acknowledgement ([`Message::Acknowledge`]) goes up the chain, and with it updates
//!    go off the lists.
//! 4. **A query** is answered by the tail alone ([`Reads::Tail`]). Or by anybody ([`Reads::Apportioned`], `queries`): a server
//!    with a version that may not have reached the tail keeps the versions before it ([`versions`]), and asks the tail
//!    which is the last one there ([`Message::AskVersion`]).
//!
//! **The master** ([`master::Master`]; §3) hears [`Message::Heartbeat`] of each server. Who is silent for longer than its lease is removed:
//! a new [`Configuration`] with a higher epoch. The head's successor becomes head, the tail's predecessor tail (all that it has is committed by that),
//! and the predecessor of one between sends its list to its new successor.
//!
//! **A new server** joins at the tail (§3.4), in three configurations:
//!
//! ```text
//! e7  n2>n3 copying n4          n3 is the tail, and sends n4 all it has (Transfer) and what comes (Forward)
//! e8  n2>n3 handing over to n4  n3 answers nobody any more; n4 is the tail once n3 has told it, in e8, what it has
//! e9  n2>n3>n4                  n4 has told the master that it serves: it may be the last one left
//! ```
//!
//! If n3 fails in e8, the master cannot know whether n4 has everything. It waits until n4 says that it serves, or until its lease is over as
//! well, and then goes on without both.
//!
//! # Who may answer: the part that the papers leave out
//!
//! In the papers a server that fails stops, and all know. Here one may be cut off from the master, be removed, and live on. A tail of that
//! kind would answer queries from a state that the chain has left behind. So **an answer to a query needs a lease** ([`crate::lease`]): it
//! lasts from when the heartbeat was sent, by the server's clock, and the master removes nobody before it is over by its own, with the
//! bound ρ ([`Config::drift_max`]) for both clocks. After a restart the master takes everybody to have a whole lease.
//!
//! Updates need none. A removed tail may answer one: then it came to it through servers before it, which have it, and are in the chain, or have
//! handed it on. A removed head may take one: its successor is in another epoch, and does not.
//!
//! Messages between servers are of an epoch and of a place in it; from any other they mean nothing.
//!
//! # When a silent server has failed
//!
//! The papers have a master that learns of failures, and leave open how. Here that is a part to choose ([`Detector`]): the lease alone, or
//! [SWIM](crate::swim) among all nodes ([`Config::swim`]), of which each keeps a [`Membership`](swim::Membership). With SWIM the master removes a
//! server when its lease is over *and* the group has it down as dead, or it has come back without its memory. A bad link
//! between the master and a server then costs queries at that server, for want of a lease, and no member of the chain. The lease stays
//! what makes a removal safe, so a wrong detector costs time and no promise.
//!
//! # What is lost in a crash
//!
//! Servers have no disk: that is the papers' model, made explicit. A server that is restarted is another one ([`Member`] has a [`Life`](crate::replicated::Life)), and joins
//! at the tail. If all servers of a chain are restarted before one of them has joined anew, what clients were told is gone, and the chain
//! is dead for good ([`Process::forgotten`](sim_core::Process::forgotten)). The master has a disk and comes back; while it is down nobody is removed, and leases run out: updates go on, queries
//! wait.
//!
//! # The papers' words
//!
//! | there | here |
//! | --- | --- |
//! | Hist | [`server::Server::history`] and [`server::Server::machine`]: its end, and what came of all of it |
//! | Sent | what follows [`server::Server::acknowledged`] in the history |
//! | Pending | nothing: clients remember it, and ask again |
//! | master | [`master::Master`] |
//! | chain, head, tail | [`Configuration`] |
//! | T⁺, the new tail | [`types::Joiner`] |
//! | clean, dirty (CRAQ) | [`versions::Versions::is_clean`] |
//! | version query (CRAQ) | [`Message::AskVersion`] |
//!
//! # What is left out, and what that costs
//!
//! | left out | cost |
//! | --- | --- |
//! | a replicated master (the papers use Paxos, or `ZooKeeper`) | while it is down, queries end with the leases |
//! | many chains on the same servers, and moving objects between them | one chain has all keys |
//! | CRAQ's weaker reads: eventual, and eventual with a bound | a read of a dirty key always asks the tail |
//! | version numbers of each object | a version is named by its place in the history, which all keys share |
//! | CRAQ's multicast of updates, its chains over data centres | a large update travels the chain |
//! | recovery of a server from its own disk | who comes back gets the state anew, if it lacks more than [`Config::history_kept`] |
//!
//! # Sources
//!
//! - R. van Renesse, F. Schneider: Chain Replication for Supporting High Throughput and Availability, OSDI 2004. "§" is a section of it.
//! - J. Terrace, M. Freedman: Object Storage on CRAQ, USENIX ATC 2009, for apportioned queries.
//! - C. Gray, D. Cheriton: Leases, SOSP 1989, for the fence.

pub mod config;
pub mod durable;
pub mod facts;
pub mod invariants;
pub mod master;
pub mod message;
mod metrics;
pub mod mutants;
mod process;
mod propagation;
mod queries;
pub mod server;
pub mod types;
pub mod versions;
mod view;

use serde::Serialize;

pub use config::{Config, ConfigError, Detector, MASTER, Reads};
pub use facts::Fact;
pub use message::Message;
pub use mutants::Mutant;
pub use types::{Configuration, Epoch, Member};

use crate::swim;

/// What a node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Timer {
    /// Of a server: when to show the master that it lives. Of the master: when to look who does not.
    Heartbeat,
    /// Of a server: when to look whether to send again.
    Resend,
    /// Of the detector.
    Swim(swim::Timer),
}

/// Situations worth reaching in a sweep; the index is the place in [`POINTS`].
#[derive(Clone, Copy, Debug)]
enum Point {
    NewHead,
    SentAgain,
    Overtaken,
    RetryAnswered,
    RemovedAlive,
    LeaseOver,
    DirtyRead,
    StateInstalled,
    HandOverBroken,
    AllSilent,
    SilentAndAlive,
}

const POINTS: [&str; 11] = [
    "a server became head",
    "a list of sent updates was sent again",
    "an update overtook others",
    "a retry was answered by the head",
    "a server that lives was removed",
    "a query came to a server whose lease was over",
    "a query was answered after the tail was asked",
    "a new server got the state as a whole",
    "the tail fell silent while it handed over",
    "all servers of the chain were silent",
    "a silent server stayed because the group has it down as alive",
];

/// Places inside handlers where a crash is worth trying; the index is the place in [`FAULT_POINTS`].
#[derive(Clone, Copy, Debug)]
enum FaultPoint {
    /// The master has written a configuration, and it is not yet durable.
    ConfigurationWritten,
    /// A configuration is durable, and nobody has been told.
    BeforeAnnounce,
    /// The head has an update, and nobody else.
    UpdateTaken,
    /// A server has a new successor, and has sent it nothing.
    BeforeSentAgain,
    /// The tail has an update, and has told nobody.
    BeforeReply,
    /// Updates are off the list, and the predecessor does not know.
    BeforeAcknowledge,
    /// A new tail has everything, and nobody knows.
    BeforeJoining,
}

const FAULT_POINTS: [&str; 7] = [
    "configuration-written",
    "before-announce",
    "update-taken",
    "before-sent-again",
    "before-reply",
    "before-acknowledge",
    "before-joining",
];

/// One node. See the [module documentation](self).
#[derive(Clone, Serialize)]
pub struct ChainReplication {
    role: Role,
    /// Its part of the detector, where that is SWIM.
    membership: Option<swim::Membership>,
}

/// What a node does in the chain.
#[derive(Clone, Serialize)]
#[expect(clippy::large_enum_variant, reason = "there is one master, and all others are servers")]
enum Role {
    /// Issues configurations: the first node.
    Master(master::Master),
    /// Has the data: the others.
    Server(server::Server),
}

impl ChainReplication {
    /// The master, if this is it.
    pub const fn master(&self) -> Option<&master::Master> {
        if let Role::Master(master) = &self.role { Some(master) } else { None }
    }

    /// The server, if this is one.
    pub const fn server(&self) -> Option<&server::Server> {
        if let Role::Server(server) = &self.role { Some(server) } else { None }
    }

    /// What it keeps of the group, where SWIM is the detector.
    pub const fn membership(&self) -> Option<&swim::Membership> {
        self.membership.as_ref()
    }
}

#[cfg(test)]
mod conversations;
#[cfg(test)]
mod tests;
