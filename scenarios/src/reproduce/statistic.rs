//! From the values of all runs to one.

use serde::{Deserialize, Serialize};

use super::Quantity;
use super::quantity::float;

/// What becomes of the values of all runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Statistic {
    /// The arithmetic mean.
    Mean,
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// The value that so many percent are at most: `Percentile(50)` is the median.
    Percentile(u8),
    /// The share of runs with at most this. A run without a value has more.
    ShareAtMost(Quantity),
    /// The share of runs with at least this. A run without a value has less.
    ShareAtLeast(Quantity),
}

impl Statistic {
    /// Whether it counts runs, so that its value has no unit, and runs without a value count as well.
    pub const fn is_share(&self) -> bool {
        match self {
            Self::ShareAtMost(_) | Self::ShareAtLeast(_) => true,
            Self::Mean | Self::Min | Self::Max | Self::Percentile(_) => false,
        }
    }

    pub(super) const fn bound(&self) -> Option<Quantity> {
        match self {
            Self::ShareAtMost(bound) | Self::ShareAtLeast(bound) => Some(*bound),
            Self::Mean | Self::Min | Self::Max | Self::Percentile(_) => None,
        }
    }

    /// Of `values`, ascending, out of `runs`; `None` where there is nothing to say.
    pub(super) fn of(&self, values: &[f64], runs: usize) -> Option<f64> {
        let share = |count: usize| (runs > 0).then(|| float(count as u64) / float(runs as u64));
        match self {
            Self::Mean if values.is_empty() => None,
            Self::Mean => Some(values.iter().sum::<f64>() / float(values.len() as u64)),
            Self::Min => values.first().copied(),
            Self::Max => values.last().copied(),
            Self::Percentile(percent) => {
                // The nearest rank, from 1.
                let rank = (values.len() * usize::from(*percent)).div_ceil(100).max(1);
                values.get(rank - 1).copied()
            }
            Self::ShareAtMost(bound) => share(values.partition_point(|value| *value <= bound.raw())),
            Self::ShareAtLeast(bound) => {
                share(values.len() - values.partition_point(|value| *value < bound.raw()))
            }
        }
    }
}
