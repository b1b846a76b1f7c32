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
//! election timeout, there is soon a leader, and what clients ask is answered. What these rest on in turn is checked
//! as well: see [`invariants`].
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
//!    names the entry before its first one (`replication`).
//! 4. **A follower** that has that entry makes its log the leader's from there, and answers once this is on disk.
//!    One that has not says what it has instead, and the leader goes back (`progress`).
//! 5. **The entry is committed** when a majority has it on disk and it is of the leader's term (§5.4.2). The leader
//!    executes it and answers the client. Followers learn of it with the next message, and execute it too (`commit`).
//!
//! # Beside that way
//!
//! **A read** takes no entry: the leader takes note of its commit index, makes sure with a round of heartbeats that
//! it still leads, and answers when it has executed so far. Three other ways, and what each costs, are in `reads` (§8).
//!
//! **A restart** finds term, vote, log and snapshot on disk ([`durable`]), and nothing else: the node is a follower that
//! knows nothing beyond the snapshot to be committed, and executes the log as it learns how far it is (`recovery`).
//!
//! **A snapshot** of the state machine stands for the entries that made it, so that logs stay short. A follower that
//! lacks entries nobody has any more gets the snapshot instead ([`snapshot`], sent in `ship`, taken in `receive`; §7).
//!
//! **The members change** by entries that are in force from the moment they are in a log ([`membership`]). One voter
//! more or less takes one step; more go through a joint membership, in which majorities of the old and of the new one
//! must agree. A new node gets the log before it may vote (`reconfigure`; §6; dissertation §4).
//!
//! **Leadership is handed over** when a client wants it: the leader brings the other up to date and tells it to
//! campaign at once (`transfer`; dissertation §3.10).
//!
//! # What is a switch
//!
//! As the paper has it, all of these are off, and the first two columns show what then happens.
//!
//! | without | happens | with | in |
//! | --- | --- | --- | --- |
//! | pre-vote (dissertation §9.6) | a node that comes back from a partition brings a newer term and deposes a leader that is well | `pre_vote`: it asks first whether it would win, in its old term | `election` |
//! | check-quorum (dissertation §6.2) | a leader that reaches nobody believes that it leads, and clients wait for it | `check_quorum`: it steps down after an election timeout | `contact` |
//! | stickiness (dissertation §4.2.3) | a node that was removed can depose leaders | `stickiness`: who hears of a leader ignores candidates | `contact` |
//! | leases (dissertation §6.4.1) | a read costs a round trip | `reads: lease`: none, while clocks keep what `drift_max` says | `reads` |
//! | several flushes at once | an entry waits for the flush under way | `syncs_max`: up to so many, each counted for what it covered | [`durable`] |
//! | overlapped votes (dissertation §9.3) | an election takes two writes to disk, one after the other | `overlap_own_vote`: a candidate asks while it writes | [`durable`] |
//! | sessions that expire (dissertation §6.3) | the table of clients grows with their number | `sessions_max`: the oldest goes, at the same entry on all nodes | [`StateMachine`] |
//!
//! Limits (`append_entries_max`, `in_flight_max`, `uncommitted_max` and the like) bound what a slow follower or a cut-off
//! leader may cost. [`Config`] has all parameters with their defaults, and refuses what makes no sense together.
//!
//! # The paper's words
//!
//! | paper | here |
//! | --- | --- |
//! | `currentTerm`, `votedFor` (Figure 2) | [`durable::HardState`] |
//! | `log[]` | [`log::Log`] |
//! | `commitIndex` | [`log::Log::commit`] |
//! | `lastApplied` | [`StateMachine::applied`] |
//! | `nextIndex[]`, `matchIndex[]` | `progress::Progress` |
//! | `AppendEntries` RPC, heartbeat | [`message::AppendEntries`], without entries |
//! | `RequestVote` RPC | [`message::RequestVote`] |
//! | `InstallSnapshot` RPC (Figure 13) | [`message::InstallSnapshot`]; offsets count items, not bytes |
//! | `lastIncludedIndex`, `lastIncludedTerm`, last configuration (§7) | [`SnapshotMeta`] |
//! | `C_old,new` (§6) | a [`Membership`] that is joint |
//! | election timeout, heartbeat | [`Timer::Election`], [`Timer::Heartbeat`], [`config::Config`] |
//! | `readIndex` (dissertation §6.4) | `reads::Read` |
//! | client sessions (§8; dissertation §6.3) | [`StateMachine::recall`] |
//! | `TimeoutNow` (dissertation §3.10) | [`Message::TimeoutNow`] |
//!
//! # What is left out, and what that costs
//!
//! | left out | cost |
//! | --- | --- |
//! | registering clients (dissertation §6.3) | a session that expired leaves a number behind, 8 bytes a client for ever |
//! | telling a node that it was removed | it campaigns until it hears otherwise: `pre_vote` and `stickiness` make that harmless |
//! | a follower that passes proposals on to its leader | the client is sent there, which takes a round trip more |
//! | priorities among candidates | whoever times out first leads, wherever that is |
//! | commits that need several sites | a majority may be in one data centre |
//! | snapshots that a follower asks for, and such as only hold what has changed | a follower that is far behind waits for a heartbeat, and gets all of it |
//! | byzantine nodes | a node that lies, or a disk that loses what it confirmed, can break everything above |
//!
//! A full disk makes a node deaf, not wrong: what it cannot write counts as a message that was lost.
//!
//! **When a membership is in force** is a choice (`takes_effect`). The paper's rule is the default: from when it is appended.
//! etcd puts it in force when it is executed. A node may then decide by a membership two steps behind the one that others
//! decide by, and majorities two steps apart need not meet: it has both entries in its log, does not know that they are
//! committed, and wins an election by the old one while somebody else wins the same term by the new one. That nobody
//! campaigns with memberships it knows to be committed and has not executed, and that one change is pending at a time, do
//! not prevent that alone: a node that has restarted need not know. So a third rule is added here: a membership that another
//! one follows in the log is in force too, executed or not, because a leader appends the next one only when it has executed
//! the last. The one that commits a membership is then always the membership before it, and majorities of the two meet. What
//! `OnApply` costs: a node that is removed may have to agree to that, and a cluster that loses a leader right after a removal
//! may wait for the one who was removed. [`Mutant::ConfigOnApply`] lacks all three rules.
//!
//! # To see it at work
//!
//! The folder `conversations` holds stories of one situation each, with every message: begin with
//! `campaign_wins_with_the_votes_of_a_majority.txt`, `a_write_is_answered_when_a_majority_has_it.txt` and the three of
//! `figure_8`. Those that begin with `mutant` show what each rule is for: they leave it out ([`mutants`]).
//!
//! # Other uses
//!
//! Nothing here but `kv` knows of keys and values. What is replicated is an [`Application`], a state machine; the process that
//! a replica is or is part of is its [`Host`]. The message queue keeps its log in a [`Replica`] of its own
//! ([`crate::queue::replicated`]): it hands it the inputs that are for it, adds commands ([`Replica::submit`]) and takes from
//! the state machine what has become of them. So do the controllers of the partitioned log ([`crate::log`]). What Raft
//! promises is checked there, too: [`invariants::Hosted`].
//!
//! # Sources
//!
//! - D. Ongaro, J. Ousterhout: In Search of an Understandable Consensus Algorithm (extended version), 2014. "§" is
//!   a section of it.
//! - D. Ongaro: Consensus: Bridging Theory and Practice, dissertation, 2014.
//! - D. Ongaro: message to the list raft-dev on single-server membership changes, 2015.
//! - D. Ongaro: `raft.tla`, and etcd's `etcdraft.tla`, for the names of the invariants.
//! - etcd's `raft`, for the situations that its `testdata` tells; ours are in words of our own.

