//! What a restart must find again, and persist-before-send.
//!
//! | region | kind | holds |
//! | --- | --- | --- |
//! | [`BALLOT`] | cell | the highest ballot promised |
//! | [`JOURNAL`] | log | what was accepted, in the order of accepting; what was learned and not accepted; and from time to time up to where everything is decided |
//! | [`SNAPSHOT`] | blob | the state after some slot |
//! | [`LIFE`] | cell | in which life this node is; nothing in the first |
//!
//! Promises and votes leave when they are on disk: until then they wait in the outbox as [`Deferred`] acts. Decisions
//! need no disk, since a quorum has what led to them; that they are marked at all spares a cluster that restarts from
//! deciding everything again.
//!
//! A node that finds its disk lost or unreadable begins another life, and is no acceptor at first: see `rejoin`. Whether an
//! empty disk is lost or new somebody else has to remember; see [`Context::is_disk_lost`].
//!
//! Once a snapshot is durable, what the journal still needs is written anew behind the rest, and the rest is dropped.

use std::sync::Arc;

use serde::Serialize;
use sim_core::disk::{self, Disk, RegionId, WriteError};
use sim_core::{Context, NodeId, SyncId};

use super::facts::{Fact, Witness};
use super::log::{Journal, Log};
use super::membership::Membership;
use super::message::Message;
use super::mutants::Mutant;
use super::process::send;
use super::snapshot::Snapshot;
use super::types::{Proposal, Proposals, Pvalue};
use super::{FaultPoint, Paxos};
use crate::replicated::{Ballot, Chain, Index, Item, Life};

/// The region of the promised ballot.
pub const BALLOT: RegionId = RegionId::new(0);
/// The region of what was accepted.
pub const JOURNAL: RegionId = RegionId::new(1);
/// The region of the snapshot.
pub const SNAPSHOT: RegionId = RegionId::new(2);

/// The region of the life.
pub const LIFE: RegionId = RegionId::new(3);

/// What is written to disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Record {
    /// Into [`BALLOT`].
    Promised(Ballot),
    /// Into [`JOURNAL`]: this was accepted.
    Accepted(Pvalue),
    /// Into [`JOURNAL`]: this was learned.
    Decided(Index, Proposal),
    /// Into [`JOURNAL`]: everything up to here is decided, as it was accepted or learned last.
    DecidedUpTo(Index),
    /// Into [`SNAPSHOT`], first: where it was taken.
    SnapshotHead(Index, Chain, Arc<Membership>),
    /// Into [`SNAPSHOT`]: a part of it.
    SnapshotItems(Arc<[Item]>),
    /// Into [`LIFE`].
    Life(Life),
}

impl disk::Record for Record {
    fn size(&self) -> u64 {
        match self {
            Self::Promised(_) => Ballot::SIZE,
            Self::Accepted(_) => Pvalue::SIZE,
            Self::Decided(..) => 8 + Proposal::SIZE,
            Self::DecidedUpTo(_) => 8,
            Self::SnapshotHead(..) => 64,
            Self::SnapshotItems(items) => Item::SIZE * items.len() as u64,
            Self::Life(_) => Life::SIZE,
        }
    }

    /// Another round, or another slot: the fields whose silent change does the most harm.
    fn mangle(&mut self, draw: u64) -> bool {
        let number = match self {
            Self::Promised(ballot) | Self::Accepted(Pvalue { ballot, .. }) => &mut ballot.round,
            Self::Decided(slot, _) | Self::DecidedUpTo(slot) => &mut slot.0,
            Self::SnapshotHead(..) | Self::SnapshotItems(_) | Self::Life(_) => return false,
        };
        *number ^= 1 + draw % 3;
        true
    }
}

/// Something that must not happen before what led to it is on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Deferred {
    /// Send this.
    Send {
        /// To whom.
        to: NodeId,
        /// What.
        message: Message,
    },
    /// Vote for these proposals; a leader's own vote goes to itself.
    Vote {
        /// To the leader.
        to: NodeId,
        /// Its ballot.
        ballot: Ballot,
        /// The first slot.
        first: Index,
        /// What was accepted.
        proposals: Proposals,
    },
    /// Promise one's own ballot, and ask the others.
    Campaign(Ballot),
    /// Drop what a snapshot up to here has made superfluous.
    Compact(Index),
}

