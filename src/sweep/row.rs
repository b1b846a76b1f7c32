//! What is kept of a run: a row of the results.

use std::collections::BTreeMap;

use scenarios::Report;
use serde::{Deserialize, Serialize};
use sim_core::gauge::GaugeSummary;
use sim_core::metrics::{Counter, Gauge, Latency, LatencySummary};

use super::Job;
use crate::report::VerdictKind;

/// What is kept of a run. All of it follows from scenario and seed; there is no wall time and no host in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    /// The number of its job.
    pub(crate) job: u64,
    /// How many nodes there were.
    pub(crate) nodes: u32,
    /// What the seed drew for fields that the scenario lets it draw: `nodes=3`.
    pub(crate) drawn: Vec<String>,
    /// What it ended with.
    pub(crate) verdict: VerdictKind,
    /// The same in a sentence.
    pub(crate) text: String,
    /// What was violated first.
    pub(crate) violation: Option<Violated>,
    /// Of all that happened, sixteen hexadecimal digits; empty where the run has no report.
    pub(crate) digest: String,
    /// How many events happened.
    pub(crate) events: u64,
    /// When it ended.
    pub(crate) simulated_ns: u64,
    /// When it had converged after the faults.
    pub(crate) converged_ns: Option<u64>,
    /// In the order of [`Counter::ALL`].
    pub(crate) counters: Vec<u64>,
    /// In the order of [`Gauge::ALL`].
    pub(crate) gauges: Vec<Option<Measured>>,
    /// In the order of [`Latency::ALL`].
    pub(crate) latencies: Vec<Option<Took>>,
    /// What processes counted, by the names that their protocol declares.
    pub(crate) own_counters: BTreeMap<String, u64>,
    /// How long took what processes do, by the names that their protocol declares; without what never happened.
    pub(crate) own_latencies: BTreeMap<String, Took>,
    /// How often each point of the protocol was reached, then each fault point.
    pub(crate) points: Vec<u64>,
}

/// A property that did not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Violated {
    pub(crate) property: String,
    pub(crate) at_ns: u64,
    /// From 1.
    pub(crate) event: u64,
    pub(crate) node: Option<String>,
    pub(crate) evidence: String,
}

/// A level over simulated time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Measured {
    pub(crate) min: u64,
    pub(crate) max: u64,
    pub(crate) mean_thousandths: u64,
}

/// How long something took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Took {
    pub(crate) count: u64,
    pub(crate) mean_ns: u64,
    pub(crate) p50_ns: u64,
    pub(crate) p99_ns: u64,
    pub(crate) max_ns: u64,
}

impl AsRef<Self> for Row {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl Row {
    /// That of a job that ended with a report, or with a panic that is nobody's.
    pub(crate) fn of(job: &Job<'_>, ended: Result<Report, String>) -> Self {
        match ended {
            Ok(report) => Self::of_report(job, report),
            Err(panic) => Self::of_panic(job, &panic),
        }
    }

    fn of_report(job: &Job<'_>, report: Report) -> Self {
        let metrics = &report.metrics;
        let counter = |counter: Counter| metrics.counters.get(counter.name()).copied().unwrap_or_default();
        let gauge = |gauge: Gauge| metrics.gauges.get(gauge.name()).map(Measured::from);
        let latency = |latency: Latency| metrics.latencies.get(latency.name()).map(Took::from);
        let own_counters = metrics.counters.iter().filter(|(name, _)| !is_counter(name));
        let own_latencies = metrics.latencies.iter().filter(|(name, _)| !is_latency(name));
        let points = report.points.iter().chain(&report.fault_points);
        Self {
            job: job.index,
            nodes: report.nodes,
            verdict: VerdictKind::from(&report.verdict),
            text: report.verdict.to_string(),
            digest: report.digest.to_string(),
            events: report.events,
            simulated_ns: report.simulated_ns,
            converged_ns: report.converged_ns,
            counters: Counter::ALL.into_iter().map(counter).collect(),
            gauges: Gauge::ALL.into_iter().map(gauge).collect(),
            latencies: Latency::ALL.into_iter().map(latency).collect(),
            own_counters: own_counters.map(|(name, count)| ((*name).to_owned(), *count)).collect(),
            own_latencies: own_latencies.map(|(name, took)| ((*name).to_owned(), took.into())).collect(),
            points: points.map(|point| point.count).collect(),
            violation: report.violations.into_iter().next().map(Violated::from),
            drawn: report.drawn,
        }
    }

