//! What a restart must find again (Figure 2, "persistent state"), and persist-before-send.
//!
//! | region | kind | holds |
//! | --- | --- | --- |
//! | [`HARD_STATE`] | cell | the current term and the vote in it |
//! | [`LOG`] | log | the entries; the entry at index i is record i - 1 |
//!
//! A promise to another node (a vote, an acknowledged entry, a term) must survive a crash, so what makes it is
//! written and synced first, and what follows from it waits in the [`Outbox`] as a [`Deferred`] act until
//! `on_durable`. One flush is under way at a time and covers all that was written before it began; what is written
//! meanwhile is covered by the next. Under load that is group commit, without a timer.
//!
//! ```text
//! AppendEntries ──> write ──> sync ──────────────> on_durable ──> AppendEntriesReply
//!          AppendEntries ──> write ┄┄┄ waits ┄┄┄┄┄┄┄┄╯ sync ──────────────> on_durable ──> …
//! ```

use std::collections::VecDeque;

use serde::{Serialize, Serializer};
use sim_core::disk::{self, Disk, RegionId, WriteError};
use sim_core::{Context, NodeId, SyncId};

use super::Raft;
use super::facts::{Fact, Witness};
use super::log::{Journal, Log};
use super::message::Message;
use super::process::send;
use super::types::{Entry, Term};
use crate::replicated::Index;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Record {
    /// Into [`HARD_STATE`].
    HardState(HardState),
    /// Into [`LOG`].
    Entry(Entry),
}

impl disk::Record for Record {
    fn size(&self) -> u64 {
        match self {
            Self::HardState(_) => 16,
            Self::Entry(_) => Entry::SIZE,
        }
    }

    /// Another term: the field whose silent change does the most harm.
    fn mangle(&mut self, draw: u64) -> bool {
        let term = match self {
            Self::HardState(hard) => &mut hard.term,
            Self::Entry(entry) => &mut entry.term,
        };
        *term = Term(term.0 ^ (1 + draw % 3));
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
    /// Vote for oneself in this term and ask the others for theirs.
    Campaign(Term),
}

/// Acts waiting for the disk, in order.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    /// Each with the flush it waits for, ascending.
    waiting: VecDeque<(u64, Deferred)>,
    /// Whether the hard state was written after the last flush began.
    is_hard_dirty: bool,
    /// The last sync of the flush under way.
    under_way: Option<SyncId>,
    /// Flushes done so far.
    done: u64,
}

impl Outbox {
    /// How many acts wait for the disk.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Flushes begun so far.
    fn begun(&self) -> u64 {
        self.done + u64::from(self.under_way.is_some())
    }
}

/// Flushes are counted from the last one done, so that equal states are equal.
impl Serialize for Outbox {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let waiting = self.waiting.iter().map(|(flush, act)| (flush - self.done, act));
        (waiting.collect::<Vec<_>>(), self.is_hard_dirty, self.under_way.is_some()).serialize(serializer)
    }
}

impl Witness for Context<'_, Raft> {
    fn state(&mut self, fact: Fact) {
        self.fact(fact);
    }
}

impl Journal for Context<'_, Raft> {
    fn append(&mut self, entry: Entry) -> Result<(), WriteError> {
        Context::append(self, LOG, Record::Entry(entry)).map(|_| ())
    }

    fn truncate_from(&mut self, index: Index) {
        Context::truncate_from(self, LOG, index.previous().0);
    }
}

impl Raft {
    /// Reads what the disk kept: the hard state, and the entries up to the first that is unreadable. That one and
    /// what follows was torn by the crash before any sync covered it, so nobody was told of it.
    ///
    /// An entry may have survived whose term did not, where a crash keeps some un-synced writes of one region and
    /// not of another. No vote of that term has left this node then, so entering it without one is safe.
    pub(super) fn recover(&mut self, context: &mut Context<'_, Self>) {
        let hard = read_hard_state(context.disk());
        let entries = read_entries(context.disk());
        let is_torn = context.disk().log_bounds(LOG).end > entries.len() as u64;
        if is_torn {
            context.truncate_from(LOG, entries.len() as u64);
        }
        self.log = Log::recover(entries, context);
        self.hard = if hard.term < self.log.last_term() {
            self.outbox.is_hard_dirty = true;
            let raised = HardState { term: self.log.last_term(), vote: None };
            _ = context.replace(HARD_STATE, Record::HardState(raised));
            raised
        } else {
            hard
        };
    }

