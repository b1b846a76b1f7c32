//! Two-phase commit with presumed abort: money moves between accounts on several nodes, all of it or nothing.
//!
//! # What it guarantees
//!
//! | property | says | checked in |
//! | --- | --- | --- |
//! | AC1 | all processes that reach a decision reach the same one | [`invariants::Agreement`] |
//! | AC2 | a process cannot reverse its decision | [`invariants::NoReversal`] |
//! | AC3 | commit is decided only if all have voted yes | [`invariants::CommitNeedsAllVotes`] |
//! | AC4 | if nothing fails and all vote yes, commit is decided | [`invariants::AllYesCommits`] |
//! | AC5 | if failures are repaired for long enough, all reach a decision | the liveness condition `all-agree` |
//! | conservation | money is neither made nor lost | [`invariants::Conservation`], and the history of the clients |
//!
//! For clients of the service `transfer` the history is linearizable: strict two-phase locking sees to that.
//!
//! **What it cannot** is decide without the coordinator. A participant that has voted yes and hears nothing more is
//! *in doubt*: others may have committed, and others may have aborted. It can only ask, and its accounts are out of
//! everybody's reach until somebody who knows answers. If the coordinator is down and all others are in doubt as well,
//! nobody does: two-phase commit *blocks*.
//!
//! # The way of a transfer
//!
//! ```text
//! client        n1 (coordinator)        n2 (a0)             n3 (a1)
//!   │─ move a0->a1 30 ─>│── Prepare a0-30 ─>│                   │
//!   │                   │── Prepare a1+30 ──────────────────────>│
//!   │                   │                   │ prepared, to disk │ prepared, to disk
//!   │                   │<──── Vote yes ────│                   │
//!   │                   │<──── Vote yes ────────────────────────│
//!   │                   │ commit, to disk   ┊                   ┊   both in doubt
//!   │<────── done ──────│── Commit ────────>│                   ┊
//!   │                   │── Commit ─────────────────────────────>│
//!   │                   │                   │ commit, to disk   │ commit, to disk
//!   │                   │<─ Acknowledge ────│                   │
//!   │                   │<─ Acknowledge ────────────────────────│
//!   │                   │ forgets it        │                   │
//! ```
//!
//! 1. A client asks its coordinator ([`coordinator::Coordinator`]), which sends each participant that has one of the
//!    accounts what is to be done there ([`Message::Prepare`]).
//! 2. A participant ([`participant::Participant`]) votes no if somebody has the account (it never waits, so there is no
//!    deadlock), or if the balance does not suffice. Else it takes the account, writes that to disk, and votes yes.
//! 3. When all have voted yes the coordinator writes the commit to disk, with the participants. **That write is the decision.**
//!    It answers the client, and tells the participants ([`Message::Commit`]).
//! 4. Each writes the commit to disk, does what was asked, lets go of the account and acknowledges. When all have, the coordinator
//!    forgets the transaction.
//! 5. On a no, or on silence, the coordinator aborts: it tells all, **writes nothing and waits for nobody**. A participant
//!    that asks later ([`Message::Inquire`]) is told abort, because the coordinator knows nothing: abort is *presumed*. With
//!    [`Presumption::Nothing`] aborts are written and acknowledged as commits are.
//! 6. An operation that was turned away because of an account is tried again, as another transaction, after a pause.
//!
//! With n participants a commit takes 4n messages and 2n + 1 forced writes: n that are prepared, the decision, n that
//! have ended. An abort takes up to 2n + 1, too, if nothing is presumed; with abort presumed only those of who had voted yes.
//!
//! **Reads** of all balances take all accounts together with other reads. First all tell their balances ([`Message::Read`]) and keep them as
//! they are: each begins a *hold* ([`types::Hold`]). Then all vote on whether that hold has not ended until now
//! ([`Message::PrepareRead`]): at the moment between, all balances held at once. Nothing is written. A hold ends with the vote, in a
//! crash, or when the vote is not asked for in time, and nothing remembers it; so each has a name that does not come again, told with
//! the balances and sent back for the vote. A `Read` that comes twice, late, may begin another hold. Then the vote on the first is no,
//! for balances may have changed between the two.
//!
//! **Recovery.** A coordinator tells what is in its log and not acknowledged; of anything else it knows nothing. A participant
//! that finds itself in doubt takes its accounts again and asks. Of two transactions in its log that have one account, and no end, the
//! earlier was aborted: it had let go of the account, and a commit is on disk before that, while an abort that is presumed need not be,
//! and is not where there was no room. **Termination**: after a while it asks the other participants, too. One
//! that knows the decision tells it. One that has not voted writes that it never will, and both abort.
//!
//! # The papers' words
//!
//! | there | here |
//! | --- | --- |
//! | initial, wait / ready, commit, abort | no entry, [`participant::Stage`], [`participant::Settled`] |
//! | prepare record, commit record, end record | [`durable::Record::Prepared`], [`durable::Record::Decided`] and [`durable::Record::Ended`], [`durable::Record::Forgotten`] |
//! | force-write | a write that something waits for: [`crate::group_commit::GroupCommit`] |
//! | uncertain, in doubt | [`participant::Stage::InDoubt`] |
//! | cooperative termination | [`Termination::Cooperative`] |
//! | presumed abort, presumed nothing | [`Presumption`] |
//! | read-only vote | a vote on a [`Message::PrepareRead`] |
//!
//! # What is left out, and what that costs
//!
//! | left out | cost |
//! | --- | --- |
//! | presumed commit | a commit is acknowledged |
//! | three-phase commit, Paxos Commit | it blocks while the coordinator is down |
//! | checkpoints | the log grows for as long as it runs, and a restart reads all of it |
//! | waiting for accounts | under contention much is tried several times |
//! | transactions with several steps | money moves between two accounts, and the participants are known from the start |
//!
//! # Sources
//!
//! - P. Bernstein, V. Hadzilacos, N. Goodman: Concurrency Control and Recovery in Database Systems, 1987, chapter 7: AC1 to AC5,
//!   termination, blocking.
//! - C. Mohan, B. Lindsay, R. Obermarck: Transaction Management in the R\* Distributed Database Management System, ACM TODS
//!   1986: presumed abort, what is forced.
//! - J. Gray: Notes on Data Base Operating Systems, 1978: two-phase commit.

