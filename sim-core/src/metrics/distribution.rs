//! How long something took, as a distribution.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::Span;

/// A distribution of spans. Quantiles are right to 3 significant digits and 512 ns, the rest is exact; all are
/// zero where there are no samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LatencySummary {
    /// How many samples there are.
    pub count: u64,
    /// The arithmetic mean, rounded down.
    pub mean: Span,
    /// Half of the samples are at most this.
    pub p50: Span,
    /// 90 % of the samples are at most this.
    pub p90: Span,
    /// 99 % of the samples are at most this.
    pub p99: Span,
    /// 99.9 % of the samples are at most this.
    #[serde(rename = "p99.9")]
    pub p999: Span,
    /// The longest sample.
    pub max: Span,
}

/// Samples of one latency: how many fall into each place of a scale that is even to a millisecond, and doubles its step
/// with each doubling from there, as that of `HdrHistogram` does. A dense array of it would be much of what a kept copy of
/// a world costs, so places come in blocks, those that have samples; clones share each until one of them records into it.
#[derive(Clone, Debug, Default)]
pub(super) struct Distribution {
    blocks: BTreeMap<u16, Arc<[u32; BLOCK]>>,
    count: u64,
    /// In nanoseconds; 2^64 samples of 2^64 fit.
    sum: u128,
    /// Exact, where the scale rounds.
    max: Span,
}

/// How many places a block has: a kibibyte.
const BLOCK: usize = 256;
/// The finest step is 2^9 ns.
const FINEST_BITS: u32 = 9;
/// A step is at most 2^-10 of its span, which is three digits.
const DIGIT_BITS: u32 = 10;

/// The place of a span on the scale.
fn place(span: Span) -> usize {
    let steps = span.as_nanos() >> FINEST_BITS;
    let doublings = (u64::BITS - steps.leading_zeros()).saturating_sub(DIGIT_BITS + 1);
    let place = (u64::from(doublings) << DIGIT_BITS) + (steps >> doublings);
    usize::try_from(place).expect("there are fewer than 2^16 places")
}

/// The longest span that has this place.
fn longest(place: usize) -> Span {
    let doublings = (place >> DIGIT_BITS).saturating_sub(1);
    let steps = (place - (doublings << DIGIT_BITS)) as u64;
    let next = u128::from(steps + 1) << doublings << FINEST_BITS;
    Span::nanos(u64::try_from(next - 1).expect("the last place ends with the longest span"))
}

impl Distribution {
    pub(super) fn record(&mut self, span: Span) {
        let place = place(span);
        *self.at(place) += 1;
        self.count += 1;
        self.sum += u128::from(span.as_nanos());
        self.max = self.max.max(span);
    }

    /// Adds the samples of another one.
    pub(super) fn add(&mut self, other: &Self) {
        for (place, count) in other.counts() {
            *self.at(place) += count;
        }
        self.count += other.count;
        self.sum += other.sum;
        self.max = self.max.max(other.max);
    }

    /// The samples that an earlier copy of it did not have. The longest of them is known as the scale has it.
    pub(super) fn since(&self, earlier: &Self) -> Self {
        let mut new = Self { sum: self.sum - earlier.sum, ..Self::default() };
        for (block, counts) in &self.blocks {
            let before = earlier.blocks.get(block);
            if before.is_some_and(|before| Arc::ptr_eq(before, counts)) {
                continue;
            }
            let places = usize::from(*block) * BLOCK..;
            for (index, (place, count)) in places.zip(counts.iter()).enumerate() {
                let count = count - before.map_or(0, |before| before[index]);
                if count > 0 {
                    *new.at(place) += count;
                    new.count += u64::from(count);
                    new.max = longest(place).min(self.max);
                }
            }
        }
        new
    }

    fn at(&mut self, place: usize) -> &mut u32 {
        let block = u16::try_from(place / BLOCK).expect("there are fewer than 2^16 places");
        let counts = self.blocks.entry(block).or_insert_with(|| Arc::new([0; BLOCK]));
        &mut Arc::make_mut(counts)[place % BLOCK]
    }

    /// The places that have samples, and how many.
    fn counts(&self) -> impl Iterator<Item = (usize, u32)> {
        let blocks = self.blocks.iter();
        let places =
            blocks.flat_map(|(block, counts)| (usize::from(*block) * BLOCK..).zip(counts.iter().copied()));
        places.filter(|(_, count)| *count > 0)
    }

    /// Whether there are no samples.
    pub(super) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// It in numbers. There is a sample at least.
    pub(super) fn summary(&self) -> LatencySummary {
        let mean = u64::try_from(self.sum / u128::from(self.count)).expect("a mean is at most the maximum");
        let [p50, p90, p99, p999] = self.quantiles([500, 900, 990, 999]);
        LatencySummary { count: self.count, mean: Span::nanos(mean), p50, p90, p99, p999, max: self.max }
    }

