//! What a region holds: a log, a cell or a blob of records.

use serde::{Deserialize, Serialize};

use super::{Record, RegionId};
use crate::persist::AppendLog;

/// The kind of a region, fixed by the first write to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RegionKind {
    /// An indexed sequence: append, truncate from, truncate before.
    Log,
    /// One record, replaced atomically.
    Cell,
    /// Chunks that are staged one by one and replace the committed ones at once: commit by rename.
    Blob,
}

/// The place of one record on a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotAddress {
    /// The region.
    pub region: RegionId,
    /// Index in the log, chunk number in the committed blob, from 0; 0 in a cell.
    pub index: u64,
}

/// A record as it stands on the medium.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Slot<R> {
    /// Reads back.
    Intact(R),
    /// Its checksum is wrong: reads fail. What was meant to stand here is kept for tools. Boxed: it is rare, and so a
    /// slot is no larger than a record that leaves room for a tag.
    Corrupt(Box<R>),
}

impl<R> Slot<R> {
    /// The record, unless it is corrupt.
    pub const fn intact(&self) -> Option<&R> {
        match self {
            Self::Intact(record) => Some(record),
            Self::Corrupt(_) => None,
        }
    }

    /// The record that was meant to stand here, readable or not.
    pub const fn meant(&self) -> &R {
        match self {
            Self::Intact(record) => record,
            Self::Corrupt(record) => record,
        }
    }

    pub(super) fn into_meant(self) -> R {
        match self {
            Self::Intact(record) => record,
            Self::Corrupt(record) => *record,
        }
    }
}

/// One write to a region.
#[derive(Clone, Debug)]
pub(super) enum Write<R> {
    Append(R),
    TruncateFrom(u64),
    TruncateBefore(u64),
    Replace(R),
    Stage(R),
    DiscardStaged,
    Commit,
}

impl<R> Write<R> {
    pub(super) const fn record(&self) -> Option<&R> {
        match self {
            Self::Append(record) | Self::Replace(record) | Self::Stage(record) => Some(record),
            Self::TruncateFrom(_) | Self::TruncateBefore(_) | Self::DiscardStaged | Self::Commit => None,
        }
    }

    /// Whether after this write the slot at `index` is another one than before.
    pub(super) const fn replaces(&self, index: u64) -> bool {
        match self {
            Self::TruncateFrom(from) => *from <= index,
            Self::TruncateBefore(first) => *first > index,
            Self::Replace(_) | Self::Commit => true,
            Self::Append(_) | Self::Stage(_) | Self::DiscardStaged => false,
        }
    }
}

/// Slots in order, and the bytes they take.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Extent<R> {
    pub(super) slots: AppendLog<Slot<R>>,
    bytes: u64,
}

impl<R> Default for Extent<R> {
    fn default() -> Self {
        Self { slots: AppendLog::new(), bytes: 0 }
    }
}

impl<R: Record> Extent<R> {
    fn push(&mut self, slot: Slot<R>) {
        self.bytes += slot.meant().size();
        self.slots.push(slot);
    }

    fn bytes_of(&self, indices: std::ops::Range<u64>) -> u64 {
        self.slots.range(indices).map(|slot| slot.meant().size()).sum()
    }

    fn truncate_from(&mut self, index: u64) {
        self.bytes -= self.bytes_of(index..u64::MAX);
        self.slots.truncate_back(index);
    }

    fn truncate_before(&mut self, index: u64) {
        self.bytes -= self.bytes_of(0..index);
        self.slots.truncate_front(index);
    }

    fn change(&mut self, index: u64, change: impl Fn(Slot<R>) -> Slot<R>) -> bool {
        let Some(slot) = self.slots.get_mut(index) else { return false };
        let before = slot.meant().size();
        *slot = change(slot.clone());
        self.bytes = self.bytes - before + slot.meant().size();
        true
    }
}

/// Chunks of a blob, those that count and those that are being written.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Blob<R> {
    pub(super) committed: Extent<R>,
    pub(super) staged: Extent<R>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) enum Contents<R> {
    Log(Extent<R>),
    Cell(Option<Slot<R>>),
    /// Boxed: twice as large as a log, and rare.
    Blob(Box<Blob<R>>),
}

impl<R: Record> Contents<R> {
    pub(super) fn empty(kind: RegionKind) -> Self {
        match kind {
            RegionKind::Log => Self::Log(Extent::default()),
            RegionKind::Cell => Self::Cell(None),
            RegionKind::Blob => {
                Self::Blob(Box::new(Blob { committed: Extent::default(), staged: Extent::default() }))
            }
        }
    }

