//! Plumtree over HyParView: a broadcast that goes by a tree while nothing happens, and by gossip where the tree is broken.
//!
//! HyParView keeps the overlay: each node has a few neighbours, mutual ones, and knows some others that may take their place.
//! Plumtree sends values over the links of the overlay. It begins as flooding; each duplicate takes a link out of the tree, and
//! over those links values are only announced from then on. Who hears of a value and does not get it asks for it, and that takes
//! the link in again.
//!
//! # What it guarantees
//!
//! | property | says | checked in |
//! | --- | --- | --- |
//! | no permanent miss | who hears of a value gets it or asks for it in time, again and again, as long as somebody is left who has it | [`invariants::NoPermanentMiss`] |
//! | grafts are answered | who is asked for a value that it has sends it | [`invariants::GraftsAnswered`] |
//! | the tree | a link is taken in and out of the tree by the rules, and by nothing else | [`invariants::EagerByRule`] |
//! | integrity | a node delivers what was broadcast, once, and counts its hops | [`invariants::DeliveredOnce`], [`invariants::HopsCounted`] |
//! | views | they are within their bounds, without the node itself, and nobody is in both | [`invariants::ViewsInBounds`] |
//! | the passive view | one is removed only for a neighbour's place, silence, or another one | [`invariants::PassiveByRule`] |
//! | requests | high priority is never refused, low priority displaces nobody | [`invariants::RequestsByPriority`] |
//! | walks | a newcomer's walk ends after ARWL hops | [`invariants::WalksEnd`] |
//! | failures | a neighbour is dropped when its detector says so, no sooner and no later | [`invariants::FailuresNoticed`] |
//! | free places | a node with room asks all whom it knows, one after the other | [`invariants::PlacesSought`] |
//! | symmetry, a connected overlay, equal values | after faults each neighbour is a mutual one that runs, all reach all, and all have the same values | the liveness condition `all-agree` |
//!
//! That the links of the tree connect everybody (the paper's other liveness property) holds once a value has been everywhere, and
//! is broken by each failure until the next value mends it; the tests of whole worlds see to that.
//!
//! Values of several senders that are on their way at once can each cut the same ring of links at another place. That leaves the
//! tree in two parts, and costs a graft; with one sender each ring is cut once.
//!
//! **What it does not**: there is no order, and no disk. A value whose only holder crashes is gone, though its broadcast was
//! answered. An overlay of which two parts have lost each other's addresses is two.
//!
//! # The way of a value
//!
//! ```text
//!   n1 ────── n2            flooding: all links are eager
//!    │      / │             n1 Gossip 7 to n2 and n3; n2 passes it on to n3 and n4
//!    │    /   │             n3 has it from n1: Prune to n2. The link n2–n3 is lazy now
//!   n3      n4
//!                           the next value goes n1–n2, n1–n3, n2–n4: once to each. n3 and n2 announce it to each other (IHave)
//!   n1 ──✗── n2             n1–n2 breaks. n2 hears of value 8 from n3 by IHave, waits, and grafts:
//!    │      / │             Graft 8 to n3, and Gossip 8 from n3: the link n2–n3 is eager again
//! ```
//!
//! 1. A client broadcasts at a node, which delivers ([`Fact::Delivered`]): it sends the value over eager links ([`Message::Gossip`]),
//!    and announces it over lazy ones ([`Message::IHave`]), at once or several together ([`Config::announce_interval`]).
//! 2. Who gets it for the first time takes the link into the tree, and does the same (`tree`).
//! 3. Who gets it again takes the link out, and says so ([`Message::Prune`]).
//! 4. Who hears of it and does not get it within timeout1 ([`Timer::Graft`]) asks whoever announced it first ([`Message::Graft`]), and
//!    after timeout2 the next. The link is in the tree, in both directions.
//! 5. Who gets it by many more hops than another one had announced takes that link in and the other one out
//!    ([`Config::optimisation`]).
//!
//! # The way of a node
//!
//! 1. It joins through a contact ([`Message::Join`]), which takes it as a neighbour, drops another one where it has no room, and sends a
//!    walk out by each of its other neighbours ([`Message::ForwardJoin`]). Where a walk ends, after ARWL hops, the newcomer gets one
//!    neighbour more; PRWL hops before its end it is noted in a passive view (`join`).
//! 2. A neighbour that is gone is replaced by one of the passive view ([`Message::Neighbour`]), which may refuse if it has no room and the one
//!    who asks has other neighbours.
//! 3. Now and then it exchanges nodes with one at the end of a walk ([`Message::Shuffle`]), so that passive views know who is there (`shuffle`).
//! 4. Keep-alives ([`Message::KeepAlive`]) do what TCP does in the papers (`link`): they tell of half-open links and of failures, by
//!    a [detector](crate::detector).
//!
//! # The papers' words
//!
//! | Leitão, Pereira, Rodrigues | here |
//! | --- | --- |
//! | `eagerPushPeers`, `lazyPushPeers` | [`Push`] of a [`Neighbour`] |
//! | GOSSIP(m, mID, round), IHAVE, PRUNE, GRAFT | [`Message::Gossip`], [`Message::IHave`], [`Message::Prune`], [`Message::Graft`]; a value is its own mID |
//! | missing, timer, timeout1, timeout2 | [`Plumtree::missing`], [`Timer::Graft`], [`Config::graft_timeout`], [`Config::graft_retry`] |
//! | optimisation threshold | [`Config::optimisation`] |
//! | `NeighborUp`, `NeighborDown` | [`Fact::Up`], [`Fact::Down`] |
//! | active view, passive view | [`Plumtree::neighbours`], [`Plumtree::passive`] |
//! | JOIN, FORWARDJOIN, NEIGHBOR, DISCONNECT, SHUFFLE, SHUFFLEREPLY | [`Message::Join`] and so on |
//! | ARWL, PRWL, ka, kp | [`Config::active_walk`], [`Config::passive_walk`], [`Config::shuffle_active`], [`Config::shuffle_passive`] |
//! | relative message redundancy | `payloads` / `deliveries` - 1 |
//! | last delivery hop | the highest `hops` of a node |
//! | reliability | `deliveries` / (n - 1), for each of `broadcasts` |
//!
//! # Where it differs, and what is left out
//!
//! | what | why, and what it costs |
//! | --- | --- |
//! | links and keep-alives in place of TCP | messages get lost here whatever the transport; a failure takes a detector's time to be noticed |
//! | keep-alives announce what was not confirmed, from the beginning on a new link | the papers have no recovery for who was apart or lost an announcement; off with [`Config::catch_up`]. Twelve bytes a value and link |
//! | those who were lost are tried again, and anybody while there is room | HyParView alone never joins two halves again; off with [`Config::reconnect_interval`]. Each one who comes back displaces a neighbour |
//! | one who has announced is asked again after all others | in the paper once each, as nothing is lost there |
//! | the walk of a shuffle has ARWL hops | the paper leaves its length open |
//! | values are remembered for good | the paper leaves open when they can be forgotten |
//! | GRAFT has no round | the value is sent with the hops that it has really made |
//!
//! # Sources
//!
//! - J. Leitão, J. Pereira, L. Rodrigues: Epidemic Broadcast Trees, SRDS 2007; University of Lisbon TR-07-14.
//! - J. Leitão, J. Pereira, L. Rodrigues: `HyParView`: a Membership Protocol for Reliable Gossip-Based Broadcast, DSN 2007.
//! - `Serf` of `HashiCorp`: reconnecting.

