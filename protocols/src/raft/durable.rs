//! What a restart must find again (Figure 2, "persistent state"), and persist-before-send.
//!
//! | region | kind | holds |
//! | --- | --- | --- |
//! | [`HARD_STATE`] | cell | the current term and the vote in it |
//! | [`LOG`] | log | the entries; the entry at index i is record i - 1 |
//! | [`SNAPSHOT`] | blob | see [`snapshot`](super::snapshot) |
//!
//! A promise to another node (a vote, an acknowledged entry, a term) must survive a crash, so what makes it is
//! written and synced first, and what follows from it waits in the [`Outbox`](crate::replicated::Outbox) as a [`Deferred`] act until
//! `on_durable`. A flush covers all that was written before it began. Up to `syncs_max` flushes are under way at a time;
//! what is written beyond that is covered by the next. With one, the default, that is group commit without a timer; with
//! more the disk never idles between two flushes.
//!
//! ```text
//! AppendEntries ──> write ──> sync ──────────────> on_durable ──> AppendEntriesReply
//!          AppendEntries ──> write ┄┄┄ waits ┄┄┄┄┄┄┄┄╯ sync ──────────────> on_durable ──> …
//! ```
//!
//! **A candidate may ask before its own vote is on disk**, where `overlap_own_vote` is on (dissertation §9.3): its write
//! and those of the voters then take place at the same time. A crash in between takes term and vote from it, while others
//! have entered the term and may have voted for it. Four rules keep that harmless:
//!
//! | rule | else |
//! | --- | --- |
//! | its own vote counts only once it is on disk | after the crash it votes for another, and has voted twice |
//! | it leads only once its own vote is on disk, however many others vote for it | after the crash it campaigns in the same term once more, gets the same votes, and has led the term twice, with two logs |
//! | it asks early only while its whole log is on disk | it asks with an entry, loses that, campaigns in the same term without it, and wins by votes that were for the longer log |
//! | all else that it sends in the term waits for the disk | as everywhere |
//!
//! A log that is on disk only loses what conflicts with a later leader's, and no committed entry does: so votes of the
//! first campaign may be counted in the second.
//!
//! **No ABA.** A flush knows the last entry it covers by index *and term*, and the node's own term. While it is under way
//! a newer leader may replace entries, and later ones bring back the index with another term, or even both. So when it is
//! done, it counts for the log only if that entry still stands there and the node's term is still the same (etcd:
//! `async_storage_writes_append_aba_race`); else a later flush counts, which covers the replacement.

use std::sync::Arc;

use serde::Serialize;
use sim_core::disk::{self, RegionId, WriteError};
use sim_core::{Context, NodeId, OpId, SyncId};

use super::facts::{Fact, Witness};
use super::host::{Acts as _, Application, DeferredOf, Host, MessageOf};
use super::log::Journal;
use super::message::Message;
use super::metrics::{Counter, Gauge};
use super::mutants::Mutant;
use super::snapshot::{SNAPSHOT, SnapshotMeta};
use super::types::{Entry, Term};
use super::{FaultPoint, Replica, message};
use crate::replicated::{Agreeable, Command, Index, Item, Machine, Piece};

/// The region of the [`HardState`].
pub const HARD_STATE: RegionId = RegionId::new(0);
/// The region of the entries.
pub const LOG: RegionId = RegionId::new(1);

/// The current term and whom this node voted for in it: one record, because a vote without its term, or a term
/// without its vote, lets a restarted node vote twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HardState {
    /// The latest term this node has seen.
    pub term: Term,
    /// Who got its vote in that term.
    pub vote: Option<NodeId>,
}

/// What is written to disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Record<C = Command, I = Item> {
    /// Into [`HARD_STATE`].
    HardState(HardState),
    /// Into [`LOG`].
    Entry(Entry<C>),
    /// Into [`SNAPSHOT`], first: what it is of. Boxed: a log has many entries, and none is as large.
    Snapshot(Box<SnapshotMeta>),
    /// Into [`SNAPSHOT`], then: a chunk of it.
    Items(Arc<[I]>),
}