    pub(super) const fn kind(&self) -> RegionKind {
        match self {
            Self::Log(_) => RegionKind::Log,
            Self::Cell(_) => RegionKind::Cell,
            Self::Blob(_) => RegionKind::Blob,
        }
    }

    /// Bytes of all records, readable or not, staged chunks included.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Log(log) => log.bytes,
            Self::Cell(slot) => slot.as_ref().map_or(0, |slot| slot.meant().size()),
            Self::Blob(blob) => blob.committed.bytes + blob.staged.bytes,
        }
    }

    /// Whether nothing counts here: staged chunks don't.
    pub(super) const fn is_empty(&self) -> bool {
        match self {
            Self::Log(log) => log.slots.end_index() == 0,
            Self::Cell(slot) => slot.is_none(),
            Self::Blob(blob) => blob.committed.slots.is_empty(),
        }
    }

    /// The slot at `index`; of a blob: of its committed chunks.
    pub(super) fn slot(&self, index: u64) -> Option<&Slot<R>> {
        match self {
            Self::Log(log) => log.slots.get(index),
            Self::Cell(slot) => slot.as_ref().filter(|_| index == 0),
            Self::Blob(blob) => blob.committed.slots.get(index),
        }
    }

    /// The slots of a log, the committed ones of a blob.
    pub(super) const fn slots(&self) -> Option<&AppendLog<Slot<R>>> {
        match self {
            Self::Log(log) => Some(&log.slots),
            Self::Blob(blob) => Some(&blob.committed.slots),
            Self::Cell(_) => None,
        }
    }

    /// Index of the next append, where this is a log.
    pub(super) const fn log_end(&self) -> Option<u64> {
        match self {
            Self::Log(log) => Some(log.slots.end_index()),
            Self::Cell(_) | Self::Blob(_) => None,
        }
    }

    pub(super) fn apply(&mut self, write: Write<R>) {
        match (self, write) {
            (Self::Log(log), Write::Append(record)) => log.push(Slot::Intact(record)),
            (Self::Log(log), Write::TruncateFrom(index)) => log.truncate_from(index),
            (Self::Log(log), Write::TruncateBefore(index)) => log.truncate_before(index),
            (Self::Cell(slot), Write::Replace(record)) => *slot = Some(Slot::Intact(record)),
            (Self::Blob(blob), Write::Stage(record)) => blob.staged.push(Slot::Intact(record)),
            (Self::Blob(blob), Write::DiscardStaged) => blob.staged = Extent::default(),
            (Self::Blob(blob), Write::Commit) => blob.committed = std::mem::take(&mut blob.staged),
            (contents, _) => unreachable!("a {:?} region got a write of another kind", contents.kind()),
        }
    }

    /// Shares memory with a log that got the same appends.
    pub(super) fn share_with(&mut self, twin: &Self) {
        if let (Self::Log(log), Self::Log(twin)) = (self, twin) {
            log.slots.share_chunk(&twin.slots);
        }
    }

    /// Applies a write whose record went elsewhere, and returns that record. A log entry or staged chunk stands
    /// where nothing was written, and is corrupt; a cell keeps its old value.
    pub(super) fn miss(&mut self, write: Write<R>) -> Option<R> {
        let record = write.record().cloned();
        match (self, write) {
            (Self::Log(log), Write::Append(record)) => log.push(Slot::Corrupt(Box::new(record))),
            (Self::Blob(blob), Write::Stage(record)) => blob.staged.push(Slot::Corrupt(Box::new(record))),
            (Self::Cell(_), Write::Replace(_)) => {}
            (contents, _) => unreachable!("a {:?} region missed a write of another kind", contents.kind()),
        }
        record
    }

    /// Forgets staged chunks, as recovery deletes temporary files.
    pub(super) fn discard_staged(&mut self) {
        if let Self::Blob(blob) = self {
            blob.staged = Extent::default();
        }
    }

    /// Changes the slot at `index` (of a blob: of its committed chunks), if there is one; returns whether.
    pub(super) fn change(&mut self, index: u64, change: impl Fn(Slot<R>) -> Slot<R>) -> bool {
        match self {
            Self::Log(log) => log.change(index, change),
            Self::Blob(blob) => blob.committed.change(index, change),
            Self::Cell(slot) if index == 0 => {
                *slot = slot.take().map(change);
                slot.is_some()
            }
            Self::Cell(_) => false,
        }
    }
}
