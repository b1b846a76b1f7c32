//! Two sides, run with the same seeds.
//!
//! ```text
//! seed ─► run of A ─┐
//!     └─► run of B ─┴─► pair ─► who failed, what was measured ─► differences
//! ```
//!
//! Draws are keyed, so what both sides share happens to both alike with the same seed: the same operations, the same faults
//! at the same times, the same latency of the same message. So their difference is what is compared, seed by seed, and most
//! of what varies from seed to seed falls out of it ("common random numbers").
//!
//! Pairs are counted in the order of their seeds, so that nothing depends on which run finished first. No run is kept: a
//! hundred thousand pairs need no more memory than ten.
//!
//! Metrics are taken from pairs of which both runs came to their end: one that fails stops there, and has sent fewer messages
//! for that reason alone.

mod metric;
mod moments;
mod paired;
mod rates;
mod sides;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use scenarios::Report;

use self::metric::measured;
pub(crate) use self::metric::{Metric, Unit};
use self::paired::Pairs;
pub(crate) use self::paired::{Estimate, LEVEL, holm};
pub(crate) use self::rates::{Failing, RateDifference};
pub(crate) use self::sides::{Difference, differences, service};
use crate::report::VerdictKind;
use crate::sweep::{InOrder, Job, Row, Verdicts};

/// What is kept of a run until that of the other side is there.
pub(crate) struct Kept {
    row: Row,
    measured: BTreeMap<Metric, f64>,
}

/// What the runs of one side came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Side {
    pub(crate) verdicts: Verdicts,
    /// What failed, by verdict and cause: how often, and first in which run.
    causes: BTreeMap<(VerdictKind, String), (u64, Row)>,
    /// In how many pairs a metric was measured on this side only.
    alone: BTreeMap<Metric, u64>,
}

/// Failures of one side with the same cause.
pub(crate) struct Caused<'a> {
    pub(crate) verdict: VerdictKind,
    /// The property, or what a panic said.
    pub(crate) what: &'a str,
    pub(crate) count: u64,
    /// The first of these runs.
    pub(crate) first: &'a Row,
}

/// What two sides came to.
#[derive(Default)]
pub(crate) struct Comparison {
    waiting: Waiting,
    /// That of A, then that of B.
    pub(crate) sides: [Side; 2],
    pub(crate) failing: Failing,
    /// How many pairs there were.
    pub(crate) pairs: u64,
    /// In how many of them both runs came to their end.
    pub(crate) measured: u64,
    /// In how many of them nothing differed at all.
    pub(crate) identical: u64,
    /// In how many the verdicts differ, and in which first.
    pub(crate) apart: u64,
    pub(crate) first_apart: Option<[Row; 2]>,
    pub(crate) events: u64,
    pub(crate) simulated_ns: u128,
    metrics: BTreeMap<Metric, Pairs>,
}

/// Runs that wait for one before them, or for the other side.
struct Waiting {
    order: InOrder<Kept>,
    first: Option<Kept>,
}

impl Default for Waiting {
    fn default() -> Self {
        Self { order: InOrder::new(), first: None }
    }
}

impl AsRef<Row> for Kept {
    fn as_ref(&self) -> &Row {
        &self.row
    }
}

impl Kept {
    /// That of a job that ended with a report, or with a panic that is nobody's.
    pub(crate) fn of(job: &Job<'_>, ended: Result<Report, String>) -> Self {
        let measured = ended.as_ref().map(measured).unwrap_or_default();
        Self { row: Row::of(job, ended), measured }
    }

    /// Whether it came to its end, so that what was measured of it is all of it.
    const fn came_to_its_end(&self) -> bool {
        matches!(self.row.verdict, VerdictKind::Pass | VerdictKind::BeyondPromise)
    }
}

impl Side {
    fn add(&mut self, row: &Row) {
        self.verdicts.add(row.verdict);
        if let Some(what) = row.cause() {
            let (count, _) = self.causes.entry((row.verdict, what)).or_insert_with(|| (0, row.clone()));
            *count += 1;
        }
    }

    /// What failed, the most frequent first.
    pub(crate) fn causes(&self) -> Vec<Caused<'_>> {
        let caused = self.causes.iter().map(|((verdict, what), (count, first))| Caused {
            verdict: *verdict,
            what,
            count: *count,
            first,
        });
        let mut all: Vec<_> = caused.collect();
        all.sort_by_key(|caused| Reverse(caused.count));
        all
    }
}

impl Comparison {
    /// Takes in a run that is done, in any order.
    pub(crate) fn put(&mut self, kept: Kept) {
        self.waiting.order.put(kept.row.job, kept);
        while let Some((_, kept)) = self.waiting.order.next() {
            self.take(kept);
        }
    }

    /// Nothing more comes: pairs that finished behind a run that did not count now.
    pub(crate) fn finish(&mut self) {
        for (_, kept) in std::mem::take(&mut self.waiting).rest() {
            self.take(kept);
        }
    }

    /// Takes in a run, in order; the pair counts when its second run is there.
    fn take(&mut self, kept: Kept) {
        let is_second = kept.row.job % 2 == 1;
        match self.waiting.first.take() {
            Some(first) if is_second && first.row.job + 1 == kept.row.job => self.add(&[first, kept]),
            _ => self.waiting.first = Some(kept),
        }
    }

    fn add(&mut self, pair: &[Kept; 2]) {
        let [a, b] = pair;
        self.pairs += 1;
        self.events += a.row.events + b.row.events;
        self.simulated_ns += u128::from(a.row.simulated_ns) + u128::from(b.row.simulated_ns);
        for (side, kept) in self.sides.iter_mut().zip(pair) {
            side.add(&kept.row);
        }
        self.failing.add([a.row.is_failure(), b.row.is_failure()]);
        self.identical += u64::from(!a.row.digest.is_empty() && a.row.digest == b.row.digest);
        if (a.row.verdict, a.row.cause()) != (b.row.verdict, b.row.cause()) {
            self.apart += 1;
            self.first_apart.get_or_insert_with(|| [a.row.clone(), b.row.clone()]);
        }
        if a.came_to_its_end() && b.came_to_its_end() {
            self.measure(a, b);
        }
    }

    fn measure(&mut self, a: &Kept, b: &Kept) {
        self.measured += 1;
        for (metric, value) in &a.measured {
            match b.measured.get(metric) {
                Some(other) => self.metrics.entry(*metric).or_default().add(*value, *other),
                None => *self.sides[0].alone.entry(*metric).or_default() += 1,
            }
        }
        let only_b = b.measured.keys().filter(|metric| !a.measured.contains_key(metric));
        for metric in only_b {
            *self.sides[1].alone.entry(*metric).or_default() += 1;
        }
    }

    /// What the metrics come to that both sides have, in their own order.
    pub(crate) fn estimates(&self) -> Vec<(Metric, Estimate)> {
        self.metrics.iter().map(|(metric, pairs)| (*metric, pairs.estimate())).collect()
    }

    /// The metrics that only this side has.
    pub(crate) fn only(&self, side: usize) -> Vec<Metric> {
        let alone = self.sides[side].alone.keys().copied();
        alone.filter(|metric| !self.metrics.contains_key(metric)).collect()
    }
}

impl Waiting {
    fn rest(self) -> impl Iterator<Item = (u64, Kept)> {
        let first = self.first.map(|kept| (kept.row.job, kept));
        first.into_iter().chain(self.order.rest())
    }
}

/// A number with six digits: what machines may compute differently is behind them.
fn rounded(number: f64) -> f64 {
    if number == 0.0 {
        return 0.0;
    }
    format!("{number:.5e}").parse().expect("a number that was just written")
}
