//! The last so many intervals, with their mean and deviation in whole nanoseconds.

use serde::Serialize;
use sim_core::Span;
use sim_core::persist::AppendLog;

/// Intervals are counted as this at most, an hour: so that their squares can be added.
const INTERVAL_MAX: u64 = 3_600_000_000_000;

/// A window of intervals. Its sums are exact, so nothing builds up over a long run; a copy shares what does not change.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Intervals {
    kept: AppendLog<Span>,
    sum: u128,
    square_sum: u128,
}

impl Intervals {
    /// What is expected before anything was heard: two intervals, with this mean and a quarter of it as their deviation, as in
    /// Akka.
    pub(super) fn expecting(first: Span) -> Self {
        let (first, quarter) = (first.as_nanos(), first.as_nanos() / 4);
        let mut intervals = Self::default();
        for nanos in [first.saturating_sub(quarter), first.saturating_add(quarter)] {
            intervals.push(Span::nanos(nanos));
        }
        intervals
    }

    /// Adds one, and forgets the oldest where there are more than `window`.
    pub(super) fn add(&mut self, interval: Span, window: u32) {
        self.push(interval);
        while self.kept.len() > window.into() {
            self.forget_oldest();
        }
    }

    fn push(&mut self, interval: Span) {
        let interval = Span::nanos(interval.as_nanos().min(INTERVAL_MAX));
        let nanos = u128::from(interval.as_nanos());
        self.sum += nanos;
        self.square_sum += nanos * nanos;
        self.kept.push(interval);
    }

    fn forget_oldest(&mut self) {
        let first = self.kept.first_index();
        let nanos = u128::from(self.kept.get(first).expect("there are some").as_nanos());
        self.sum -= nanos;
        self.square_sum -= nanos * nanos;
        self.kept.truncate_front(first + 1);
    }

    /// Rounded down; nothing where there are none.
    pub(super) fn mean(&self) -> Span {
        let mean = self.sum.checked_div(self.kept.len().into()).unwrap_or_default();
        Span::nanos(u64::try_from(mean).expect("a mean is no more than the longest"))
    }

    /// The root of the mean of the squares less the square of the mean, rounded down.
    pub(super) fn deviation(&self) -> Span {
        let count = u128::from(self.kept.len());
        let variance = (count * self.square_sum).saturating_sub(self.sum * self.sum);
        let deviation = variance.isqrt().checked_div(count).unwrap_or_default();
        Span::nanos(u64::try_from(deviation).expect("a deviation is no more than the longest"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(nanos: &[u64], window: u32) -> Intervals {
        let mut intervals = Intervals::default();
        for nanos in nanos {
            intervals.add(Span::nanos(*nanos), window);
        }
        intervals
    }

    #[test]
    fn mean_and_deviation_are_those_of_a_textbook() {
        let intervals = of(&[2, 4, 4, 4, 5, 5, 7, 9], 100);
        assert_eq!((intervals.mean(), intervals.deviation()), (Span::nanos(5), Span::nanos(2)));
        let none = Intervals::default();
        assert_eq!((none.mean(), none.deviation()), (Span::ZERO, Span::ZERO));
        let first = Intervals::expecting(Span::secs(1));
        assert_eq!((first.mean(), first.deviation()), (Span::secs(1), Span::millis(250)));
    }

    #[test]
    fn an_interval_beyond_an_hour_counts_as_one() {
        assert_eq!(of(&[u64::MAX], 2).mean(), Span::secs(3_600));
    }

    proptest! {
        #[test]
        fn only_the_window_counts(
            nanos in prop::collection::vec(0..10_000_000_000_u64, 1..60),
            window in 1..20_u32,
        ) {
            let start = nanos.len().saturating_sub(window as usize);
            let (all, last) = (of(&nanos, window), of(&nanos[start..], 1_000));
            prop_assert_eq!(all.mean(), last.mean());
            prop_assert_eq!(all.deviation(), last.deviation());
            prop_assert!(all.kept.len() <= u64::from(window));
        }
    }
}
