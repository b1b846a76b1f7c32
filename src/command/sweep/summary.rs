//! What a sweep came to, for people and as JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::exit_code::ExitCode;
use crate::report::VerdictKind;
use crate::sweep::{End, Grid, Group, Rate, Row, Tally, percent};
use crate::table::{Align, Table, grouped, lasting, threads};

const HEADING: Style = AnsiColor::Green.on_default().bold();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
/// More configurations than this are not listed one by one; those with failures are shown first.
const CONFIGURATIONS_SHOWN: usize = 30;
/// More failures than this are counted, not shown.
const GROUPS_SHOWN: usize = 20;

/// How fast it was: the only part that differs from run to run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Speed {
    pub(super) elapsed: Duration,
    pub(super) processor_time: Duration,
    pub(super) threads: usize,
    /// How many runs that is about.
    pub(super) runs: u64,
}

/// What a sweep came to. All but `speed` follows from the runs that were done.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    splitbrain_version: &'static str,
    /// How many runs the sweep has in all.
    planned: u64,
    /// How many were done.
    runs: u64,
    /// Why it ended.
    end: End,
    exit_code: u8,
    events: u64,
    simulated_seconds: f64,
    verdicts: BTreeMap<&'static str, u64>,
    configurations: Vec<Configured>,
    failures: Vec<Failed>,
    points: Vec<PointReached>,
    speed: WallTime,
}

/// The runs of one configuration.
#[derive(Debug, Serialize)]
pub(super) struct Configured {
    pub(super) scenario: String,
    /// What is set, `path=value`.
    pub(super) set: Vec<String>,
    protocol: String,
    scenario_digest: String,
    pub(super) runs: u64,
    pub(super) verdicts: BTreeMap<&'static str, u64>,
    #[serde(skip)]
    failures: u64,
}

/// Failures with the same cause.
#[derive(Debug, Serialize)]
pub(super) struct Failed {
    verdict: VerdictKind,
    /// The property that was violated, or what a panic said.
    cause: String,
    protocol: String,
    count: u64,
    /// Of so many runs of this protocol.
    of: u64,
    /// `count / of`, with the bounds of its 95 % confidence interval.
    rate: f64,
    rate_low: f64,
    rate_high: f64,
    /// The first few.
    first: Vec<FailedRun>,
}

/// A run that failed.
#[derive(Debug, Serialize)]
pub(super) struct FailedRun {
    scenario: String,
    seed: u64,
    text: String,
    evidence: Option<String>,
    /// A command that replays it.
    replay: String,
}

/// A situation worth reaching.
#[derive(Debug, Serialize)]
pub(super) struct PointReached {
    protocol: String,
    point: String,
    /// In how many runs.
    runs: u64,
}

/// How fast it was.
#[derive(Debug, Serialize)]
struct WallTime {
    seconds: f64,
    processor_seconds: f64,
    threads: usize,
    runs_per_second: f64,
}

impl Summary {
    pub(super) fn new(grid: &Grid, tally: &Tally, end: End, speed: Speed) -> Self {
        let code = if end == End::Interrupted { ExitCode::INTERRUPTED } else { tally.verdicts.code() };
        Self {
            splitbrain_version: env!("CARGO_PKG_VERSION"),
            planned: grid.len(),
            runs: tally.runs,
            end,
            exit_code: code.number(),
            events: tally.events,
            simulated_seconds: Duration::from_nanos_u128(tally.simulated_ns).as_secs_f64(),
            verdicts: tally.verdicts.iter().map(|(kind, count)| (kind.name(), count)).collect(),
            configurations: configurations(grid, tally),
            failures: tally.groups().iter().map(|group| Failed::new(grid, group)).collect(),
            points: points(tally),
            speed: WallTime::of(speed),
        }
    }

    /// What failed, and nothing else.
    pub(super) fn failures_only(&self) -> String {
        self.failures.iter().map(ToString::to_string).collect()
    }

    fn failure_count(&self) -> u64 {
        self.failures.iter().map(|failed| failed.count).sum()
    }
}

fn configurations(grid: &Grid, tally: &Tally) -> Vec<Configured> {
    let both = grid.configurations.iter().zip(&tally.by_configuration);
    let one =
        |(configuration, verdicts): (&crate::sweep::Configuration, &crate::sweep::Verdicts)| Configured {
            scenario: configuration.scenario.clone(),
            set: configuration.set.clone(),
            protocol: configuration.protocol(),
            scenario_digest: format!("{:016x}", configuration.loaded.text_digest),
            runs: verdicts.total(),
            verdicts: verdicts.iter().map(|(kind, count)| (kind.name(), count)).collect(),
            failures: verdicts.failures(),
        };
    both.map(one).collect()
}

