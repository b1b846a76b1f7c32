//! The document for people.
//!
//! ```text
//! raft/leader-crash · raft, 5 nodes, 3 clients · seed 0
//! The leader of a steady cluster crashes …
//!
//! timeline
//!       0.213512345s  role     n3 is leader, epoch 1
//!       2.000000000s  command  crash n3
//! …
//! verdict    pass
//! digest     1f0e…
//! ```

use std::collections::BTreeMap;
use std::fmt;

use anstyle::{AnsiColor, Style};
use scenarios::export::Clock;
use sim_core::metrics::Counter;
use sim_core::{SimTime, Span};

use super::measured::{Distribution, Figures, Gauge, Quantiles};
use super::{Replayed, Report, ScenarioSummary, TimelineLine};
use crate::exit_code::ExitCode;
use crate::table::{Align, Table, grouped};

const HEADING: Style = AnsiColor::Green.on_default().bold();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const UNDECIDED: Style = AnsiColor::Yellow.on_default().bold();

/// More lines of a timeline than this are cut in the middle.
const TIMELINE_MAX: usize = 60;

/// How much of the timeline is shown.
pub(crate) enum Timeline<'a> {
    /// What mattered.
    Milestones,
    /// All of it, already in lines.
    Everything(&'a dyn fmt::Display),
}

/// What is printed before a run: what is run.
pub(crate) struct Heading<'a>(pub(crate) &'a ScenarioSummary, pub(crate) u64);

/// What is printed after a run: what came of it.
pub(crate) struct Body<'a> {
    pub(crate) report: &'a Report,
    pub(crate) timeline: Timeline<'a>,
}

impl fmt::Display for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.timeline {
            Timeline::Milestones => write_timeline(f, &self.report.timeline)?,
            Timeline::Everything(lines) => write!(f, "\n{HEADING}events{HEADING:#}\n{lines}")?,
        }
        self.write_metrics(f)?;
        self.write_history(f)?;
        self.write_violations(f)?;
        if matches!(self.timeline, Timeline::Everything(_)) {
            write_unreached(f, "points", &self.report.points)?;
            write_unreached(f, "fault points", &self.report.fault_points)?;
        }
        self.write_summary(f)
    }
}

/// Which of the protocol's points the run did not reach.
fn write_unreached(f: &mut fmt::Formatter<'_>, what: &str, points: &BTreeMap<String, u64>) -> fmt::Result {
    let unreached: Vec<&String> =
        points.iter().filter(|(_, count)| **count == 0).map(|(name, _)| name).collect();
    if unreached.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{HEADING}{what} not reached{HEADING:#} ({} of {})", unreached.len(), points.len())?;
    unreached.into_iter().try_for_each(|name| writeln!(f, "  {name}"))
}

impl fmt::Display for Heading<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(scenario, seed) = self;
        let bold = Style::new().bold();
        writeln!(f, "{bold}scenario{bold:#}   {} ({})", scenario.name, scenario.source)?;
        if !scenario.summary.is_empty() {
            writeln!(f, "           {}", scenario.summary)?;
        }
        let cluster = format!("{}, {}", counted(scenario.nodes, "node"), counted(scenario.clients, "client"));
        writeln!(f, "{bold}protocol{bold:#}   {}, {cluster}", scenario.protocol)?;
        for set in &scenario.overrides {
            writeln!(f, "{bold}set{bold:#}        {set}")?;
        }
        writeln!(f, "{bold}seed{bold:#}       {seed}")?;
        for drawn in &scenario.drawn {
            writeln!(f, "{bold}drawn{bold:#}      {drawn}")?;
        }
        Ok(())
    }
}

/// Counts with their names, three in a row; none that is 0.
fn counts<'a>(all: impl IntoIterator<Item = (&'a str, u64)>) -> Table<6> {
    let (left, right) = (Align::Left, Align::Right);
    let mut table = Table::new([left, right, left, right, left, right]);
    let shown: Vec<_> = all.into_iter().filter(|&(_, count)| count > 0).collect();
    let height = shown.len().div_ceil(3).max(1);
    for row in 0..height {
        let cell = |column: usize| shown.get(row + column * height);
        let name = |column| cell(column).map_or("", |(name, _)| name).to_owned();
        let count = |column| cell(column).map_or_else(String::new, |&(_, count)| grouped(count));
        table.row([name(0), count(0), name(1), count(1), name(2), count(2)]);
    }
    table
}

