//! What a restart must find again, and persist-before-send.
//!
//! | region | kind | holds |
//! | --- | --- | --- |
//! | [`ACCEPTOR`] | cell | what was promised and what was accepted |
//! | [`ROUND`] | cell | the last round in which this node used its ballot as a proposer |

use serde::Serialize;
use sim_core::disk::{self, Disk, RegionId, WriteError};
use sim_core::{Context, NodeId, SyncId};

use super::acceptor::Acceptor;
use super::message::Message;
use super::mutants::Mutant;
use super::process::send;
use super::types::{Proposal, Vote};
use super::{FaultPoint, Synod};
use crate::replicated::Ballot;

/// The region of the acceptor's memory.
pub const ACCEPTOR: RegionId = RegionId::new(0);
/// The region of the proposer's round.
pub const ROUND: RegionId = RegionId::new(1);

/// What is written to disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Record {
    /// Into [`ACCEPTOR`].
    Acceptor {
        /// The highest ballot promised.
        promised: Ballot,
        /// What was accepted with the highest ballot.
        accepted: Option<Vote>,
    },
    /// Into [`ROUND`].
    Round(u64),
}

impl disk::Record for Record {
    fn size(&self) -> u64 {
        match self {
            Self::Acceptor { .. } => 2 * Ballot::SIZE + Proposal::SIZE,
            Self::Round(_) => 8,
        }
    }

    /// Another round: the field whose silent change does the most harm.
    fn mangle(&mut self, draw: u64) -> bool {
        let round = match self {
            Self::Acceptor { promised, .. } => &mut promised.round,
            Self::Round(round) => round,
        };
        *round ^= 1 + draw % 3;
        true
    }
}

/// Something that must not happen before what led to it is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Deferred {
    /// An acceptor's answer.
    Send {
        /// To whom.
        to: NodeId,
        /// What.
        message: Message,
    },
    /// An acceptor's vote, to all who learn of it.
    Announce(Vote),
    /// A proposer's prepare requests.
    Prepare(Ballot),
}

/// What was written and is covered by no flush.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Unflushed {
    acceptor: bool,
    round: bool,
}

impl Synod {
    /// Reads what the disk kept. A fresh disk has nothing, and an unreadable cell is beyond what the Synod promises to
    /// survive.
    pub(super) fn recover(&mut self, disk: &Disk<Record>) {
        match disk.read_cell(ACCEPTOR) {
            Ok(Some(Record::Acceptor { promised, accepted })) => {
                self.acceptor = Acceptor::recover(*promised, *accepted);
            }
            Ok(Some(Record::Round(_)) | None) | Err(_) => {}
        }
        match disk.read_cell(ROUND) {
            Ok(Some(Record::Round(round))) => self.round = *round,
            Ok(Some(Record::Acceptor { .. }) | None) | Err(_) => {}
        }
    }

    /// Changes what this acceptor has promised or accepted, on disk first.
    ///
    /// # Errors
    /// If the disk takes no more; then nothing changes.
    pub(super) fn write_acceptor(
        &mut self,
        context: &mut Context<'_, Self>,
        acceptor: Acceptor,
    ) -> Result<(), WriteError> {
        let (mut promised, mut accepted) = (acceptor.promised(), acceptor.accepted());
        if self.config.has(Mutant::AmnesiaPromise) {
            promised = accepted.map_or(Ballot::ZERO, |vote| vote.ballot);
        }
        if self.config.has(Mutant::AmnesiaAccept) {
            accepted = None;
        }
        context.replace(ACCEPTOR, Record::Acceptor { promised, accepted })?;
        context.fault_point(FaultPoint::AcceptorWritten as usize);
        self.unflushed.acceptor = true;
        self.acceptor = acceptor;
        Ok(())
    }

    /// Takes a round as the last one used, on disk first.
    ///
    /// # Errors
    /// If the disk takes no more; then nothing changes.
    pub(super) fn write_round(
        &mut self,
        context: &mut Context<'_, Self>,
        round: u64,
    ) -> Result<(), WriteError> {
        if !self.config.has(Mutant::BallotReuse) {
            assert!(round > self.round, "round {round} is used again, after {}", self.round);
            context.replace(ROUND, Record::Round(round))?;
            context.fault_point(FaultPoint::RoundWritten as usize);
            self.unflushed.round = true;
        }
        self.round = round;
        Ok(())
    }

    /// Does something once all that was written so far is on disk: at once if it is.
    pub(super) fn after_durable(&mut self, context: &mut Context<'_, Self>, act: Deferred) {
        self.flush(context);
        if let Some(act) = self.outbox.hold(act, self.unflushed != Unflushed::default()) {
            self.perform(context, act);
        }
    }

    /// Begins to make durable what was written, unless that waits for a flush under way.
    fn flush(&mut self, context: &mut Context<'_, Self>) {
        if self.outbox.flushes_under_way() > 0 {
            return;
        }
        let unflushed = std::mem::take(&mut self.unflushed);
        let acceptor = unflushed.acceptor.then(|| context.sync(ACCEPTOR));
        let round = unflushed.round.then(|| context.sync(ROUND));
        if let Some(last) = round.or(acceptor) {
            self.outbox.begin(last, ());
        }
    }

    /// A sync is done. The last one of a flush releases what waited for it.
    pub(super) fn on_sync_done(&mut self, context: &mut Context<'_, Self>, sync: SyncId) {
        if self.outbox.end(sync).is_some() {
            self.flush(context);
            while let Some(act) = self.outbox.next_ready() {
                self.perform(context, act);
            }
        }
    }

    fn perform(&mut self, context: &mut Context<'_, Self>, act: Deferred) {
        match act {
            Deferred::Send { to, message } => send(context, to, message),
            Deferred::Announce(vote) => {
                context.fault_point(FaultPoint::BeforeAnnounce as usize);
                self.announce(context, vote);
            }
            Deferred::Prepare(ballot) => self.prepare(context, ballot),
        }
    }
}
