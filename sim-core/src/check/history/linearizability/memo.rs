//! Which configurations a search has been in: a set of 128-bit keys.
//!
//! Keys are hashes already, so their low bits choose the place. Nothing iterates over the set, therefore the order
//! inside cannot leak into an answer.

/// Share of the places that may be taken, in eighths.
const LOAD_MAX: usize = 5;
const SMALLEST: usize = 64;

/// A set of keys that only grows. 16 bytes a place.
#[derive(Debug)]
pub(in crate::check::history) struct Memo {
    /// A power of two; 0 is an empty place.
    places: Vec<u128>,
    len: usize,
    has_zero: bool,
}

impl Memo {
    /// No configuration.
    pub(in crate::check::history) fn new() -> Self {
        Self { places: vec![0; SMALLEST], len: 0, has_zero: false }
    }

    /// Forgets all; there is room for `len` keys, and not for very many more.
    pub(in crate::check::history) fn reset(&mut self, len: usize) {
        let size = (2 * len).next_power_of_two().max(SMALLEST);
        if size <= self.places.len() && self.places.len() <= 16 * size {
            self.places.fill(0);
        } else {
            self.places = vec![0; size];
        }
        self.len = 0;
        self.has_zero = false;
    }

    /// Puts a key in; whether it was new.
    #[inline]
    pub(in crate::check::history) fn insert(&mut self, key: u128) -> bool {
        if key == 0 {
            return !std::mem::replace(&mut self.has_zero, true);
        }
        let at = self.find(key);
        if self.places[at] == key {
            return false;
        }
        self.places[at] = key;
        self.len += 1;
        if self.len * 8 > self.places.len() * LOAD_MAX {
            self.grow();
        }
        true
    }

    /// The place of a key, or the one that it would get.
    #[inline]
    fn find(&self, key: u128) -> usize {
        let mask = self.places.len() - 1;
        let mut at = key as usize & mask;
        while self.places[at] != 0 && self.places[at] != key {
            at = (at + 1) & mask;
        }
        at
    }

    #[cold]
    fn grow(&mut self) {
        let larger = vec![0; self.places.len() * 2];
        let smaller = std::mem::replace(&mut self.places, larger);
        for key in smaller.into_iter().filter(|key| *key != 0) {
            let at = self.find(key);
            self.places[at] = key;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::hash::spread;
    use super::*;

    #[test]
    fn a_key_is_new_once_also_zero_and_after_growing() {
        let (mut memo, mut twin) = (Memo::new(), BTreeSet::new());
        for index in 0..5_000_u64 {
            // Every key comes up several times.
            let key = if index % 7 == 0 { 0 } else { spread(index % 1_500) };
            assert_eq!(memo.insert(key), twin.insert(key), "{index}");
        }
        memo.reset(100);
        assert!(memo.insert(0) && memo.insert(spread(3)) && !memo.insert(0));
    }
}
