//! Failure rates of two sides with the same seeds: who failed where, and by how much the rates differ.
//!
//! Runs are paired, so the rates are not independent: an interval of their difference must know how often both sides failed
//! with the same seed. That is Newcombe's, which joins the two Wilson intervals and takes the correlation off; it is close to
//! its 95 % also for few runs and rare failures, where the usual one with the square root of the variance is not.
//!
//! Sources: R. G. Newcombe, "Improved confidence intervals for the difference between binomial proportions based on paired
//! data", Statistics in Medicine 17 (1998), method 10; Q. `McNemar`, "Note on the sampling error of the difference between
//! correlated proportions or percentages", Psychometrika 12 (1947), in its exact form: of the seeds with which only one side
//! fails, each side has half, if there is no difference.

use statrs::distribution::{Binomial, DiscreteCDF};

use super::moments::float;
use super::rounded;
use crate::sweep::Rate;

/// Seeds by who failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Failing {
    pub(crate) neither: u64,
    pub(crate) only_a: u64,
    pub(crate) only_b: u64,
    pub(crate) both: u64,
}

/// The difference of the two rates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RateDifference {
    /// That of B less that of A.
    pub(crate) difference: f64,
    /// With 95 % confidence.
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// How likely a difference at least as large is where there is none.
    pub(crate) p: f64,
}

impl Failing {
    /// Counts a seed.
    pub(crate) const fn add(&mut self, [a, b]: [bool; 2]) {
        match (a, b) {
            (false, false) => self.neither += 1,
            (true, false) => self.only_a += 1,
            (false, true) => self.only_b += 1,
            (true, true) => self.both += 1,
        }
    }

    /// How many seeds there were.
    pub(crate) const fn total(&self) -> u64 {
        self.neither + self.only_a + self.only_b + self.both
    }

    /// With how many seeds each side failed.
    pub(crate) const fn of_sides(&self) -> [u64; 2] {
        [self.both + self.only_a, self.both + self.only_b]
    }

    /// How the rates differ; `None` where nothing was run.
    pub(crate) fn difference(&self) -> Option<RateDifference> {
        let total = self.total();
        if total == 0 {
            return None;
        }
        let [a, b] = self.of_sides().map(|count| Rate::of(count, total));
        let correlation = self.correlation();
        let reach = |one: f64, other: f64| {
            let squares = one * one - 2.0 * correlation * one * other + other * other;
            squares.max(0.0).sqrt()
        };
        let difference = (float(self.only_b) - float(self.only_a)) / float(total);
        Some(RateDifference {
            difference: rounded(difference),
            low: rounded((difference - reach(b.share - b.low, a.high - a.share)).max(-1.0)),
            high: rounded((difference + reach(b.high - b.share, a.share - a.low)).min(1.0)),
            p: rounded(self.p()),
        })
    }

    /// How much the failures of the two sides go together, from -1 to 1; where they seem to, with half a seed a cell taken off,
    /// so that chance is not taken for it.
    fn correlation(&self) -> f64 {
        let [a, b] = self.of_sides().map(float);
        let total = float(self.total());
        let product = a * (total - a) * b * (total - b);
        if product == 0.0 {
            return 0.0;
        }
        let together = float(self.both) * float(self.neither) - float(self.only_a) * float(self.only_b);
        let corrected = if together > 0.0 { (together - total / 2.0).max(0.0) } else { together };
        corrected / product.sqrt()
    }

