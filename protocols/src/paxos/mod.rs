//! Multi-Paxos: a sequence of decisions, and on it a key-value store that behaves as one machine while a quorum lives.
//!
//! [`crate::synod`] decides one value. Here there is a Synod for every *slot* of a sequence, and what makes it fast is that
//! phase 1 is run for all of them at once: whoever has done that is the *leader*, and needs one round trip a command.
//!
//! # What it guarantees
//!
//! With any number of lost, late, repeated and overtaking messages, and of nodes that stop and start again on what
//! their disk kept (Paxos Made Moderately Complex, §2 to §4):
//!
//! | property | says | checked in |
//! | --- | --- | --- |
//! | R1 | no two different proposals are decided for a slot | [`invariants::OneDecision`] |
//! | R2 | what is executed is decided, without holes | [`invariants::NoHoles`] |
//! | R3 | the state is the result of the decisions in order | [`invariants::SameSequence`] |
//! | R4 | how far a node has executed never falls | [`invariants::SlotRises`] |
//! | A1 | the ballot of an acceptor rises | [`invariants::BallotsRise`] |
//! | A2 | it accepts under its ballot only | [`invariants::AcceptsItsBallot`] |
//! | A3 | it never loses what it has accepted | [`invariants::KeepsPvalues`] |
//! | A4 | acceptors that accept the same ballot for a slot accept the same proposal | [`invariants::OneProposalABallot`] |
//! | A5 | what is chosen is all that is accepted under later ballots | [`invariants::ChosenStays`] |
//! | C1 | at most one proposal for a ballot and a slot | [`invariants::OneCommander`] |
//! | C2 | what is chosen is all that is proposed under later ballots | [`invariants::ProposalsFollowChosen`] |
//! | CS3 | what is taken for decided is chosen | [`invariants::DecidedIsChosen`] |
//! | – | who has lost its disk is silent until it is readmitted | [`invariants::LostAcceptorsWait`] |
//!
//! For clients this means linearizability: a write that was answered is seen by every read that starts later, and a
//! command that was retried takes effect once.
//!
//! # The way of a write
//!
//! 1. **A leader must be there.** A follower that hears of none for a random time becomes a candidate: it promises itself a
//!    [`Ballot`] above all it has heard of, and once that is on disk asks the others to promise it, too, for all slots from
//!    the first that it does not know to be decided ([`Prepare`](Message::Prepare)).
//! 2. **Acceptors promise**, when it is on disk, and report all that they have accepted ([`Promise`](Message::Promise)).
//!    A candidate that hears of decisions it does not know learns them first. With a phase 1 quorum it leads (`election`).
//! 3. **It finishes what was begun.** For each slot with a report it proposes what was reported with the highest ballot,
//!    because that may be chosen; for slots between them a no-op (`phase_two`).
//! 4. **A client asks** some node, which sends it to the leader. The command gets the next slot
//!    ([`Accept`](Message::Accept)), up to α slots beyond what is executed: commands are decided side by side.
//! 5. **Acceptors accept**, and say so when it is on disk ([`Accepted`](Message::Accepted)). With a phase 2 quorum the slot
//!    is decided; the leader executes it when all before it are, and answers.
//! 6. **The others learn** with the next message how far everything is decided. What they have accepted under the leader's
//!    ballot is what was decided; for the rest they ask (`catch_up`), and get decisions or a snapshot (`snapshot`).
//!
//! **A read** takes no slot: see `reads`. **A restart** finds on disk what was promised, accepted and learned ([`durable`]).
//! **Acceptors come and go** by decisions like any other, a window of slots later: see [`membership`] and `reconfigure`.
//!
//! **A lost disk**, empty or unreadable, makes a node a non-voting member: it learns, and is an acceptor again in a new
//! [`Life`] once it is readmitted by a decision (`rejoin`). Never is anything decided otherwise because of it, whatever number
//! of disks is lost; while those that are left have quorums of both phases, it goes on, too.
//!
//! **An epoch number** tells whether a master was master all the time between two requests (Paxos Made Live §5.3). Here it is the
//! leader's ballot. Who is deposed and leads again does so with a higher one, and takes nothing along: clients that waited
//! for a slot or a read are sent on, answers to heartbeats of the older ballot are not counted, a lease is not kept. So no
//! request is answered that reached a leader before it was deposed, and it need not carry the number.
//!
//! # The papers' words
//!
//! | PMMC | here |
//! | --- | --- |
//! | ballot number | [`Ballot`] |
//! | pvalue ⟨b, s, p⟩ | [`Pvalue`] |
//! | acceptor: `ballot_num`, `accepted` | [`Paxos::promised`], [`log::Log`] |
//! | scout; p1a, p1b | `role::Candidate`; [`Message::Prepare`], [`Message::Promise`] |
//! | commander; p2a, p2b | `role::Commander`; [`Message::Accept`], [`Message::Accepted`] |
//! | preempted | [`Message::Nack`] |
//! | pmax | `role::Preparation::adopted` |
//! | replica: `slot_in`, `slot_out`, `decisions` | `role::Leader::next`, [`Paxos::machine`]'s applied, [`log::Log`] |
//! | WINDOW | [`config::Config::window`] |
//! | master lease (Paxos Made Live §5.2) | [`config::Lease`] |
//! | epoch number of a master (Paxos Made Live §5.3) | [`Ballot`] of a leader |
//! | non-voting member (Paxos Made Live §5.1) | [`Paxos::is_non_voting`] |
//!
//! # What is left out, and what that costs
//!
//! | left out | cost |
//! | --- | --- |
//! | leader stickiness | a node that comes back from a partition pre-empts a leader that is well, unless reads go by a lease |
//! | leadership transfer | a leader goes only by being pre-empted or removed |
//! | sessions that expire | the table of clients grows with their number |
//!
//! A full disk makes a node deaf, not wrong: what it cannot write counts as a message that was lost.
//!
//! # Sources
//!
//! - R. van Renesse, D. Altinbuken: Paxos Made Moderately Complex (PMMC), 2015. "§" is a section of it where no other
//!   paper is named.
//! - L. Lamport: Paxos Made Simple, 2001, §3: the sequence of instances, gaps and no-ops.
//! - T. Chandra, R. Griesemer, J. Redstone: Paxos Made Live, 2007: lost disks, leases, epoch numbers, snapshots.
//! - H. Howard, D. Malkhi, A. Spiegelman: Flexible Paxos, 2016: quorums.

