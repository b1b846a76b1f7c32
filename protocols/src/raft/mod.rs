//! Raft: a replicated log, and on it a key-value store that behaves as one machine while a majority lives.
//!
//! # What it guarantees
//!
//! With any number of lost, late, repeated and overtaking messages, and of nodes that stop and start again on what
//! their disk kept (paper, Figure 3):
//!
//! | property | says | checked in |
//! | --- | --- | --- |
//! | Election Safety | at most one leader a term | [`invariants::ElectionSafety`] |
//! | Leader Append-Only | a leader never removes or replaces entries of its log | [`invariants::LeaderAppendOnly`] |
//! | Log Matching | logs that agree on index and term of an entry agree on all before it | [`invariants::LogMatching`] |
//! | Leader Completeness | what is committed is in the log of every later leader | [`invariants::LeaderCompleteness`] |
//! | State Machine Safety | no two nodes execute different commands at an index | [`invariants::StateMachineSafety`] |
//!
//! For clients this means linearizability: a write that was answered is seen by every read that starts later, and
//! a command that was retried takes effect once. While a majority is connected and messages arrive well within an
//! election timeout, there is soon a leader, and what clients ask is answered.
//!
//! # The way of a write
//!
//! 1. **A leader must be there.** Nodes are followers ([`Timer::Election`]). One that hears of no leader for a
//!    random time becomes a candidate: it raises its [`Term`], votes for itself, and once that is on disk sends
//!    [`RequestVote`](Message::RequestVote) (§5.2). Others vote once a term, for a log that covers theirs (§5.4.1),
//!    and answer when the vote is on disk. With a majority it leads, and appends a no-op (`election`).
//! 2. **A client asks** some node. A follower names the leader it knows: `Outcome::Redirect` (§8). The leader first
//!    looks whether the command is a retry that was executed already ([`StateMachine`]).
//! 3. **The leader appends** an [`Entry`] to its [`log`] and sends it to the followers in
//!    [`AppendEntries`](Message::AppendEntries), while its own disk writes (§5.3; dissertation §10.2.1). Each message
//!    names the entry before its first one.
//! 4. **A follower** that has that entry makes its log the leader's from there, and answers once this is on disk.
//!    One that has not says what it has instead, and the leader goes back (`replication`).
//! 5. **The entry is committed** when a majority has it on disk and it is of the leader's term (§5.4.2). The leader
//!    executes it and answers the client. Followers learn of it with the next message, and execute it too.
//!
//! **A read** takes no entry: the leader takes note of its commit index, makes sure with a round of heartbeats that
//! it still leads, and answers when it has executed so far (`reads`; §8).
//!
//! **A restart** finds term, vote and log on disk ([`durable`]), and nothing else: the node is a follower that knows
//! nothing to be committed, and executes the log from its beginning as it learns how far it is.
//!
//! # The paper's words
//!
//! | paper (Figure 2) | here |
//! | --- | --- |
//! | `currentTerm`, `votedFor` | [`durable::HardState`] |
//! | `log[]` | [`log::Log`] |
//! | `commitIndex` | [`log::Log::commit`] |
//! | `lastApplied` | [`StateMachine::applied`] |
//! | `nextIndex[]`, `matchIndex[]` | `replication::Progress` |
//! | `AppendEntries` RPC, heartbeat | [`message::AppendEntries`], without entries |
//! | `RequestVote` RPC | [`message::RequestVote`] |
//! | election timeout, heartbeat | [`Timer::Election`], [`Timer::Heartbeat`], [`config::Config`] |
//! | `readIndex` (dissertation §6.4) | `reads::Read` |
//! | client sessions (§8; dissertation §6.3) | [`StateMachine::recall`] |
//!
//! # What is left out, and what that costs
//!
//! | left out | cost |
//! | --- | --- |
//! | pre-vote, check-quorum (dissertation §6.2, §9.6) | a node that comes back from a partition deposes a leader that is well; a leader cut off from the majority keeps the belief that it leads (and answers nothing) |
//! | snapshots (§7) | the log grows for ever, and a restart executes all of it |
//! | membership changes (§6) | the members are those of the configuration |
//! | leadership transfer (dissertation §3.10) | a leader goes only by being deposed |
//! | sessions that expire (dissertation §6.3) | the table of clients grows with their number |
//! | reads at followers, leases (dissertation §6.4) | every read goes to the leader and waits for a round of heartbeats |
//!
//! A full disk makes a node deaf, not wrong: what it cannot write counts as a message that was lost.
//!
//! # Sources
//!
//! - D. Ongaro, J. Ousterhout: In Search of an Understandable Consensus Algorithm (extended version), 2014. "§" is
//!   a section of it.
//! - D. Ongaro: Consensus: Bridging Theory and Practice, dissertation, 2014.
//! - D. Ongaro: `raft.tla`, and etcd's `etcdraft.tla`, for the names of the invariants.

pub mod config;
pub mod durable;
mod election;
pub mod facts;
pub mod invariants;
pub mod log;
pub mod message;
pub mod mutants;
mod process;
mod reads;
mod replication;
mod role;
pub mod types;
mod view;

use std::sync::Arc;

use serde::Serialize;
use sim_core::NodeId;

pub use config::{Config, ConfigError};
pub use facts::Fact;
pub use message::Message;
pub use mutants::Mutant;
pub use types::{Entry, Term};

use crate::replicated::StateMachine;
pub use crate::replicated::{Chain, Command, Index};

use durable::{HardState, Outbox};
use log::Log;
use role::Role;

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
    LeaderDeposed,
    LogConflict,
    RetryAnswered,
    ReadRound,
}

const POINTS: [&str; 5] = [
    "a candidacy ended without a leader",
    "a leader was deposed",
    "a follower refused entries that do not fit its log",
    "a retry was answered without executing it again",
    "a round of heartbeats was started for a read",
];

/// One node of a Raft cluster. See the [module documentation](self).
#[derive(Clone, Serialize)]
pub struct Raft {
    node: NodeId,
    /// Its place among the members; `None` for a node that only sends clients elsewhere.
    slot: Option<usize>,
    #[serde(skip)]
    config: Arc<Config>,
    /// On disk: term and vote. Only `write_hard_state` changes it.
    hard: HardState,
    /// On disk: the entries. In memory: how far they are durable and committed.
    log: Log,
    /// In memory, as all below: what waits for the disk.
    outbox: Outbox,
    role: Role,
    machine: StateMachine,
}

impl Raft {
    /// The current term (§5.1).
    #[inline]
    pub fn term(&self) -> Term {
        self.hard.term
    }

    /// Who got this node's vote in the current term (§5.2).
    pub fn vote(&self) -> Option<NodeId> {
        self.hard.vote
    }

    /// The log.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The state machine.
    pub fn machine(&self) -> &StateMachine {
        &self.machine
    }

    /// Whether this node believes to lead its term.
    pub fn is_leader(&self) -> bool {
        matches!(self.role, Role::Leader(_))
    }
}

#[cfg(test)]
mod conversations;
#[cfg(test)]
mod tests;
