//! Persist before send: acts that must not happen before what led to them is on disk.
//!
//! A flush covers all that was written before it began; what is written meanwhile is covered by the next. Its owner decides
//! how many are under way at a time. With one, that is group commit under load, without a timer.
//!
//! ```text
//! input ──> write ──> sync ──────────────> on_durable ──> act
//!    input ──> write ┄┄┄ waits ┄┄┄┄┄┄┄┄┄┄┄╯ sync ──────────────> on_durable ──> act
//! ```

use std::collections::VecDeque;

use serde::{Serialize, Serializer};
use sim_core::SyncId;

/// Acts of type `A` that wait for the disk, in order, and the flushes under way, of each of which its owner keeps an `F`.
#[derive(Clone, Debug)]
pub struct Outbox<A, F = ()> {
    /// Each with the flush it waits for, ascending.
    waiting: VecDeque<(u64, A)>,
    /// The flushes under way, the oldest first, each with its last sync.
    under_way: VecDeque<(SyncId, F)>,
    /// Flushes done so far.
    done: u64,
}

impl<A, F> Default for Outbox<A, F> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), under_way: VecDeque::new(), done: 0 }
    }
}

impl<A, F> Outbox<A, F> {
    /// How many flushes are under way.
    #[inline]
    pub fn flushes_under_way(&self) -> usize {
        self.under_way.len()
    }

    /// A flush begins, and `last` is the last of its syncs.
    pub fn begin(&mut self, last: SyncId, flush: F) {
        self.under_way.push_back((last, flush));
    }

    /// A sync is done. If it was the last one of the oldest flush, that is done, and what was kept of it is returned.
    #[inline]
    pub fn end(&mut self, sync: SyncId) -> Option<F> {
        let (_, flush) = self.under_way.pop_front_if(|(last, _)| *last == sync)?;
        self.done += 1;
        Some(flush)
    }

    /// Keeps an act until what was written before it is on disk; gives it back if nothing has to be waited for.
    /// `is_dirty` says whether something was written that no flush covers.
    #[inline]
    pub fn hold(&mut self, act: A, is_dirty: impl Into<Dirt>) -> Option<A> {
        let begun = self.done + self.under_way.len() as u64;
        let needed = begun + u64::from(is_dirty.into() == Dirt::Dirty);
        if needed <= self.done {
            return Some(act);
        }
        self.waiting.push_back((needed, act));
        None
    }

    /// The next act that waits no more.
    #[inline]
    pub fn next_ready(&mut self) -> Option<A> {
        self.waiting.pop_front_if(|(flush, _)| *flush <= self.done).map(|(_, act)| act)
    }

    /// How many acts wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

/// Whether something was written that no flush covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dirt {
    /// Nothing was.
    Clean,
    /// Something was.
    Dirty,
}

impl From<bool> for Dirt {
    fn from(is_dirty: bool) -> Self {
        if is_dirty { Self::Dirty } else { Self::Clean }
    }
}

/// Flushes are counted from the last one done, so that equal states are equal.
impl<A: Serialize, F: Serialize> Serialize for Outbox<A, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let waiting = self.waiting.iter().map(|(flush, act)| (flush - self.done, act));
        let under_way = self.under_way.iter().map(|(_, flush)| flush);
        (waiting.collect::<Vec<_>>(), under_way.collect::<Vec<_>>()).serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_act_waits_for_the_flush_that_covers_what_was_written_before_it() {
        let mut outbox = Outbox::default();
        assert_eq!(outbox.hold('a', false), Some('a'), "nothing was written");
        assert_eq!(outbox.hold('b', true), None);
        outbox.begin(SyncId::new(7), 7);
        assert_eq!(outbox.hold('c', false), None, "covered by the flush under way");
        assert_eq!(outbox.hold('d', true), None, "written after it began");
        assert_eq!(outbox.next_ready(), None);
        assert_eq!(outbox.end(SyncId::new(6)), None, "an earlier sync of the same flush");
        assert_eq!(outbox.end(SyncId::new(7)), Some(7));
        assert_eq!(
            (outbox.next_ready(), outbox.next_ready(), outbox.next_ready()),
            (Some('b'), Some('c'), None)
        );
        outbox.begin(SyncId::new(8), 8);
        assert_eq!(outbox.end(SyncId::new(8)), Some(8));
        assert_eq!((outbox.next_ready(), outbox.len()), (Some('d'), 0));
    }
    #[test]
    fn flushes_under_way_at_once_are_done_in_their_order() {
        let mut outbox = Outbox::default();
        assert_eq!(outbox.hold('a', true), None);
        outbox.begin(SyncId::new(1), "first");
        assert_eq!(outbox.hold('b', true), None);
        outbox.begin(SyncId::new(2), "second");
        assert_eq!(outbox.flushes_under_way(), 2);
        assert_eq!(outbox.end(SyncId::new(1)), Some("first"));
        assert_eq!((outbox.next_ready(), outbox.next_ready()), (Some('a'), None));
        assert_eq!(outbox.end(SyncId::new(2)), Some("second"));
        assert_eq!(outbox.next_ready(), Some('b'));
    }
}