/// What was written and is covered by no flush, beside the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Unflushed {
    pub(super) ballot: bool,
    pub(super) snapshot: bool,
}

impl Witness for Context<'_, Paxos> {
    fn state(&mut self, fact: Fact) {
        self.fact(fact);
    }
}

impl Journal for Context<'_, Paxos> {
    #[inline]
    fn accepted(&mut self, pvalue: Pvalue) -> Result<(), WriteError> {
        self.append(JOURNAL, Record::Accepted(pvalue)).map(|_| ())
    }

    fn decided(&mut self, slot: Index, proposal: Proposal) -> Result<(), WriteError> {
        self.append(JOURNAL, Record::Decided(slot, proposal)).map(|_| ())
    }
}

impl Paxos {
    /// Reads what the disk kept, unless it is lost.
    pub(super) fn recover(&mut self, context: &mut Context<'_, Self>) {
        let is_lost = Self::has_lost_disk(context);
        if is_lost && self.takes_lost_disk_for_new() {
            context.fact(Fact::LostDisk { life: self.life });
            self.read_disk(context);
        } else if is_lost {
            self.become_non_voting(context);
        } else {
            self.read_disk(context);
        }
        context.fact(Fact::Recovered { slot: self.machine.applied(), chain: self.machine.chain() });
    }

    /// Reads life, snapshot, journal and promised ballot. What was torn in a crash was covered by no sync, so nobody was
    /// told of it, and it is not there. A ballot that was accepted was promised. (A mutant reads what it can.)
    fn read_disk(&mut self, context: &mut Context<'_, Self>) {
        if let Ok(Some(Record::Life(life))) = context.disk().read_cell(LIFE) {
            self.life = *life;
        }
        if let Some(snapshot) = read_snapshot(context.disk()) {
            self.restore(&snapshot);
            self.log = Log::starting_after(snapshot.slot, snapshot.chain);
            self.snapshot = Some(Arc::new(snapshot));
        }
        let (records, end) = read_journal(context.disk());
        if context.disk().log_bounds(JOURNAL).end > end {
            context.truncate_from(JOURNAL, end);
        }
        self.promised = read_ballot(context.disk()).unwrap_or_default();
        if self.config.has(Mutant::AmnesiaPromise) {
            self.promised = Ballot::ZERO;
        }
        let mut replay = Replay;
        for record in records {
            self.replay(&record, &mut replay);
        }
        self.log.begin_sync();
        self.log.end_sync();
    }

    fn replay(&mut self, record: &Record, replay: &mut Replay) {
        match record {
            Record::Accepted(_) if self.config.has(Mutant::AmnesiaAccept) => {}
            Record::Accepted(pvalue) => {
                self.promised = self.promised.max(pvalue.ballot);
                _ = self.log.accept(*pvalue, replay);
            }
            Record::Decided(slot, proposal) => _ = self.log.decide(*slot, *proposal, replay),
            Record::DecidedUpTo(slot) => {
                while self.log.last() < *slot
                    && let Some((_, proposal)) = self.log.accepted_at(self.log.last().next())
                {
                    _ = self.log.decide(self.log.last().next(), proposal, replay);
                }
            }
            Record::Promised(_) | Record::SnapshotHead(..) | Record::SnapshotItems(_) | Record::Life(_) => {}
        }
    }

    /// Promises a ballot, on disk first.
    ///
    /// # Errors
    /// If the disk takes no more; then nothing changes.
    pub(super) fn write_ballot(
        &mut self,
        context: &mut Context<'_, Self>,
        ballot: Ballot,
    ) -> Result<(), WriteError> {
        assert!(ballot > self.promised, "the promise would go from {} to {ballot}", self.promised);
        context.replace(BALLOT, Record::Promised(ballot))?;
        context.fault_point(FaultPoint::BallotWritten as usize);
        self.unflushed.ballot = true;
        self.promised = ballot;
        Ok(())
    }

    /// Marks on disk how far everything is decided; no sync is asked for it. While the state of another node is not on
    /// disk that was taken over, the journal does not have what it stands for, and nothing is marked.
    pub(super) fn mark_decided(&mut self, context: &mut Context<'_, Self>) {
        let last = self.log.last();
        // On a full disk it is marked later.
        if last > self.marked
            && self.installing.is_none()
            && context.append(JOURNAL, Record::DecidedUpTo(last)).is_ok()
        {
            self.marked = last;
        }
    }