mod commit;
pub mod config;
mod contact;
pub mod durable;
mod election;
pub mod facts;
mod host;
pub mod invariants;
mod kv;
pub mod log;
pub mod membership;
pub mod message;
mod metrics;
pub mod mutants;
mod office;
mod process;
mod progress;
mod reads;
mod receive;
mod reconfigure;
mod recovery;
mod replication;
mod role;
mod ship;
pub mod snapshot;
mod transfer;
pub mod types;
mod view;

use std::sync::Arc;

use serde::Serialize;
use sim_core::{LocalTime, NodeId};

pub use config::{Config, ConfigError, ReadMode, TakesEffect, Transition};
pub use facts::Fact;
pub use host::{Application, Host, MessageOf, RecordOf};
pub use membership::Membership;
pub use message::Message;
pub use mutants::Mutant;
pub use office::Office;
pub use snapshot::SnapshotMeta;
pub use types::{Entry, Payload, Term};

pub use crate::replicated::{Chain, Command, Index, NodeSet, SessionPolicy};
use crate::replicated::{Outbox, StateMachine};

use durable::{Flush, HardState, Unflushed};
use host::DeferredOf;
use log::Log;
use receive::Incoming;
use role::{Role, RoleOf};
use snapshot::Snapshot;

/// What a node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Timer {
    /// Of a follower or candidate: when no leader is heard of until then, it campaigns.
    Election,
    /// Of a leader: when to send the next heartbeats.
    Heartbeat,
    /// Of a leader: when to look whether a majority still answers.
    Quorum,
    /// Of a leader: when to give up a transfer of leadership.
    Transfer,
    /// When to execute the next committed entries, where that is a step of its own.
    Apply,
}

