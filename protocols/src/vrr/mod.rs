//! Viewstamped Replication Revisited: a replicated log without a disk, and on it a key-value store that behaves as one
//! machine while a majority lives and remembers.
//!
//! # What it guarantees
//!
//! With any number of lost, late, repeated and overtaking messages, and of replicas that crash, forget everything, and
//! start again:
//!
//! | property | says | checked in |
//! | --- | --- | --- |
//! | one start a view | a view is started at most once, by its primary | [`invariants::OneStartAView`] |
//! | Log Matching | logs that agree on view and op-number of an entry agree on all before it | [`invariants::LogMatching`] |
//! | committed survives | what is committed is in the log of every later view (§8) | [`invariants::CommittedSurvives`] |
//! | State Machine Safety | no two replicas execute different requests at an op-number | [`invariants::StateMachineSafety`] |
//! | acknowledged is kept | what a replica has acknowledged it has, or it is in a later view, crash or not | [`invariants::AcknowledgedIsKept`] |
//! | executed once | the client table sees to it that a repeated request has no second effect | [`invariants::ExecutedOnce`] |
//! | one group an epoch | all agree on who is in the group of an epoch, and where it begins (§7) | [`invariants::OneGroupAnEpoch`] |
//!
//! For clients this means linearizability. While at most f of 2f + 1 replicas are down or without memory, the others are
//! connected, and messages arrive well within a view change timeout, there is soon a primary, and what clients ask is
//! answered. With more than f of them empty at once nothing wrong happens, but the group is dead: nobody can tell what
//! was committed ([`Process::forgotten`](sim_core::Process::forgotten)). That is the price of having no disk.
//!
//! While one group hands over to another, that holds for both: until a quorum of the new group has started, at most f of
//! the old and at most f′ of the new may be down or without memory. Who loses its memory meanwhile stays without until
//! the new group has started, because the old one gives no more answers. From then on the old group does not matter.
//!
//! # The way of a write
//!
//! 1. **A primary is there.** Replicas move through numbered [`View`]s, and the members take turns: the primary of view
//!    v is member v mod n (§4). A new group begins in view 0 at once, without an election.
//! 2. **A client asks** some replica. A backup names the primary: `Outcome::Redirect`. The primary looks into the client
//!    table (part of [`StateMachine`]) whether it knows the request already.
//! 3. **The primary** gives the request the next op-number, appends it to its [`log`], and sends
//!    [`Prepare`](Message::Prepare) to the backups (`normal`; §4.1).
//! 4. **A backup** appends it when it has everything before it, and answers [`PrepareOk`](Message::PrepareOk).
//! 5. **With f answers** a majority holds the request: it is committed. The primary executes it and answers the client.
//!    Backups learn of it with the next `Prepare` or [`Commit`](Message::Commit), and execute it too.
//!
//! **A view change** (`view_change`; §4.2) comes when a backup has not heard of its primary for a time. It tells the
//! others ([`StartViewChange`](Message::StartViewChange)), who join in; each sends the next primary what it has
//! ([`DoViewChange`](Message::DoViewChange)); with those of a majority the new primary knows all that was committed, and
//! starts the view ([`StartView`](Message::StartView)).
//!
//! **A crash** takes everything. A replica that starts again asks the others (`recovery`; §4.3), and takes part in nothing
//! before it has answers from a majority of them. What it promised before the crash it cannot know: [`crash_vector`] is
//! why that does no harm, and what the published protocol lacks.
//!
//! **A change of the group** is an entry too, the last one of its epoch (`reconfigure`; §7). When the old group has
//! committed it, who was in it tells the new one ([`StartEpoch`](Message::StartEpoch)). Each member of that fetches what
//! it lacks, waits until a quorum has left the old epoch, and takes part in the new one, from its view 0 on
//! (`transition`). Who was replaced stays until a quorum has started ([`EpochStarted`](Message::EpochStarted)).
//!
//! **A replica that is behind** gets what it lacks from the primary (`transfer`; §5.2), old entries as a checkpoint (§5.1).
//!
//! **A read** takes no op-number, but a round of messages (`reads`); or it goes through the log.
//!
//! # The paper's words
//!
//! | paper (Figure 2) | here |
//! | --- | --- |
//! | configuration, replica-number i | [`Group::members`], [`Group::slot`] |
//! | epoch-number, old-configuration (§7) | [`Epoch`], [`epoch::EpochStart::old`] |
//! | view-number | [`View::number`] |
//! | status: normal, view-change, recovering | `status::Status` |
//! | op-number, log | [`log::Log::op_number`], [`log::Log`] |
//! | commit-number | [`log::Log::commit_number`] |
//! | client-table | [`StateMachine::recall`] |
//! | status transitioning (§7.1) | `status::Transitioning` |
//! | Reconfiguration (§7.1) | [`types::Request::Reconfigure`] |
//! | last normal view v′ (§4.2) | [`Vrr::last_normal_view`] |
//! | viewstamp (1988) | [`types::Entry::view`] with its op-number |
//! | nonce x (§4.3) | [`types::Nonce`] |
//! | crash vector (Michael et al. 2017) | [`crash_vector::CrashVector`] |
//! | checkpoint (§5.1) | [`message::Checkpoint`] |
//! | batching (§6.2) | [`config::Config::batch_max`] |
//!
//! # Where this is not the published protocol, and why
//!
//! | published | here | because |
//! | --- | --- | --- |
//! | recovery in one round with a nonce (§4.3) | a round before it, and crash vectors in the messages of view changes | a `DoViewChange` sent before the crash may start a view after it (mutant `published-recovery`) |
//! | a replica that hears of a newer view cuts its log first (§5.2) | it cuts its log when it has the new one | it may be needed for a view change in between (mutant `truncates-before-transfer`) |
//! | a new replica starts with the first `StartEpoch` and the state (§7.1) | it waits until a quorum has left the old epoch | else a replica might vote in the new epoch, forget it, recover in the old one, and vote otherwise (mutant `epoch-not-sealed`; [`epoch`]) |
//! | only replaced replicas send `StartEpoch` on | all who are between two epochs do, also to the old group | the quorum has to get together |
//! | who recovers knows its group | it asks every node | the group may be another by now; the paper has administrators publish it (§7.4) |
//! | nothing about lost messages of a view change | they are repeated every heartbeat, with what is known by then | liveness |
//! | backups don't answer `Commit` | they do | lost entries show, and reads need rounds |
//!
//! # What is left out, and what that costs
//!
//! | left out | cost |
//! | --- | --- |
//! | `CheckEpoch` (§7.3) | an administrator learns that a change is committed, not that the new group has started |
//! | warm-up of new replicas (§7.5) | a new replica fetches the state while its group waits, if it is needed for a quorum |
//! | a departure whose sender has an incarnation that never took part is not counted | if f others of the old group are empty besides, the new epoch does not start |
//! | read leases, reads at backups (§6.3) | every read goes to the primary, and waits for a round of messages |
//! | witnesses (§6.1) | every replica executes |
//! | a checkpoint on disk and its Merkle tree (§5.1) | who recovers gets the whole state in one message |
//! | timeouts that grow | with messages slower than the timeouts, view changes go on for ever |
//! | sessions that expire | the client table grows with the number of clients |
//!
//! How a replica knows that it has been there before: whoever starts a new group says so, here by
//! [`Context::is_first_start`](sim_core::Context::is_first_start). Nothing is on disk. A replica that knows that it has not,
//! or that has recovered into an epoch, knows that it was in no later one: a quorum was still in that epoch after its start.
//! It may go on into the next. One that does not know recovers into whatever epoch it hears of.
//!
//! # Sources
//!
//! - B. Liskov, J. Cowling: Viewstamped Replication Revisited, MIT-CSAIL-TR-2012-021, 2012. "§" is a section of it.
//! - E. Michael, D. Ports, N. Sharma, A. Szekeres: Recovering Shared Objects Without Stable Storage, DISC 2017, for crash
//!   vectors. The two rounds of recovery, and what is done about lives that never took part, are after its idea, not
//!   its pseudocode.
//! - J. Vanlightly: VR Revisited, an analysis with TLA+, 2022, for the defect of state transfer.
//! - B. Oki, B. Liskov: Viewstamped Replication, PODC 1988, for the word.

