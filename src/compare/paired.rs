//! The mean of paired differences, how far it can be trusted, and which of many differ.
//!
//! | question | answered by |
//! | --- | --- |
//! | by how much do the means differ? | the mean of the differences, with Student's interval |
//! | could that be chance? | the two-sided p-value of the same distribution |
//! | which of so many differ? | Holm's procedure |
//! | what was gained by pairing? | the variance of independent runs over that of pairs |
//!
//! Student's interval supposes that the mean of the differences is nearly normal, which it is for a hundred pairs and more of
//! nearly anything; for a few pairs of something with long tails it is a guide. Where all differences are equal there is no
//! spread to judge by: then the p-value is that of the sign test, 2^(1−n).
//!
//! Metrics depend on one another (who sends more messages sends more bytes), and nobody knows how. Holm's procedure holds
//! whatever the dependence: with it, the probability of calling even one metric different that is not is at most 5 %.
//! Source: S. Holm, "A simple sequentially rejective multiple test procedure" (1979).

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::moments::{Moments, float};
use super::rounded;

/// With how much confidence intervals contain the true value, and how likely a false alarm is at most.
pub(crate) const LEVEL: f64 = 0.05;

/// Values of two sides with the same seeds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Pairs {
    a: Moments,
    b: Moments,
    /// Of `b - a`.
    difference: Moments,
}

/// What pairs come to. All numbers are rounded, so that every machine has the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Estimate {
    pub(crate) pairs: u64,
    pub(crate) mean_a: f64,
    pub(crate) mean_b: f64,
    /// `b - a`.
    pub(crate) difference: f64,
    /// The 95 % interval of the difference; `None` for fewer than two pairs.
    pub(crate) interval: Option<[f64; 2]>,
    /// `difference / mean_a`; `None` where that is zero.
    pub(crate) change: Option<f64>,
    /// How likely a difference at least as clear is where there is none.
    pub(crate) p: f64,
    /// How clear it is: the difference in units of its standard error.
    pub(crate) clarity: f64,
    /// So many times the pairs would independent runs have to be, to know the difference as well. `None` where one of the
    /// two does not vary.
    pub(crate) gain: Option<f64>,
}

impl Pairs {
    pub(crate) fn add(&mut self, a: f64, b: f64) {
        self.a.add(a);
        self.b.add(b);
        self.difference.add(b - a);
    }

    pub(crate) fn estimate(&self) -> Estimate {
        let (pairs, difference) = (self.difference.count(), self.difference.mean());
        let error = (self.difference.variance() / float(pairs.max(1))).sqrt();
        let reach = (pairs >= 2).then(|| if error > 0.0 { quantile(pairs - 1) * error } else { 0.0 });
        let mean_a = self.a.mean();
        Estimate {
            pairs,
            mean_a: rounded(mean_a),
            mean_b: rounded(self.b.mean()),
            difference: rounded(difference),
            interval: reach.map(|reach| [rounded(difference - reach), rounded(difference + reach)]),
            change: (mean_a != 0.0).then(|| rounded(difference / mean_a)),
            p: rounded(self.p(error)),
            clarity: rounded(clarity(difference, error)),
            gain: self.gain(),
        }
    }

    fn p(&self, error: f64) -> f64 {
        let (pairs, difference) = (self.difference.count(), self.difference.mean());
        match pairs {
            _ if difference == 0.0 => 1.0,
            0 | 1 => 1.0,
            _ if error > 0.0 => (2.0 * student(pairs - 1).sf(clarity(difference, error))).min(1.0),
            _ => halved(pairs - 1),
        }
    }

    fn gain(&self) -> Option<f64> {
        let (apart, paired) = (self.a.variance() + self.b.variance(), self.difference.variance());
        (apart > 0.0 && paired > 0.0).then(|| rounded(apart / paired))
    }
}

/// A half to that power.
fn halved(times: u64) -> f64 {
    (0..times.min(1_100)).fold(1.0, |half, _| half / 2.0)
}

/// Infinite where a difference never varies.
fn clarity(difference: f64, error: f64) -> f64 {
    if difference == 0.0 { 0.0 } else { difference.abs() / error }
}

/// Student's distribution.
fn student(freedom: u64) -> StudentsT {
    StudentsT::new(0.0, 1.0, float(freedom)).expect("there is at least one degree of freedom")
}

/// What Student's distribution exceeds with a probability of 2.5 %. By halving: statrs' own inverse does not end for
/// some degrees of freedom.
fn quantile(freedom: u64) -> f64 {
    let distribution = student(freedom);
    // For one degree of freedom it is 12.7, and less for all others.
    let (mut low, mut high) = (1.0, 16.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if distribution.sf(middle) > LEVEL / 2.0 { low = middle } else { high = middle }
    }
    high
}

