//! What two sides came to: for people, and as JSON with a schema.
//!
//! Nothing of it depends on the machine: there is no wall time in the document, and all numbers are rounded.

mod text;

use std::collections::BTreeMap;
use std::ops::Range;

use schemars::JsonSchema;
use serde::Serialize;

pub(crate) use self::text::{Body, Heading, MetricsShown, runs_a_second, share_change};
use crate::compare::{Caused, Comparison, Difference, Estimate, LEVEL, Metric, Unit, holm};
use crate::exit_code::ExitCode;
use crate::report::VerdictKind;
use crate::sweep::{Configuration, Rate, Row};

/// The version of the document; a change that breaks readers raises it.
const COMPARISON_VERSION: u32 = 1;

/// What two sides came to that were run with the same seeds. Differences are those of B less A; times are in nanoseconds.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Document {
    /// The version of this document: 1.
    comparison_version: u32,
    /// The version of the program.
    splitbrain_version: &'static str,
    /// The first seed.
    seeds_from: u64,
    /// The first seed behind the last.
    seeds_to: u64,
    /// Whether all seeds were run; else what follows is about those that were.
    is_complete: bool,
    /// What the program exits with.
    exit_code: u8,
    /// The first side.
    a: Side,
    /// The second side.
    b: Side,
    /// The fields of the two scenarios that are not the same.
    differences: Vec<Field>,
    /// With how many seeds both sides were run.
    pairs: u64,
    /// With how many of them both runs were the same, event by event.
    identical: u64,
    /// Seeds by who failed.
    failing: Failing,
    /// By how much the failure rates differ; `null` where nothing was run.
    failure_rate: Option<RateDifference>,
    /// With how many seeds the verdicts differ, or what was violated does.
    apart: u64,
    /// The first of these seeds.
    first_apart: Option<Apart>,
    /// Of how many pairs metrics were taken: those of which both runs came to their end.
    measured: u64,
    /// All metrics that both sides have; what differs most clearly comes first.
    metrics: Vec<MetricDifference>,
    /// The metrics that only A has.
    only_a: Vec<String>,
    /// The metrics that only B has.
    only_b: Vec<String>,
    /// So many times the runs would be needed with seeds of their own for each side, to know the differences as well: the
    /// median over the metrics that vary.
    gain: Option<f64>,
}

/// One side.
#[derive(Debug, Serialize, JsonSchema)]
struct Side {
    /// The file or library name.
    scenario: String,
    /// What is set, `path=value`.
    set: Vec<String>,
    /// The protocol, with its mutant if it is one.
    protocol: String,
    /// The service that its clients ask.
    service: Option<String>,
    /// The fingerprint of its text, sixteen hexadecimal digits.
    scenario_digest: String,
    /// How many runs ended with each verdict.
    verdicts: BTreeMap<&'static str, u64>,
    /// How many failed.
    failures: u64,
    /// The share that failed.
    rate: f64,
    /// The lower end of its 95 % interval.
    rate_low: f64,
    /// The upper end.
    rate_high: f64,
    /// What failed, the most frequent first.
    causes: Vec<Cause>,
}

/// Failures with the same cause.
#[derive(Debug, Serialize, JsonSchema)]
struct Cause {
    /// The verdict, in a word.
    verdict: &'static str,
    /// The property that was violated, or what a panic said.
    what: String,
    /// How many runs.
    count: u64,
    /// The first seed.
    seed: u64,
    /// A command that replays its run.
    replay: String,
}

/// A field that is not the same on both sides.
#[derive(Debug, Serialize, JsonSchema)]
struct Field {
    /// Its path.
    path: String,
    /// What A has; `null` where it is not there.
    a: Option<String>,
    /// What B has.
    b: Option<String>,
}

/// Seeds by who failed.
#[derive(Debug, Serialize, JsonSchema)]
struct Failing {
    /// Neither.
    neither: u64,
    /// A, and not B.
    only_a: u64,
    /// B, and not A.
    only_b: u64,
    /// Both.
    both: u64,
}

/// The difference of the failure rates.
#[derive(Debug, Serialize, JsonSchema)]
struct RateDifference {
    /// The rate of B less that of A.
    difference: f64,
    /// The lower end of its 95 % interval.
    low: f64,
    /// The upper end.
    high: f64,
    /// How likely so large a difference is where there is none.
    p: f64,
}

/// A seed with which the verdicts differ.
#[derive(Debug, Serialize, JsonSchema)]
struct Apart {
    /// Which one.
    seed: u64,
    /// How A ended.
    a: Ended,
    /// How B ended.
    b: Ended,
}

/// How a run ended.
#[derive(Debug, Serialize, JsonSchema)]
struct Ended {
    /// In a word.
    verdict: &'static str,
    /// In a sentence.
    text: String,
    /// A command that replays it.
    replay: String,
}

/// The difference of a metric.
#[derive(Debug, Serialize, JsonSchema)]
struct MetricDifference {
    /// Its name.
    name: String,
    /// `count` or `ns`.
    unit: &'static str,
    /// In how many pairs both sides had it.
    pairs: u64,
    /// The mean of A.
    mean_a: f64,
    /// The mean of B.
    mean_b: f64,
    /// The mean of B less A.
    difference: f64,
    /// The lower end of the 95 % interval of the difference; `null` for fewer than two pairs.
    low: Option<f64>,
    /// The upper end.
    high: Option<f64>,
    /// The difference as a share of the mean of A; `null` where that is zero.
    change: Option<f64>,
    /// How likely so clear a difference is where there is none.
    p: f64,
    /// The same, raised because so many metrics were looked at (Holm).
    p_adjusted: f64,
    /// Whether it differs: `p_adjusted` is at most 0.05.
    differs: bool,
    /// The variance of runs with seeds of their own over that of pairs; `null` where one of them is zero.
    gain: Option<f64>,
}

