//! What happens next: a priority queue of small keys, and a slab for what they stand for.
//!
//! Events never move while they wait. The queue orders 16-byte [`EventKey`]s (time, sequence, slot); the slot says
//! where in a [`Slab`] the event lies. Sequence numbers are unique, so the order is total and no two queues can
//! disagree on it: any [`EventQueue`] gives the same run.
//!
//! Cancelling is lazy: the event leaves its slot at once, its key is skipped when it comes up, and
//! [`EventQueue::retain`] drops such keys when there are too many.

pub mod heap;
pub mod ladder;
pub mod slab;
pub mod ties;
#[cfg(test)]
mod twins;

use std::fmt;

pub use heap::QuaternaryHeap;
pub use ladder::LadderQueue;
pub use slab::{Handle, Slab};
pub use ties::Ties;

/// What worlds run on. Any queue gives the same run; which of them is chosen is a matter of speed.
#[cfg(not(feature = "quaternary-heap"))]
pub(crate) type WorldQueue = LadderQueue;
#[cfg(feature = "quaternary-heap")]
pub(crate) type WorldQueue = QuaternaryHeap;

use crate::time::SimTime;

/// Bits of a sequence number: 10¹² events a run.
pub const SEQUENCE_BITS: u32 = 40;
/// Bits of a slot: 16,777,215 events pending at once.
pub const SLOT_BITS: u32 = 24;

const SEQUENCE_MASK: u64 = (1 << SEQUENCE_BITS) - 1;
const SLOT_MASK: u32 = (1 << SLOT_BITS) - 1;

/// When an event is due and where it waits, in one comparable word: time in nanoseconds (64 bits), then sequence
/// (40 bits), then slot (24 bits). The slot never decides the order, because sequence numbers are unique.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventKey(u128);

impl EventKey {
    /// After every key that stands for an event.
    const NEVER: Self = Self(u128::MAX);

    /// The key of the event in `slot`, due at `time`, `sequence`-th among the events of its instant.
    ///
    /// # Panics
    ///
    /// If `sequence` needs more than 40 bits or `slot` more than 24. The very last slot is reserved, so that no
    /// key is greater than all others.
    #[inline(always)]
    pub const fn new(time: SimTime, sequence: u64, slot: u32) -> Self {
        assert!(
            sequence <= SEQUENCE_MASK,
            "a sequence number has 40 bits: more than 1,099,511,627,776 events"
        );
        assert!(slot < SLOT_MASK, "a slot has 24 bits: more than 16,777,215 events pending");
        let low = sequence << SLOT_BITS | slot as u64;
        Self((time.as_nanos() as u128) << 64 | low as u128)
    }

    /// When the event is due.
    #[inline]
    pub const fn time(self) -> SimTime {
        SimTime::from_nanos((self.0 >> 64) as u64)
    }

    /// The place among events due at the same time, below 2⁴⁰.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "masked to 40 bits")]
    pub const fn sequence(self) -> u64 {
        (self.0 >> SLOT_BITS) as u64 & SEQUENCE_MASK
    }

    /// Where the event waits, below 2²⁴.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "masked to 24 bits")]
    pub const fn slot(self) -> u32 {
        self.0 as u32 & SLOT_MASK
    }
}

impl fmt::Debug for EventKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventKey({} #{} in slot {})", self.time(), self.sequence(), self.slot())
    }
}

/// A priority queue of event keys: the least comes first.
pub trait EventQueue: Clone + Send {
    /// Adds `key`.
    fn push(&mut self, key: EventKey);

    /// The least key, if there is one; it stays.
    fn peek(&self) -> Option<EventKey>;

    /// Takes the least key, if there is one.
    fn pop(&mut self) -> Option<EventKey>;

    /// How many keys wait.
    fn len(&self) -> usize;

    /// Whether no key waits.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Drops every key that `is_wanted` refuses, in time linear in the number of keys. The keys come in no
    /// particular order.
    fn retain(&mut self, is_wanted: impl FnMut(EventKey) -> bool);

    /// Drops every key.
    fn clear(&mut self);

    /// All keys, in no order.
    fn keys(&self) -> impl Iterator<Item = EventKey>;

    // ----- what comes soon, for who would have it in the cache by then -----

    /// How many times [`soon`](Self::soon) and [`later`](Self::later) have become others so far. A queue that cannot tell
    /// them has none.
    #[inline(always)]
    fn opened(&self) -> u64 {
        0
    }

    /// Keys that come up soon, the next one last. Keys that are pushed meanwhile may come before.
    fn soon(&self) -> &[EventKey] {
        &[]
    }

    /// Keys that come up after those of [`soon`](Self::soon), in no order.
    fn later(&self) -> &[EventKey] {
        &[]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_key_gives_its_parts_back(nanos: u64, sequence in 0..=SEQUENCE_MASK, slot in 0..SLOT_MASK) {
            let time = SimTime::from_nanos(nanos);
            let key = EventKey::new(time, sequence, slot);
            prop_assert_eq!((key.time(), key.sequence(), key.slot()), (time, sequence, slot));
        }

        #[test]
        fn keys_are_ordered_by_time_then_sequence(
            times in (0..4_u64, 0..4_u64), sequences in (0..4_u64, 0..4_u64), slots in (0..4_u32, 0..4_u32)
        ) {
            let left = EventKey::new(SimTime::from_nanos(times.0), sequences.0, slots.0);
            let right = EventKey::new(SimTime::from_nanos(times.1), sequences.1, slots.1);
            let expected = (times.0, sequences.0, slots.0).cmp(&(times.1, sequences.1, slots.1));
            prop_assert_eq!(left.cmp(&right), expected);
        }
    }

    #[test]
    #[should_panic(expected = "more than 1,099,511,627,776 events")]
    fn a_sequence_beyond_40_bits_is_refused() {
        EventKey::new(SimTime::ZERO, 1 << SEQUENCE_BITS, 0);
    }

    #[test]
    #[should_panic(expected = "more than 16,777,215 events pending")]
    fn a_slot_beyond_24_bits_is_refused() {
        EventKey::new(SimTime::ZERO, 0, 1 << SLOT_BITS);
    }
}
