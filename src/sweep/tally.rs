//! What the runs of a sweep come to: counted row by row, so that no row need be kept.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;

use super::{Grid, Row};
use crate::exit_code::ExitCode;
use crate::report::VerdictKind;

/// How many runs of a failure are named.
const NAMED_MAX: usize = 8;

/// What failed how. Failures that share it count as one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cause {
    /// With its mutant, if it is one.
    pub(crate) protocol: String,
    pub(crate) verdict: VerdictKind,
    /// The property, or what a panic said.
    pub(crate) what: String,
}

/// The failures of one cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) cause: Cause,
    pub(crate) count: u64,
    /// Of so many runs of its protocol.
    pub(crate) of: u64,
    /// The first of these runs.
    pub(crate) first: Vec<Row>,
}

/// A situation worth reaching.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Point {
    /// In how many runs it was reached.
    pub(crate) runs: u64,
    /// The first of them, by job.
    pub(crate) first: Option<u64>,
}

/// Runs by what they ended with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdicts(BTreeMap<VerdictKind, u64>);

/// What the runs of a sweep come to. Rows are to be added in the order of their jobs.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub(crate) runs: u64,
    pub(crate) failures: u64,
    pub(crate) events: u64,
    /// In nanoseconds: a hundred thousand runs of a day each are more than 64 bits.
    pub(crate) simulated_ns: u128,
    pub(crate) verdicts: Verdicts,
    /// By configuration.
    pub(crate) by_configuration: Vec<Verdicts>,
    /// The first failure of each configuration.
    pub(crate) first_failures: Vec<Option<Row>>,
    groups: BTreeMap<Cause, (u64, Vec<Row>)>,
    protocols: Vec<String>,
    runs_of_protocols: BTreeMap<String, u64>,
    /// By protocol, without its mutants, and name.
    pub(crate) points: BTreeMap<(String, String), Point>,
    /// After how many runs the last point was reached that had not been before.
    pub(crate) last_news: u64,
}

impl Verdicts {
    /// How many ended so.
    pub(crate) fn of(&self, kind: VerdictKind) -> u64 {
        self.0.get(&kind).copied().unwrap_or_default()
    }

    /// All that there were, the usual first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (VerdictKind, u64)> {
        self.0.iter().map(|(kind, count)| (*kind, *count))
    }

    pub(crate) fn add(&mut self, kind: VerdictKind) {
        *self.0.entry(kind).or_default() += 1;
    }

    /// How many runs there were.
    pub(crate) fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// How many failed.
    pub(crate) fn failures(&self) -> u64 {
        self.iter().filter(|(kind, _)| kind.is_failure()).map(|(_, count)| count).sum()
    }

    /// What a command ends with that made these runs: the worst of them, but disks that suffered beyond the promise only
    /// where that was all.
    pub(crate) fn code(&self) -> ExitCode {
        let has = |code: ExitCode| self.iter().any(|(kind, count)| count > 0 && kind.code() == code);
        let all_were_beyond = self.total() > 0 && self.of(VerdictKind::BeyondPromise) == self.total();
        let worst = [ExitCode::INTERNAL, ExitCode::VIOLATION, ExitCode::INCONCLUSIVE];
        match worst.into_iter().find(|code| has(*code)) {
            Some(code) => code,
            None if all_were_beyond => ExitCode::BEYOND_PROMISE,
            None => ExitCode::PASS,
        }
    }
}

impl Tally {
    pub(crate) fn new(grid: &Grid) -> Self {
        let count = grid.configurations.len();
        let mut points = BTreeMap::new();
        for configuration in &grid.configurations {
            let protocol = configuration.loaded.scenario.protocol.name();
            points.extend(
                configuration
                    .points
                    .iter()
                    .map(|name| ((protocol.to_owned(), name.clone()), Point::default())),
            );
        }
        Self {
            runs: 0,
            failures: 0,
            events: 0,
            simulated_ns: 0,
            verdicts: Verdicts::default(),
            by_configuration: vec![Verdicts::default(); count],
            first_failures: vec![None; count],
            groups: BTreeMap::new(),
            protocols: grid.configurations.iter().map(super::Configuration::protocol).collect(),
            runs_of_protocols: BTreeMap::new(),
            points,
            last_news: 0,
        }
    }

    /// Counts a run.
    pub(crate) fn add(&mut self, grid: &Grid, row: &Row) {
        let place = grid.place(row.job);
        self.runs += 1;
        self.events += row.events;
        self.simulated_ns += u128::from(row.simulated_ns);
        self.verdicts.add(row.verdict);
        self.by_configuration[place].add(row.verdict);
        let protocol = self.protocols[place].clone();
        if let Some(what) = row.cause() {
            self.add_failure(place, Cause { protocol: protocol.clone(), verdict: row.verdict, what }, row);
        }
        *self.runs_of_protocols.entry(protocol).or_default() += 1;
        self.add_points(grid, place, row);
    }

