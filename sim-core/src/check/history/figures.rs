//! What checkers measure of a history besides their answer: how many, and how long it took.

use crate::Span;

/// What a checker has measured, each under its name. Numbers are no verdict: what is wrong is in the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// How many there are of something.
    pub counts: Vec<(&'static str, u64)>,
    /// How long something took; what there is no sample of is left out.
    pub latencies: Vec<(&'static str, Quantiles)>,
}

/// Exact quantiles of spans: each is one of them, the lowest that at least such a share is not above; so few samples
/// give no more than they have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantiles {
    /// How many spans there are; at least one.
    pub count: u64,
    /// The shortest.
    pub min: Span,
    /// Half of them are at most this.
    pub p50: Span,
    /// 95 % of them are at most this.
    pub p95: Span,
    /// 99 % of them are at most this.
    pub p99: Span,
    /// The longest.
    pub max: Span,
}

impl Quantiles {
    /// Those of these spans; `None` where there are none.
    pub(super) fn of(mut spans: Vec<Span>) -> Option<Self> {
        spans.sort_unstable();
        let at = |percent: usize| spans[(spans.len() * percent).div_ceil(100).max(1) - 1];
        Some(Self {
            count: spans.len() as u64,
            min: *spans.first()?,
            p50: at(50),
            p95: at(95),
            p99: at(99),
            max: *spans.last()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantiles(nanos: impl IntoIterator<Item = u64>) -> Option<[u64; 6]> {
        let all = Quantiles::of(nanos.into_iter().map(Span::nanos).collect())?;
        let Quantiles { count, min, p50, p95, p99, max } = all;
        let [min, p50, p95, p99, max] = [min, p50, p95, p99, max].map(Span::as_nanos);
        Some([count, min, p50, p95, p99, max])
    }

    #[test]
    fn a_quantile_is_the_lowest_sample_that_such_a_share_is_not_above() {
        assert_eq!(quantiles([]), None);
        assert_eq!(quantiles([7]), Some([1, 7, 7, 7, 7, 7]));
        assert_eq!(quantiles([9, 1]), Some([2, 1, 1, 9, 9, 9]), "half of two is one");
        assert_eq!(quantiles((1..=100).rev()), Some([100, 1, 50, 95, 99, 100]));
        assert_eq!(quantiles(1..=1_000), Some([1_000, 1, 500, 950, 990, 1_000]));
    }
}
