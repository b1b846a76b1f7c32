//! The comparison for people.

use std::fmt;
use std::time::Duration;

use anstyle::{AnsiColor, Style};

use super::{Document, Field, MetricDifference, RateDifference, Setting, Side};
use crate::compare::Difference;
use crate::report::VerdictKind;
use crate::report::human::rounded;
use crate::sweep::{Configuration, Rate, percent};
use crate::table::{Align, Table, grouped, lasting, threads};

const HEADING: Style = AnsiColor::Green.on_default().bold();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const BOLD: Style = Style::new().bold();
/// More fields than this are counted, not shown.
const FIELDS_SHOWN: usize = 12;
/// More metrics than this are counted, unless all are asked for.
const METRICS_SHOWN: usize = 15;
/// More causes of failures a side are counted.
const CAUSES_SHOWN: usize = 5;

/// What is printed before the runs: who is compared, and what differs between them.
pub(crate) struct Heading<'a> {
    pub(crate) setting: &'a Setting<'a>,
    pub(crate) threads: usize,
}

/// What is printed after them.
pub(crate) struct Body<'a> {
    pub(crate) document: &'a Document,
    /// Whether metrics are shown that do not differ, and those beyond the first.
    pub(crate) metrics: MetricsShown,
    pub(crate) events: u64,
    pub(crate) simulated_ns: u128,
    /// How long it took on the wall.
    pub(crate) elapsed: Duration,
}

/// Which metrics are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MetricsShown {
    /// The clearest of those that differ.
    Clearest,
    /// All of them.
    All,
}

impl fmt::Display for Heading<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Setting { sides: [a, b], services, differences, seeds } = self.setting;
        writeln!(f, "{BOLD}compare{BOLD:#}    A  {}", called(a))?;
        writeln!(f, "           B  {}", called(b))?;
        let runs = (seeds.end - seeds.start) * 2;
        let threads = threads(self.threads);
        writeln!(
            f,
            "{BOLD}seeds{BOLD:#}      {}..{}: {} runs on {threads}",
            seeds.start,
            seeds.end,
            grouped(runs)
        )?;
        write!(f, "\n{HEADING}what differs{HEADING:#}\n{}", fields(differences))?;
        match differences.len().saturating_sub(FIELDS_SHOWN) {
            0 => {}
            more => writeln!(f, "  … and {more} more fields; `--format json` has all")?,
        }
        match services {
            [Some(a), Some(b)] if a != b => {
                writeln!(f, "  A's clients ask {a}, B's {b}: few metrics mean the same on both sides")
            }
            _ => Ok(()),
        }
    }
}

/// `raft/steady with nodes=3`.
fn called(side: &Configuration) -> String {
    let with = if side.set.is_empty() { String::new() } else { format!(" with {}", side.set.join(" ")) };
    format!("{}{with}", side.scenario)
}

fn fields(differences: &[Difference]) -> Table<3> {
    let mut table = Table::new([Align::Left; 3]);
    table.row(["field", "A", "B"]);
    for Field { path, a, b } in differences.iter().take(FIELDS_SHOWN).map(Field::of) {
        let [a, b] = [a, b].map(|value| value.unwrap_or_else(|| "–".to_owned()));
        table.row([path, a, b]);
    }
    table
}

impl fmt::Display for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_verdicts(f, self.document)?;
        write_failures(f, self.document)?;
        write_apart(f, self.document)?;
        self.write_metrics(f)?;
        self.write_end(f)
    }
}

fn write_verdicts(f: &mut fmt::Formatter<'_>, document: &Document) -> fmt::Result {
    let Document { a, b, pairs, .. } = document;
    let right = Align::Right;
    let mut table = Table::new([Align::Left, right, right, right, right]);
    table.row(["", "A", "", "B", ""]);
    let present = VerdictKind::ALL.into_iter().map(|kind| (kind, [a, b].map(|side| side.count(kind))));
    for (kind, counts) in present.filter(|(_, counts)| *counts != [0, 0]) {
        let [[a, a_share], [b, b_share]] =
            counts.map(|count| [grouped(count), percent(Rate::of(count, *pairs).share)]);
        table.row([kind.name().to_owned(), a, a_share, b, b_share]);
    }
    write!(f, "\n{HEADING}verdicts{HEADING:#}\n{table}")
}