    fn add_failure(&mut self, place: usize, cause: Cause, row: &Row) {
        self.failures += 1;
        self.first_failures[place].get_or_insert_with(|| row.clone());
        let (count, first) = self.groups.entry(cause).or_default();
        *count += 1;
        if first.len() < NAMED_MAX {
            first.push(row.clone());
        }
    }

    fn add_points(&mut self, grid: &Grid, place: usize, row: &Row) {
        let configuration = &grid.configurations[place];
        let reached = configuration.points.iter().zip(&row.points).filter(|(_, count)| **count > 0);
        for (name, _) in reached {
            let key = (configuration.loaded.scenario.protocol.name().to_owned(), name.clone());
            let point = self.points.get_mut(&key).expect("all points of the grid are listed");
            point.runs += 1;
            if point.first.is_none() {
                point.first = Some(row.job);
                self.last_news = self.runs;
            }
        }
    }

    /// What failed, the most frequent first.
    pub(crate) fn groups(&self) -> Vec<Group> {
        let group = |(cause, (count, first)): (&Cause, &(u64, Vec<Row>))| Group {
            cause: cause.clone(),
            count: *count,
            of: self.runs_of_protocols.get(&cause.protocol).copied().unwrap_or_default(),
            first: first.clone(),
        };
        let mut groups: Vec<Group> = self.groups.iter().map(group).collect();
        groups.sort_by_key(|group| Reverse(group.count));
        groups
    }
}

/// The share `count / of`, and the interval that contains the true rate with 95 % confidence (Wilson's).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rate {
    pub(crate) share: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Rate {
    /// After E. B. Wilson, "Probable inference, the law of succession, and statistical inference" (1927).
    #[expect(clippy::cast_precision_loss, reason = "a rate is shown to two digits")]
    pub(crate) fn of(count: u64, of: u64) -> Self {
        /// The quantile of the standard normal distribution at 97.5 %.
        const Z: f64 = 1.959_964;
        if of == 0 {
            return Self { share: 0.0, low: 0.0, high: 1.0 };
        }
        let (n, share) = (of as f64, count as f64 / of as f64);
        let scale = 1.0 / (1.0 + Z * Z / n);
        let middle = scale * (share + Z * Z / (2.0 * n));
        let reach = scale * Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        let low = if count == 0 { 0.0 } else { (middle - reach).max(0.0) };
        let high = if count == of { 1.0 } else { (middle + reach).min(1.0) };
        Self { share, low, high }
    }
}

/// `1.3 % (95 %: 1.1 % to 2.6 %)`.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { share, low, high } = *self;
        write!(f, "{} (95 %: {} to {})", percent(share), percent(low), percent(high))
    }
}

/// A share with two or three digits: `1.3 %`, `98.2 %`, `0.042 %`.
pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        ..=0.0 => "0 %".to_owned(),
        ..0.1 => format!("{percent:.3} %"),
        ..1.0 => format!("{percent:.2} %"),
        ..100.0 => format!("{percent:.1} %"),
        _ => "100 %".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(kinds: &[VerdictKind]) -> ExitCode {
        let mut verdicts = Verdicts::default();
        for kind in kinds {
            verdicts.add(*kind);
        }
        verdicts.code()
    }

    #[test]
    fn the_worst_run_decides_what_a_sweep_ends_with() {
        use VerdictKind::{BeyondPromise, ExpectedViolation, Inconclusive, InternalError, Liveness, Pass};
        assert_eq!(verdicts(&[Pass, ExpectedViolation, BeyondPromise]), ExitCode::PASS);
        assert_eq!(verdicts(&[BeyondPromise, BeyondPromise]), ExitCode::BEYOND_PROMISE);
        assert_eq!(verdicts(&[Pass, Inconclusive]), ExitCode::INCONCLUSIVE);
        assert_eq!(verdicts(&[Pass, Inconclusive, Liveness]), ExitCode::VIOLATION);
        assert_eq!(verdicts(&[Liveness, InternalError, Pass]), ExitCode::INTERNAL);
    }

    #[test]
    fn intervals_are_wilsons() {
        // Known values: 10 of 100 is 5.52 % to 17.44 %; 0 of 100 is 0 to 3.70 %.
        let rate = Rate::of(10, 100);
        assert!((rate.low - 0.0552).abs() < 1e-4 && (rate.high - 0.1744).abs() < 1e-4, "{rate:?}");
        let none = Rate::of(0, 100);
        assert!(none.low.abs() < 1e-12 && (none.high - 0.0370).abs() < 1e-4, "{none:?}");
        let all = Rate::of(100, 100);
        assert!((all.low - 0.9630).abs() < 1e-4 && (all.high - 1.0).abs() < 1e-12, "{all:?}");
    }
}