pub mod config;
pub mod crash_vector;
pub mod epoch;
pub mod facts;
pub mod group;
pub mod invariants;
pub mod log;
pub mod message;
mod metrics;
pub mod mutants;
mod normal;
mod process;
mod reads;
mod reconfigure;
mod recovery;
mod status;
mod transfer;
mod transition;
pub mod types;
mod view;
mod view_change;
mod wire;

use std::sync::Arc;

use serde::Serialize;
use sim_core::{NodeId, disk};

pub use config::{Config, ConfigError, ReadMode};
pub use facts::Fact;
pub use group::Group;
pub use message::Message;
pub use mutants::Mutant;
pub use types::{Entry, Epoch, View};

use crate::replicated::StateMachine;
pub use crate::replicated::{Chain, Command, Index};

use crash_vector::CrashVector;
use epoch::EpochStart;
use log::Log;
use recovery::Raise;
use status::Status;

/// What a replica waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Timer {
    /// Of a backup, or during a view change: when to give up the current view.
    ViewChange,
    /// Of a primary: when to send the next `Commit`.
    Heartbeat,
    /// During a view change, recovery or a change of epochs: when to send again what may have been lost.
    Resend,
}

/// Situations worth reaching in a sweep; the index is the place in [`POINTS`].
#[derive(Clone, Copy, Debug)]
enum Point {
    ViewChangeTimedOut,
    PrimaryDeposed,
    OfferTooShort,
    Overtaken,
    RetryAnswered,
    ReadRound,
    IncarnationRaised,
    Reconfigured,
    StaleEpoch,
    CaughtUp,
    Retired,
    RecoversInNewerEpoch,
    EpochSkipped,
}

