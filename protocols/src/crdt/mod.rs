//! Replicated data that merges: counters, sets, registers and maps whose replicas never wait for each other (CRDTs).
//!
//! Any replica takes any change, alone and at once. Replicas send each other what they have, in any order, as often as
//! they like, and some of it is lost: those that have been told the same have the same state, because states are joined
//! by an operation that is associative, commutative and idempotent. The types and their laws are in [`types`].
//!
//! # What it guarantees
//!
//! | property | says | checked in |
//! | --- | --- | --- |
//! | validity | a replica holds nothing but changes that clients have asked for | [`invariants::OnlyMade`] |
//! | monotony | the state of a replica only grows, until a crash | [`invariants::StateGrows`] |
//! | names | a change is news to its replica: no name of an event is used twice | [`invariants::MadeOnce`] |
//! | durability | a change that a client was told of stays at its replica, also after a crash | [`invariants::AcknowledgedSurvives`] |
//! | adding wins | a value goes only where somebody who had seen it removed or replaced it | [`invariants::AddsWin`] |
//! | strong eventual consistency | when changes and faults end, all replicas come to the same state | `all-agree`, after the faults; and the laws |
//!
//! **What it does not** is order anything: a read may miss what was done elsewhere long ago, a counter may be read low by one
//! client and high by the next, and two clients may see two changes in different orders.
//!
//! # The way of a change
//!
//! ```text
//!        n1                                  n2                       n3
//!  add 5 │                                    │                        │
//!        │ delta {n1:+5}, syncs               │                        │
//!  done  │── Delta {n1:+5} upto=1 ───────────>│ syncs, joins it        │
//!        │<────────────────────── Ack upto=1 ─│── Delta {n1:+5} ──────>│
//! ```
//!
//! 1. A client's change is made a *delta*: a small state which holds the change and nothing else ([`Data`]). It is
//!    written to disk and holds when it is synced ([`durable`]): only then is it joined to the state, sent, and answered.
//! 2. Each period a replica sends to another one, drawn from all ([`exchange`]): its whole state ([`Shipping::State`]), or the
//!    join of all deltas that the other one has not acknowledged ([`Shipping::Delta`]).
//! 3. Whoever is sent something writes it down, joins it, acknowledges it when it is on disk, and passes it on as it does its own.
//! 4. Deltas that all have acknowledged are forgotten. Where one is needed that is not kept any more, and after a restart, the whole state
//!    is sent.
//!
//! # The papers' words
//!
//! | Shapiro et al., Almeida et al. | here |
//! | --- | --- |
//! | state-based object, join semilattice, merge | [`Data`], [`types::Join`] |
//! | δ-mutator, delta, delta-interval | [`Data`], what is made of a change; the join of several |
//! | X, c, D, A of algorithm 2 | `state`, `changes`, `deltas`, `acknowledged` |
//! | dot, causal context, dot store | [`types::Dot`], [`types::Context`], [`types::Causal`] |
//!
//! # What is left out, and what that costs
//!
//! | left out | cost |
//! | --- | --- |
//! | operation-based replication over causal broadcast | deltas carry what makes them safe to repeat |
//! | sessions, in which a request is known again | an addition that a client asks for twice counts twice |
//! | digests, to compare before sending | a whole state is sent where an equal one may be |
//! | cleaning of the log on disk | it grows with every change |
//! | garbage collection of replicas that are gone | a context keeps a number for each replica there ever was |
//! | 2P-sets, LWW registers and sequences as services | they are types with their laws, for other protocols; [`epidemic`](crate::epidemic) is a map of LWW registers |
//!
//! # Sources
//!
//! - M. Shapiro, N. Preguiça, C. Baquero, M. Zawirski: Conflict-free Replicated Data Types, SSS 2011; A Comprehensive Study
//!   of Convergent and Commutative Replicated Data Types, INRIA RR-7506, 2011. "§" of types is of the study.
//! - P. S. Almeida, A. Shoker, C. Baquero: Delta State Replicated Data Types, JPDC 2018.
//! - A. Bieniusa et al.: An Optimized Conflict-free Replicated Set, INRIA RR-8083, 2012.
//! - H.-G. Roh, M. Jeon, J.-S. Kim, J. Lee: Replicated Abstract Data Types, JPDC 2011: the growable array.

pub mod config;
pub mod data;
pub mod durable;
pub mod exchange;
pub mod facts;
pub mod invariants;
pub mod message;
mod metrics;
pub mod mutants;
mod process;
pub mod types;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use sim_core::NodeId;

pub use config::{Config, ConfigError, Kind, Shipping};
pub use data::Data;
pub use facts::Fact;
pub use message::Message;
pub use mutants::Mutant;

use crate::group_commit::GroupCommit;
use durable::Deferred;

/// What a replica waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Timer {
    /// The time to send to another replica.
    Shipping,
}

/// Situations worth reaching in a sweep; the index is the place in [`POINTS`].
#[derive(Clone, Copy, Debug)]
enum Point {
    WholeState,
    NoRoom,
}

const POINTS: [&str; 2] = [
    "a replica sent its whole state because it does not keep what the other one lacks",
    "a replica's disk had no room for what another one sent",
];

/// One replica. See the [module documentation](self).
#[derive(Clone, Serialize)]
pub struct Crdt {
    node: NodeId,
    config: Config,
    /// What holds: all that is on disk.
    state: Arc<Data>,
    /// The same with what is on its way to disk: new changes are made with it.
    staged: Arc<Data>,
    /// How many deltas it has joined: the place of the next one in the log.
    changes: u64,
    /// Deltas by number, without gaps, for those that have not acknowledged them.
    deltas: BTreeMap<u64, Arc<Data>>,
    /// How many of its changes each other replica has on disk, as far as it has heard in this life.
    acknowledged: BTreeMap<NodeId, u64>,
    /// The log, and what waits for it.
    commit: GroupCommit<Deferred>,
}

impl Crdt {
    /// What holds at this replica.
    pub const fn state(&self) -> &Arc<Data> {
        &self.state
    }
}

#[cfg(test)]
mod conversations;
#[cfg(test)]
mod tests;