pub mod accounts;
pub mod config;
pub mod coordinator;
pub mod durable;
pub mod facts;
pub mod invariants;
pub mod message;
mod metrics;
pub mod mutants;
pub mod participant;
mod process;
pub mod types;
mod view;

use serde::Serialize;

pub use config::{Config, ConfigError, Presumption, Termination};
pub use facts::Fact;
pub use message::Message;
pub use mutants::Mutant;
pub use types::{Decision, Txn};

use process::{misdirected, send};

/// What a node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Timer {
    /// Of a coordinator whose disk was full when it started: when to begin its life.
    Open,
    /// Of a coordinator: the end of a pause, or of its patience with votes.
    Work(Txn),
    /// Of a coordinator: when to tell its decision again.
    Resend(Txn),
    /// Of a participant: when to ask for a decision; of a read, when to give it up.
    Doubt(Txn),
}

/// Situations worth reaching in a sweep; the index is the place in [`POINTS`].
#[derive(Clone, Copy, Debug)]
enum Point {
    RestartedInDoubt,
    RestartedWithDecision,
    Inquired,
    BothInDoubt,
    TerminatedByPeer,
    Presumed,
    VotesTimedOut,
    OutOfAttempts,
    HeldAnew,
    AbortRecovered,
}

const POINTS: [&str; 10] = [
    "a participant restarted in doubt",
    "a coordinator restarted with a decision to tell",
    "a participant asked for a decision",
    "a participant in doubt asked another that was in doubt",
    "a participant told another the decision",
    "a coordinator presumed an abort",
    "votes did not come in time",
    "an operation was tried as often as it may be, in vain",
    "a participant was asked for a hold that had ended, and had begun another",
    "a participant found by its log that one was aborted whose end is not in it",
];

/// Places inside handlers where a crash is worth trying; the index is the place in [`FAULT_POINTS`].
#[derive(Clone, Copy, Debug)]
enum FaultPoint {
    /// A yes is written and not yet durable.
    PreparedWritten,
    /// A yes is durable, and nobody has been told.
    BeforeVote,
    /// A commit is written at the coordinator and not yet durable.
    DecisionWritten,
    /// A decision is durable, and nobody has been told.
    BeforeTelling,
    /// Some participants have been told, and others not.
    WhileTelling,
    /// A decision is written at a participant and not yet durable.
    EndWritten,
}

const FAULT_POINTS: [&str; 6] =
    ["prepared-written", "before-vote", "decision-written", "before-telling", "while-telling", "end-written"];

/// One node, by its role. See the [module documentation](self).
#[derive(Clone, Serialize)]
pub enum TwoPhaseCommit {
    /// Decides: the first nodes.
    Coordinator(coordinator::Coordinator),
    /// Has accounts: the others.
    Participant(participant::Participant),
}

impl TwoPhaseCommit {
    /// The coordinator, if this is one.
    pub const fn coordinator(&self) -> Option<&coordinator::Coordinator> {
        if let Self::Coordinator(coordinator) = self { Some(coordinator) } else { None }
    }

    /// The participant, if this is one.
    pub const fn participant(&self) -> Option<&participant::Participant> {
        if let Self::Participant(participant) = self { Some(participant) } else { None }
    }
}

#[cfg(test)]
mod conversations;
#[cfg(test)]
mod tests;
