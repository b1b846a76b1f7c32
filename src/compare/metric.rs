//! What is measured of a run, by name: all that its report holds, what its protocol keeps included.

use std::collections::BTreeMap;
use std::fmt;

use scenarios::Report;
use sim_core::NodeId;
use sim_core::gauge::GaugeSummary;
use sim_core::metrics::LatencySummary;

use super::moments::float;

/// Something that is measured of every run. The order is that of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Metric {
    /// How many events happened.
    Events,
    /// When the run ended.
    Ended,
    /// When it had converged after the faults.
    Converged,
    /// How often something happened.
    Counter(&'static str),
    /// How much there was of one thing for each of another.
    Ratio(&'static str),
    /// A level of the whole world.
    Gauge(&'static str, Level),
    /// A level that processes tell of themselves: the highest of all nodes, or the mean of their means.
    ProcessGauge(&'static str, Level),
    /// How long something took.
    Latency(&'static str, Point),
}

/// What of a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Mean,
    Max,
}

/// Where in a distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Point {
    Mean,
    P50,
    P90,
    P99,
    P999,
    Max,
}

/// What the numbers of a metric are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// How many.
    Count,
    /// Nanoseconds.
    Nanos,
}

const LEVELS: [Level; 2] = [Level::Mean, Level::Max];

const POINTS: [Point; 6] = [Point::Mean, Point::P50, Point::P90, Point::P99, Point::P999, Point::Max];

impl Metric {
    pub(crate) const fn unit(self) -> Unit {
        match self {
            Self::Ended | Self::Converged | Self::Latency(..) => Unit::Nanos,
            Self::Events | Self::Counter(_) | Self::Ratio(_) | Self::Gauge(..) | Self::ProcessGauge(..) => {
                Unit::Count
            }
        }
    }
}

/// `messages-sent`, `syncs-per-operation`, `in-flight mean`, `uncommitted mean, a node`, `operation p99`.
impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Events => f.write_str("events"),
            Self::Ended => f.write_str("simulated time"),
            Self::Converged => f.write_str("converged at"),
            Self::Counter(name) | Self::Ratio(name) => f.write_str(name),
            Self::Gauge(name, level) => write!(f, "{name} {level}"),
            Self::ProcessGauge(name, level) => write!(f, "{name} {level}, a node"),
            Self::Latency(name, point) => write!(f, "{name} {point}"),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mean => "mean",
            Self::Max => "max",
        })
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mean => "mean",
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P99 => "p99",
            Self::P999 => "p99.9",
            Self::Max => "max",
        })
    }
}

/// All that was measured of a run; what never happened has no latency.
pub(crate) fn measured(report: &Report) -> BTreeMap<Metric, f64> {
    let metrics = &report.metrics;
    let mut all = BTreeMap::new();
    all.insert(Metric::Events, float(report.events));
    all.insert(Metric::Ended, float(report.simulated_ns));
    all.extend(report.converged_ns.map(|nanos| (Metric::Converged, float(nanos))));
    all.extend(metrics.counters.iter().map(|(name, count)| (Metric::Counter(name), float(*count))));
    all.extend(metrics.ratios.iter().map(|(name, ratio)| (Metric::Ratio(name), float(*ratio) / 1_000.0)));
    for (name, summary) in &metrics.gauges {
        all.extend(LEVELS.map(|level| (Metric::Gauge(name, level), level.of(summary))));
    }
    for (name, nodes) in &metrics.process_gauges {
        all.extend(LEVELS.map(|level| (Metric::ProcessGauge(name, level), level.over(nodes))));
    }
    for (name, summary) in &metrics.latencies {
        all.extend(POINTS.map(|point| (Metric::Latency(name, point), point.of(summary))));
    }
    all
}

impl Level {
    fn of(self, summary: &GaugeSummary) -> f64 {
        match self {
            Self::Mean => float(summary.mean_thousandths) / 1_000.0,
            Self::Max => float(summary.max),
        }
    }

    /// Of several processes as one.
    fn over(self, nodes: &BTreeMap<NodeId, GaugeSummary>) -> f64 {
        let values = nodes.values().map(|summary| self.of(summary));
        match self {
            Self::Mean => values.sum::<f64>() / float(nodes.len().max(1) as u64),
            Self::Max => values.fold(0.0, f64::max),
        }
    }
}

impl Point {
    const fn of(self, summary: &LatencySummary) -> f64 {
        let span = match self {
            Self::Mean => summary.mean,
            Self::P50 => summary.p50,
            Self::P90 => summary.p90,
            Self::P99 => summary.p99,
            Self::P999 => summary.p999,
            Self::Max => summary.max,
        };
        float(span.as_nanos())
    }
}

#[cfg(test)]
mod tests {
    use scenarios::{ProtocolTable, RunOptions};

    use super::*;

    #[test]
    fn all_that_a_report_counts_is_measured_under_a_name_of_its_own() {
        let table = ProtocolTable::builtin();
        let text = r#"Scenario(format_version: 1, name: "short", protocol: Raft(), phases: (faults: "1s"))"#;
        let loaded = scenarios::load("short.ron", text.as_bytes(), &[], &table).expect("it is valid");
        let report = scenarios::run(&loaded, &table, 3, &RunOptions::default()).report;
        let all = measured(&report);
        let names: std::collections::BTreeSet<String> = all.keys().map(ToString::to_string).collect();
        assert_eq!(names.len(), all.len(), "{names:?}");
        for name in [
            "events",
            "converged at",
            "messages-per-operation",
            "nodes-up mean",
            "operation p99.9",
            "snapshots-taken",
            "commit p50",
            "uncommitted max, a node",
        ] {
            assert!(names.contains(name), "`{name}` is not among {names:?}");
        }
        let sent = report.metrics.counters["messages-sent"];
        assert!((all[&Metric::Counter("messages-sent")] - float(sent)).abs() < 1e-9);
        let each = all[&Metric::Ratio("messages-per-operation")];
        let completed = report.metrics.counters["operations-completed"];
        assert!((each - float(sent) / float(completed)).abs() < 1e-3, "{each}");
    }
}
