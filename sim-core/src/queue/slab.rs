//! Where events wait: slots that are reused, last freed first, because that one is still in the cache.
//!
//! A slot's generation rises each time the slot is freed. A [`Handle`] remembers the generation, so that a handle to a
//! timer that has fired never reaches what took its slot later.

use super::SLOT_BITS;

/// Slots a slab may have.
const SLOTS_MAX: usize = (1 << SLOT_BITS) - 1;
/// The end of the free list: no slot has this number.
const NO_SLOT: u32 = u32::MAX;

/// One use of one slot. Generations wrap: a handle kept while its slot is used 2³² times would be mistaken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle {
    slot: u32,
    generation: u32,
}

impl Handle {
    /// A handle that reaches nothing.
    pub const NONE: Self = Self { slot: NO_SLOT, generation: 0 };

    /// The slot, which may meanwhile hold something else.
    pub const fn slot(self) -> u32 {
        self.slot
    }
}

/// Values at fixed small numbers, inline and without an allocation each.
#[derive(Clone, Debug)]
pub struct Slab<T> {
    slots: Vec<Slot<T>>,
    /// The slot freed last, or [`NO_SLOT`].
    first_free: u32,
    /// How many slots there may be.
    limit: usize,
    /// One more was asked for.
    is_overfull: bool,
}

/// The entry begins a slot and the generation ends it: [`Slab::read`] counts on that.
#[derive(Clone, Debug)]
#[repr(C)]
struct Slot<T> {
    entry: Entry<T>,
    /// How often this slot was freed.
    generation: u32,
}

#[derive(Clone, Debug)]
enum Entry<T> {
    Full(T),
    /// With the slot that was freed before this one, or [`NO_SLOT`].
    Free(u32),
}

impl<T> Slot<T> {
    const fn value(&self) -> Option<&T> {
        match &self.entry {
            Entry::Full(value) => Some(value),
            Entry::Free(_) => None,
        }
    }

    const fn value_mut(&mut self) -> Option<&mut T> {
        match &mut self.entry {
            Entry::Full(value) => Some(value),
            Entry::Free(_) => None,
        }
    }
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Slab<T> {
    /// Without values or slots.
    pub const fn new() -> Self {
        Self { slots: Vec::new(), first_free: NO_SLOT, limit: SLOTS_MAX, is_overfull: false }
    }

    /// Lets there be at most so many slots. Those that there are stay.
    ///
    /// # Panics
    ///
    /// If that is more than 16,777,215, the default.
    pub fn limit(&mut self, slots: u32) {
        assert!(slots as usize <= SLOTS_MAX, "{slots} slots are more than their numbers can tell apart");
        self.limit = slots as usize;
    }

    /// Whether [`Slab::insert`] panicked because all slots were full.
    pub const fn is_overfull(&self) -> bool {
        self.is_overfull
    }

    /// Puts `value` in the slot freed last, or in a new one, and says which.
    ///
    /// # Panics
    ///
    /// If as many slots are full as there may be; [`Slab::is_overfull`] holds then.
    #[inline(always)]
    pub fn insert(&mut self, value: T) -> u32 {
        if self.first_free == NO_SLOT {
            self.append();
        }
        // The value is built in its place: nothing that is not inlined may take it by value before.
        let slot = self.first_free;
        let free = &mut self.slots[slot as usize];
        let Entry::Free(next) = free.entry else { full_on_free_list(slot) };
        free.entry = Entry::Full(value);
        self.first_free = next;
        slot
    }

    /// Adds a free slot.
    #[cold]
    #[inline(never)]
    #[expect(clippy::cast_possible_truncation, reason = "asserted to fit in 24 bits")]
    fn append(&mut self) {
        let slot = self.slots.len();
        self.is_overfull = slot >= self.limit;
        assert!(!self.is_overfull, "more than {} events pending", self.limit);
        self.slots.push(Slot { generation: 0, entry: Entry::Free(NO_SLOT) });
        self.first_free = slot as u32;
    }

    /// Takes the value out of `slot` and frees it.
    ///
    /// # Panics
    ///
    /// If the slot is free or was never used.
    #[inline(always)]
    pub fn take(&mut self, slot: u32) -> T {
        let freed = &mut self.slots[slot as usize];
        let Entry::Full(value) = std::mem::replace(&mut freed.entry, Entry::Free(self.first_free)) else {
            panic!("slot {slot} is taken, but it was free already");
        };
        freed.generation = freed.generation.wrapping_add(1);
        self.first_free = slot;
        value
    }

    /// The value in `slot`, if it is full.
    #[inline]
    pub fn get(&self, slot: u32) -> Option<&T> {
        self.slots.get(slot as usize)?.value()
    }

    /// Reads the two ends of `slot`, so that small values lie in the cache when they are needed: whether it is full, and
    /// how often it was freed. `None` if it was never used.
    #[inline]
    pub fn read(&self, slot: u32) -> Option<(bool, u32)> {
        self.slots.get(slot as usize).map(|slot| (slot.value().is_some(), slot.generation))
    }

    /// The value in `slot`, if it is full.
    #[inline]
    pub fn get_mut(&mut self, slot: u32) -> Option<&mut T> {
        self.slots.get_mut(slot as usize)?.value_mut()
    }

    /// A handle to what is in `slot` now.
    ///
    /// # Panics
    ///
    /// If the slot is free or was never used.
    #[inline]
    pub fn handle(&self, slot: u32) -> Handle {
        assert!(self.get(slot).is_some(), "a handle to slot {slot} was asked for, but it is free");
        Handle { slot, generation: self.slots[slot as usize].generation }
    }

    /// The value that `handle` was made for, if it is still there.
    #[inline]
    pub fn reach(&self, handle: Handle) -> Option<&T> {
        let slot = self.slots.get(handle.slot as usize)?;
        if slot.generation == handle.generation { slot.value() } else { None }
    }

    /// The same, to change it.
    #[inline]
    pub fn lookup(&mut self, handle: Handle) -> Option<&mut T> {
        let slot = self.slots.get_mut(handle.slot as usize)?;
        if slot.generation == handle.generation { slot.value_mut() } else { None }
    }

    /// How many slots are full; walks all of them.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether no slot is full.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// The full slots with their values, by ascending slot; also walks the free ones.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..).zip(&self.slots).filter_map(|(number, slot)| Some((number, slot.value()?)))
    }
}