impl Body<'_> {
    fn write_metrics(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let metrics = &self.report.metrics;
        writeln!(f, "\n{HEADING}metrics{HEADING:#}")?;
        write!(f, "{}", counts(Counter::ALL.map(|counter| (counter.name(), metrics.count(counter)))))?;
        self.write_own_counts(f)?;
        self.write_ratios(f)?;
        self.write_gauges(f)?;
        self.write_latencies(f)
    }

    /// What processes have counted, beyond what the engine does.
    fn write_own_counts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_own = |name: &str| Counter::ALL.iter().all(|counter| counter.name() != name);
        let all = self.report.metrics.counters.iter().map(|(name, count)| (name.as_str(), *count));
        let own: Vec<(&str, u64)> = all.filter(|&(name, count)| count > 0 && is_own(name)).collect();
        if own.is_empty() { Ok(()) } else { write!(f, "\n{}", counts(own)) }
    }

    /// What things cost in others, two in a row.
    fn write_ratios(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ratios: Vec<_> = self.report.metrics.ratios.iter().filter(|(_, ratio)| **ratio > 0.0).collect();
        let mut table = Table::new([Align::Left, Align::Right, Align::Left, Align::Right]);
        let height = ratios.len().div_ceil(2);
        for row in 0..height {
            let cell = |place: usize| ratios.get(place).map(|(name, ratio)| ((*name).clone(), mean(**ratio)));
            let [(a, left), (b, right)] = [row, row + height].map(|place| cell(place).unwrap_or_default());
            table.row([a, left, b, right]);
        }
        if ratios.is_empty() { Ok(()) } else { write!(f, "\n{table}") }
    }

    /// A line each; a gauge that processes tell of themselves has one line for all of them.
    fn write_gauges(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let metrics = &self.report.metrics;
        let of_world = metrics.gauges.iter().map(|(name, gauge)| (name.clone(), *gauge));
        let of_nodes = metrics
            .process_gauges
            .iter()
            .filter_map(|(name, nodes)| Some((format!("{name}, a node"), Gauge::over(nodes.values())?)));
        let right = Align::Right;
        let mut table = Table::new([Align::Left, right, right, right, right]);
        table.row(["gauge", "last", "min", "mean", "max"]);
        for (name, gauge) in of_world.chain(of_nodes).filter(|(_, gauge)| gauge.max > 0) {
            let last = gauge.last.map_or_else(|| "–".to_owned(), grouped);
            table.row([name, last, grouped(gauge.min), mean(gauge.mean), grouped(gauge.max)]);
        }
        write!(f, "\n{table}")
    }

    fn write_latencies(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let latencies = &self.report.metrics.latencies;
        if latencies.is_empty() {
            return Ok(());
        }
        let right = Align::Right;
        let mut table = Table::new([Align::Left, right, right, right, right, right]);
        table.row(["latency", "count", "p50", "p90", "p99", "max"]);
        for (name, latency) in latencies {
            let Distribution { count, p50_ns, p90_ns, p99_ns, max_ns, .. } = *latency;
            let [p50, p90, p99, max] = [p50_ns, p90_ns, p99_ns, max_ns].map(rounded);
            table.row([name.clone(), grouped(count), p50, p90, p99, max]);
        }
        write!(f, "\n{table}")
    }

    /// What checkers have measured of what clients saw.
    fn write_history(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (property, figures) in &self.report.history {
            writeln!(f, "\n{HEADING}history{HEADING:#}, as {property} measures it")?;
            write!(f, "{figures}")?;
        }
        Ok(())
    }

    fn write_violations(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.report;
        if !report.violations.is_empty() {
            writeln!(f, "\n{BAD}violations{BAD:#}")?;
        }
        for violation in &report.violations {
            let at = Span::nanos(violation.at_ns);
            let node = violation.node.as_ref().map_or_else(String::new, |node| format!(" at {node}"));
            let event = grouped(violation.event);
            writeln!(f, "  {BAD}{}{BAD:#} at {at}, event {event}{node}", violation.property)?;
            violation.evidence.lines().try_for_each(|line| writeln!(f, "      {line}"))?;
        }
        if !report.beyond_promise.is_empty() {
            writeln!(f, "\n{UNDECIDED}beyond the promise{UNDECIDED:#}")?;
        }
        let damages = report.beyond_promise.iter();
        damages
            .map(|damage| (&damage.node, &damage.damage))
            .try_for_each(|(node, damage)| writeln!(f, "  {node}  {damage}"))
    }

    fn write_summary(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.report;
        let bold = Style::new().bold();
        let style = verdict_style(report.verdict.exit_code);
        writeln!(f, "\n{bold}verdict{bold:#}    {style}{}{style:#}", report.verdict.text)?;
        writeln!(f, "{bold}digest{bold:#}     {}", report.digest)?;
        if let Some(twice) = &report.twice {
            let text = twice.divergence.as_deref().unwrap_or("digests equal");
            writeln!(f, "{bold}twice{bold:#}      {text}")?;
        }
        if let Some(replayed) = &report.replayed {
            let Replayed { equal, digest, made_by } = replayed;
            let text =
                if *equal { "the same run".to_owned() } else { format!("another run: it has {digest}") };
            writeln!(f, "{bold}capsule{bold:#}    {text} (made by version {made_by})")?;
        }
        let (events, rate) = (grouped(report.events), grouped(report.wall.events_per_second));
        let (simulated, wall) = (rounded(report.simulated_ns), rounded(report.wall.elapsed_ns));
        writeln!(
            f,
            "{bold}time{bold:#}       {simulated} simulated in {wall}: {events} events, {rate} a second"
        )?;
        if report.verdict.exit_code != ExitCode::PASS.number() {
            writeln!(f, "{bold}replay{bold:#}     {}", report.replay)?;
        }
        Ok(())
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", counts(self.counts.iter().copied()))?;
        if self.latencies.is_empty() {
            return Ok(());
        }
        let right = Align::Right;
        let mut table = Table::new([Align::Left, right, right, right, right, right, right]);
        table.row(["latency", "count", "min", "p50", "p95", "p99", "max"]);
        for (name, latency) in &self.latencies {
            let Quantiles { count, min_ns, p50_ns, p95_ns, p99_ns, max_ns } = *latency;
            let [min, p50, p95, p99, max] = [min_ns, p50_ns, p95_ns, p99_ns, max_ns].map(rounded);
            table.row([(*name).to_owned(), grouped(count), min, p50, p95, p99, max]);
        }
        write!(f, "\n{table}")
    }
}