mod catch_up;
pub mod config;
pub mod durable;
mod election;
pub mod facts;
pub mod invariants;
pub mod log;
pub mod membership;
pub mod message;
mod metrics;
pub mod mutants;
mod phase_two;
mod process;
mod reads;
mod reconfigure;
mod rejoin;
mod role;
pub mod snapshot;
pub mod types;
mod view;
mod voters;

use std::sync::Arc;

use serde::Serialize;
use sim_core::NodeId;

pub use config::{Config, ConfigError, Lease};
pub use facts::Fact;
pub use message::Message;
pub use mutants::Mutant;
pub use types::{Proposal, Pvalue};

pub use crate::replicated::{Ballot, Chain, Index, Life};
use crate::replicated::{Outbox, StateMachine};

use durable::{Deferred, Unflushed};
use log::Log;
use membership::Membership;
use reads::Grant;
use rejoin::Birth;
use role::Role;
use snapshot::{Incoming, Snapshot};

/// What a node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Timer {
    /// Of a follower or candidate: when no leader is heard of until then, it campaigns.
    Election,
    /// Of a leader: when to send the next heartbeats.
    Heartbeat,
}

/// Situations worth reaching in a sweep; the index is the place in [`POINTS`].
#[derive(Clone, Copy, Debug)]
enum Point {
    CandidacyTimedOut,
    CandidateCatchesUp,
    LeaderCatchesUp,
    StrangerCampaigns,
    Preempted,
    LeaderDeposed,
    RetryAnswered,
    AcceptRepeated,
    FollowerCatchesUp,
    SnapshotTaken,
    SnapshotInstalled,
    ReadRound,
    LeaseRead,
    LeaseHonoured,
    Reconfigured,
    DiskLost,
    DiskUnreadable,
    Readmitted,
    ReadmissionSealed,
}

