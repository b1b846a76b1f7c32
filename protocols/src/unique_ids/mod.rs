//! Unique ids: numbers that nobody else gets, from nodes that need not ask one another.
//!
//! # What it guarantees
//!
//! | property | says | checked in |
//! | --- | --- | --- |
//! | unique | no id is given twice, by whatever node, over crashes | [`invariants::Unique`], and the history of the clients |
//! | rises at its node | what a node gives is larger than what it has given, over crashes | [`invariants::RisesAtNode`] |
//! | time in id | while all clocks are right, the time in an id is when it was given: ids are sorted but for ε | [`invariants::TimeInId`] |
//! | causal order | with hybrid clocks, an id is larger than all that its node has heard of | [`invariants::CausalOrder`] |
//!
//! Any node that runs gives ids, however few others it reaches.
//!
//! # Three ways
//!
//! ```text
//!             63                                                                0
//! Counter      node (16) | counter (48)
//! Snowflake    0 | milliseconds of the wall clock (41) | node (10) | sequence (12)
//! Hybrid       l of the hybrid clock (38) | c (16) | node (10)
//! ```
//!
//! | | sorted by time | when the wall clock goes back | limits |
//! | --- | --- | --- | --- |
//! | [`Kind::Counter`] | no | does not matter | 65,536 nodes |
//! | [`Kind::Snowflake`] | yes, but for ε | the node gives none until its clock is where it was ([`Regress`]) | 4,096 ids a millisecond and node, 69 years |
//! | [`Kind::Hybrid`] | yes, and by cause | goes on | 208 days from the start of the clock |
//!
//! All three have a *position* that must not be used twice: a counter, a millisecond, a time of the hybrid clock.
//!
//! # The way of an id
//!
//! 1. A client asks some node.
//! 2. The node takes its next position. Only positions below a bound that is **on disk** may be used ([`generator`]). So a node
//!    reserves a block of them ahead: it writes the bound of the next block when half of this one is gone. Under steady load
//!    nobody waits, as long as that is fast enough; after a time without requests the clock is past the bound, and the first
//!    one waits for the disk.
//! 3. If the block is used up, requests wait until the next bound is durable.
//! 4. After a crash a node goes on at the bound that it finds, up to one and a half blocks ahead: what is left of them is lost, for
//!    it may have been used. A Snowflake node waits until its clock is there; a hybrid clock takes the bound for its time, and is
//!    ahead until physical time is there.
//!
//! With hybrid clocks nodes tell each other the time now and then ([`Message::Beat`]), which is what a system does with each of
//! its messages: whoever has heard of an id gives larger ones. A time that is further ahead than clocks can be apart is not taken
//! ([`crate::clocks::TooFarAhead`]): that of a node that has restarted, too, until physical time has caught up with it.
//!
//! # Words
//!
//! | there | here |
//! | --- | --- |
//! | worker number, datacenter and machine id (Snowflake) | the node |
//! | sequence (Snowflake) | [`generator`] |
//! | hi, lo (hi/lo algorithm) | the bound on disk, the positions below it |
//! | l, c, pt, ε (Kulkarni et al.) | [`crate::clocks::Hybrid`] |
//! | k-sorted | [`invariants::TimeInId`] |
//!
//! # What is left out, and what that costs
//!
//! | left out | cost |
//! | --- | --- |
//! | a service that gives out numbers of nodes | two nodes with one number give the same ids: here the scenario numbers them |
//! | random ids (UUID version 4) | – : there is nothing to go wrong but the source of randomness |
//! | an epoch other than the start of the wall clock | – |
//!
//! # Sources
//!
//! - Twitter: Announcing Snowflake, 2010, and its README: 41, 10 and 12 bits; ids are refused while the clock is back.
//! - The hi/lo algorithm, as in Ambler: Agile Database Techniques, 2003: blocks that are reserved.
//! - S. Kulkarni et al.: Logical Physical Clocks, OPODIS 2014.

pub mod config;
pub mod facts;
pub mod generator;
pub mod invariants;
pub mod message;
mod metrics;
pub mod mutants;
mod process;
mod view;

use std::collections::VecDeque;
use std::sync::Arc;

use serde::Serialize;
use sim_core::disk::{self, RegionId};
use sim_core::{NodeId, OpId};

pub use config::{Config, ConfigError, Kind, Regress};
pub use facts::Fact;
pub use message::Message;
pub use mutants::Mutant;

use crate::group_commit::GroupCommit;
use generator::Generator;

/// What a node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Timer {
    /// When to look at the clock again, or try the disk again.
    Wait,
    /// When to tell others the time.
    Beat,
}

/// Situations worth reaching in a sweep; the index is the place in [`POINTS`].
#[derive(Clone, Copy, Debug)]
enum Point {
    BlockUsedUp,
    ClockBack,
    RestartedWithBound,
    RemoteAhead,
    TooFarAhead,
    DiskFull,
}

const POINTS: [&str; 6] = [
    "requests waited for the next block",
    "the wall clock was back",
    "a node went on at the bound on its disk",
    "the clock of another node was ahead",
    "the clock of another node was too far ahead",
    "a full disk kept a block from being reserved",
];

/// Places inside handlers where a crash is worth trying; the index is the place in [`FAULT_POINTS`].
#[derive(Clone, Copy, Debug)]
enum FaultPoint {
    /// A bound is written, and not yet durable.
    BoundWritten,
    /// A bound is durable, and nothing above the one before was used.
    BeforeBlock,
    /// An id was given.
    IdGiven,
}

const FAULT_POINTS: [&str; 3] = ["bound-written", "before-block", "id-given"];

/// The only region, a cell: the bound below which positions may have been used.
pub const BOUND: RegionId = RegionId::new(0);

/// What is written to disk: positions below this one may have been used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Bound(pub u64);

impl disk::Record for Bound {
    fn size(&self) -> u64 {
        8
    }
}

/// One node. See the [module documentation](self).
#[derive(Clone, Serialize)]
pub struct UniqueIds {
    node: NodeId,
    #[serde(skip)]
    config: Arc<Config>,
    generator: Generator,
    /// Positions below may be used: that is on disk.
    bound: u64,
    /// The bound that is on its way there; equal to `bound` if none is.
    wanted: u64,
    writes: GroupCommit<u64>,
    /// Who has asked, and has no id yet.
    waiting: VecDeque<OpId>,
}

#[cfg(test)]
mod conversations;
#[cfg(test)]
pub(crate) mod tests;
