//! Distributions of lengths of time, sampled with integers only.
//!
//! A [`Distribution`] maps one 64-bit draw to a [`Span`] and is monotone in the draw: half of all draws give at most
//! the median. Constant and uniform ones are computed on the spot. Those that need `ln` or `exp` look the draw up in a
//! [quantile table](table) built through `libm` when the distribution is made, so that a sample costs the same few
//! nanoseconds for each and is equal on every machine.

mod quantile;
mod table;

use std::fmt;
use std::sync::Arc;

use self::quantile::Family;
use self::table::Table;
use super::below;
use crate::time::Span;

/// How long something takes, at random. Cheap to clone: tables are shared.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution(Shape);

#[derive(Clone, Debug, PartialEq)]
enum Shape {
    Constant(Span),
    /// `low` plus less than `width` nanoseconds; `width` is at least 1.
    Uniform {
        low: Span,
        width: u64,
    },
    Tabulated(Arc<Tabulated>),
    /// In ascending order, at least one.
    Empirical(Arc<[Span]>),
}

#[derive(Debug, PartialEq)]
struct Tabulated {
    family: Family,
    table: Table,
}

/// Why parameters make no [`Distribution`].
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DistributionError {
    /// The bounds of a uniform distribution are the wrong way round.
    #[error("a uniform distribution from {low} to {high} is empty; the lower bound comes first")]
    BoundsReversed {
        /// The first bound.
        low: Span,
        /// The second bound.
        high: Span,
    },
    /// The spread of a log-normal distribution is negative, infinite or not a number.
    #[error("sigma {sigma} is not a spread; a log-normal distribution needs a finite sigma of 0 or more")]
    BadSigma {
        /// The value seen.
        sigma: f64,
    },
    /// The tail exponent of a Pareto distribution is not above 0, infinite or not a number.
    #[error("alpha {alpha} is not a tail exponent; a Pareto distribution needs a finite alpha above 0")]
    BadAlpha {
        /// The value seen.
        alpha: f64,
    },
    /// There is nothing to sample from.
    #[error("an empirical distribution needs at least one sample")]
    NoSamples,
}

impl Distribution {
    /// Always `span`.
    pub const fn constant(span: Span) -> Self {
        Self(Shape::Constant(span))
    }

    /// Every nanosecond in `[low, high)` equally likely; always `low` if they are equal.
    ///
    /// # Errors
    ///
    /// If `low` is longer than `high`.
    pub fn uniform(low: Span, high: Span) -> Result<Self, DistributionError> {
        if low > high {
            return Err(DistributionError::BoundsReversed { low, high });
        }
        let width = high.saturating_sub(low).as_nanos();
        Ok(if width == 0 { Self::constant(low) } else { Self(Shape::Uniform { low, width }) })
    }

    /// Exponential with this `mean`: the time to the next event of a process without memory.
    pub fn exponential(mean: Span) -> Self {
        Self::tabulated(Family::Exponential { mean })
    }

    /// What [`Distribution::exponential`] with this `mean` gives for `draw`, without making it: its table takes as long as
    /// two thousand of these. For plans, which need a few draws of many distributions.
    pub fn sample_exponential(mean: Span, draw: u64) -> Span {
        Span::nanos(Table::sample_once(&Family::Exponential { mean }, draw))
    }

    /// Normal with this `mean` and standard `deviation`; what would be negative is 0.
    pub fn normal(mean: Span, deviation: Span) -> Self {
        Self::tabulated(Family::Normal { mean, deviation })
    }

    /// Log-normal: `median · exp(sigma · z)` with `z` standard normal. Measured network latencies often have a
    /// `sigma` of 0.1 to 0.5.
    ///
    /// # Errors
    ///
    /// If `sigma` is negative, infinite or not a number.
    pub fn log_normal(median: Span, sigma: f64) -> Result<Self, DistributionError> {
        if !(sigma.is_finite() && sigma >= 0.0) {
            return Err(DistributionError::BadSigma { sigma });
        }
        Ok(Self::tabulated(Family::LogNormal { median, sigma }))
    }

    /// Pareto: longer than `x · minimum` with probability `x^-alpha`. The smaller `alpha`, the heavier the tail; the
    /// mean is infinite for `alpha` up to 1, and then set by the cap of [`Distribution::maximum`].
    ///
    /// # Errors
    ///
    /// If `alpha` is not above 0, infinite or not a number.
    pub fn pareto(minimum: Span, alpha: f64) -> Result<Self, DistributionError> {
        if !(alpha.is_finite() && alpha > 0.0) {
            return Err(DistributionError::BadAlpha { alpha });
        }
        Ok(Self::tabulated(Family::Pareto { minimum, alpha }))
    }

    /// One of the measured `samples`, each equally likely; their order does not matter.
    ///
    /// # Errors
    ///
    /// If there are no samples.
    pub fn empirical(mut samples: Vec<Span>) -> Result<Self, DistributionError> {
        if samples.is_empty() {
            return Err(DistributionError::NoSamples);
        }
        samples.sort_unstable();
        Ok(Self(Shape::Empirical(samples.into())))
    }

    fn tabulated(family: Family) -> Self {
        Self(Shape::Tabulated(Arc::new(Tabulated { family, table: Table::new(&family) })))
    }

    /// The length that `draw` stands for. A constant distribution does not ask for a draw, all others ask once.
    #[inline(always)]
    pub fn sample_with(&self, draw: impl FnOnce() -> u64) -> Span {
        match &self.0 {
            Shape::Constant(span) => *span,
            Shape::Uniform { low, width } => *low + Span::nanos(below(draw(), *width)),
            Shape::Tabulated(_) | Shape::Empirical(_) => self.look_up(draw()),
        }
    }

    /// The distributions that live in memory of their own.
    #[inline(never)]
    fn look_up(&self, draw: u64) -> Span {
        match &self.0 {
            Shape::Tabulated(tabulated) => Span::nanos(tabulated.table.sample(draw)),
            Shape::Empirical(samples) => pick(samples, draw),
            Shape::Constant(_) | Shape::Uniform { .. } => unreachable!("needs no look-up"),
        }
    }

    /// The length that `draw` stands for: the quantile at `draw / 2⁶⁴`.
    #[inline]
    pub fn sample(&self, draw: u64) -> Span {
        self.sample_with(|| draw)
    }

    /// The shortest length it gives.
    pub fn minimum(&self) -> Span {
        self.sample(0)
    }

    /// The longest length it gives. Unbounded distributions are capped at the quantile that one draw in 2³³ would
    /// exceed (6.3 standard deviations from the mean of a normal one), and all at [`Span::MAX`].
    pub fn maximum(&self) -> Span {
        self.sample(u64::MAX)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the index is below the length, a `usize`")]
fn pick(samples: &[Span], draw: u64) -> Span {
    samples[below(draw, samples.len() as u64) as usize]
}

/// The parameters: `150ms`, `1ms..2ms`, `log-normal(median 10ms, sigma 0.3)`.
impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Shape::Constant(span) => span.fmt(f),
            Shape::Uniform { low, width } => write!(f, "{low}..{}", *low + Span::nanos(*width)),
            Shape::Tabulated(tabulated) => tabulated.family.fmt(f),
            Shape::Empirical(samples) => {
                write!(f, "empirical({} samples, {} to {})", samples.len(), self.minimum(), self.maximum())
            }
        }
    }
}

#[cfg(test)]
mod tests;