fn verdict_style(exit_code: u8) -> Style {
    if exit_code == ExitCode::PASS.number() {
        GOOD
    } else if [ExitCode::VIOLATION, ExitCode::INTERNAL].map(ExitCode::number).contains(&exit_code) {
        BAD
    } else {
        UNDECIDED
    }
}

fn write_timeline(f: &mut fmt::Formatter<'_>, lines: &[TimelineLine]) -> fmt::Result {
    writeln!(f, "\n{HEADING}timeline{HEADING:#}")?;
    let lines: Vec<&TimelineLine> = telling(lines).collect();
    let omitted = lines.len().saturating_sub(TIMELINE_MAX);
    let cut = if omitted > 0 { TIMELINE_MAX / 2 } else { lines.len() };
    lines[..cut].iter().copied().try_for_each(|line| write_line(f, line))?;
    if omitted > 0 {
        writeln!(f, "  … {} lines, `-v` or `--format json` shows all", grouped(omitted as u64))?;
    }
    lines[cut + omitted..].iter().copied().try_for_each(|line| write_line(f, line))
}

/// The lines that say something new: not that nodes start at the start, and not that `crash n3` crashes n3.
fn telling(lines: &[TimelineLine]) -> impl Iterator<Item = &TimelineLine> {
    let before = std::iter::once(None).chain(lines.iter().map(Some));
    before
        .zip(lines)
        .filter(|(before, line)| match line.kind {
            "follows" => line.at_ns > 0,
            "crash" | "restart" => !before.is_some_and(|before| is_by_command(before, line)),
            _ => true,
        })
        .map(|(_, line)| line)
}

/// Whether `command` is what made `line` happen: `crash n3`, `restart n3 (…)`.
fn is_by_command(command: &TimelineLine, line: &TimelineLine) -> bool {
    let node = line.node.as_deref().unwrap_or_default();
    let said = command.text.split(" (").next().unwrap_or_default();
    command.kind == "command" && command.at_ns == line.at_ns && said == format!("{} {node}", line.kind)
}

fn write_line(f: &mut fmt::Formatter<'_>, line: &TimelineLine) -> fmt::Result {
    let style = match line.kind {
        "violation" | "crash" => BAD,
        "command" => AnsiColor::Yellow.on_default(),
        _ => Style::new(),
    };
    let clock = Clock(SimTime::from_nanos(line.at_ns));
    writeln!(f, "{clock}  {style}{:<9}{style:#}  {}", line.kind, line.text)
}

fn counted(count: u32, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// A mean with about three digits: `12.3`.
fn mean(mean: f64) -> String {
    match mean {
        ..10.0 => format!("{mean:.2}"),
        ..100.0 => format!("{mean:.1}"),
        _ => format!("{mean:.0}"),
    }
}

/// A span with about three digits: `12.3ms`.
pub(super) fn rounded(nanos: u64) -> String {
    let (unit, name) = match nanos {
        0..1_000 => return format!("{nanos}ns"),
        1_000..1_000_000 => (1_000, "us"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        1_000_000_000.. => (1_000_000_000, "s"),
    };
    let whole = nanos / unit;
    let hundredths = nanos % unit * 100 / unit;
    match whole {
        0..10 => format!("{whole}.{hundredths:02}{name}"),
        10..100 => format!("{whole}.{}{name}", hundredths / 10),
        100.. => format!("{}{name}", grouped(whole)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_shown_with_three_digits() {
        let texts = [0.0, 0.004, 9.5, 12.34, 123.4, 4_321.0].map(mean);
        assert_eq!(texts, ["0.00", "0.00", "9.50", "12.3", "123", "4321"]);
    }

    #[test]
    fn spans_are_shown_with_three_digits() {
        let nanos = [0, 999, 1_500, 12_345_678, 123_456_789, 61_000_000_000, 1_234_000_000_000];
        let texts = nanos.map(rounded);
        assert_eq!(texts, ["0ns", "999ns", "1.50us", "12.3ms", "123ms", "61.0s", "1,234s"]);
    }
}