#[cold]
#[inline(never)]
fn full_on_free_list(slot: u32) -> ! {
    unreachable!("slot {slot} is on the free list, but full")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_slot_freed_last_is_used_first() {
        let mut slab: Slab<char> = "abc".chars().fold(Slab::new(), |mut slab, letter| {
            slab.insert(letter);
            slab
        });
        assert_eq!((slab.take(0), slab.take(2)), ('a', 'c'));
        assert_eq!((slab.insert('d'), slab.insert('e'), slab.insert('f')), (2, 0, 3));
        assert_eq!(slab.iter().collect::<Vec<_>>(), [(0, &'e'), (1, &'b'), (2, &'d'), (3, &'f')]);
    }

    #[test]
    fn an_old_handle_does_not_reach_the_next_value_of_its_slot() {
        let mut slab = Slab::new();
        let slot = slab.insert("timer");
        let handle = slab.handle(slot);
        assert_eq!(slab.lookup(handle), Some(&mut "timer"));
        slab.take(slot);
        assert_eq!(slab.lookup(handle), None, "freed");
        assert_eq!(slab.insert("message"), slot);
        assert_eq!(slab.lookup(handle), None, "reused");
    }

    #[test]
    fn a_slab_that_is_asked_for_more_than_it_may_hold_says_so() {
        let mut slab = Slab::new();
        slab.limit(2);
        assert_eq!((slab.insert('a'), slab.insert('b'), slab.is_overfull()), (0, 1, false));
        slab.take(0);
        assert_eq!((slab.insert('c'), slab.is_overfull()), (0, false), "a slot is used again");
        let more = std::panic::AssertUnwindSafe(|| slab.insert('d'));
        let text = std::panic::catch_unwind(more).expect_err("a third is too much");
        assert_eq!(text.downcast_ref::<String>().map(String::as_str), Some("more than 2 events pending"));
        assert!(slab.is_overfull());
    }

    #[test]
    #[should_panic(expected = "slot 0 is taken, but it was free already")]
    fn a_slot_is_taken_only_once() {
        let mut slab = Slab::new();
        let slot = slab.insert(());
        slab.take(slot);
        slab.take(slot);
    }

    proptest! {
        /// A twin that never reuses anything: values are their own ordinals.
        #[test]
        fn handles_never_confuse_generations(steps in prop::collection::vec((any::<bool>(), any::<u8>()), 1..200)) {
            let mut slab = Slab::new();
            let mut handles = Vec::new();
            let mut live = BTreeMap::new();
            for (grow, choice) in steps {
                if grow {
                    let slot = slab.insert(handles.len());
                    prop_assert!(live.insert(slot, handles.len()).is_none(), "slot {} given twice", slot);
                    handles.push(slab.handle(slot));
                } else if let Some(&slot) = live.keys().nth(usize::from(choice) % live.len().max(1)) {
                    prop_assert_eq!(Some(slab.take(slot)), live.remove(&slot));
                }
                for (value, handle) in handles.iter().enumerate() {
                    let is_live = live.get(&handle.slot()) == Some(&value);
                    prop_assert_eq!(slab.lookup(*handle).copied(), is_live.then_some(value));
                }
                prop_assert_eq!((slab.len(), slab.is_empty()), (live.len(), live.is_empty()));
                prop_assert!(slab.iter().eq(live.iter().map(|(slot, value)| (*slot, value))));
            }
        }
    }
}