    /// That of a job that was run twice, and was not the same: `parting` says where.
    pub(crate) fn of_parting(job: &Job<'_>, report: Report, parting: &str) -> Self {
        let text = format!("not deterministic: {parting}");
        Self { verdict: VerdictKind::NonDeterminism, text, ..Self::of_report(job, report) }
    }

    /// The simulator panicked where it can make no verdict of it: nothing is known of the run but that.
    fn of_panic(job: &Job<'_>, panic: &str) -> Self {
        Self {
            job: job.index,
            nodes: job.loaded.scenario.nodes,
            drawn: Vec::new(),
            verdict: VerdictKind::InternalError,
            text: format!("internal error: {panic}"),
            violation: None,
            digest: String::new(),
            events: 0,
            simulated_ns: 0,
            converged_ns: None,
            counters: vec![0; Counter::ALL.len()],
            gauges: vec![None; Gauge::ALL.len()],
            latencies: vec![None; Latency::ALL.len()],
            own_counters: BTreeMap::new(),
            own_latencies: BTreeMap::new(),
            points: Vec::new(),
        }
    }

    /// Whether it failed.
    pub(crate) const fn is_failure(&self) -> bool {
        self.verdict.is_failure()
    }

    /// The first property that was violated; of a failure without one, what it says.
    pub(crate) fn property(&self) -> Option<&str> {
        self.violation.as_ref().map(|violated| violated.property.as_str())
    }

    /// What it failed of, if it did: the property, or what a panic said, with its numbers masked, since they are
    /// others with each seed.
    pub(crate) fn cause(&self) -> Option<String> {
        if !self.is_failure() {
            return None;
        }
        Some(match (self.verdict, self.property()) {
            (VerdictKind::Violation | VerdictKind::Liveness, Some(property)) => property.to_owned(),
            (VerdictKind::NonDeterminism, _) => "the same run twice is not the same".to_owned(),
            _ => masked(&self.text),
        })
    }
}

/// Whether every run counts what has this name.
fn is_counter(name: &str) -> bool {
    Counter::ALL.iter().any(|counter| counter.name() == name)
}

/// Whether every run measures what has this name.
fn is_latency(name: &str) -> bool {
    Latency::ALL.iter().any(|latency| latency.name() == name)
}

/// A text with each number, and each digest, as `#`.
fn masked(text: &str) -> String {
    let mut masked = String::new();
    for letter in text.chars() {
        if !letter.is_ascii_digit() {
            masked.push(letter);
        } else if !masked.ends_with('#') {
            masked.push('#');
        }
    }
    masked
}

impl From<scenarios::run::ReportedViolation> for Violated {
    fn from(violation: scenarios::run::ReportedViolation) -> Self {
        let scenarios::run::ReportedViolation { property, at_ns, event, node, evidence } = violation;
        Self { property, at_ns, event, node, evidence }
    }
}

impl From<&GaugeSummary> for Measured {
    fn from(summary: &GaugeSummary) -> Self {
        Self { min: summary.min, max: summary.max, mean_thousandths: summary.mean_thousandths }
    }
}

impl From<&LatencySummary> for Took {
    fn from(summary: &LatencySummary) -> Self {
        Self {
            count: summary.count,
            mean_ns: summary.mean.as_nanos(),
            p50_ns: summary.p50.as_nanos(),
            p99_ns: summary.p99.as_nanos(),
            max_ns: summary.max.as_nanos(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_that_differ_in_numbers_only_are_one_cause() {
        let texts = ["panic: term went from 3 to 12", "panic: term went from 10 to 2"].map(masked);
        assert_eq!(texts[0], "panic: term went from # to #");
        assert_eq!(texts[0], texts[1]);
    }
}
