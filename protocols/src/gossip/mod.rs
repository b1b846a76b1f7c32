//! Gossip: epidemics after Demers et al. A rumor spreads as a disease does, and nobody keeps account of who has it.
//!
//! This is rumor mongering, in [`rumor`] and [`calls`]; anti-entropy is [`crate::epidemic`].
//!
//! # What it guarantees
//!
//! | property | says | checked in |
//! | --- | --- | --- |
//! | validity | a site knows only values that clients have broadcast | [`invariants::OnlyBroadcast`] |
//! | stages | a site that has lost interest in a rumor still knows it, and never spreads it again | [`invariants::RemovedStaysRemoved`] |
//! | interest | a site loses interest when the rule says so, no sooner and no later | [`invariants::InterestByRule`] |
//! | limits | a site takes and makes no more calls in a cycle than it may | [`invariants::CallsInBounds`] |
//! | partners | whom a site calls does not depend on who knows the rumor | [`invariants::PartnersUniform`] |
//!
//! **What it does not** is reach everybody. When all who knew a rumor have lost interest, some sites may never have
//! heard it: the *residue*. It falls exponentially with the traffic that one pays for, and is never zero. That is what
//! the parameters are about, and why a client's broadcast is `Done` when one site has it.
//!
//! # The way of a rumor
//!
//! ```text
//!  cycle     n1               n2               n3
//!    │ Send(7) from a client   │                │
//!    ├────── begins            │                │
//!    │── Push 7 ──────────────>│ learns 7       │
//!    │<── Feedback needed=7 ───│                │     counter of n1: 0
//!    ├────── begins ───────────┤                │
//!    │── Push 7 ──────────────>│── Push 7 ─────>│ learns 7
//!    │<── Feedback known=7 ────│                │     counter of n1: 1
//! ```
//!
//! 1. A client broadcasts at a site, which is *infective* from then on: the rumor is hot ([`rumor::Held`]).
//! 2. A cycle begins ([`Timer::Cycle`]). A site with hot rumors calls another one, drawn from all, and sends them
//!    ([`Message::Push`]). With [`Spread::Pull`] it is the other way round: every site calls in every cycle, and is sent
//!    what is hot where it called ([`Message::Answer`]); [`Spread::PushPull`] does both in one call.
//! 3. Whoever hears a rumor for the first time is infective from its next cycle on.
//! 4. With [`Judging::Feedback`] the one who got a rumor says whether it needed it. When the next cycle begins the sender
//!    counts: a cycle in which somebody needed the rumor begins the count anew, one in which all had it counts once. With
//!    [`Judging::Blind`] each cycle counts in which it was shared.
//! 5. After k of these ([`Interest::Counter`]), or after each with a chance of 1/k ([`Interest::Coin`]), the site is
//!    *removed*: it has lost interest.
//! 6. With a connection limit a site refuses calls beyond so many in a cycle ([`Message::Busy`]). Who was refused hunts: it
//!    calls others, up to the hunt limit.
//!
//! **What is "needed"?** What a site did not know when its cycle began. Two sites may push the same rumor to a third in one
//! cycle, and both were useful. The paper does not say so, nor that a useful contact sets the counter to zero, nor that a
//! site that was pulled from several times in a cycle counts once (that one is in a footnote to table 3). Its tables
//! come out only with all three: `splitbrain reproduce gossip`.
//!
//! # The paper's words
//!
//! | Demers et al. | here |
//! | --- | --- |
//! | site, update | node, value: a [`message::Rumor`] on its way |
//! | susceptible, infective, removed | not known, [`Stage::Infective`], [`Stage::Removed`] |
//! | blind, feedback | [`Judging`] |
//! | counter, coin, k | [`Interest`] |
//! | push, pull | [`Spread`] |
//! | minimization | [`Config::minimization`]: counters travel with feedback |
//! | connection limit, hunting | [`Config::connection_limit`], [`Config::hunt_limit`] |
//! | cycle | [`Config::cycle`]; all at once with [`Rhythm::Together`], as the paper simulates it |
//! | residue s, traffic m, delay t | 1 less `sites-reached` a site; `updates` a site; the latency `spread` |
//!
//! # What is left out, and what that costs
//!
//! | left out | cost |
//! | --- | --- |
//! | anti-entropy, to back rumors up (§1.5) | the residue stays; a site that was down or apart while a rumor was hot misses it |
//! | a disk | what a crash takes is gone, and with it a broadcast that nobody else has heard yet |
//! | keys and timestamps: values are only ever added | nothing can be overwritten or deleted |
//! | spatial distributions (§3) | every pair of sites talks, however far apart |
//!
//! # Sources
//!
//! - A. Demers, D. Greene, C. Hauser, W. Irish, J. Larson, S. Shenker, H. Sturgis, D. Swinehart, D. Terry: Epidemic
//!   Algorithms for Replicated Database Maintenance, PODC 1987; Xerox PARC CSL-89-1. "§" is a section of it.
//! - B. Pittel: On Spreading a Rumor, 1987: how many cycles a push takes.

pub mod calls;
pub mod config;
pub mod facts;
pub mod invariants;
pub mod message;
mod metrics;
pub mod mutants;
mod process;
pub mod rumor;
mod view;

use serde::Serialize;
use sim_core::{NodeId, Span};

pub use config::{Config, ConfigError, Interest, Judging, Rhythm, Spread};
pub use facts::Fact;
pub use message::Message;
pub use mutants::Mutant;
pub use rumor::{Response, Stage};

use calls::Tally;
use rumor::Rumors;

/// What a site waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Timer {
    /// The beginning of its next cycle.
    Cycle,
}

/// Situations worth reaching in a sweep; the index is the place in [`POINTS`].
#[derive(Clone, Copy, Debug)]
enum Point {
    Unneeded,
    Refused,
    Hunted,
}

const POINTS: [&str; 3] = [
    "a site was told that nobody needed its rumor",
    "a site refused a call because of its connection limit",
    "a site that was refused called another one",
];

/// One site. See the [module documentation](self).
#[derive(Clone, Serialize)]
pub struct Gossip {
    node: NodeId,
    config: Config,
    /// When its cycles begin, after those of a site with phase zero; below a cycle.
    phase: Span,
    /// Whether the timer of the next cycle is armed.
    is_awaiting: bool,
    rumors: Rumors,
    /// The calls that it has made.
    made: Tally,
    /// The calls that it has taken.
    taken: Tally,
    /// Whom a mutant calls.
    heard_from: Option<NodeId>,
}

#[cfg(test)]
mod conversations;
#[cfg(test)]
mod tests;