pub mod config;
pub mod facts;
pub mod invariants;
mod join;
pub mod known;
pub mod link;
pub mod message;
mod metrics;
pub mod mutants;
mod overlay;
mod process;
mod shuffle;
mod tree;
mod view;

use serde::Serialize;
use sim_core::service::Value;
use sim_core::{LocalTime, NodeId};

pub use config::{Config, ConfigError};
pub use facts::Fact;
pub use link::{Neighbour, Push};
pub use message::Message;
pub use mutants::Mutant;

use join::Ask;
use known::{Known, Missing};
use overlay::Views;

/// What a node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Timer {
    /// The next keep-alives.
    KeepAlive,
    /// The first neighbour whose silence gets suspicious.
    Silence,
    /// The next shuffle.
    Shuffle,
    /// The next try to reach one whom it has lost.
    Reconnect,
    /// The next announcements.
    Announce,
    /// An answer of one who was asked to be a neighbour.
    Connect(NodeId),
    /// A value that was announced.
    Graft(Value),
}

/// Situations worth reaching in a sweep; the index is the place in [`POINTS`].
#[derive(Clone, Copy, Debug)]
enum Point {
    Displaced,
    Failed,
    Late,
    Unreachable,
    HalfOpen,
    Reconnected,
    Grafted,
    Optimised,
}

const POINTS: [&str; 8] = [
    "a neighbour made room for another one",
    "a neighbour was silent for too long",
    "a neighbour was found when there was no room any more",
    "one who was asked to be a neighbour did not answer",
    "a keep-alive came by a link that only one end knew",
    "a node tried to reach one whom it had lost",
    "a value that was announced was asked for",
    "a shorter way was taken into the tree",
];

/// One node. See the [module documentation](self).
#[derive(Clone, Serialize)]
pub struct Plumtree {
    node: NodeId,
    config: Config,
    views: Views,
    /// Who was asked to be a neighbour: each once.
    asked: Vec<Ask>,
    /// Who has refused since it looks for a neighbour.
    tried: Vec<NodeId>,
    /// Those of its passive view that it sent in its last shuffle.
    shuffled: Vec<NodeId>,
    /// When keep-alives are due.
    keep_alive_due: LocalTime,
    /// When it looks for silent neighbours; `None` where it has none.
    silence_due: Option<LocalTime>,
    known: Known,
    /// How many values it had when it sent its last keep-alives.
    settled: u64,
    /// And at those before them.
    settled_before: u64,
    missing: Missing,
    /// Whether announcements wait.
    is_announcing: bool,
}

#[cfg(test)]
mod conversations;
#[cfg(test)]
mod tests;