/// Holm's adjusted p-values, in the same order: those of at most [`LEVEL`] differ.
pub(crate) fn holm(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|one, other| values[*one].total_cmp(&values[*other]));
    let mut adjusted = vec![1.0; values.len()];
    let mut least = 0.0_f64;
    for (rank, place) in order.into_iter().enumerate() {
        let left = float((values.len() - rank) as u64);
        least = least.max((left * values[place]).min(1.0));
        adjusted[place] = rounded(least);
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn close(one: f64, other: f64, most: f64) -> bool {
        (one - other).abs() <= most
    }

    #[test]
    fn quantiles_are_those_of_the_tables() {
        let table = [(1, 12.706), (2, 4.303), (3, 3.182), (5, 2.571), (10, 2.228), (30, 2.042), (100, 1.984)];
        for (freedom, expected) in table {
            assert!(close(quantile(freedom), expected, 5e-4), "{freedom}: {}", quantile(freedom));
        }
        assert!(close(quantile(100_000_000), 1.959_964, 1e-6), "it becomes the normal distribution's");
    }

    /// Student's own example: the hours of sleep that ten patients gained by two drugs (Biometrika 6, 1908). R has it as
    /// `sleep`, and says t = -4.0621, df = 9, p = 0.002833, interval -2.4598858 to -0.7001142, mean -1.58.
    #[test]
    fn students_sleep_is_as_published() {
        let one = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
        let two = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
        let mut pairs = Pairs::default();
        two.iter().zip(one).for_each(|(two, one)| pairs.add(*two, one));
        let estimate = pairs.estimate();
        let [low, high] = estimate.interval.expect("ten pairs");
        assert!(close(estimate.difference, -1.58, 1e-6), "{estimate:?}");
        assert!(close(low, -2.459_886, 5e-6) && close(high, -0.700_114, 5e-6), "{estimate:?}");
        assert!(close(estimate.p, 0.002_833, 1e-6) && close(estimate.clarity, 4.0621, 1e-4), "{estimate:?}");
    }

    #[test]
    fn what_never_varies_is_judged_by_its_signs() {
        let mut pairs = Pairs::default();
        (0..6).for_each(|_| pairs.add(3.0, 5.0));
        let estimate = pairs.estimate();
        assert_eq!((estimate.interval, estimate.p), (Some([2.0, 2.0]), 0.03125));
        assert!(estimate.clarity.is_infinite() && estimate.gain.is_none(), "{estimate:?}");
    }

    #[test]
    fn one_pair_shows_nothing() {
        let mut pairs = Pairs::default();
        pairs.add(1.0, 9.0);
        let estimate = pairs.estimate();
        assert_eq!((estimate.difference, estimate.interval, estimate.p), (8.0, None, 1.0));
    }

    #[test]
    fn holms_values_are_those_of_his_procedure() {
        // R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") is 0.03 0.06 0.06 0.02.
        assert_eq!(holm(&[0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02]);
        assert_eq!(holm(&[]), Vec::<f64>::new());
    }

    proptest! {
        #[test]
        fn what_both_sides_share_does_not_matter(
            values in prop::collection::vec((-100_i32..100, -100_i32..100, -1_000_i32..1_000), 2..50),
        ) {
            let (mut plain, mut shifted) = (Pairs::default(), Pairs::default());
            for (a, b, shared) in values {
                let [a, b, shared] = [a, b, shared].map(f64::from);
                plain.add(a, b);
                shifted.add(a + shared, b + shared);
            }
            let (plain, shifted) = (plain.estimate(), shifted.estimate());
            prop_assert_eq!((plain.difference, plain.interval, plain.p), (shifted.difference, shifted.interval, shifted.p));
        }

        #[test]
        fn exchanged_sides_have_the_opposite_difference(
            values in prop::collection::vec((-100_i32..100, -100_i32..100), 2..50),
        ) {
            let (mut forth, mut back) = (Pairs::default(), Pairs::default());
            for (a, b) in values {
                forth.add(a.into(), b.into());
                back.add(b.into(), a.into());
            }
            let (forth, back) = (forth.estimate(), back.estimate());
            prop_assert!((forth.difference + back.difference).abs() < 1e-12);
            prop_assert_eq!(forth.interval.map(|[low, high]| [-high, -low]), back.interval);
            prop_assert_eq!((forth.p, forth.gain), (back.p, back.gain));
        }

        #[test]
        fn an_interval_excludes_zero_exactly_where_the_p_value_is_small(
            values in prop::collection::vec((0_i32..100, 0_i32..130), 2..50),
        ) {
            let mut pairs = Pairs::default();
            for (a, b) in values {
                pairs.add(a.into(), b.into());
            }
            let estimate = pairs.estimate();
            prop_assume!(estimate.clarity.is_finite() && (estimate.p - LEVEL).abs() > 1e-6);
            let [low, high] = estimate.interval.expect("two pairs and more");
            prop_assert_eq!(low > 0.0 || high < 0.0, estimate.p < LEVEL, "{:?}", estimate);
        }

        #[test]
        fn adjusted_values_keep_the_order_and_never_shrink(values in prop::collection::vec(0.0_f64..1.0, 0..40)) {
            let values: Vec<f64> = values.into_iter().map(rounded).collect();
            let adjusted = holm(&values);
            for (one, with) in values.iter().zip(&adjusted) {
                prop_assert!(with >= one && *with <= 1.0);
                for (other, adjusted) in values.iter().zip(&adjusted) {
                    prop_assert!(one > other || with <= adjusted, "{one} {other}: {with} {adjusted}");
                }
            }
        }
    }
}
