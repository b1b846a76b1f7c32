//! Mean and variance of numbers that come one after the other.
//!
//! Source: B. P. Welford, "Note on a method for calculating corrected sums of squares and products" (1962), as D. Knuth
//! gives it in "The Art of Computer Programming", volume 2, §4.2.2. Only `+`, `-`, `*` and `/` are used, which every
//! machine rounds alike: the same numbers in the same order have the same moments everywhere.

/// Mean and variance of the numbers so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Moments {
    count: u64,
    mean: f64,
    /// The sum of squared distances from the mean.
    squares: f64,
}

impl Moments {
    pub(crate) fn add(&mut self, value: f64) {
        self.count += 1;
        let distance = value - self.mean;
        self.mean += distance / float(self.count);
        self.squares += distance * (value - self.mean);
    }

    /// How many there were.
    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    /// Zero where there were none.
    pub(crate) const fn mean(&self) -> f64 {
        self.mean
    }

    /// Of what they are a sample of: divided by one less than their number. Zero where there are fewer than two.
    pub(crate) fn variance(&self) -> f64 {
        if self.count < 2 { 0.0 } else { self.squares / float(self.count - 1) }
    }
}

/// A count as a float.
#[expect(clippy::cast_precision_loss, reason = "statistics of runs need no more than 53 bits")]
pub(crate) const fn float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: &[f64]) -> Moments {
        let mut moments = Moments::default();
        for value in values {
            moments.add(*value);
        }
        moments
    }

    #[test]
    fn fewer_than_two_numbers_have_no_variance() {
        assert_eq!((of(&[]).mean(), of(&[]).variance()), (0.0, 0.0));
        assert_eq!((of(&[7.0]).mean(), of(&[7.0]).variance()), (7.0, 0.0));
    }

    #[test]
    fn equal_numbers_have_a_variance_of_exactly_zero() {
        let moments = of(&[0.1; 1_000]);
        assert_eq!((moments.mean(), moments.variance()), (0.1, 0.0));
    }

    proptest! {
        #[test]
        fn moments_are_those_of_two_passes(values in prop::collection::vec(-1e6_f64..1e6, 2..100)) {
            let moments = of(&values);
            let count = float(values.len() as u64);
            let mean = values.iter().sum::<f64>() / count;
            let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / (count - 1.0);
            prop_assert_eq!(moments.count(), values.len() as u64);
            prop_assert!((moments.mean() - mean).abs() <= 1e-6, "{} for {mean}", moments.mean());
            prop_assert!((moments.variance() - variance).abs() <= 1e-9 * variance.max(1.0));
        }
    }
}
