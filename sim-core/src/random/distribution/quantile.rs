//! Quantile functions, in floating point, evaluated only while a table is built.
//!
//! They take a tail: the probability of the nearer end. Near 1 a probability would lose the digits that matter.

use std::fmt;

use crate::time::Span;

/// A point of a distribution, by how likely the values beyond it are. The probability is above 0 and at most ½.
#[derive(Clone, Copy, Debug)]
pub(super) enum Tail {
    /// The value that lower ones have this probability.
    Lower(f64),
    /// The value that higher ones have this probability.
    Upper(f64),
}

/// The distributions that are tabulated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Family {
    Exponential { mean: Span },
    Normal { mean: Span, deviation: Span },
    LogNormal { median: Span, sigma: f64 },
    Pareto { minimum: Span, alpha: f64 },
}

impl Family {
    /// The value at `tail` in nanoseconds, rounded, at least 0 and at most [`Span::MAX`].
    pub(super) fn quantile(&self, tail: Tail) -> u64 {
        let nanos = match *self {
            Self::Exponential { mean } => -nanos(mean) * log_exceeding(tail),
            Self::Normal { mean, deviation } => nanos(mean) + nanos(deviation) * standard_normal(tail),
            Self::LogNormal { median, sigma } => nanos(median) * libm::exp(sigma * standard_normal(tail)),
            Self::Pareto { minimum, alpha } => nanos(minimum) * libm::exp(-log_exceeding(tail) / alpha),
        };
        to_nanos(nanos)
    }
}

#[expect(clippy::cast_precision_loss, reason = "2⁻⁵³ of a length is less than its table resolves")]
fn nanos(span: Span) -> f64 {
    span.as_nanos() as f64
}

#[expect(clippy::cast_possible_truncation, reason = "saturating is what the cap says")]
#[expect(clippy::cast_sign_loss, reason = "negative lengths are 0 by definition")]
fn to_nanos(nanos: f64) -> u64 {
    // A zero length times an infinite factor is not a number, and becomes 0 like any zero length.
    libm::round(nanos) as u64
}

/// The logarithm of the probability of higher values.
fn log_exceeding(tail: Tail) -> f64 {
    match tail {
        Tail::Lower(probability) => libm::log1p(-probability),
        Tail::Upper(probability) => libm::log(probability),
    }
}

/// The quantile of the standard normal distribution.
fn standard_normal(tail: Tail) -> f64 {
    match tail {
        Tail::Lower(probability) => -standard_normal_upper(probability),
        Tail::Upper(probability) => standard_normal_upper(probability),
    }
}

/// The `z` that a standard normal variable exceeds with this probability (at most ½): the rational approximation
/// of Abramowitz and Stegun, 26.2.23 (error below 4.5e-4), then two steps of Halley's method.
fn standard_normal_upper(probability: f64) -> f64 {
    let t = libm::sqrt(-2.0 * libm::log(probability));
    let numerator = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let denominator = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    let guess = t - numerator / denominator;
    halley(halley(guess, probability), probability)
}

fn halley(z: f64, probability: f64) -> f64 {
    let exceeding = 0.5 * libm::erfc(z * std::f64::consts::FRAC_1_SQRT_2);
    let density = libm::exp(-0.5 * z * z) / libm::sqrt(2.0 * std::f64::consts::PI);
    let newton = (exceeding - probability) / density;
    z + newton / (1.0 - 0.5 * z * newton)
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exponential { mean } => write!(f, "exponential(mean {mean})"),
            Self::Normal { mean, deviation } => write!(f, "normal(mean {mean}, deviation {deviation})"),
            Self::LogNormal { median, sigma } => write!(f, "log-normal(median {median}, sigma {sigma})"),
            Self::Pareto { minimum, alpha } => write!(f, "pareto(minimum {minimum}, alpha {alpha})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_quantiles_are_those_of_the_printed_tables() {
        let cases = [
            (0.5, 0.0),
            (0.25, 0.674_489_750_196_082),
            (0.025, 1.959_963_984_540_054),
            (0.001, 3.090_232_306_167_814),
            (1e-9, 5.997_807_015_007_687),
        ];
        for (probability, z) in cases {
            let found = standard_normal(Tail::Upper(probability));
            assert!((found - z).abs() < 1e-9, "{found} instead of {z} at {probability}");
            assert!(
                (standard_normal(Tail::Lower(probability)) + z).abs() < 1e-9,
                "symmetry at {probability}"
            );
        }
    }

    #[test]
    fn extreme_lengths_saturate() {
        let pareto = Family::Pareto { minimum: Span::secs(1), alpha: 0.01 };
        assert_eq!(pareto.quantile(Tail::Upper(1e-9)), u64::MAX);
        let nothing = Family::Pareto { minimum: Span::ZERO, alpha: 0.001 };
        assert_eq!(nothing.quantile(Tail::Upper(1e-9)), 0);
        let normal = Family::Normal { mean: Span::millis(1), deviation: Span::secs(1) };
        assert_eq!(normal.quantile(Tail::Lower(0.1)), 0);
    }
}
