//! `splitbrain reproduce`: published numbers, ours beside theirs.

use clap::Args;
use scenarios::reproduce::{self, Figure, Prepared, Quantity};
use scenarios::{ProtocolTable, Report, RunOptions};
use serde::Serialize;

use super::Format;
use crate::exit_code::ExitCode;
use crate::failure::{Failure, Usage};
use crate::interrupt;
use crate::output::Output;
use crate::sweep::{Job, Progress, Sweep};
use crate::table::{Align, Table, grouped};

/// Reproduce published numbers.
///
/// Each reproduction is a file: a scenario, how many runs, a statistic over them, the published value with its source,
/// and how near ours must come. The files stand in `scenarios/reproduce/`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  splitbrain reproduce                                 all of them
  splitbrain reproduce raft-election-time-150-155      one of them
  splitbrain reproduce raft                            all whose names begin like this
  splitbrain reproduce --format json | jq '.[] | select(.passes | not)'

Exit codes:
    0  all figures are as near as their files ask for
    1  a figure is not
    2  wrong usage
    4  there is no such reproduction
  130  interrupted; what was finished is printed")]
pub(crate) struct Arguments {
    /// A reproduction, or how the names of several begin [default: all]
    name: Option<String>,

    /// Make so many runs of each instead of what its file says: quicker, and less to be relied on
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "How long")]
    runs: Option<u64>,

    /// For whom
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    format: Format,
}

/// What came of one reproduction.
#[derive(Debug, Serialize)]
struct Outcome {
    name: String,
    summary: String,
    source: String,
    scenario: String,
    overrides: Vec<String>,
    runs: u64,
    processor_seconds: f64,
    figures: Vec<Compared>,
    /// Whether all figures do.
    passes: bool,
}

/// One number, ours beside the published one.
#[derive(Debug, Serialize)]
struct Compared {
    name: String,
    /// Ours; `null` where no run has a value.
    ours: Option<Quantity>,
    /// The published one.
    expected: Quantity,
    tolerance: String,
    /// How many runs have no value.
    missing: u64,
    passes: bool,
}

pub(crate) fn perform(arguments: &Arguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let table = ProtocolTable::builtin();
    let selected = selected(arguments.name.as_deref(), &table)?;
    interrupt::listen();
    let mut progress = Progress::new();
    let mut outcomes = Vec::new();
    for prepared in &selected {
        let runs = arguments.runs.unwrap_or(prepared.reproduction.runs);
        let Some(outcome) = reproduce(prepared, runs, &table, &mut progress) else { break };
        progress.clear();
        if arguments.format == Format::Human {
            output.print(text(&outcome))?;
            output.flush()?;
        }
        outcomes.push(outcome);
    }
    progress.clear();
    if arguments.format == Format::Json {
        output.json(&outcomes)?;
    }
    Ok(match (interrupt::is_asked(), outcomes.iter().all(|outcome| outcome.passes)) {
        (true, _) => ExitCode::INTERRUPTED,
        (false, true) => ExitCode::PASS,
        (false, false) => ExitCode::VIOLATION,
    })
}

fn selected(name: Option<&str>, table: &ProtocolTable) -> Result<Vec<Prepared>, Failure> {
    let entries = reproduce::all();
    let is_exact = entries.iter().any(|entry| Some(entry.name) == name);
    let is_meant = |entry: &str| match name {
        None => true,
        Some(name) if is_exact => entry == name,
        Some(name) => entry.starts_with(name),
    };
    let mut selected = Vec::new();
    for entry in entries.iter().filter(|entry| is_meant(entry.name)) {
        selected.push(reproduce::prepare(entry.path, entry.text.as_bytes(), table)?);
    }
    if !selected.is_empty() {
        return Ok(selected);
    }
    let name = name.unwrap_or_default();
    let names: Vec<&str> = entries.iter().map(|entry| entry.name).collect();
    let message = format!("there is no reproduction `{name}`");
    Err(Usage::unknown(message, names.join(", "), name, &names, "leave the name out for all").into())
}

/// Makes the runs; `None` if Ctrl-C came first.
fn reproduce(
    prepared: &Prepared,
    runs: u64,
    table: &ProtocolTable,
    progress: &mut Progress,
) -> Option<Outcome> {
    let Prepared { reproduction, loaded } = prepared;
    progress.begin(&reproduction.name);
    let keep = |_: &Job<'_>, report: Report| reproduction.values(&report);
    let jobs = (0..runs).map(|seed| Job { index: seed, loaded, seed, options: &RunOptions::PLAIN });
    let done = Sweep::new(table).run(jobs, keep, |_| false, progress);
    if (done.len() as u64) < runs {
        return None;
    }
    let compared = |(index, figure): (usize, &Figure)| {
        let values: Vec<Option<f64>> = done.iter().map(|done| done.kept[index]).collect();
        let ours = reproduction.ours(index, &values);
        Compared {
            name: figure.name.clone(),
            ours: ours.value,
            expected: figure.expected,
            tolerance: figure.tolerance.to_string(),
            missing: ours.missing,
            passes: ours.passes,
        }
    };
    let figures: Vec<Compared> = reproduction.figures.iter().enumerate().map(compared).collect();
    Some(Outcome {
        name: reproduction.name.clone(),
        summary: reproduction.summary.clone(),
        source: reproduction.source.clone(),
        scenario: reproduction.scenario.clone(),
        overrides: reproduction.set.clone(),
        runs,
        processor_seconds: done.iter().map(|done| done.processor_time.as_secs_f64()).sum(),
        passes: figures.iter().all(|figure| figure.passes),
        figures,
    })
}

fn text(outcome: &Outcome) -> String {
    let mut table =
        Table::new([Align::Left, Align::Left, Align::Right, Align::Right, Align::Left, Align::Left]);
    table.row(["", "", "ours", "published", "tolerance", ""]);
    for figure in &outcome.figures {
        let ours = figure.ours.map_or_else(|| "none".to_owned(), |ours| ours.to_string());
        let verdict = if figure.passes { "pass" } else { "FAIL" };
        let missing = match figure.missing {
            0 => String::new(),
            missing => format!(", {} of {} runs have none", grouped(missing), grouped(outcome.runs)),
        };
        table.row([
            verdict.to_owned(),
            figure.name.clone(),
            ours,
            figure.expected.to_string(),
            figure.tolerance.clone(),
            missing.trim_start_matches(", ").to_owned(),
        ]);
    }
    let Outcome { name, summary, source, runs, processor_seconds, .. } = outcome;
    format!(
        "{name}: {summary}\n{table}  {} runs of {}, {processor_seconds:.1} processor-seconds\n  source: {source}\n\n",
        grouped(*runs),
        outcome.scenario
    )
}
