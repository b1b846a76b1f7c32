//! What comes in any order, and is wanted in the order of its numbers.

use std::collections::BTreeMap;

/// Things with numbers from 0; each is given out when all before it were.
pub(crate) struct InOrder<T> {
    next: u64,
    waiting: BTreeMap<u64, T>,
}

impl<T> InOrder<T> {
    pub(crate) const fn new() -> Self {
        Self::starting_at(0)
    }

    /// The first has this number.
    pub(crate) const fn starting_at(next: u64) -> Self {
        Self { next, waiting: BTreeMap::new() }
    }

    /// Takes one in.
    ///
    /// # Panics
    /// If there was one of this number already.
    pub(crate) fn put(&mut self, number: u64, thing: T) {
        let before = self.waiting.insert(number, thing);
        assert!(before.is_none() && number >= self.next, "number {number} came twice, {} is next", self.next);
    }

    /// The next in order, if it is there.
    pub(crate) fn next(&mut self) -> Option<(u64, T)> {
        let thing = self.waiting.remove(&self.next)?;
        self.next += 1;
        Some((self.next - 1, thing))
    }

    /// Those that wait for one that will not come, in order.
    pub(crate) fn rest(self) -> impl Iterator<Item = (u64, T)> {
        self.waiting.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_given_out_in_order_however_they_come() {
        let mut order = InOrder::new();
        let mut given = Vec::new();
        for number in [2, 0, 1, 5, 3, 7] {
            order.put(number, number * 10);
            given.extend(std::iter::from_fn(|| order.next()));
        }
        assert_eq!(given, [(0, 0), (1, 10), (2, 20), (3, 30)]);
        assert_eq!(order.rest().collect::<Vec<_>>(), [(5, 50), (7, 70)]);
    }

    #[test]
    #[should_panic(expected = "number 1 came twice")]
    fn nothing_counts_twice() {
        let mut order = InOrder::new();
        order.put(1, ());
        order.put(1, ());
    }
}