/// How often each side failed, of what, and with which seeds only one did.
fn write_failures(f: &mut fmt::Formatter<'_>, document: &Document) -> fmt::Result {
    let Document { a, b, pairs, failing, failure_rate, .. } = document;
    if a.failures + b.failures == 0 {
        return Ok(());
    }
    writeln!(f, "\n{BAD}failures{BAD:#}")?;
    for (name, side) in [("A", a), ("B", b)] {
        let rate = Rate { share: side.rate, low: side.rate_low, high: side.rate_high };
        writeln!(f, "  {name}  {} of {} runs, {rate}", grouped(side.failures), grouped(*pairs))?;
        write_causes(f, side)?;
    }
    if let Some(RateDifference { difference, low, high, p }) = failure_rate {
        let [difference, low, high] = [difference, low, high].map(|share| share_change(*share));
        writeln!(f, "  B - A  {difference} (95 %: {low} to {high}; {})", chance(*p))?;
    }
    let mut table = Table::new([Align::Left, Align::Right, Align::Right]);
    table.row(["seeds", "B fails", "B does not"]);
    table.row(["A fails".to_owned(), grouped(failing.both), grouped(failing.only_a)]);
    table.row(["A does not".to_owned(), grouped(failing.only_b), grouped(failing.neither)]);
    write!(f, "\n{table}")
}

fn write_causes(f: &mut fmt::Formatter<'_>, side: &Side) -> fmt::Result {
    for cause in side.causes.iter().take(CAUSES_SHOWN) {
        let what = cause.what.trim_start_matches("panic: ");
        writeln!(
            f,
            "       {} × {}: {what}, first with seed {}",
            grouped(cause.count),
            cause.verdict,
            cause.seed
        )?;
    }
    match side.causes.len().saturating_sub(CAUSES_SHOWN) {
        0 => Ok(()),
        more => writeln!(f, "       … and {more} more kinds of failure; `--format json` has all"),
    }
}

fn write_apart(f: &mut fmt::Formatter<'_>, document: &Document) -> fmt::Result {
    let Some(apart) = &document.first_apart else { return Ok(()) };
    let of = match document.apart {
        1 => "the only one".to_owned(),
        more => format!("the first of {}", grouped(more)),
    };
    writeln!(f, "\n{HEADING}other verdicts{HEADING:#}  with seed {}, {of}", apart.seed)?;
    for (name, ended) in [("A", &apart.a), ("B", &apart.b)] {
        writeln!(f, "  {name}  {}", ended.text)?;
        writeln!(f, "       {}", ended.replay)?;
    }
    Ok(())
}

impl Body<'_> {
    fn write_metrics(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Document { pairs, measured, metrics, only_a, only_b, .. } = self.document;
        writeln!(f, "\n{HEADING}metrics{HEADING:#}")?;
        if *measured == 0 {
            return writeln!(f, "  none: with no seed both runs came to their end");
        }
        let (differ, rest): (Vec<_>, Vec<_>) = metrics.iter().partition(|metric| metric.differs);
        let shown = match self.metrics {
            MetricsShown::Clearest => METRICS_SHOWN.min(differ.len()),
            MetricsShown::All => differ.len(),
        };
        if shown > 0 {
            write!(f, "{}", table(&differ[..shown]))?;
        }
        match differ.len() - shown {
            0 => {}
            more => writeln!(f, "  … and {more} more that differ; `--all` shows them")?,
        }
        if self.metrics == MetricsShown::All && !rest.is_empty() {
            write!(f, "\n  not shown to differ\n{}", table(&rest))?;
        }
        for (name, only) in [("A", only_a), ("B", only_b)].into_iter().filter(|(_, only)| !only.is_empty()) {
            writeln!(f, "  only {name} has: {}", only.join(", "))?;
        }
        write_looked_at(f, [differ.len(), metrics.len()], &rest)?;
        if measured < pairs {
            let (measured, pairs) = (grouped(*measured), grouped(*pairs));
            writeln!(
                f,
                "  Measured in the {measured} of {pairs} pairs of which both runs came to their end."
            )?;
        }
        Ok(())
    }

    fn write_end(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Document { pairs, identical, gain, is_complete, seeds_from, seeds_to, .. } = self.document;
        let of = if *is_complete {
            String::new()
        } else {
            format!(" of {}: interrupted", grouped(seeds_to - seeds_from))
        };
        let alike = match identical {
            0 => String::new(),
            more => format!(", {} of them the same run on both sides, event by event", grouped(*more)),
        };
        writeln!(f, "\n{BOLD}pairs{BOLD:#}      {}{of}{alike}", grouped(*pairs))?;
        if let Some(gain) = gain {
            writeln!(
                f,
                "{BOLD}pairing{BOLD:#}    as good as {gain:.1} times the runs with seeds of their own (the median of the metrics)"
            )?;
        }
        let rate = runs_a_second(*pairs * 2, self.elapsed);
        let (simulated, elapsed) = (lasting(self.simulated_ns), lasting(self.elapsed.as_nanos()));
        writeln!(
            f,
            "{BOLD}time{BOLD:#}       {simulated} simulated in {elapsed}: {rate} runs a second, {} events",
            grouped(self.events)
        )?;
        writeln!(f, "{BOLD}verdict{BOLD:#}    {}", conclusion(self.document))
    }
}