const POINTS: [&str; 13] = [
    "a view change ended without a primary",
    "a primary was deposed",
    "a new primary lacked entries before the best log it was offered",
    "entries overtook others",
    "a retry was answered from the client table",
    "a round was started for a read",
    "a replica heard of a life of its own that never took part",
    "a reconfiguration was committed",
    "a message of an older epoch was met",
    "a new replica had the state before it took part",
    "a replica that was replaced retired",
    "a replica without memory heard of a newer epoch",
    "a member left an epoch that it had never heard of",
];

/// Levels that a replica tells of itself.
const GAUGES: [&str; 1] = ["uncommitted"];
/// The entries of the log that the replica does not know to be committed: the place in [`GAUGES`].
const UNCOMMITTED: usize = 0;

/// Places inside handlers where a crash is worth trying; the index is the place in [`FAULT_POINTS`].
#[derive(Clone, Copy, Debug)]
enum FaultPoint {
    /// A primary has given a request its op-number, and told nobody.
    EntryAppended,
    /// A backup has new entries, and has not acknowledged them.
    BeforeAcknowledge,
    /// A new primary has taken the best log, and has not started the view.
    BeforeStartView,
    /// A replica that recovers knows the number of its new life, and has told nobody.
    BeforeNewLife,
    /// Entries are committed and not yet executed.
    BeforeApply,
    /// A replica has left its epoch, and told nobody where the next one is.
    EpochLeft,
    /// A replica may take part in the next epoch, and does not yet.
    BeforeNewEpoch,
}

const FAULT_POINTS: [&str; 7] = [
    "entry-appended",
    "before-acknowledge",
    "before-start-view",
    "before-new-life",
    "before-apply",
    "epoch-left",
    "before-new-epoch",
];

/// What is written to disk: nothing, so there is no such record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Record {}

impl disk::Record for Record {
    fn size(&self) -> u64 {
        match *self {}
    }
}

/// One replica. See the [module documentation](self). All of it is in memory.
#[derive(Clone, Serialize)]
pub struct Vrr {
    node: NodeId,
    /// Its place among the members; `None` for a node that only sends clients elsewhere.
    slot: Option<usize>,
    #[serde(skip)]
    config: Arc<Config>,
    /// The latest epoch that it knows of, with its group. Only `learn_epoch` changes more of it than the departures.
    start: EpochStart,
    /// The view it is in, or changes to. Never falls while it runs.
    view: View,
    /// The last view in which its status was normal: its log is of that view. Only `take_turn` and `become_backup`
    /// change it.
    last_normal: View,
    log: Log,
    machine: StateMachine,
    crash_vector: CrashVector,
    status: Status,
    /// What it has asked for last: the view, and its op-number then.
    asked: Option<(View, Index)>,
    /// On the way to a higher incarnation.
    raise: Option<Raise>,
}

impl Vrr {
    /// The view-number (§4).
    #[inline]
    pub fn view_number(&self) -> View {
        self.view
    }

    /// The last view in which this replica's status was normal (§4.2).
    #[inline]
    pub fn last_normal_view(&self) -> View {
        self.last_normal
    }

    /// The log.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The state machine, client table included.
    pub fn machine(&self) -> &StateMachine {
        &self.machine
    }

    /// The group of its epoch.
    #[inline]
    pub fn group(&self) -> Group {
        self.start.group
    }

    /// How its epoch started.
    pub fn epoch_start(&self) -> &EpochStart {
        &self.start
    }

    /// The group of its epoch or of the one before.
    pub fn group_of(&self, epoch: Epoch) -> Option<Group> {
        let before = Group { epoch, members: self.start.old };
        match self.epoch() {
            own if own == epoch => Some(self.group()),
            own if own == epoch.next() => Some(before),
            _ => None,
        }
    }

    /// Whose crashes this replica knows of.
    pub fn crash_vector(&self) -> &CrashVector {
        &self.crash_vector
    }

    /// What all replicas share.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Whether this replica believes to be the primary of its view.
    pub fn is_primary(&self) -> bool {
        matches!(self.status, Status::Primary(_))
    }

    /// Whether what this replica says counts in its epoch: its status is normal or view-change.
    pub fn takes_part(&self) -> bool {
        self.status.takes_part()
    }

    /// Whether this replica is without memory.
    pub fn is_recovering(&self) -> bool {
        matches!(self.status, Status::Recovering(_))
    }
}

#[cfg(test)]
mod conversations;
#[cfg(test)]
mod tests;