impl<C: Agreeable, I: Piece> disk::Record for Record<C, I> {
    fn size(&self) -> u64 {
        match self {
            Self::HardState(_) => 16,
            Self::Entry(_) => Entry::<C>::SIZE,
            Self::Snapshot(_) => SnapshotMeta::SIZE,
            Self::Items(items) => items.iter().map(Piece::size).sum(),
        }
    }

    /// Another term: the field whose silent change does the most harm.
    fn mangle(&mut self, draw: u64) -> bool {
        let term = match self {
            Self::HardState(hard) => &mut hard.term,
            Self::Entry(entry) => &mut entry.term,
            Self::Snapshot(meta) => &mut meta.term,
            Self::Items(_) => return false,
        };
        *term = Term(term.0 ^ (1 + draw % 3));
        true
    }
}

/// Something that must not happen before what led to it is on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Deferred<C = Command, I = Item> {
    /// Send this.
    Send {
        /// To whom.
        to: NodeId,
        /// What.
        message: Message<C, I>,
    },
    /// Vote for oneself in this term and ask the others for theirs.
    Campaign {
        /// Which.
        term: Term,
        /// Why.
        reason: message::Campaign,
    },
    /// Count the vote for oneself in this term: the others have been asked for theirs.
    OwnVote(Term),
    /// The node's own snapshot is written: forget what it stands for, and answer who asked for it.
    Compact(Option<OpId>),
    /// A leader's snapshot is written: take it over, and answer with its round and the offset of the last piece.
    Install {
        /// The leader.
        to: NodeId,
        /// What it sent last, to be answered.
        reply: message::InstallSnapshotReply,
    },
}

/// What was written after the last flush began, beside the log, which knows that itself.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Unflushed {
    /// The hard state.
    hard: bool,
    /// The snapshot.
    pub(super) snapshot: bool,
}

/// What a flush under way covers.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Flush {
    /// The last entry.
    index: Index,
    /// The term of that entry.
    term: Term,
    /// The term of the node when it began.
    began_in: Term,
}

impl<H: Host> Witness for Context<'_, H> {
    fn state(&mut self, fact: Fact) {
        self.fact(H::fact(fact));
    }
}

impl<H: Host> Journal<<H::App as Machine>::Command> for Context<'_, H> {
    fn append(&mut self, entry: Entry<<H::App as Machine>::Command>) -> Result<(), WriteError> {
        Context::append(self, LOG, H::record(Record::Entry(entry))).map(|_| ())
    }

    fn truncate_from(&mut self, index: Index) {
        Context::truncate_from(self, LOG, index.previous().0);
    }

    fn truncate_to(&mut self, index: Index) {
        Context::truncate_before(self, LOG, index.0);
    }

    fn diverged(&mut self, entries: u64) {
        self.tally(Counter::Truncations, 1);
        self.tally(Counter::EntriesTruncated, entries);
        self.level(Gauge::Diverged, entries);
    }
}

impl<A: Application> Replica<A> {
    /// Changes term or vote, on disk first.
    ///
    /// # Errors
    /// If the disk takes no more; then nothing changes.
    pub(super) fn write_hard_state(
        &mut self,
        context: &mut Context<'_, A::Host>,
        hard: HardState,
    ) -> Result<(), WriteError> {
        assert!(hard.term >= self.hard.term, "the term would fall from {} to {}", self.hard.term, hard.term);
        assert!(
            hard.term > self.hard.term || self.hard.vote.is_none(),
            "the vote of {} is given, to {:?}, and would go to {:?}",
            hard.term,
            self.hard.vote,
            hard.vote
        );
        self.store_hard_state(context, hard)?;
        let before = std::mem::replace(&mut self.hard, hard);
        if hard.term > before.term {
            context.state(Fact::TermChanged { term: hard.term });
        }
        Ok(())
    }

    /// Term and vote go to disk together: either alone would let a restarted node vote twice.
    pub(super) fn store_hard_state(
        &mut self,
        context: &mut Context<'_, A::Host>,
        hard: HardState,
    ) -> Result<(), WriteError> {
        let term = if self.config.has(Mutant::TermNotPersisted) { self.log.last_term() } else { hard.term };
        context.replace(HARD_STATE, A::Host::record(Record::HardState(HardState { term, ..hard })))?;
        self.unflushed.hard = true;
        context.reach_fault(FaultPoint::HardStateWritten);
        Ok(())
    }

