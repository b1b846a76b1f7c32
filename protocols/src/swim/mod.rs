//! SWIM: who is in the group, and who has failed, without anybody who keeps the list. With what memberlist adds, and
//! Lifeguard.
//!
//! # What it guarantees
//!
//! | property | says | checked in |
//! | --- | --- | --- |
//! | time-bounded completeness | each member probes each other one within 2n − 1 of its periods, and whoever is down is believed alive no longer than that; a period is at most S + 1 intervals | [`invariants::BoundedCompleteness`] |
//! | accuracy | in runs that are held to it: nobody who runs is declared dead, or suspected | [`invariants::Accurate`] |
//! | suspicion first | a member is declared dead only after a suspicion that stood long enough and was not refuted | [`invariants::ConfirmedAfterSuspicion`] |
//! | incarnations | they are raised by their member alone, and never fall, whatever crashes | [`invariants::IncarnationByOwner`] |
//! | overriding | news change what is believed by the rules, and nothing else does | [`invariants::OverrideRules`] |
//! | dissemination | an update is passed on λ⌈log(n + 1)⌉ times, no less and no more | [`invariants::Dissemination`] |
//! | least sent first | of the updates that wait, those go out first that were sent least | [`invariants::LeastSentFirst`] |
//! | load | a member sends no more in a period than it may | [`invariants::LoadInBounds`] |
//! | convergence | after faults, all list the same members | the liveness condition `all-agree` |
//!
//! **What it does not** is be right at each moment: failures are noticed after some periods, a slow or cut-off member may
//! be declared dead, and two members may believe different things for as long as news travel.
//!
//! # One failure
//!
//! ```text
//!   n1                    n2                    n3 (down)
//!   │── Ping ──────────────────────────────────> ✗              period begins
//!   │   …probe timeout…     │
//!   │── PingReq n3 ────────>│── Ping ──────────> ✗
//!   │                       │   …80 % of it…
//!   │<── Nack ──────────────│                                   n2 is well, so n1 is, too
//!   ├ period ends: [n3 suspect i0]
//!   │── Gossip [n3 suspect i0] ─>│  suspects it, too
//!   │   …suspicion timeout, shorter with each who shares it…
//!   ├ [n3 dead i0]
//! ```
//!
//! 1. Once in a protocol period ([`Timer::Period`]) a member pings one other ([`Message::Ping`]): all of them in a round, in an
//!    order that is new in each (`order`). Who is pinged answers ([`Message::Ack`]).
//! 2. Without an answer in time ([`Timer::ProbeTimeout`]) it asks k others to ping ([`Message::PingReq`]), which gets around a link that is
//!    bad between these two. A helper that hears nothing says that ([`Message::Nack`]).
//! 3. Without any answer by the end of the period the other one is *suspect*. That is news (an [`member::Update`]), and news ride on
//!    pings and answers; a member that has any also sends them to a few others each gossip interval ([`Timer::Gossip`]). Each sends
//!    an update λ⌈log(n + 1)⌉ times, the least sent first (`spread`).
//! 4. A suspect that hears of it raises its *incarnation*, on disk first, and says that it is alive: that overrides the suspicion
//!    ([`member::Belief::overrides`]).
//! 5. A suspicion that nobody refutes ends in *dead* ([`Timer::Suspicion`]).
//! 6. Now and then a member sends another one all that it believes, and gets what that one believes ([`Message::Sync`]). Who joins
//!    begins with that, through one of the first three; and members try it with the dead, so that two halves of a group find each
//!    other again.
//!
//! **Lifeguard** is three switches. A member that gets no answers may be the slow one itself, so with each of these its
//! periods get longer ([`Config::local_health`]). A suspicion stands for long if it is one member's alone, and shorter the more share it
//! ([`Config::confirmations`]). And who pings a suspect tells it that it is one, so that it can refute at once ([`Config::buddy`]).
//!
//! # The paper's words
//!
//! | SWIM, Lifeguard | here |
//! | --- | --- |
//! | protocol period T′ | [`Config::probe_interval`] |
//! | ping, ack, ping-req, nack | [`Message::Ping`], [`Message::Ack`], [`Message::PingReq`], [`Message::Nack`] |
//! | k | [`Config::indirect_checks`] |
//! | Alive, Suspect, Confirm, incarnation | [`State`] (Confirm is [`State::Dead`]), [`Incarnation`] |
//! | λ | [`Config::retransmit_mult`] |
//! | round-robin list, random insertion | [`ProbeOrder::RoundRobin`] |
//! | α, β, K | [`Config::suspicion_mult`], [`Config::suspicion_max_mult`], α − 2 as in memberlist |
//! | local health multiplier, S | the node's `health`, [`Config::health_max`] |
//!
//! # Where it differs, and what is left out
//!
//! | what | why, and what it costs |
//! | --- | --- |
//! | dead in incarnation i is overridden by alive in i + 1, as in memberlist | in the paper a failed member stays failed for good, and comes back under another name |
//! | incarnations are on disk | in memberlist a restarted node begins at 1, and learns its last one from whoever it joins through; until then others may hear the wrong one |
//! | a second ping in place of memberlist's ping over TCP | links here lose what they lose, whatever the transport |
//! | members try to reach the dead: that is Serf's part | memberlist alone never joins two halves again that have taken each other for dead for longer than 30 s |
//! | the list of members is by node number | a name never becomes another node's |
//! | encryption, delegates, user messages, awareness of protocol versions | nothing of membership |
//!
//! # Sources
//!
//! - A. Das, I. Gupta, A. Motivala: SWIM: Scalable Weakly-consistent Infection-style Process Group Membership Protocol, DSN 2002.
//!   "§" is a section of it.
//! - A. Dadgar, J. Phillips, J. Currey: Lifeguard: Local Health Awareness for More Accurate Failure Detection, 2017 (arXiv 1707.00788).
//! - `memberlist` and `serf` of `HashiCorp`: parameters, formulas, and what the papers leave open.

