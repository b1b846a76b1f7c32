//! The Synod: single-decree Paxos. Nodes agree on one value, once, and never change their minds.
//!
//! # What it guarantees
//!
//! With any number of lost, late, repeated and overtaking messages, and of nodes that stop and start again on what
//! their disk kept (Paxos Made Simple, §2.1 and §2.2):
//!
//! | property | says | checked in |
//! | --- | --- | --- |
//! | CS1 | only a value that was proposed may be chosen | [`invariants::OnlyProposed`] |
//! | CS2 | only a single value is chosen | [`invariants::OneValue`] |
//! | CS3 | a process never learns that a value was chosen unless it was | [`invariants::LearnedIsChosen`] |
//! | P2c | a proposal has the value of the highest-numbered earlier one that a quorum may have accepted, if any | [`invariants::P2c`] |
//! | promises | an acceptor accepts nothing below a ballot it has promised, restarts or not | [`invariants::PromiseKept`] |
//! | one proposal a ballot | no ballot is used for two values | [`invariants::OneProposalABallot`] |
//!
//! **What clients see** is a register that can be written once. A write is the client's proposal: it is `Done` when its
//! value was chosen, and refused (`Aborted`) when another one was: then it did not happen and never will. A read gives
//! the chosen value; that there is none it says only after a phase 1 quorum has confirmed it. So histories are
//! linearizable as those of one key, [`REGISTER`], that holds what was chosen. Other keys are not there (`NotFound`), and
//! a chosen value can neither be deleted nor compared and set (`Unsupported`).
//!
//! # The way of a proposal
//!
//! 1. **A client asks** some node, which becomes its *proposer*: every node is proposer, acceptor and learner. Each of
//!    them that has clients may propose at any time; there is no leader.
//! 2. **Prepare (1a).** The proposer takes a [`Ballot`] of its own that is higher than all it has heard of, writes the
//!    round to its disk, so that no restart uses it again, and asks all acceptors for a [`Promise`](Message::Promise).
//! 3. **Promise (1b).** An acceptor that has not promised a higher ballot promises to accept nothing below this one, and
//!    says what it has accepted, if anything, with the highest ballot. It answers when this is on disk. If it has
//!    promised a higher one, it answers with [`Nack`](Message::Nack), and the proposer tries again after a random pause.
//! 4. **Accept (2a).** With promises of a phase 1 quorum the proposer may propose. If any of them reported something
//!    accepted, then the value with the highest ballot among these; only if none did, the value of its own client. That
//!    is the whole secret: a value that was chosen is the only one that can be proposed from then on.
//! 5. **Accepted (2b).** An acceptor that has promised nothing higher accepts, and says so when it is on disk. Accepting
//!    a ballot is also promising it.
//! 6. **Learning.** A value is *chosen* when a phase 2 quorum has accepted one ballot. Whoever hears of that from all of
//!    them has learned it, and answers its clients. With [`Learning::Everybody`] acceptors tell every node; with
//!    [`Learning::Proposer`] they tell the proposer, which tells the others.
//!
//! **Two proposers** can keep each other from getting anywhere for ever, each promise voiding the other's proposal. No
//! asynchronous protocol avoids that for certain (Fischer, Lynch, Paterson, 1985); the random pause makes it unlikely.
//! The scenario `synod/duelling-proposers` leaves the pause out.
//!
//! # The paper's words
//!
//! | Paxos Made Simple | here |
//! | --- | --- |
//! | proposal number | [`Ballot`]: a round, and the proposer, so that no two share one |
//! | proposer, acceptor, learner | `proposer::Proposer`, [`acceptor::Acceptor`], `learner::Learner` |
//! | prepare request, its response | [`Message::Prepare`], [`Message::Promise`] |
//! | accept request | [`Message::Accept`] |
//! | value | [`Proposal`]: the value and whose it is |
//! | stable storage | [`durable`] |
//! | majority | [`Quorums`](crate::replicated::Quorums), one for each phase (Flexible Paxos) |
//!
//! # What is left out, and what that costs
//!
//! | left out | cost |
//! | --- | --- |
//! | a distinguished proposer | two messages' delay more, and duels; Multi-Paxos ([`crate::paxos`]) has a leader |
//! | more than one decision | this is what [`crate::paxos`] adds |
//! | a learner's memory on disk | a node that restarts learns anew, when one of its clients asks |
//!
//! # Sources
//!
//! - L. Lamport: Paxos Made Simple, 2001. "§" is a section of it.
//! - L. Lamport: The Part-Time Parliament, 1998, for the name.
//! - H. Howard, D. Malkhi, A. Spiegelman: Flexible Paxos, 2016, for quorums.
//! - M. Brooker: a note of 2021 on the one sentence of Paxos Made Simple that is easily read wrong: the mutant
//!   `accept-no-bump`.