    /// For each of the rising `permilles`, the least recorded value that so many of the samples do not exceed.
    fn quantiles<const N: usize>(&self, permilles: [u64; N]) -> [Span; N] {
        let total = u128::from(self.count);
        let mut quantiles = [self.max; N];
        let (mut seen, mut next) = (0, 0);
        for (place, count) in self.counts() {
            seen += u128::from(count);
            // In thousandths of a sample, so that nothing is rounded.
            while next < N && seen * 1_000 >= total * u128::from(permilles[next]) {
                quantiles[next] = longest(place).min(self.max);
                next += 1;
            }
        }
        quantiles
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_longest_span_is_recorded_exactly() {
        let mut samples = Distribution::default();
        samples.record(Span::ZERO);
        samples.record(Span::MAX);
        let summary = samples.summary();
        assert_eq!((summary.max, summary.mean), (Span::MAX, Span::nanos(u64::MAX / 2)));
        assert!(summary.p999 >= Span::nanos(u64::MAX - 512), "{}", summary.p999);
    }

    #[test]
    fn places_follow_each_other_without_a_gap() {
        for number in 0..place(Span::MAX) {
            assert_eq!(place(longest(number)), number);
            assert_eq!(place(longest(number) + Span::nanos(1)), number + 1);
        }
        assert_eq!(longest(place(Span::MAX)), Span::MAX);
    }

    proptest! {
        #[test]
        fn what_came_since_an_earlier_copy_is_what_was_recorded_since(
            before in prop::collection::vec(0_u64..5_000_000_000, 0..200),
            after in prop::collection::vec(0_u64..5_000_000_000, 1..200),
        ) {
            let mut samples = Distribution::default();
            for nanos in &before {
                samples.record(Span::nanos(*nanos));
            }
            let earlier = samples.clone();
            let mut alone = Distribution::default();
            for nanos in &after {
                samples.record(Span::nanos(*nanos));
                alone.record(Span::nanos(*nanos));
            }
            let (since, alone) = (samples.since(&earlier).summary(), alone.summary());
            prop_assert_eq!((since.count, since.mean), (alone.count, alone.mean));
            // The longest, and a quantile that is the longest, is known to the digits of the scale.
            for (since, alone) in [(since.max, alone.max), (since.p99, alone.p99), (since.p50, alone.p50)] {
                prop_assert!(since >= alone, "{since} and {alone}");
                prop_assert!(since.as_nanos() - alone.as_nanos() <= 512 + alone.as_nanos() / 1_000);
            }
            prop_assert!(samples.since(&samples).is_empty());
        }

        #[test]
        fn the_sum_of_two_is_the_distribution_of_all_their_samples(
            first in prop::collection::vec(any::<u32>(), 0..50),
            second in prop::collection::vec(any::<u64>(), 1..50),
        ) {
            let first = first.into_iter().map(u64::from);
            let of = |nanos: &mut dyn Iterator<Item = u64>| {
                nanos.fold(Distribution::default(), |mut samples, nanos| {
                    samples.record(Span::nanos(nanos));
                    samples
                })
            };
            let mut sum = of(&mut first.clone());
            sum.add(&of(&mut second.iter().copied()));
            let all = of(&mut first.chain(second.iter().copied()));
            prop_assert_eq!(sum.summary(), all.summary());
        }

        #[test]
        fn quantiles_are_those_of_the_sorted_samples_to_three_digits(
            mut nanos in prop::collection::vec(prop_oneof![0_u64..10_000, 0_u64..3_600_000_000_000], 1..300),
        ) {
            let mut samples = Distribution::default();
            for &sample in &nanos {
                samples.record(Span::nanos(sample));
            }
            nanos.sort_unstable();
            let summary = samples.summary();
            prop_assert_eq!(summary.count, nanos.len() as u64);
            prop_assert_eq!(summary.max.as_nanos(), nanos[nanos.len() - 1]);
            prop_assert_eq!(summary.mean.as_nanos(), nanos.iter().sum::<u64>() / summary.count);
            for (permille, quantile) in [(500, summary.p50), (900, summary.p90), (990, summary.p99), (999, summary.p999)] {
                let exact = nanos[(nanos.len() * permille).div_ceil(1_000) - 1];
                let error = quantile.as_nanos().abs_diff(exact);
                prop_assert!(error <= 512 + exact / 1_000, "permille {permille}: {quantile} for {exact}ns");
            }
        }
    }
}