    /// Does something once all that was written so far is on disk: at once if it is.
    #[inline]
    pub(super) fn after_durable(&mut self, context: &mut Context<'_, A::Host>, act: DeferredOf<A>) {
        self.flush(context);
        let is_dirty = self.is_dirty();
        if let Some(act) = self.outbox.hold(act, is_dirty) {
            self.perform(context, act);
        }
    }

    /// Begins to make durable what was written, unless as many flushes as may be are under way.
    #[inline]
    pub(super) fn flush(&mut self, context: &mut Context<'_, A::Host>) {
        if !self.is_dirty() {
            return;
        }
        self.tell_uncommitted(context);
        if (self.outbox.flushes_under_way() as u64) < self.config.syncs_max {
            self.begin_flush(context);
        }
    }

    /// The hard state first: no entry is durable before its term. The log last: it may rest on the snapshot.
    fn begin_flush(&mut self, context: &mut Context<'_, A::Host>) {
        let unflushed = std::mem::take(&mut self.unflushed);
        let hard = unflushed.hard.then(|| context.sync(HARD_STATE));
        let snapshot = unflushed.snapshot.then(|| context.sync(SNAPSHOT));
        let log = self.log.is_dirty().then(|| context.sync(LOG));
        self.log.begin_sync();
        let last = log.or(snapshot).or(hard).expect("a flush begins when something is to be written");
        let (index, term, began_in) = (self.log.last_index(), self.log.last_term(), self.term());
        self.outbox.begin(last, Flush { index, term, began_in });
    }

    /// A sync is done. The last one of a flush releases what waited for it.
    pub fn on_sync_done(&mut self, context: &mut Context<'_, A::Host>, sync: SyncId) {
        let Some(flush) = self.outbox.end(sync) else { return };
        if self.is_still_there(&flush) {
            self.log.mark_durable(flush.index);
        }
        self.flush(context);
        while let Some(act) = self.outbox.next_ready() {
            self.perform(context, act);
        }
        self.maybe_commit(context);
    }

    /// Whether what a flush made durable is what stands in the log now.
    fn is_still_there(&self, flush: &Flush) -> bool {
        let is_same = flush.began_in == self.term() && self.log.matches(flush.index, flush.term);
        is_same || self.config.has(Mutant::AsyncAppendAba)
    }

    #[inline]
    fn is_dirty(&self) -> bool {
        self.log.is_dirty() || self.unflushed.hard || self.unflushed.snapshot
    }

    fn perform(&mut self, context: &mut Context<'_, A::Host>, act: DeferredOf<A>) {
        match act {
            Deferred::Send { to, message } => self.send(context, to, message),
            Deferred::Campaign { term, reason } => self.campaign(context, term, reason),
            Deferred::OwnVote(term) => self.count_own_vote(context, term),
            Deferred::Compact(op) => self.on_snapshot_durable(context, op),
            Deferred::Install { to, reply } => self.install(context, to, reply),
        }
    }

    /// The one way out for messages. A vote is stated as it leaves, whoever decided to give it, and so is the first
    /// message of a term.
    #[inline]
    pub(super) fn send(&mut self, context: &mut Context<'_, A::Host>, to: NodeId, message: MessageOf<A>) {
        let term = message.term();
        if term > self.spoke_in && self.binds_to_term(&message) {
            self.spoke_in = term;
            context.state(Fact::SpokeIn { term });
        }
        if let Message::RequestVoteReply { term, vote: message::Vote::Granted } = message {
            context.state(Fact::VoteGranted { term, candidate: to });
        }
        context.send(to, A::Host::message(message));
    }

    /// Whether this node must remember the term of a message that it sends: not that of a question.
    #[inline]
    fn binds_to_term(&self, message: &MessageOf<A>) -> bool {
        match message {
            Message::PreVote(_) | Message::PreVoteReply { .. } => false,
            Message::RequestVote(_) => !self.config.overlap_own_vote,
            Message::RequestVoteReply { .. }
            | Message::AppendEntries(_)
            | Message::AppendEntriesReply(_)
            | Message::InstallSnapshot(_)
            | Message::InstallSnapshotReply(_)
            | Message::TimeoutNow { .. }
            | Message::ReadIndex { .. }
            | Message::ReadIndexReply { .. } => true,
        }
    }
}
