//! The numbers of a run, as the document has them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use sim_core::metrics::{self, LatencySummary};

/// What was counted and measured.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Metrics {
    /// How often things happened.
    pub(crate) counters: BTreeMap<String, u64>,
    /// How long things took; what never happened is left out.
    pub(crate) latencies: BTreeMap<String, Distribution>,
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
    pub(crate) fn of(metrics: &metrics::Metrics) -> Self {
        let summary = metrics.summary();
        Self { counters: named(summary.counters), latencies: named(summary.latencies) }
    }

    /// A count by its name.
    pub(crate) fn count(&self, counter: metrics::Counter) -> u64 {
        self.counters.get(counter.name()).copied().unwrap_or_default()
    }
}

fn named<A, B: From<A>>(values: BTreeMap<&'static str, A>) -> BTreeMap<String, B> {
    values.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
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