    fn p(&self) -> f64 {
        let (less, more) = (self.only_a.min(self.only_b), self.only_a.max(self.only_b));
        if less == more {
            return 1.0;
        }
        let halves = Binomial::new(0.5, less + more).expect("a half is a probability");
        (2.0 * halves.cdf(less)).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn failing([both, only_b, only_a, neither]: [u64; 4]) -> Failing {
        Failing { neither, only_a, only_b, both }
    }

    fn assert_close(estimate: RateDifference, expected: [f64; 3], most: f64) {
        let found = [estimate.difference, estimate.low, estimate.high];
        for (found, expected) in found.into_iter().zip(expected) {
            assert!((found - expected).abs() <= most, "{found} for {expected}: {estimate:?}");
        }
    }

    /// Rows of 59, 6 and 16, 80 (Cavo et al., 2012) in M. Fagerland, S. Lydersen, P. Laake, "Statistical Analysis of
    /// Contingency Tables", chapter 8; the tests of its R package have these digits.
    #[test]
    fn an_interval_is_as_published() {
        let cavo = failing([59, 6, 16, 80]).difference().expect("there are seeds");
        assert_close(cavo, [-0.0621, -0.1186, -0.0046], 5e-5);
    }

    /// Rows of 14, 5 and 0, 22, in D. Altman et al., "Statistics with Confidence" (2000), table 6.2; after two digits.
    #[test]
    fn an_interval_with_an_empty_cell_is_as_published() {
        let altman = failing([14, 5, 0, 22]).difference().expect("there are seeds");
        assert_close(altman, [0.12, 0.01, 0.23], 5e-3);
    }

    /// Rows of 1, 1 and 7, 12 (Bentur et al., 2009): seven seeds against one are 2 · (1 + 8) / 256.
    #[test]
    fn the_p_value_is_that_of_a_fair_coin() {
        let bentur = failing([1, 1, 7, 12]).difference().expect("there are seeds");
        assert!((bentur.p - 0.070_312_5).abs() < 1e-7, "{bentur:?}");
        let even = failing([3, 2, 2, 9]).difference().expect("there are seeds");
        assert!((even.p - 1.0).abs() < 1e-12 && even.difference.abs() < 1e-12, "{even:?}");
        assert!(failing([0, 0, 0, 0]).difference().is_none());
    }

    #[test]
    fn seeds_are_counted_by_who_failed() {
        let mut counted = Failing::default();
        for pair in [[true, false], [false, true], [false, true], [true, true], [false, false]] {
            counted.add(pair);
        }
        assert_eq!(counted, failing([1, 2, 1, 1]));
        assert_eq!((counted.total(), counted.of_sides()), (5, [2, 3]));
    }

    /// How often a fair coin, thrown `of` times, shows at most `most` heads, by counting; for up to 20 throws.
    fn by_counting(most: u64, of: u64) -> f64 {
        let worlds = (0_u32..1 << of).filter(|world| u64::from(world.count_ones()) <= most).count();
        float(worlds as u64) / float(1 << of)
    }

    proptest! {
        #[test]
        fn intervals_contain_the_difference_and_turn_with_the_sides(cells in prop::array::uniform4(0_u64..200)) {
            prop_assume!(cells.iter().sum::<u64>() > 0);
            let [both, only_b, only_a, neither] = cells;
            let forth = failing(cells).difference().expect("there are seeds");
            let back = failing([both, only_a, only_b, neither]).difference().expect("there are seeds");
            prop_assert!(-1.0 <= forth.low && forth.low <= forth.difference, "{:?}", forth);
            prop_assert!(forth.difference <= forth.high && forth.high <= 1.0, "{:?}", forth);
            prop_assert!((forth.low + back.high).abs() < 1e-5 && (forth.high + back.low).abs() < 1e-5);
            prop_assert!((forth.p - back.p).abs() < 1e-12);
        }

        #[test]
        fn p_values_are_those_of_counting(only_a in 0_u64..9, only_b in 0_u64..9) {
            let less = only_a.min(only_b);
            let expected = if only_a == only_b { 1.0 } else { 2.0 * by_counting(less, only_a + only_b) };
            let found = failing([0, only_b, only_a, 5]).difference().expect("there are seeds").p;
            prop_assert!((found - expected).abs() < 1e-5, "{found} for {expected}");
        }
    }
}
