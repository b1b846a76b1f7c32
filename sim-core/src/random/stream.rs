//! A sequence of draws: a key and the counter of its next draw.

use super::{Key, Probability, squares64};
use crate::time::Span;

/// A sequence of draws that no other sequence shifts. Copying it would silently repeat draws, so it is only
/// [`Clone`]: a forked world clones, nobody else does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    key: Key,
    counter: u64,
}

impl Stream {
    /// The sequence of `key`, from its beginning.
    pub const fn new(key: Key) -> Self {
        Self { key, counter: 0 }
    }

    /// How many draws were taken.
    pub const fn counter(&self) -> u64 {
        self.counter
    }

    /// 64 uniform bits.
    #[inline]
    pub const fn next_u64(&mut self) -> u64 {
        let draw = squares64(self.counter, self.key);
        self.counter = self.counter.wrapping_add(1);
        draw
    }

    /// A uniform number in `[0, n)`; takes one draw.
    ///
    /// # Panics
    ///
    /// If `n` is 0: there is no number below it.
    #[inline]
    pub const fn below(&mut self, n: u64) -> u64 {
        below(self.next_u64(), n)
    }

    /// A uniform length in `[low, high)`. Equal bounds give `low`. Takes one draw either way, so that
    /// changing a bound does not shift later draws.
    ///
    /// # Panics
    ///
    /// If `low` is longer than `high`.
    #[inline]
    pub fn span(&mut self, low: Span, high: Span) -> Span {
        assert!(low <= high, "a span is drawn between {low} and {high}, but the first is longer");
        let draw = self.next_u64();
        if low == high { low } else { low + Span::nanos(below(draw, high.saturating_sub(low).as_nanos())) }
    }

    /// Whether something of this `probability` happens; takes one draw, also for 0 and 1.
    #[inline]
    pub const fn chance(&mut self, probability: Probability) -> bool {
        probability.hits(self.next_u64())
    }

    /// One of `items`, each equally likely, or `None` if there are none. Takes one draw unless there are none.
    #[inline]
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        if items.is_empty() {
            return None;
        }
        items.get(self.index_below(items.len()))
    }

    /// Puts `items` in a uniformly random order (Fisher–Yates); takes one draw fewer than there are items.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.index_below(last + 1));
        }
    }

    /// The draw itself is 64 bits wide, so that 32-bit machines take the same one.
    #[expect(clippy::cast_possible_truncation, reason = "the result is below `count`, a `usize`")]
    fn index_below(&mut self, count: usize) -> usize {
        self.below(count as u64) as usize
    }
}

/// The number in `[0, n)` that a 64-bit `draw` stands for: `draw · n / 2⁶⁴`. No number is likelier than another
/// by more than 2⁻⁶⁴; monotone in `draw`.
///
/// # Panics
///
/// If `n` is 0: there is no number below it.
#[inline]
pub const fn below(draw: u64, n: u64) -> u64 {
    assert!(n > 0, "a number below 0 was asked for; the bound must be at least 1");
    ((draw as u128 * n as u128) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{KeySource, Purpose};
    use super::*;

    fn stream(who: u64) -> Stream {
        KeySource::new(3).stream(Purpose::Process, who, 0)
    }

    #[test]
    fn drawing_more_from_one_stream_shifts_no_other() {
        let (mut first, mut second) = (stream(1), stream(2));
        let alone: Vec<u64> = (0..20).map(|_| second.next_u64()).collect();
        let mut second = stream(2);
        for (extra, expected) in alone.iter().enumerate() {
            (0..extra).for_each(|_| _ = first.next_u64());
            assert_eq!(second.next_u64(), *expected);
        }
    }

    #[test]
    fn a_draw_depends_on_key_and_counter_only() {
        let mut stream = stream(1);
        let key = KeySource::new(3).key(Purpose::Process, 1, 0);
        for counter in 0..10 {
            assert_eq!(stream.counter(), counter);
            assert_eq!(stream.next_u64(), squares64(counter, key));
        }
    }

    #[test]
    fn every_method_takes_the_draws_it_says() {
        let mut stream = stream(1);
        stream.span(Span::millis(1), Span::millis(1));
        assert_eq!(stream.counter(), 1, "equal bounds");
        stream.chance(Probability::ZERO);
        stream.chance(Probability::ONE);
        assert_eq!(stream.counter(), 3, "certain chances");
        assert_eq!(stream.pick::<u8>(&[]), None);
        assert_eq!(stream.counter(), 3, "nothing to pick");
        stream.shuffle(&mut [1, 2, 3, 4]);
        assert_eq!(stream.counter(), 6, "four items shuffled");
    }

    #[test]
    fn a_fair_pick_finds_every_item() {
        let mut stream = stream(1);
        let mut counts = [0; 4];
        for _ in 0..4_000 {
            counts[*stream.pick(&[0, 1, 2, 3]).expect("there are items")] += 1;
        }
        assert!(counts.iter().all(|count| (850..1_150).contains(count)), "{counts:?} of 4000");
    }

    #[test]
    fn shuffling_reaches_every_order_equally_often() {
        let mut stream = stream(1);
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..6_000 {
            let mut items = [1, 2, 3];
            stream.shuffle(&mut items);
            *counts.entry(items).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 6, "{counts:?}");
        assert!(counts.values().all(|count| (850..1_150).contains(count)), "{counts:?} of 6000");
    }

    #[test]
    #[should_panic(expected = "the bound must be at least 1")]
    fn nothing_is_below_zero() {
        stream(1).below(0);
    }

    proptest! {
        #[test]
        fn a_span_lies_between_its_bounds(who: u64, low in 0..u64::MAX, width in 1..u64::MAX) {
            let high = low.saturating_add(width);
            let drawn = stream(who).span(Span::nanos(low), Span::nanos(high)).as_nanos();
            prop_assert!((low..high).contains(&drawn), "{} is not in [{}, {})", drawn, low, high);
        }
    }
}