pub mod acceptor;
pub mod config;
pub mod durable;
pub mod facts;
pub mod invariants;
mod learner;
pub mod message;
mod metrics;
pub mod mutants;
mod process;
mod proposer;
mod types;
mod view;

use std::sync::Arc;

use serde::Serialize;
use sim_core::NodeId;
use sim_core::service::Key;

pub use config::{Config, ConfigError, Learning};
pub use facts::Fact;
pub use message::Message;
pub use mutants::Mutant;
pub use types::{Proposal, Vote};

pub use crate::replicated::Ballot;
use crate::replicated::Outbox;

use acceptor::Acceptor;
use durable::{Deferred, Unflushed};
use learner::Learner;
use proposer::Proposer;

/// The one key that there is.
pub const REGISTER: Key = Key(0);

/// What a node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Timer {
    /// Of a proposer: when this ballot has come to nothing.
    Ballot,
    /// Of a proposer that was pre-empted: when to try the next ballot.
    Retry,
}

/// Situations worth reaching in a sweep; the index is the place in [`POINTS`].
#[derive(Clone, Copy, Debug)]
enum Point {
    Preempted,
    BallotTimedOut,
    ValueAdopted,
    PromiseRefused,
    NothingChosenRead,
}

const POINTS: [&str; 5] = [
    "a proposer was pre-empted by a higher ballot",
    "a ballot came to nothing in time",
    "a proposer adopted a value that an acceptor had accepted",
    "an acceptor refused a ballot below its promise",
    "a read was told by a quorum that nothing is chosen",
];

/// Levels that a node tells of itself.
const GAUGES: [&str; 1] = ["waiting"];
/// The clients that wait for an answer: the place in [`GAUGES`].
const WAITING: usize = 0;

/// Places inside handlers where a crash is worth trying; the index is the place in [`FAULT_POINTS`].
#[derive(Clone, Copy, Debug)]
enum FaultPoint {
    /// A promise or a vote is written and not yet durable.
    AcceptorWritten,
    /// The round of a new ballot is written and not yet durable.
    RoundWritten,
    /// A vote is durable, and nobody has been told of it.
    BeforeAnnounce,
}

const FAULT_POINTS: [&str; 3] = ["acceptor-written", "round-written", "before-announce"];

/// One node of a Synod. See the [module documentation](self).
#[derive(Clone, Serialize)]
pub struct Synod {
    node: NodeId,
    #[serde(skip)]
    config: Arc<Config>,
    /// On disk: what was promised and accepted.
    acceptor: Acceptor,
    /// On disk: the last round in which this node has used its ballot.
    round: u64,
    /// In memory, as all below: what waits for the disk.
    outbox: Outbox<Deferred>,
    unflushed: Unflushed,
    proposer: Proposer,
    learner: Learner,
}

impl Synod {
    /// What this node has promised and accepted.
    pub const fn acceptor(&self) -> &Acceptor {
        &self.acceptor
    }

    /// The value that was chosen, if this node has learned it.
    pub const fn chosen(&self) -> Option<Proposal> {
        self.learner.chosen()
    }
}

#[cfg(test)]
mod conversations;
#[cfg(test)]
mod tests;
