//! The value of a measure in one run.

use sim_core::metrics::LatencySummary;

use super::quantity::float;
use super::{LatencyPart, Mark, Measure};
use crate::run::{Report, ReportedMilestone};

impl Measure {
    /// Its value in a run: nanoseconds for times; `None` where what it is about did not happen.
    pub(super) fn value(&self, report: &Report) -> Option<f64> {
        match self {
            Self::Between { from, to } => between(&report.milestones, *from, *to).map(float),
            Self::Until { from, point } => until(report, *from, point).map(float),
            Self::Latency { name, part } => {
                report.metrics.latencies.get(name.as_str()).map(|latency| part_of(latency, *part))
            }
            Self::Counter(name) => counter(report, name),
            Self::Rest { of, from } => counter(report, of).map(|count| float(*from) - count),
            Self::Ratio { of, to } => {
                let (of, to) = (counter(report, of)?, counter(report, to)?);
                (to > 0.0).then(|| of / to)
            }
            Self::Violates(properties) => {
                let is_meant = |property: &String| properties.is_empty() || properties.contains(property);
                let violates = report.violations.iter().any(|violation| is_meant(&violation.property));
                Some(if violates { 1.0 } else { 0.0 })
            }
        }
    }
}

fn counter(report: &Report, name: &str) -> Option<f64> {
    report.metrics.counters.get(name).copied().map(float)
}

/// `None` also where the point was reached before.
fn until(report: &Report, from: Mark, point: &str) -> Option<u64> {
    let (_, begun_ns) = begin(&report.milestones, from)?;
    let reached = report.points.iter().find(|reached| reached.name == point)?;
    reached.first_ns?.checked_sub(begun_ns)
}

/// The place after the first of this kind, and when it was.
fn begin(milestones: &[ReportedMilestone], from: Mark) -> Option<(usize, u64)> {
    let Some(kind) = from.kind() else { return Some((0, 0)) };
    let first = milestones.iter().position(|milestone| milestone.kind == kind)?;
    Some((first + 1, milestones[first].at_ns))
}

fn between(milestones: &[ReportedMilestone], from: Mark, to: Mark) -> Option<u64> {
    let (begin, begun_ns) = begin(milestones, from)?;
    let reached = milestones[begin..].iter().find(|milestone| Some(milestone.kind) == to.kind())?;
    Some(reached.at_ns - begun_ns)
}

fn part_of(latency: &LatencySummary, part: LatencyPart) -> f64 {
    let span = match part {
        LatencyPart::Mean => latency.mean,
        LatencyPart::P50 => latency.p50,
        LatencyPart::P99 => latency.p99,
        LatencyPart::Max => latency.max,
    };
    float(span.as_nanos())
}