    /// Does something once all that was written so far is on disk: at once if it is.
    #[inline]
    pub(super) fn after_durable(&mut self, context: &mut Context<'_, Self>, act: Deferred) {
        self.flush(context);
        let is_dirty = self.is_dirty();
        if let Some(act) = self.outbox.hold(act, is_dirty) {
            self.perform(context, act);
        }
    }

    /// Begins to make durable what was written, unless that waits for a flush under way.
    #[inline]
    pub(super) fn flush(&mut self, context: &mut Context<'_, Self>) {
        if self.outbox.flushes_under_way() == 0 && self.is_dirty() {
            self.begin_flush(context);
        }
    }

    fn begin_flush(&mut self, context: &mut Context<'_, Self>) {
        let unflushed = std::mem::take(&mut self.unflushed);
        let ballot = unflushed.ballot.then(|| context.sync(BALLOT));
        let journal = self.log.is_dirty().then(|| context.sync(JOURNAL));
        self.log.begin_sync();
        let snapshot = unflushed.snapshot.then(|| context.sync(SNAPSHOT));
        let last = snapshot.or(journal).or(ballot).expect("a flush begins when something is to be written");
        self.outbox.begin(last, ());
    }

    /// A sync is done. The last one of a flush releases what waited for it.
    pub(super) fn on_sync_done(&mut self, context: &mut Context<'_, Self>, sync: SyncId) {
        if self.outbox.end(sync).is_some() {
            self.log.end_sync();
            self.flush(context);
            while let Some(act) = self.outbox.next_ready() {
                self.perform(context, act);
            }
        }
    }

    #[inline]
    fn is_dirty(&self) -> bool {
        self.log.is_dirty() || self.unflushed.ballot || self.unflushed.snapshot
    }

    fn perform(&mut self, context: &mut Context<'_, Self>, act: Deferred) {
        match act {
            Deferred::Send { to, message } => send(context, to, message),
            Deferred::Vote { to, ballot, first, proposals } => {
                self.vote(context, to, ballot, first, &proposals);
            }
            Deferred::Campaign(ballot) => self.campaign(context, ballot),
            Deferred::Compact(slot) => self.compact(context, slot),
        }
    }
}

/// Hears what a log does while it is read from disk, and writes nothing.
struct Replay;

impl Witness for Replay {
    fn state(&mut self, _: Fact) {}
}

impl Journal for Replay {
    fn accepted(&mut self, _: Pvalue) -> Result<(), WriteError> {
        Ok(())
    }

    fn decided(&mut self, _: Index, _: Proposal) -> Result<(), WriteError> {
        Ok(())
    }
}

/// The ballot on disk. A fresh disk has none. (A mutant takes an unreadable one for none.)
fn read_ballot(disk: &Disk<Record>) -> Option<Ballot> {
    match disk.read_cell(BALLOT) {
        Ok(Some(Record::Promised(ballot))) => Some(*ballot),
        Ok(_) | Err(_) => None,
    }
}

/// The journal before the first unreadable record, and where that is.
fn read_journal(disk: &Disk<Record>) -> (Vec<Record>, u64) {
    let first = disk.log_bounds(JOURNAL).start;
    let records: Vec<Record> =
        disk.read_log(JOURNAL, 0..u64::MAX).map_while(|record| record.ok().cloned()).collect();
    let end = first + records.len() as u64;
    (records, end)
}

/// The snapshot on disk, if there is one and all of it can be read.
fn read_snapshot(disk: &Disk<Record>) -> Option<Snapshot> {
    let records = disk.read_blob(SNAPSHOT).collect::<Result<Vec<&Record>, _>>().ok()?;
    let (Record::SnapshotHead(slot, chain, membership), parts) = records.split_first()? else { return None };
    let items = parts.iter().filter_map(|record| match record {
        Record::SnapshotItems(items) => Some(items.iter().copied()),
        Record::Promised(_)
        | Record::Accepted(_)
        | Record::Decided(..)
        | Record::DecidedUpTo(_)
        | Record::SnapshotHead(..)
        | Record::Life(_) => None,
    });
    let items = items.flatten().collect();
    Some(Snapshot { slot: *slot, chain: *chain, membership: membership.clone(), items })
}
