//! Persist before send: acts that must not happen before what led to them is on disk.
//!
//! One flush is under way at a time and covers all that was written before it began; what is written meanwhile is
//! covered by the next. Under load that is group commit, without a timer.
//!
//! ```text
//! input ──> write ──> sync ──────────────> on_durable ──> act
//!    input ──> write ┄┄┄ waits ┄┄┄┄┄┄┄┄┄┄┄╯ sync ──────────────> on_durable ──> act
//! ```

use std::collections::VecDeque;

use serde::{Serialize, Serializer};
use sim_core::SyncId;

/// Acts of type `A` that wait for the disk, in order.
#[derive(Clone, Debug)]
pub struct Outbox<A> {
    /// Each with the flush it waits for, ascending.
    waiting: VecDeque<(u64, A)>,
    /// The last sync of the flush under way.
    under_way: Option<SyncId>,
    /// Flushes done so far.
    done: u64,
}

impl<A> Default for Outbox<A> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), under_way: None, done: 0 }
    }
}

impl<A> Outbox<A> {
    /// Whether no flush is under way, so that one may begin.
    #[inline]
    pub const fn is_idle(&self) -> bool {
        self.under_way.is_none()
    }

    /// A flush begins, and `last` is the last of its syncs.
    pub const fn begin(&mut self, last: SyncId) {
        self.under_way = Some(last);
    }

    /// A sync is done. Returns whether it was the last one of the flush under way, which is done then.
    #[inline]
    pub fn end(&mut self, sync: SyncId) -> bool {
        let is_last = self.under_way == Some(sync);
        if is_last {
            self.under_way = None;
            self.done += 1;
        }
        is_last
    }

    /// Keeps an act until what was written before it is on disk; gives it back if nothing has to be waited for.
    /// `is_dirty` says whether something was written that no flush covers.
    #[inline]
    pub fn hold(&mut self, act: A, is_dirty: impl Into<Dirt>) -> Option<A> {
        let needed = self.done + u64::from(!self.is_idle()) + u64::from(is_dirty.into() == Dirt::Dirty);
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
impl<A: Serialize> Serialize for Outbox<A> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let waiting = self.waiting.iter().map(|(flush, act)| (flush - self.done, act));
        (waiting.collect::<Vec<_>>(), self.under_way.is_some()).serialize(serializer)
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
        outbox.begin(SyncId::new(7));
        assert_eq!(outbox.hold('c', false), None, "covered by the flush under way");
        assert_eq!(outbox.hold('d', true), None, "written after it began");
        assert_eq!(outbox.next_ready(), None);
        assert!(!outbox.end(SyncId::new(6)), "an earlier sync of the same flush");
        assert!(outbox.end(SyncId::new(7)));
        assert_eq!(
            (outbox.next_ready(), outbox.next_ready(), outbox.next_ready()),
            (Some('b'), Some('c'), None)
        );
        outbox.begin(SyncId::new(8));
        assert!(outbox.end(SyncId::new(8)));
        assert_eq!((outbox.next_ready(), outbox.len()), (Some('d'), 0));
    }
}