fn points(tally: &Tally) -> Vec<PointReached> {
    let points = tally.points.iter();
    points
        .map(|((protocol, point), reached)| PointReached {
            protocol: protocol.clone(),
            point: point.clone(),
            runs: reached.runs,
        })
        .collect()
}

impl Failed {
    fn new(grid: &Grid, group: &Group) -> Self {
        let rate = Rate::of(group.count, group.of);
        let run = |row: &Row| FailedRun {
            scenario: grid.configuration(row.job).scenario.clone(),
            seed: grid.seed(row.job),
            text: row.text.clone(),
            evidence: row.violation.as_ref().map(|violated| violated.evidence.clone()),
            replay: grid.configuration(row.job).command(grid.seed(row.job)),
        };
        Self {
            verdict: group.cause.verdict,
            cause: group.cause.what.clone(),
            protocol: group.cause.protocol.clone(),
            count: group.count,
            of: group.of,
            rate: rate.share,
            rate_low: rate.low,
            rate_high: rate.high,
            first: group.first.iter().map(run).collect(),
        }
    }
}

impl WallTime {
    #[expect(clippy::cast_precision_loss, reason = "a rate is shown to three digits")]
    fn of(speed: Speed) -> Self {
        let seconds = speed.elapsed.as_secs_f64();
        let runs_per_second = if seconds > 0.0 { speed.runs as f64 / seconds } else { 0.0 };
        let processor_seconds = speed.processor_time.as_secs_f64();
        Self { seconds, processor_seconds, threads: speed.threads, runs_per_second }
    }
}

/// What is printed before a sweep: what is run.
pub(super) struct Heading<'a> {
    pub(super) grid: &'a Grid,
    pub(super) threads: usize,
    /// How many runs are done already.
    pub(super) done: u64,
}

impl fmt::Display for Heading<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bold, grid) = (Style::new().bold(), self.grid);
        let configurations = match grid.configurations.as_slice() {
            [only] => only.scenario.clone(),
            all => format!("{} configurations", grouped(all.len() as u64)),
        };
        let seeds = format!("seeds {}..{}", grid.seeds.start, grid.seeds.end);
        let done = match self.done {
            0 => String::new(),
            done => format!(", {} of them done before", grouped(done)),
        };
        let threads = threads(self.threads);
        writeln!(
            f,
            "{bold}sweep{bold:#}      {configurations}, {seeds}: {} runs on {threads}{done}",
            grouped(grid.len())
        )
    }
}

/// What is printed after it: what came of it.
pub(super) struct Body<'a>(pub(super) &'a Summary);

impl fmt::Display for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(summary) = self;
        write_verdicts(f, summary)?;
        write_configurations(f, summary)?;
        write_failures(f, summary)?;
        write_points(f, summary)?;
        write_end(f, summary)
    }
}

fn write_verdicts(f: &mut fmt::Formatter<'_>, summary: &Summary) -> fmt::Result {
    let mut table = Table::new([Align::Left, Align::Right, Align::Right]);
    let present =
        VerdictKind::ALL.into_iter().filter_map(|kind| Some((kind, *summary.verdicts.get(kind.name())?)));
    for (kind, count) in present {
        table.row([kind.name().to_owned(), grouped(count), percent(Rate::of(count, summary.runs).share)]);
    }
    write!(f, "\n{HEADING}verdicts{HEADING:#}\n{table}")
}

/// A line a configuration, where there are several: those with failures first.
fn write_configurations(f: &mut fmt::Formatter<'_>, summary: &Summary) -> fmt::Result {
    if summary.configurations.len() < 2 {
        return Ok(());
    }
    let mut all: Vec<&Configured> = summary.configurations.iter().collect();
    all.sort_by_key(|one| std::cmp::Reverse(one.failures));
    let mut table = Table::new([Align::Left, Align::Right, Align::Right, Align::Left]);
    table.row(["scenario", "runs", "failures", "with"]);
    for one in all.iter().take(CONFIGURATIONS_SHOWN) {
        table.row([one.scenario.clone(), grouped(one.runs), grouped(one.failures), one.set.join(" ")]);
    }
    write!(f, "\n{HEADING}configurations{HEADING:#}\n{table}")?;
    match all.len().saturating_sub(CONFIGURATIONS_SHOWN) {
        0 => Ok(()),
        more => writeln!(f, "  … and {more} more; `--format json` has all"),
    }
}