    /// Changes term or vote, on disk first.
    ///
    /// # Errors
    /// If the disk takes no more; then nothing changes.
    pub(super) fn write_hard_state(
        &mut self,
        context: &mut Context<'_, Self>,
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
        context.replace(HARD_STATE, Record::HardState(hard))?;
        self.outbox.is_hard_dirty = true;
        let before = std::mem::replace(&mut self.hard, hard);
        if hard.term > before.term {
            context.fact(Fact::TermChanged { term: hard.term });
        }
        Ok(())
    }

    /// Does something once all that was written so far is on disk: at once if it is.
    #[inline]
    pub(super) fn after_durable(&mut self, context: &mut Context<'_, Self>, act: Deferred) {
        self.flush(context);
        let needed = self.outbox.begun() + u64::from(self.is_dirty());
        if needed <= self.outbox.done {
            self.perform(context, act);
        } else {
            self.outbox.waiting.push_back((needed, act));
        }
    }

    /// Begins to make durable what was written, unless that waits for a flush under way.
    #[inline]
    pub(super) fn flush(&mut self, context: &mut Context<'_, Self>) {
        if self.is_dirty() && self.outbox.under_way.is_none() {
            self.begin_flush(context);
        }
    }

    /// The hard state first: no entry is durable before its term.
    fn begin_flush(&mut self, context: &mut Context<'_, Self>) {
        if self.outbox.is_hard_dirty {
            self.outbox.under_way = Some(context.sync(HARD_STATE));
            self.outbox.is_hard_dirty = false;
        }
        if self.log.is_dirty() {
            self.outbox.under_way = Some(context.sync(LOG));
        }
        self.log.begin_sync();
    }

    /// A sync is done. The last one of a flush releases what waited for it.
    pub(super) fn on_sync_done(&mut self, context: &mut Context<'_, Self>, sync: SyncId) {
        if self.outbox.under_way != Some(sync) {
            return;
        }
        self.outbox.under_way = None;
        self.outbox.done += 1;
        self.log.end_sync();
        self.flush(context);
        while let Some((_, act)) = self.outbox.waiting.pop_front_if(|(flush, _)| *flush <= self.outbox.done) {
            self.perform(context, act);
        }
        self.maybe_commit(context);
    }

    #[inline]
    fn is_dirty(&self) -> bool {
        self.outbox.is_hard_dirty || self.log.is_dirty()
    }

    fn perform(&mut self, context: &mut Context<'_, Self>, act: Deferred) {
        match act {
            Deferred::Send { to, message } => send(context, to, message),
            Deferred::Campaign(term) => self.campaign(context, term),
        }
    }
}

/// The hard state on disk. A fresh disk has none, and an unreadable one is beyond what Raft promises to survive.
fn read_hard_state(disk: &Disk<Record>) -> HardState {
    match disk.read_cell(HARD_STATE) {
        Ok(Some(Record::HardState(hard))) => *hard,
        Ok(Some(Record::Entry(_)) | None) | Err(_) => HardState::default(),
    }
}

/// The entries on disk before the first that is unreadable.
fn read_entries(disk: &Disk<Record>) -> Vec<Entry> {
    let entries = disk.read_log(LOG, 0..u64::MAX).map_while(|record| match record {
        Ok(Record::Entry(entry)) => Some(*entry),
        Ok(Record::HardState(_)) | Err(_) => None,
    });
    let mut last_term = Term(0);
    entries.take_while(|entry| entry.term >= std::mem::replace(&mut last_term, entry.term)).collect()
}
