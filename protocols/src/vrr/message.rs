//! What replicas send each other: the paper's messages (§4, §5.2, §7), and the two that crash vectors need. Every message
//! is of an epoch; one of another epoch than the receiver's is met by `reconfigure`.

use serde::Serialize;

use super::crash_vector::CrashVector;
use super::epoch::EpochStart;
use super::types::{Entries, Entry, Epoch, Nonce, Round, View};
pub use crate::replicated::Checkpoint;
use crate::replicated::{Chain, Index};

/// A message between replicas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Message {
    /// A primary gives requests their op-numbers (§4.1, step 3).
    Prepare(Prepare),
    /// A backup holds everything up to an op-number (§4.1, step 4); also the answer to `Commit`.
    PrepareOk(PrepareOk),
    /// A primary lives, and has committed so much (§4.1, step 6).
    Commit(Commit),
    /// A replica gives up on its view and wants a newer one (§4.2, step 1).
    StartViewChange {
        /// The wanted view.
        view: View,
        /// The sender's commit-number: who sends it a log may begin there.
        commit: Index,
        /// Whose crashes the sender knows of.
        crash_vector: CrashVector,
    },
    /// A replica tells the primary of a new view what it has (§4.2, step 2).
    DoViewChange(Box<DoViewChange>),
    /// The primary of a new view starts it (§4.2, step 3).
    StartView(Box<StartView>),
    /// A replica asks which of its incarnations are known, and makes its own known (Michael et al. 2017).
    CrashVectorRequest {
        /// The latest epoch that the sender knows of.
        epoch: Epoch,
        /// Tells the answers from others.
        nonce: Nonce,
        /// Whose crashes the sender knows of.
        crash_vector: CrashVector,
    },
    /// The answer to it.
    CrashVectorReply {
        /// The epoch that the sender takes part in.
        epoch: Epoch,
        /// Of the request.
        nonce: Nonce,
        /// What the sender knows.
        crash_vector: CrashVector,
    },
    /// A replica that recovers asks for the state (§4.3, step 1).
    Recovery {
        /// The epoch that the sender recovers into.
        epoch: Epoch,
        /// Of this recovery.
        nonce: Nonce,
        /// With the sender's new incarnation.
        crash_vector: CrashVector,
    },
    /// The answer to it (§4.3, step 2).
    RecoveryResponse(Box<RecoveryResponse>),
    /// A replica lacks entries, or has heard of a newer view (§5.2).
    GetState(GetState),
    /// The answer to it.
    NewState(Box<NewState>),
    /// An epoch starts, or has started (§7.1); also the answer to any message of an older epoch.
    StartEpoch(Box<EpochStart>),
    /// The sender takes part in the epoch, and has all that was committed before it (§7.1).
    EpochStarted {
        /// Which epoch.
        epoch: Epoch,
    },
}

impl Message {
    /// The epoch that the message is of.
    #[inline]
    pub fn epoch(&self) -> Epoch {
        match self {
            Self::Prepare(prepare) => prepare.view.epoch,
            Self::PrepareOk(ok) => ok.view.epoch,
            Self::Commit(commit) => commit.view.epoch,
            Self::StartViewChange { view, .. } => view.epoch,
            Self::DoViewChange(change) => change.view.epoch,
            Self::StartView(start) => start.view.epoch,
            Self::CrashVectorRequest { epoch, .. }
            | Self::CrashVectorReply { epoch, .. }
            | Self::Recovery { epoch, .. }
            | Self::EpochStarted { epoch } => *epoch,
            Self::RecoveryResponse(response) => response.view.epoch,
            Self::GetState(asked) => asked.view.epoch,
            Self::NewState(state) => state.view.epoch,
            Self::StartEpoch(start) => start.epoch(),
        }
    }
}

/// ⟨PREPARE v, m, n, k⟩, for several requests at once (§6.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Prepare {
    /// The primary's view.
    pub view: View,
    /// The op-number before that of the first entry.
    pub after: Index,
    /// The requests, at least one.
    pub entries: Entries,
    /// The primary's commit-number.
    pub commit: Index,
    /// The last round that the primary has started.
    pub round: Round,
}

/// ⟨PREPAREOK v, n, i⟩.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PrepareOk {
    /// The backup's view.
    pub view: View,
    /// It holds all entries of the view up to here.
    pub op: Index,
    /// The round of what it answers.
    pub round: Round,
}

/// ⟨COMMIT v, k⟩.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Commit {
    /// The primary's view.
    pub view: View,
    /// The primary's commit-number.
    pub commit: Index,
    /// What was sent long enough ago to have arrived: a backup without it has lost something.
    pub expected: Index,
    /// The last round that the primary has started.
    pub round: Round,
}

/// ⟨DOVIEWCHANGE v, l, v′, n, k, i⟩.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DoViewChange {
    /// The new view.
    pub view: View,
    /// The last view in which the sender's status was normal: v′.
    pub last_normal: View,
    /// The sender's op-number.
    pub op: Index,
    /// The sender's commit-number.
    pub commit: Index,
    /// The sender's log from where the new primary needs it (§5.3).
    pub log: LogPart,
    /// Whose crashes the sender knows of.
    pub crash_vector: CrashVector,
}

/// ⟨STARTVIEW v, l, n, k⟩.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StartView {
    /// The new view.
    pub view: View,
    /// The primary's commit-number.
    pub commit: Index,
    /// The log of the view from where the receiver needs it.
    pub log: LogPart,
    /// Whose crashes the primary knows of.
    pub crash_vector: CrashVector,
}

/// ⟨RECOVERYRESPONSE v, x, l, n, k, j⟩.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecoveryResponse {
    /// Of the request.
    pub nonce: Nonce,
    /// The sender's view, in which its status is normal.
    pub view: View,
    /// Whose crashes the sender knows of.
    pub crash_vector: CrashVector,
    /// What the view has come to; only its primary says that.
    pub state: Option<Known>,
}

/// What a primary knows of its view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Known {
    /// Its commit-number.
    pub commit: Index,
    /// Its log, with a checkpoint.
    pub log: LogPart,
}

/// ⟨GETSTATE v, n′, i⟩.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct GetState {
    /// The view whose log is wanted.
    pub view: View,
    /// The last view in which the sender's status was normal: its log is of that view.
    pub last_normal: View,
    /// The sender's op-number.
    pub op: Index,
    /// The sender's commit-number.
    pub commit: Index,
}

/// ⟨NEWSTATE v, l, n, k⟩.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewState {
    /// The sender's view, in which its status is normal.
    pub view: View,
    /// Its commit-number.
    pub commit: Index,
    /// Its log from where the receiver needs it.
    pub log: LogPart,
}

/// The end of a log, and if the receiver needs more than the sender's log still has, a checkpoint before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogPart {
    /// The state that everything up to `after` has made.
    pub checkpoint: Option<Checkpoint>,
    /// The op-number before the first entry.
    pub after: Index,
    /// The chain up to there.
    pub chain: Chain,
    /// All that follows in the sender's log.
    pub entries: Entries,
}

impl LogPart {
    /// The op-number of the last entry.
    pub fn op(&self) -> Index {
        self.after.plus(self.entries.len() as u64)
    }

    pub(super) fn size(&self) -> u64 {
        16 + Entry::SIZE * self.entries.len() as u64 + self.checkpoint.as_ref().map_or(0, Checkpoint::size)
    }
}