fn write_failures(f: &mut fmt::Formatter<'_>, summary: &Summary) -> fmt::Result {
    if summary.failures.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{BAD}failures{BAD:#}")?;
    summary.failures.iter().take(GROUPS_SHOWN).try_for_each(|failed| write!(f, "{failed}"))?;
    match summary.failures.len().saturating_sub(GROUPS_SHOWN) {
        0 => Ok(()),
        more => writeln!(f, "  … and {more} more kinds of failure; `--format json` has all"),
    }
}

impl Failed {
    /// The first seeds: `seeds 3, 17 of raft/steady, …`.
    fn seeds(&self) -> String {
        let mut text = String::from("seeds");
        let mut runs: Vec<&FailedRun> = self.first.iter().collect();
        runs.dedup_by(|one, other| (one.seed, &one.scenario) == (other.seed, &other.scenario));
        for (place, run) in runs.iter().enumerate() {
            let next = runs.get(place + 1);
            let of = if next.is_some_and(|next| next.scenario == run.scenario) {
                String::new()
            } else {
                format!(" of {}", run.scenario)
            };
            let comma = if place == 0 { "" } else { "," };
            text = format!("{text}{comma} {}{of}", run.seed);
        }
        if self.count > self.first.len() as u64 { text + ", …" } else { text }
    }
}

/// What failed and how often, which seeds, and how to see the first.
impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = Rate { share: self.rate, low: self.rate_low, high: self.rate_high };
        let what = format!("{}: {}", self.verdict, self.cause.trim_start_matches("panic: "));
        writeln!(f, "  {what} ({})", self.protocol)?;
        writeln!(f, "      {} of {} runs, {rate}", grouped(self.count), grouped(self.of))?;
        writeln!(f, "      {}", self.seeds())?;
        match self.first.first() {
            Some(first) => writeln!(f, "      {}", first.replay),
            None => Ok(()),
        }
    }
}

/// Which of the protocols' points no run reached.
fn write_points(f: &mut fmt::Formatter<'_>, summary: &Summary) -> fmt::Result {
    if summary.points.is_empty() {
        return Ok(());
    }
    let reached = summary.points.iter().filter(|point| point.runs > 0).count();
    writeln!(f, "\n{HEADING}points{HEADING:#}  {reached} of {} reached", summary.points.len())?;
    let mut table = Table::new([Align::Left, Align::Left, Align::Right]);
    let mut rare: Vec<&PointReached> = summary.points.iter().collect();
    rare.sort_by_key(|point| point.runs);
    for point in rare.into_iter().filter(|point| is_rare(point.runs, summary.runs)).take(GROUPS_SHOWN) {
        let runs = if point.runs == 0 { "never".to_owned() } else { format!("{} runs", grouped(point.runs)) };
        table.row([point.protocol.clone(), point.point.clone(), runs]);
    }
    write!(f, "{table}")
}

/// Whether a point is worth a line: it was reached never, or in less than a hundredth of the runs.
const fn is_rare(runs: u64, of: u64) -> bool {
    runs == 0 || runs.saturating_mul(100) < of
}

fn write_end(f: &mut fmt::Formatter<'_>, summary: &Summary) -> fmt::Result {
    let bold = Style::new().bold();
    let Summary { runs, planned, speed, .. } = summary;
    let elapsed = lasting(Duration::from_secs_f64(speed.seconds).as_nanos());
    let simulated = lasting(Duration::from_secs_f64(summary.simulated_seconds).as_nanos());
    let why = match summary.end {
        End::Complete => String::new(),
        End::Failures => format!(" of {}: so many failures as were asked for", grouped(*planned)),
        End::Saturated => {
            format!(" of {}: nothing new for as many runs as were asked for", grouped(*planned))
        }
        End::TimeBudget => format!(" of {}: the time was up", grouped(*planned)),
        End::Interrupted => format!(" of {}: interrupted", grouped(*planned)),
    };
    writeln!(f, "\n{bold}runs{bold:#}       {}{why}", grouped(*runs))?;
    writeln!(
        f,
        "{bold}time{bold:#}       {simulated} simulated in {elapsed}: {:.1} runs a second, {} events",
        speed.runs_per_second,
        grouped(summary.events)
    )?;
    match summary.failure_count() {
        0 => writeln!(f, "{bold}verdict{bold:#}    {GOOD}no run failed{GOOD:#}"),
        1 => writeln!(f, "{bold}verdict{bold:#}    {BAD}1 run failed{BAD:#}"),
        more => writeln!(f, "{bold}verdict{bold:#}    {BAD}{} runs failed{BAD:#}", grouped(more)),
    }
}