/// Who was compared, with what.
pub(crate) struct Setting<'a> {
    pub(crate) sides: [&'a Configuration; 2],
    /// The services of both.
    pub(crate) services: [Option<String>; 2],
    pub(crate) differences: &'a [Difference],
    pub(crate) seeds: Range<u64>,
}

impl Document {
    pub(crate) fn new(setting: &Setting<'_>, comparison: &Comparison, code: ExitCode) -> Self {
        let metrics = metrics(comparison.estimates());
        let crate::compare::Failing { neither, only_a, only_b, both } = comparison.failing;
        let rate = comparison.failing.difference();
        let [a, b] = [0, 1].map(|side| Side::new(setting, comparison, side));
        let only = |side| comparison.only(side).iter().map(ToString::to_string).collect();
        Self {
            comparison_version: COMPARISON_VERSION,
            splitbrain_version: env!("CARGO_PKG_VERSION"),
            seeds_from: setting.seeds.start,
            seeds_to: setting.seeds.end,
            is_complete: comparison.pairs == setting.seeds.end - setting.seeds.start,
            exit_code: code.number(),
            a,
            b,
            differences: setting.differences.iter().map(Field::of).collect(),
            pairs: comparison.pairs,
            identical: comparison.identical,
            failing: Failing { neither, only_a, only_b, both },
            failure_rate: rate.map(RateDifference::of),
            apart: comparison.apart,
            first_apart: comparison.first_apart.as_ref().map(|rows| Apart::of(setting, rows)),
            measured: comparison.measured,
            gain: median(metrics.iter().filter_map(|metric| metric.gain).collect()),
            metrics,
            only_a: only(0),
            only_b: only(1),
        }
    }
}

/// What differs most clearly first; what is equally clear in its own order.
fn metrics(mut estimates: Vec<(Metric, Estimate)>) -> Vec<MetricDifference> {
    estimates.sort_by(|(_, one), (_, other)| other.clarity.total_cmp(&one.clarity));
    let values: Vec<f64> = estimates.iter().map(|(_, estimate)| estimate.p).collect();
    let adjusted = holm(&values);
    let all = estimates.iter().zip(adjusted);
    all.map(|((metric, estimate), adjusted)| MetricDifference::new(*metric, estimate, adjusted)).collect()
}

fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied()
}

impl Side {
    fn new(setting: &Setting<'_>, comparison: &Comparison, side: usize) -> Self {
        let (configuration, came) = (setting.sides[side], &comparison.sides[side]);
        let failures = comparison.failing.of_sides()[side];
        let Rate { share, low, high } = Rate::of(failures, comparison.pairs);
        let cause = |caused: Caused<'_>| {
            let seed = setting.seed(caused.first);
            let (verdict, what) = (caused.verdict.name(), caused.what.to_owned());
            Cause { verdict, what, count: caused.count, seed, replay: configuration.command(seed) }
        };
        Self {
            scenario: configuration.scenario.clone(),
            set: configuration.set.clone(),
            protocol: configuration.protocol(),
            service: setting.services[side].clone(),
            scenario_digest: format!("{:016x}", configuration.loaded.text_digest),
            verdicts: came.verdicts.iter().map(|(kind, count)| (kind.name(), count)).collect(),
            failures,
            rate: share,
            rate_low: low,
            rate_high: high,
            causes: came.causes().into_iter().map(cause).collect(),
        }
    }

    fn count(&self, kind: VerdictKind) -> u64 {
        self.verdicts.get(kind.name()).copied().unwrap_or_default()
    }
}

impl Setting<'_> {
    /// The seed of a run: two of each, one after the other.
    fn seed(&self, row: &Row) -> u64 {
        self.seeds.start + row.job / 2
    }
}

impl Field {
    fn of(difference: &Difference) -> Self {
        let [a, b] = difference.values.clone();
        Self { path: difference.path.clone(), a, b }
    }
}

impl RateDifference {
    const fn of(difference: crate::compare::RateDifference) -> Self {
        let crate::compare::RateDifference { difference, low, high, p } = difference;
        Self { difference, low, high, p }
    }
}

impl Apart {
    fn of(setting: &Setting<'_>, rows: &[Row; 2]) -> Self {
        let seed = setting.seed(&rows[0]);
        let [a, b] = [0, 1].map(|side| Ended {
            verdict: rows[side].verdict.name(),
            text: rows[side].text.clone(),
            replay: setting.sides[side].command(seed),
        });
        Self { seed, a, b }
    }
}

impl MetricDifference {
    fn new(metric: Metric, estimate: &Estimate, p_adjusted: f64) -> Self {
        let Estimate { pairs, mean_a, mean_b, difference, interval, change, p, clarity: _, gain } = *estimate;
        Self {
            name: metric.to_string(),
            unit: match metric.unit() {
                Unit::Count => "count",
                Unit::Nanos => "ns",
            },
            pairs,
            mean_a,
            mean_b,
            difference,
            low: interval.map(|[low, _]| low),
            high: interval.map(|[_, high]| high),
            change,
            p,
            p_adjusted,
            differs: p_adjusted <= LEVEL,
            gain,
        }
    }

    /// Whether its interval alone would say that it differs.
    fn excludes_zero(&self) -> bool {
        self.low.is_some_and(|low| low > 0.0) || self.high.is_some_and(|high| high < 0.0)
    }
}
