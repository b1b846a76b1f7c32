//! The numbers of a run, as the document has them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use sim_core::check::history;
use sim_core::gauge::GaugeSummary;
use sim_core::metrics::{self, LatencySummary};
use sim_core::{NodeId, SimTime, Span};

/// What was counted and measured.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Metrics {
    /// How often things happened.
    pub(crate) counters: BTreeMap<String, u64>,
    /// Levels of the whole world: how much there was of something.
    pub(crate) gauges: BTreeMap<String, Gauge>,
    /// Levels that processes tell of themselves, by node; each from when its process first told it, while it was up.
    pub(crate) process_gauges: BTreeMap<String, BTreeMap<String, Gauge>>,
    /// How long things took; what never happened is left out.
    pub(crate) latencies: BTreeMap<String, Distribution>,
    /// How much there was of one thing for each of another, to three decimals; left out where there is nothing to divide by.
    pub(crate) ratios: BTreeMap<String, f64>,
}

/// What a checker of the history has measured.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Figures {
    /// How many there are of something.
    #[serde(serialize_with = "as_map")]
    #[schemars(with = "BTreeMap<String, u64>")]
    pub(crate) counts: Vec<(&'static str, u64)>,
    /// How long something took; what there is no sample of is left out.
    #[serde(serialize_with = "as_map")]
    #[schemars(with = "BTreeMap<String, Quantiles>")]
    pub(crate) latencies: Vec<(&'static str, Quantiles)>,
}

/// How long something took, in nanoseconds; exact, each is one of the samples.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Quantiles {
    /// How many samples there are.
    pub(crate) count: u64,
    /// The shortest.
    pub(crate) min_ns: u64,
    /// Half of them took at most this.
    pub(crate) p50_ns: u64,
    /// 95 % took at most this.
    pub(crate) p95_ns: u64,
    /// 99 % took at most this.
    pub(crate) p99_ns: u64,
    /// The longest.
    pub(crate) max_ns: u64,
}

/// A level over simulated time.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub(crate) struct Gauge {
    /// At the end; `null` where its process was down.
    pub(crate) last: Option<u64>,
    /// The lowest.
    pub(crate) min: u64,
    /// The mean over simulated time, to three decimals.
    pub(crate) mean: f64,
    /// The highest.
    pub(crate) max: u64,
}

/// How long something took, in nanoseconds of true time.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Distribution {
    /// How many samples there are.
    pub(crate) count: u64,
    /// The arithmetic mean.
    pub(crate) mean_ns: u64,
    /// Half of them took at most this.
    pub(crate) p50_ns: u64,
    /// 90 % took at most this.
    pub(crate) p90_ns: u64,
    /// 99 % took at most this.
    pub(crate) p99_ns: u64,
    /// 99.9 % took at most this.
    pub(crate) p999_ns: u64,
    /// The longest.
    pub(crate) max_ns: u64,
}

impl Metrics {
    /// What was counted and measured from the start to `now`.
    pub(crate) fn of(metrics: &metrics::Metrics, now: SimTime) -> Self {
        let summary = metrics.summary(now);
        let of_nodes = |gauges: BTreeMap<NodeId, GaugeSummary>| {
            gauges.into_iter().map(|(node, gauge)| (node.to_string(), gauge.into())).collect()
        };
        let process_gauges = summary.process_gauges.into_iter();
        Self {
            counters: named(summary.counters),
            gauges: named(summary.gauges),
            process_gauges: process_gauges.map(|(name, all)| (name.to_owned(), of_nodes(all))).collect(),
            latencies: named(summary.latencies),
            ratios: summary
                .ratios
                .into_iter()
                .map(|(name, ratio)| (name.to_owned(), decimal(ratio)))
                .collect(),
        }
    }

    /// A count by its name.
    pub(crate) fn count(&self, counter: metrics::Counter) -> u64 {
        self.counters.get(counter.name()).copied().unwrap_or_default()
    }
}

fn named<A, B: From<A>>(values: BTreeMap<&'static str, A>) -> BTreeMap<String, B> {
    values.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

impl Gauge {
    /// The gauges of several processes as one: the highest of what they were last, their extremes, and the mean of
    /// their means. `None` where there are none.
    pub(crate) fn over<'a>(gauges: impl ExactSizeIterator<Item = &'a Self> + Clone) -> Option<Self> {
        let shares = f64::from(u32::try_from(gauges.len()).unwrap_or(u32::MAX));
        let mean = gauges.clone().map(|gauge| gauge.mean).sum::<f64>() / shares;
        let widest = gauges.copied().reduce(|a, b| Self {
            last: a.last.max(b.last),
            min: a.min.min(b.min),
            mean,
            max: a.max.max(b.max),
        })?;
        Some(Self { mean, ..widest })
    }
}

impl From<GaugeSummary> for Gauge {
    fn from(summary: GaugeSummary) -> Self {
        let GaugeSummary { last, min, max, mean_thousandths } = summary;
        Self { last, min, mean: decimal(mean_thousandths), max }
    }
}

/// Thousandths as a number.
#[expect(clippy::cast_precision_loss, reason = "more than 2^53 thousandths may lose their last digits")]
fn decimal(thousandths: u64) -> f64 {
    thousandths as f64 / 1_000.0
}

impl From<LatencySummary> for Distribution {
    fn from(summary: LatencySummary) -> Self {
        Self {
            count: summary.count,
            mean_ns: summary.mean.as_nanos(),
            p50_ns: summary.p50.as_nanos(),
            p90_ns: summary.p90.as_nanos(),
            p99_ns: summary.p99.as_nanos(),
            p999_ns: summary.p999.as_nanos(),
            max_ns: summary.max.as_nanos(),
        }
    }
}

impl From<history::Figures> for Figures {
    fn from(figures: history::Figures) -> Self {
        let latencies = figures.latencies.into_iter();
        Self {
            counts: figures.counts,
            latencies: latencies.map(|(name, quantiles)| (name, quantiles.into())).collect(),
        }
    }
}

impl From<history::Quantiles> for Quantiles {
    fn from(quantiles: history::Quantiles) -> Self {
        let history::Quantiles { count, min, p50, p95, p99, max } = quantiles;
        let [min_ns, p50_ns, p95_ns, p99_ns, max_ns] = [min, p50, p95, p99, max].map(Span::as_nanos);
        Self { count, min_ns, p50_ns, p95_ns, p99_ns, max_ns }
    }
}

/// Pairs as an object, in their order.
fn as_map<S: Serializer, T: Serialize>(
    pairs: &[(&'static str, T)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}

#[cfg(test)]
mod tests {
    use super::Gauge;

    #[test]
    fn gauges_of_several_processes_are_shown_as_one() {
        let nodes = [
            Gauge { last: Some(3), min: 1, mean: 2.0, max: 4 },
            Gauge { last: None, min: 2, mean: 5.0, max: 9 },
        ];
        let both = Gauge::over(nodes.iter()).expect("there are two");
        assert_eq!((both.last, both.min, both.max), (Some(3), 1, 9));
        assert!((both.mean - 3.5).abs() < 1e-9, "{}", both.mean);
        assert!(Gauge::over([].iter()).is_none());
    }
}