pub mod config;
pub mod facts;
mod host;
pub mod invariants;
mod join;
pub mod member;
mod membership;
pub mod message;
mod metrics;
pub mod mutants;
mod order;
mod probe;
mod process;
mod scale;
mod spread;
mod suspicion;
mod sync;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use sim_core::disk::{self, RegionId};
use sim_core::{LocalTime, NodeId, OpId, Span, SyncId};

pub use config::{Accuracy, Config, ConfigError, Formation, ProbeOrder, Rhythm};
pub use facts::Fact;
pub use host::Host;
pub use member::{Incarnation, State, Table};
pub use message::Message;
pub use mutants::Mutant;

use message::ProbeId;
use order::ProbeRound;
use probe::{Probe, Relay};
use spread::Queue;
use suspicion::Suspicion;

/// The region of a node's incarnation.
pub const INCARNATION: RegionId = RegionId::new(0);

/// What is written to disk, into [`INCARNATION`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// The highest incarnation that this node has announced or is about to.
    pub incarnation: Incarnation,
    /// Whether it has left the group: then it stays out when it restarts.
    pub has_left: bool,
}

impl disk::Record for Record {
    fn size(&self) -> u64 {
        8
    }
}

/// What a node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Timer {
    /// The beginning of its next protocol period.
    Period,
    /// An answer to its ping.
    ProbeTimeout,
    /// The next time to gossip.
    Gossip,
    /// The next sync with a member.
    PushPull,
    /// The next sync with one of the dead.
    Reconnect,
    /// An answer of one through which it joins.
    Join,
    /// The end of a suspicion.
    Suspicion(NodeId),
    /// An answer to a ping in another's name.
    Relay(ProbeId),
}

/// How a node stands to the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Standing {
    /// It is up, and waits for its disk before it says so.
    Starting,
    /// It has asked, and nobody has answered yet.
    Joining,
    /// It takes part.
    Member,
    /// It has said that it leaves, and says so until enough have heard.
    Leaving,
    /// It is out, and silent.
    Left,
}

/// Situations worth reaching in a sweep; the index is the place in [`POINTS`].
#[derive(Clone, Copy, Debug)]
enum Point {
    Unanswered,
    AnsweredIndirectly,
    Nacked,
    Suspected,
    Refuted,
    Confirmed,
    Reconnected,
    PacketFull,
}

const POINTS: [&str; 8] = [
    "a ping was not answered in time",
    "a probe was answered through a helper",
    "a helper said that it heard nothing",
    "a member was suspected after a probe",
    "a member refuted what was said of it",
    "a suspicion ended in a death",
    "a member tried to reach one of the dead",
    "there were more updates than a message takes",
];

/// Places inside handlers where a crash is worth trying; the index is the place in [`FAULT_POINTS`].
#[derive(Clone, Copy, Debug)]
enum FaultPoint {
    /// An incarnation is written and not yet durable.
    Written,
    /// It is durable, and nobody has been told of it.
    BeforeAnnounce,
}

const FAULT_POINTS: [&str; 2] = ["incarnation-written", "before-announce"];

/// What a node keeps of the group: who is in it, and who has failed. A process by itself ([`Swim`]), or a part of another one
/// ([`Host`]), which hands it its inputs (`on_start`, `on_message`, `on_timer`, `on_durable`) and asks it ([`Membership::state_of`]).
#[derive(Clone, Serialize)]
pub struct Membership {
    node: NodeId,
    #[serde(skip)]
    config: Arc<Config>,
    /// On disk; all else is in memory. What others may know of it is never higher.
    incarnation: Incarnation,
    /// What is written to disk and not yet durable, with the last sync of it.
    writing: Option<(SyncId, Record)>,
    standing: Standing,
    /// What it believes, of itself too.
    table: Table,
    /// Where periods and rounds of gossip begin, after those of a node with phase zero.
    phase: Span,
    /// The probe of this period that nobody has answered yet.
    probe: Option<Probe>,
    /// The number of the next ping; it begins anywhere, so that answers to an earlier life mean nothing.
    next_probe: u32,
    round: ProbeRound,
    /// What it pings in the name of others.
    relays: BTreeMap<ProbeId, Relay>,
    /// The local health multiplier, less 1: 0 is well.
    health: u32,
    suspicions: BTreeMap<NodeId, Suspicion>,
    /// Since when those who are gone are.
    gone: BTreeMap<NodeId, LocalTime>,
    queue: Queue,
    is_gossip_due: bool,
    is_reconnect_due: bool,
    /// Clients that wait until it has joined or left.
    waiting: Vec<OpId>,
}

/// A membership that is a process by itself. See the [module documentation](self).
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct Swim {
    membership: Membership,
}

impl Swim {
    /// What it keeps of the group.
    pub const fn membership(&self) -> &Membership {
        &self.membership
    }
}

#[cfg(test)]
mod conversations;
#[cfg(test)]
mod tests;