/// Situations worth reaching in a sweep; the index is the place in [`POINTS`].
#[derive(Clone, Copy, Debug)]
enum Point {
    CandidacyTimedOut,
    LeaderDeposed,
    LogConflict,
    RetryAnswered,
    ReadRound,
    QuorumLost,
    TransferReceived,
    TransferAborted,
    SnapshotTaken,
    SnapshotShipped,
    SnapshotInstalled,
    MembersChanged,
    LeaderRemoved,
    CatchUpFailed,
    ReadForwarded,
}

const POINTS: [&str; 15] = [
    "a candidacy ended without a leader",
    "a leader was deposed",
    "a follower refused entries that do not fit its log",
    "a retry was answered without executing it again",
    "a round of heartbeats was started for a read",
    "a leader stepped down because no majority answered",
    "a node campaigned because its leader wanted it to",
    "a transfer of leadership was given up",
    "a snapshot was taken",
    "a follower was behind the compacted log and got a snapshot",
    "a follower took over a leader's snapshot",
    "a leader changed the members",
    "a leader that was removed stepped down",
    "a new node did not catch up in time",
    "a follower asked its leader about a read",
];

/// Places inside handlers where a crash is worth trying; the index is the place in [`FAULT_POINTS`].
#[derive(Clone, Copy, Debug)]
enum FaultPoint {
    /// Term and vote are written and not yet durable.
    HardStateWritten,
    /// All parts of a snapshot are staged, and it is not yet the snapshot.
    SnapshotStaged,
    /// A snapshot is durable, and the log still has what it stands for.
    BeforeCompaction,
    /// Entries are committed and not yet executed.
    BeforeApply,
}

/// Their names. A process that has a replica lists them with its own.
pub(crate) const FAULT_POINTS: [&str; 4] =
    ["hard-state-written", "snapshot-staged", "before-compaction", "before-apply"];

/// One node of a Raft cluster with the key-value store. See the [module documentation](self).
pub type Raft = Replica<StateMachine>;

/// One node of a Raft cluster, whatever is replicated. See the [module documentation](self).
#[derive(Clone, Serialize)]
#[serde(bound = "")]
pub struct Replica<A: Application> {
    node: NodeId,
    #[serde(skip)]
    config: Arc<Config>,
    /// On disk: term and vote. Only `write_hard_state` changes it.
    hard: HardState,
    /// On disk: the entries. In memory: how far they are durable and committed.
    log: Log<A::Command>,
    /// On disk: the last snapshot; of nothing at first.
    snapshot: Snapshot<A::Item>,
    /// In memory, as all below: the membership in force, and the entry that brought it. Only `refresh_members` changes
    /// it: it follows from the log.
    members: Membership,
    members_index: Index,
    /// What waits for the disk.
    outbox: Outbox<DeferredOf<A>, Flush>,
    unflushed: Unflushed,
    /// The latest term in which a message has left.
    spoke_in: Term,
    role: RoleOf<A>,
    machine: A,
    /// When a leader was heard of last, by the own clock; kept only where somebody wants to know.
    heard: Option<LocalTime>,
    /// A snapshot of this node's own, until it is durable.
    taking: Option<Snapshot<A::Item>>,
    /// A leader's snapshot, until it is durable.
    incoming: Option<Incoming<A::Item>>,
    /// Whether the next step of execution is due.
    is_applying: bool,
    /// The last entry that the disk had at the start.
    recovered_index: Index,
}

impl<A: Application> Replica<A> {
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
    pub fn log(&self) -> &Log<A::Command> {
        &self.log
    }

    /// The state machine.
    pub fn machine(&self) -> &A {
        &self.machine
    }

    /// The state machine, for its process to take from it what it tells beside answers.
    pub const fn machine_mut(&mut self) -> &mut A {
        &mut self.machine
    }

    /// The membership in force at this node.
    pub fn members(&self) -> &Membership {
        &self.members
    }

    /// What the last snapshot is of.
    pub fn snapshot(&self) -> &SnapshotMeta {
        &self.snapshot.meta
    }

    /// The parameters.
    pub fn config(&self) -> &Config {
        &self.config
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
