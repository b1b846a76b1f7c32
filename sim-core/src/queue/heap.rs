//! An implicit heap with four children a node.
//!
//! Four children halve the depth of a binary heap, and four keys fill one cache line. So the keys lie in groups of
//! four siblings, each on a line of its own, and the root is the last key of the first group:
//!
//! ```text
//! group 0: [ -   -   - root ]
//! group 1: [ a   b   c   d  ]      children of the root
//! group 2: [ …children of a… ]     group 3: [ …children of b… ]   …
//! ```
//!
//! The children of the key at position `i` are group `i - 2`; group `g` has its parent at position `g + 2`. Unused
//! places hold the greatest number there is, so the least of four is found without asking which of them are used.
//!
//! Most handlers push after they were popped. So a pop leaves the root vacant: the next push fills it and sinks, where
//! otherwise a key would be fetched from the end to do so, and the new one would rise from there. Only a pop
//! without a push in between has to fetch.

use super::{EventKey, EventQueue};

/// The position of the root.
const ROOT: usize = 3;
/// What unused places hold.
const NOTHING: u128 = EventKey::NEVER.0;

/// Four siblings on one cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Siblings([u128; 4]);

impl Siblings {
    /// The least of the four and its place. Without branches: which one it is cannot be predicted.
    #[inline]
    fn least(&self) -> (usize, u128) {
        let [a, b, c, d] = self.0;
        let (left, left_least) = if b < a { (1, b) } else { (0, a) };
        let (right, right_least) = if d < c { (3, d) } else { (2, c) };
        if right_least < left_least { (right, right_least) } else { (left, left_least) }
    }
}

/// A heap of packed keys with four children a node.
#[derive(Debug, Default)]
pub struct QuaternaryHeap {
    groups: Vec<Siblings>,
    /// Positions from the root on that are in use, a vacant root included.
    used: usize,
    /// Whether the key at the root was popped and nothing has taken its place yet.
    root_is_vacant: bool,
}

impl QuaternaryHeap {
    /// Without keys.
    pub const fn new() -> Self {
        Self { groups: Vec::new(), used: 0, root_is_vacant: false }
    }

    /// The first position that is not in use.
    const fn end(&self) -> usize {
        ROOT + self.used
    }

    #[inline]
    fn at(&mut self, position: usize) -> &mut u128 {
        &mut self.groups[position / 4].0[position % 4]
    }

    /// Fills a vacant root with the last key.
    #[inline(always)]
    fn maybe_fill_root(&mut self) {
        if self.root_is_vacant {
            self.fill_root();
        }
    }

    #[inline(never)]
    fn fill_root(&mut self) {
        self.root_is_vacant = false;
        self.used -= 1;
        let end = self.end();
        let last = std::mem::replace(self.at(end), NOTHING);
        if self.used > 0 {
            self.sink(ROOT, last);
        }
    }

    /// Puts `key` at `position` or below it, where it is not greater than its children.
    #[inline]
    fn sink(&mut self, mut position: usize, key: u128) {
        while let Some(children) = self.groups.get(position - 2) {
            let (place, least) = children.least();
            if key <= least {
                break;
            }
            *self.at(position) = least;
            position = (position - 2) * 4 + place;
        }
        *self.at(position) = key;
    }

    #[inline(never)]
    fn sink_from_root(&mut self, key: u128) {
        self.sink(ROOT, key);
    }

    /// Adds `key` after the last.
    #[inline(never)]
    fn append(&mut self, key: EventKey) {
        let position = self.end();
        if position / 4 == self.groups.len() {
            self.groups.push(Siblings([NOTHING; 4]));
        }
        self.used += 1;
        self.rise(position, key.0);
    }

    /// Puts `key` at `position` or above it, where it is not less than its parent.
    #[inline]
    fn rise(&mut self, mut position: usize, key: u128) {
        while position > ROOT {
            let parent = position / 4 + 2;
            let parent_key = *self.at(parent);
            if parent_key <= key {
                break;
            }
            *self.at(position) = parent_key;
            position = parent;
        }
        *self.at(position) = key;
    }