const POINTS: [&str; 19] = [
    "a candidacy ended without a leader",
    "a candidate learned decisions before it led",
    "a leader learned decisions before it counted the promise of a later acceptor",
    "somebody who is no acceptor, as far as the other knew, campaigned",
    "a leader or candidate was pre-empted by a higher ballot",
    "a leader was deposed",
    "a retry was answered without executing it again",
    "a leader repeated what an acceptor had not answered",
    "a follower asked for decisions it had missed",
    "a snapshot was taken",
    "a snapshot of another node was installed",
    "a round of heartbeats was started for a read",
    "a read was answered under a lease",
    "an acceptor refused a candidate because of a lease",
    "the acceptors were changed",
    "a node found its disk empty that had held something",
    "a node found something unreadable on its disk",
    "a node that had lost its disk was readmitted",
    "a readmitted node became the acceptor of the next slot",
];

/// Levels that a node tells of itself; the index is the place in [`GAUGES`].
#[derive(Clone, Copy, Debug)]
enum Level {
    /// The slots after the last that it knows to be decided without a hole, up to the last that it knows anything of.
    Undecided,
    /// The slots that it filled with no-ops when it came to lead last: nobody had reported anything for them.
    Gap,
}

const GAUGES: [&str; 2] = ["undecided", "gap"];

/// Places inside handlers where a crash is worth trying; the index is the place in [`FAULT_POINTS`].
#[derive(Clone, Copy, Debug)]
enum FaultPoint {
    /// A higher ballot is written and not yet durable.
    BallotWritten,
    /// Proposals are written as accepted, and not yet durable.
    AcceptedWritten,
    /// All parts of a snapshot are staged, and it is not yet the snapshot.
    SnapshotStaged,
    /// A snapshot is durable, and the journal still has what it stands for.
    BeforeCompaction,
    /// Slots are decided and not yet executed.
    BeforeApply,
    /// The new life of a node that has lost its disk is durable, and what can still be read of the old one is not dropped.
    BeforeForgetting,
    /// A node that was readmitted knows everything before its first slot, and has not marked it as decided.
    BeforeSeal,
}

const FAULT_POINTS: [&str; 7] = [
    "ballot-written",
    "accepted-written",
    "snapshot-staged",
    "before-compaction",
    "before-apply",
    "before-forgetting",
    "before-seal",
];

/// One node of a Multi-Paxos cluster. See the [module documentation](self).
#[derive(Clone, Serialize)]
pub struct Paxos {
    node: NodeId,
    #[serde(skip)]
    config: Arc<Config>,
    /// On disk: in which life it is. Another one whenever the disk was lost.
    life: Life,
    /// In memory: whether that is on disk yet.
    birth: Birth,
    /// In memory: once everything up to here is executed, it is an acceptor again, and its disk is to say so.
    seal: Option<Index>,
    /// On disk: the highest ballot promised (PMMC: `ballot_num`). Only `write_ballot` changes it.
    promised: Ballot,
    /// On disk: what was accepted. In memory: what is decided.
    log: Log,
    /// On disk: the last snapshot.
    snapshot: Option<Arc<Snapshot>>,
    /// In memory, as all below: what waits for the disk.
    outbox: Outbox<Deferred>,
    unflushed: Unflushed,
    /// The disk says that everything up to here is decided.
    marked: Index,
    /// Who decides what.
    membership: Membership,
    machine: StateMachine,
    role: Role,
    /// The highest ballot of anybody that this node was refused for.
    highest: Ballot,
    /// A snapshot that is being fetched.
    incoming: Option<Incoming>,
    /// The slot of the state that was taken over from another node and is not on disk.
    installing: Option<Index>,
    /// To whom this acceptor is bound.
    grant: Option<Grant>,
}

impl Paxos {
    /// The highest ballot promised.
    pub const fn promised(&self) -> Ballot {
        self.promised
    }

    /// Whether it has lost its disk, and is no acceptor of any slot yet, as far as it knows.
    pub fn is_non_voting(&self) -> bool {
        self.membership.latest_life(self.node) != self.life
    }

    /// What is accepted and decided.
    pub const fn log(&self) -> &Log {
        &self.log
    }

    /// The state machine.
    pub const fn machine(&self) -> &StateMachine {
        &self.machine
    }

    /// Who decides what.
    pub const fn membership(&self) -> &Membership {
        &self.membership
    }

    /// Whether this node believes to lead.
    pub const fn is_leader(&self) -> bool {
        matches!(self.role, Role::Leader(_))
    }
}

#[cfg(test)]
mod conversations;
#[cfg(test)]
mod tests;