/// What the failures come to, in a sentence.
fn conclusion(document: &Document) -> String {
    let failing = &document.failing;
    let seeds =
        |count: u64| if count == 1 { "1 seed".to_owned() } else { format!("{} seeds", grouped(count)) };
    match (failing.only_a, failing.only_b, failing.both) {
        (0, 0, 0) => format!("{GOOD}no run failed{GOOD:#}"),
        (0, 0, both) => format!("{BAD}both sides fail with the same {}{BAD:#}", seeds(both)),
        (only_a, 0, _) => {
            format!(
                "{GOOD}B fails nowhere else than A, and does not with {} with which A does{GOOD:#}",
                seeds(only_a)
            )
        }
        (_, only_b, _) => format!("{BAD}B fails with {} with which A does not{BAD:#}", seeds(only_b)),
    }
}

/// How many metrics were looked at, and what that means.
fn write_looked_at(
    f: &mut fmt::Formatter<'_>,
    [differ, all]: [usize; 2],
    rest: &[&MetricDifference],
) -> fmt::Result {
    match differ {
        0 => writeln!(f, "  None of {all} metrics is shown to differ (Holm, 5 %).")?,
        _ => writeln!(
            f,
            "  {differ} of {all} metrics differ: that even one of them does not has a chance of at most 5 % (Holm)."
        )?,
    }
    if rest.iter().any(|metric| metric.low.is_none()) {
        writeln!(f, "  Intervals need two pairs and more.")?;
    }
    match rest.iter().filter(|metric| metric.excludes_zero()).count() {
        0 => Ok(()),
        1 => writeln!(f, "  1 more has an interval without zero, as among so many some have by chance."),
        more => {
            writeln!(f, "  {more} more have intervals without zero, as among so many some have by chance.")
        }
    }
}

fn table(metrics: &[&MetricDifference]) -> Table<7> {
    let right = Align::Right;
    let mut table = Table::new([Align::Left, right, right, right, right, Align::Left, right]);
    table.row(["metric", "A", "B", "B - A", "95 %: from", "to", "change"]);
    for metric in metrics {
        let of = |value: f64| figure(metric.unit, value);
        let change = |value: f64| signed(value, of);
        let bound = |bound: Option<f64>| bound.map_or_else(|| "–".to_owned(), change);
        table.row([
            metric.name.clone(),
            of(metric.mean_a),
            of(metric.mean_b),
            change(metric.difference),
            bound(metric.low),
            bound(metric.high),
            metric.change.map_or_else(|| "–".to_owned(), share_change),
        ]);
    }
    table
}

/// A number of 0 and more with about three digits, in its unit.
fn figure(unit: &str, value: f64) -> String {
    if unit == "ns" {
        return rounded(whole(value));
    }
    match value {
        0.0 => "0".to_owned(),
        ..0.1 => format!("{value:.4}"),
        ..10.0 => format!("{value:.2}"),
        ..100.0 => format!("{value:.1}"),
        _ => grouped(whole(value)),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "values were counted in 64 bits")]
#[expect(clippy::cast_sign_loss, reason = "what is shown so is not negative")]
const fn whole(value: f64) -> u64 {
    value.round() as u64
}

fn signed(value: f64, figure: impl Fn(f64) -> String) -> String {
    match figure(value.abs()) {
        zero if value == 0.0 => zero,
        text if value > 0.0 => format!("+{text}"),
        text => format!("-{text}"),
    }
}

/// `+12.3 %`.
pub(crate) fn share_change(share: f64) -> String {
    signed(
        share,
        |share| if share > 1.0 { format!("{} %", grouped(whole(share * 100.0))) } else { percent(share) },
    )
}

/// How likely it is by chance.
fn chance(p: f64) -> String {
    match p {
        ..0.0001 => "p < 0.0001".to_owned(),
        ..0.1 => format!("p = {p:.4}"),
        _ => format!("p = {p:.2}"),
    }
}

/// So many runs in so much time.
pub(crate) fn runs_a_second(runs: u64, elapsed: Duration) -> String {
    let millis = elapsed.as_millis().max(1);
    grouped(u64::try_from(u128::from(runs) * 1_000 / millis).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_with_about_three_digits_and_differences_with_their_sign() {
        let counts = [0.0, 0.012_34, 1.234, 12.34, 123.4, 12_345.6].map(|value| figure("count", value));
        assert_eq!(counts, ["0", "0.0123", "1.23", "12.3", "123", "12,346"]);
        let times = [1_500.0, 8_420_000.0].map(|value| signed(-value, |value| figure("ns", value)));
        assert_eq!(times, ["-1.50us", "-8.42ms"]);
        assert_eq!([0.0, 0.5, -0.013, 23.0].map(share_change), ["0 %", "+50.0 %", "-1.3 %", "+2,300 %"]);
    }

    #[test]
    fn a_probability_is_shown_with_what_matters_of_it() {
        assert_eq!(
            [1e-9, 0.0123, 0.5, 1.0].map(chance),
            ["p < 0.0001", "p = 0.0123", "p = 0.50", "p = 1.00"]
        );
    }
}
