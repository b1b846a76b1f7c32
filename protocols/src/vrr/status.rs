//! What a replica's status (§4) is, and what it keeps in each. All of it is lost in a crash, like everything else.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use super::group::Group;
use super::message::{DoViewChange, RecoveryResponse};
use super::reads::{Pending, Reads};
use super::types::{Entries, Nonce, Round};
use crate::replicated::{Index, NodeSet};

/// The status, with what it keeps. Only `become_*` functions change it.
#[derive(Clone, Debug, Serialize)]
pub(super) enum Status {
    /// Not a member of the group.
    Standby,
    /// Normal, and it is this replica's turn.
    Primary(Primary),
    /// Normal, and it is another's.
    Backup(Backup),
    /// On the way to the replica's view.
    ViewChange(ViewChange),
    /// Without memory.
    Recovering(Recovering),
    /// Between two epochs (§7).
    Transitioning(Transitioning),
}

impl Status {
    /// The paper's status `normal`.
    #[inline]
    pub(super) const fn is_normal(&self) -> bool {
        matches!(self, Self::Primary(_) | Self::Backup(_))
    }

    /// Whether what it does counts in the replica's epoch: it is normal there, or changes views.
    #[inline]
    pub(super) const fn takes_part(&self) -> bool {
        matches!(self, Self::Primary(_) | Self::Backup(_) | Self::ViewChange(_))
    }
}

/// What a primary keeps.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Primary {
    /// The last entry of the log that the view began with. Once that is executed, so is all that earlier views
    /// have committed.
    pub(super) inherited: Index,
    /// How far each member has come, in the order of the members. Its own place is not used.
    pub(super) progress: Vec<Progress>,
    /// Clients to answer when their entry is executed, in order of op-number.
    pub(super) pending: VecDeque<Pending>,
    /// The last round that it has started.
    pub(super) round: Round,
    /// Clients that read and wait for a round.
    pub(super) reads: Reads,
    /// Where its log ended at the last heartbeat: what backups should have by the next one.
    pub(super) expected: Index,
}

impl Primary {
    /// A primary of a view that begins with a log up to `inherited`.
    pub(super) fn new(group: Group, inherited: Index) -> Self {
        Self {
            inherited,
            progress: vec![
                Progress { acknowledged: Index::ZERO, sent: inherited, round: Round(0) };
                group.len()
            ],
            pending: VecDeque::new(),
            round: Round::default(),
            reads: Reads::default(),
            expected: inherited,
        }
    }
}

/// How far a backup has come, as its primary knows.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Progress {
    /// The backup holds the log of the view up to here. Never falls.
    pub(super) acknowledged: Index,
    /// Entries up to here were sent.
    pub(super) sent: Index,
    /// The latest round that it has answered.
    pub(super) round: Round,
}

/// What a backup keeps.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Backup {
    /// Entries that overtook others, by the op-number before their first.
    pub(super) early: BTreeMap<Index, Entries>,
}

/// What a replica keeps during a view change.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ViewChange {
    /// Who wants this view, with its commit-number, in the order of the members.
    pub(super) wanted_by: Vec<Option<Index>>,
    /// Whether its own `DoViewChange` was sent.
    pub(super) is_done: bool,
    /// At the primary of the new view: what each member has.
    pub(super) offers: Vec<Option<Box<DoViewChange>>>,
}

impl ViewChange {
    pub(super) fn new(group: Group) -> Self {
        let count = group.len();
        Self { wanted_by: vec![None; count], is_done: false, offers: vec![None; count] }
    }

    /// How many others want this view.
    pub(super) fn wanted_count(&self) -> usize {
        self.wanted_by.iter().flatten().count()
    }
}

/// What a replica keeps between two epochs.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Transitioning {
    /// Members of the new group that have started the epoch.
    pub(super) started: NodeSet,
    /// How often it has asked for the state.
    pub(super) asked_count: u64,
}

/// What a replica keeps during recovery.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Recovering {
    /// Tells answers to this recovery from others.
    pub(super) nonce: Nonce,
    /// How far it has come.
    pub(super) step: Step,
}

/// The steps of a recovery.
#[derive(Clone, Debug, Serialize)]
pub(super) enum Step {
    /// It asks which of its incarnations are known; these members have answered.
    Incarnation(Vec<bool>),
    /// It asks for the state under its new incarnation; these are the answers.
    State(Vec<Option<Box<RecoveryResponse>>>),
}