    /// Restores the order among all keys, from the last parent up to the root.
    fn heapify(&mut self) {
        if self.used > 1 {
            let last_parent = (self.end() - 1) / 4 + 2;
            for position in (ROOT..=last_parent).rev() {
                let key = *self.at(position);
                self.sink(position, key);
            }
        }
    }
}

/// Copies the groups in use, not what a former peak left behind.
impl Clone for QuaternaryHeap {
    fn clone(&self) -> Self {
        let groups = self.end().div_ceil(4).min(self.groups.len());
        Self { groups: self.groups[..groups].to_vec(), ..*self }
    }
}

impl EventQueue for QuaternaryHeap {
    #[inline(always)]
    fn push(&mut self, key: EventKey) {
        if !self.root_is_vacant {
            return self.append(key);
        }
        self.root_is_vacant = false;
        if self.used == 1 {
            self.groups[0].0[ROOT] = key.0;
        } else {
            self.sink_from_root(key.0);
        }
    }

    #[inline]
    fn peek(&self) -> Option<EventKey> {
        let least =
            if self.root_is_vacant { self.groups.get(1)?.least().1 } else { self.groups.first()?.0[ROOT] };
        (least != NOTHING).then_some(EventKey(least))
    }

    #[inline(always)]
    fn pop(&mut self) -> Option<EventKey> {
        self.maybe_fill_root();
        if self.used == 0 {
            return None;
        }
        self.root_is_vacant = true;
        Some(EventKey(*self.at(ROOT)))
    }

    #[inline]
    fn len(&self) -> usize {
        self.used - usize::from(self.root_is_vacant)
    }

    fn retain(&mut self, mut is_wanted: impl FnMut(EventKey) -> bool) {
        self.maybe_fill_root();
        let (end, mut kept) = (self.end(), ROOT);
        for position in ROOT..end {
            let key = std::mem::replace(self.at(position), NOTHING);
            if is_wanted(EventKey(key)) {
                *self.at(kept) = key;
                kept += 1;
            }
        }
        self.used = kept - ROOT;
        self.heapify();
    }

    fn clear(&mut self) {
        *self = Self { groups: std::mem::take(&mut self.groups), ..Self::new() };
        self.groups.clear();
    }

    fn keys(&self) -> impl Iterator<Item = EventKey> {
        let first = ROOT + usize::from(self.root_is_vacant);
        (first..self.end()).map(|position| EventKey(self.groups[position / 4].0[position % 4]))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::twins::{Step, Twins, step};
    use super::*;
    use crate::time::SimTime;

    proptest! {
        #[test]
        fn the_heap_pops_what_a_sorted_vector_pops(steps in prop::collection::vec(step(), 0..400)) {
            let mut twins = Twins::<QuaternaryHeap>::default();
            for step in &steps {
                twins.apply(step);
            }
            (0..=twins.queue.len()).for_each(|_| twins.apply(&Step::Pop));
        }

        #[test]
        fn keys_survive_a_rebuild_at_every_size(size in 0..200_u64, refused in 0..200_u32) {
            let mut twins = Twins::<QuaternaryHeap>::default();
            (0..size).for_each(|number| twins.push(number * 37 % 101));
            twins.queue.retain(|key| key.slot() != refused);
            twins.sorted.retain(|key| key.slot() != refused);
            (0..=size).for_each(|_| twins.pop());
        }
    }

    #[test]
    fn the_last_key_of_all_time_is_still_found() {
        let mut heap = QuaternaryHeap::new();
        let last = EventKey::new(SimTime::MAX, 0, 0);
        heap.push(last);
        assert_eq!((heap.peek(), heap.pop(), heap.pop()), (Some(last), Some(last), None));
    }

    #[test]
    fn a_fork_does_not_copy_a_former_peak() {
        let mut heap = QuaternaryHeap::new();
        (0..1_000).for_each(|number| heap.push(EventKey::new(SimTime::ZERO, number, 0)));
        (0..999).for_each(|_| _ = heap.pop());
        assert!(heap.clone().groups.len() <= 2, "one key and a vacant root need two groups");
        assert_eq!(heap.clone().pop(), heap.pop());
    }
}
