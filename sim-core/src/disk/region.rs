//! One region of a disk: what the process reads, what is durable, and the writes in between.

use std::collections::VecDeque;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Record;
use super::contents::{Contents, Slot, SlotAddress, Write};

/// Names a region of a disk, printed `r0 … r65535`. Each protocol numbers its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RegionId(u16);

impl RegionId {
    /// The region with this number.
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// The number, as digests fold it.
    pub const fn raw(self) -> u16 {
        self.0
    }
}

impl fmt::Display for RegionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "r{}", self.0)
    }
}

/// How to go back to the durable state before one batch of writes.
#[derive(Clone, Debug)]
enum Undo<R> {
    /// The batch only appended, from this index on.
    TruncateFrom(u64),
    /// The whole state, sharing its chunks with later ones.
    Contents(Box<Contents<R>>),
}

/// A write that is to go, or has gone, to another place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Misdirect {
    pub(super) from: RegionId,
    pub(super) onto: SlotAddress,
}

/// A record on its way to the wrong place.
pub(super) struct Stray<R> {
    pub(super) record: R,
    pub(super) onto: SlotAddress,
}

#[derive(Clone, Debug)]
pub(super) struct Region<R> {
    pub(super) id: RegionId,
    /// Durable contents plus all pending writes: what the process reads.
    pub(super) volatile: Contents<R>,
    pub(super) durable: Contents<R>,
    /// Writes not yet durable, in order.
    pending: VecDeque<Write<R>>,
    /// Writes ever made; the ordinal of the next one.
    written: u64,
    /// Writes below this ordinal were reported durable. It passes the durable ones only by a lying sync.
    acknowledged: u64,
    /// Newest last.
    history: VecDeque<Undo<R>>,
}

impl<R: Record> Region<R> {
    pub(super) fn new(id: RegionId, empty: Contents<R>) -> Self {
        Self {
            id,
            volatile: empty.clone(),
            durable: empty,
            pending: VecDeque::new(),
            written: 0,
            acknowledged: 0,
            history: VecDeque::new(),
        }
    }

    pub(super) fn write(&mut self, write: Write<R>) {
        self.volatile.apply(write.clone());
        self.pending.push_back(write);
        self.written += 1;
    }

    /// Writes ever made: a sync covers those with a lower ordinal.
    pub(super) const fn written(&self) -> u64 {
        self.written
    }

    /// Writes that are not durable.
    pub(super) fn unsynced(&self) -> u64 {
        self.pending.len() as u64
    }

    /// Ordinal of the first write that is not durable.
    fn durable_writes(&self) -> u64 {
        self.written - self.unsynced()
    }

    /// A sync covering the writes below `upto` was reported complete.
    pub(super) fn acknowledge(&mut self, upto: u64) {
        self.acknowledged = self.acknowledged.max(upto);
    }

    /// Whether the process was told that some pending write is durable.
    pub(super) fn was_lied_about(&self) -> bool {
        self.acknowledged > self.durable_writes()
    }

    /// Makes the writes below ordinal `upto` durable, and keeps the way back in a history of `depth` batches.
    /// Returns what an armed misdirection has sent elsewhere.
    pub(super) fn settle(&mut self, upto: u64, depth: u8, misdirects: &mut Vec<Misdirect>) -> Vec<Stray<R>> {
        let mut strays = Vec::new();
        let count = upto.saturating_sub(self.durable_writes());
        if count == 0 {
            return strays;
        }
        self.remember(count, depth);
        for _ in 0..count {
            let write = self.pending.pop_front().expect("a sync covers only writes that were made");
            let armed = misdirects.iter().position(|misdirect| misdirect.from == self.id);
            match armed.filter(|_| write.record().is_some()) {
                None => {
                    self.durable.apply(write);
                    self.durable.share_with(&self.volatile);
                }
                Some(at) => {
                    let onto = misdirects.remove(at).onto;
                    strays.extend(self.durable.miss(write).map(|record| Stray { record, onto }));
                }
            }
        }
        strays
    }

    /// Keeps the way back from the first `count` pending writes. Appends, the usual case, cost nothing.
    fn remember(&mut self, count: u64, depth: u8) {
        if depth == 0 {
            return;
        }
        let batch_len = usize::try_from(count).expect("pending writes are in memory");
        let only_appends = self.pending.iter().take(batch_len).all(|write| matches!(write, Write::Append(_)));
        let undo = match self.durable.log_end().filter(|_| only_appends) {
            Some(end) => Undo::TruncateFrom(end),
            None => Undo::Contents(Box::new(self.durable.clone())),
        };
        self.history.push_back(undo);
        if self.history.len() > usize::from(depth) {
            self.history.pop_front();
        }
    }

    /// Goes back `batches` durable batches, or as far as the history reaches; returns how many that were.
    pub(super) fn roll_back(&mut self, batches: u32) -> u32 {
        let mut undone = 0;
        while undone < batches
            && let Some(undo) = self.history.pop_back()
        {
            match undo {
                Undo::TruncateFrom(end) => self.durable.apply(Write::TruncateFrom(end)),
                Undo::Contents(contents) => self.durable = *contents,
            }
            undone += 1;
        }
        undone
    }

    /// Throws away what is not durable: the process reads the medium again.
    pub(super) fn reload(&mut self) {
        self.durable.discard_staged();
        self.volatile = self.durable.clone();
        self.pending.clear();
        self.acknowledged = self.written;
    }

    /// Whether the pending write at `offset` carries a record, which a crash can cut short.
    pub(super) fn carries_record(&self, offset: u64) -> bool {
        let offset = usize::try_from(offset).expect("pending writes are in memory");
        self.pending.get(offset).is_some_and(|write| write.record().is_some())
    }

    /// The ordinal below which writes survive when the first `count` pending ones do.
    pub(super) fn ordinal_after(&self, count: u64) -> u64 {
        self.durable_writes() + count
    }

    /// Changes what stands durably at `index`, and the process's copy of it unless a pending write has
    /// replaced that. Does nothing where there is no such slot.
    pub(super) fn change(&mut self, index: u64, change: impl Fn(Slot<R>) -> Slot<R>) {
        let exists = self.durable.change(index, &change);
        if exists && !self.pending.iter().any(|write| write.replaces(index)) {
            self.volatile.change(index, &change);
        }
    }
}
