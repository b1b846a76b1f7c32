//! `splitbrain shrink`: the smallest run that fails as the one in a capsule does.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Args;
use rayon::BroadcastContext;
use scenarios::ProtocolTable;
use scenarios::shrink::{Case, Outcome, Progress, Refusal, Shrunk, Trial, shrink};
use serde::Serialize;

use super::Format;
use crate::cli::quoted;
use crate::exit_code::ExitCode;
use crate::failure::{Failure, Usage};
use crate::input::open_capsule;
use crate::interrupt;
use crate::output::{NewFile, Output, talk_line};
use crate::report::Sizes;
use crate::sweep;

/// Make the failure in a capsule as small as it gets.
///
/// Faults, operations, nodes, clients and fields of the scenario are taken away, and times made rounder, as long as the
/// run fails the same way: the same property, with evidence of the same kind. What is left is written as a scenario that
/// reads as if somebody had written it, and as a capsule. The same capsule always shrinks to the same run, on however
/// many processors.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  splitbrain run raft/short-lived-leaders --seed 2 --set protocol.mutant=commit-prior-term --save failure.capsule.ron
  splitbrain shrink failure.capsule.ron             writes failure.shrunk.ron and failure.shrunk.capsule.ron
  splitbrain run failure.shrunk.ron --seed 2        the small run

Exit codes:
    0  it was shrunk
    2  wrong usage, a bad file, or a capsule whose run does not fail
   70  internal error
  130  interrupted; the smallest run so far is written, if there is one")]
pub(crate) struct Arguments {
    /// The capsule
    #[arg(value_name = "CAPSULE")]
    capsule: String,

    /// Where to write the small run; `.ron` and `.capsule.ron` are added. Default: the capsule's name with `.shrunk`
    #[arg(short, long, value_name = "NAME")]
    output: Option<PathBuf>,

    /// Stop when all runs together have had about so many events
    #[arg(long, value_name = "EVENTS", default_value_t = 40_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    events_max: u64,

    /// For whom
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn perform(arguments: &Arguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let table = ProtocolTable::builtin();
    let opened = open_capsule(&arguments.capsule, &table)?;
    let places = Places::of(arguments);
    // Before the runs, so that a place that cannot be written to is known at once.
    let (scenario_file, capsule_file) =
        (NewFile::create(&places.scenario)?, NewFile::create(&places.capsule)?);
    interrupt::listen();
    let mut progress = sweep::Progress::new();
    progress.begin("shrinking");
    let shrunk = {
        let outcome = |trial: &Trial<'_>, case: &Case| {
            if interrupt::is_asked() { Outcome::default() } else { trial.outcome(case) }
        };
        let mut runner = |trial: &Trial<'_>, cases: &[Case]| {
            (!interrupt::is_asked()).then(|| up_to_first(cases, |case| outcome(trial, case)))
        };
        let mut watch = |at: Progress| {
            progress.begin(format!("shrinking, {} faults and {} operations left", at.faults, at.operations));
            progress.show(usize::try_from(at.runs).unwrap_or(usize::MAX));
        };
        shrink(&opened, &table, arguments.events_max, &mut runner, &mut watch)
    };
    progress.clear();
    if shrunk.is_err() && interrupt::is_asked() {
        talk_line(format_args!("interrupted before there was a smaller run: nothing is written"));
        return Ok(ExitCode::INTERRUPTED);
    }
    let shrunk = shrunk.map_err(|refusal| refused(&refusal, &arguments.capsule))?;
    scenario_file.finish(&shrunk.scenario_text)?;
    let command = format!("splitbrain replay {}", quoted(&places.capsule.display().to_string()));
    capsule_file.finish(&shrunk.capsule.to_text(&shrunk.loaded, &command))?;
    print(arguments.format, &shrunk, &places, output)?;
    if interrupt::is_asked() {
        talk_line(format_args!("interrupted: smaller runs may be left"));
        return Ok(ExitCode::INTERRUPTED);
    }
    Ok(ExitCode::PASS)
}

/// The outcomes of cases up to the first that fails, on all processors: what comes behind it is not begun.
fn up_to_first(cases: &[Case], outcome: impl Fn(&Case) -> Outcome + Sync) -> Vec<Outcome> {
    let (next, end) = (AtomicUsize::new(0), AtomicUsize::new(cases.len()));
    let work = |_: BroadcastContext<'_>| {
        let mut outcomes = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            if place >= end.load(Ordering::Relaxed) {
                return outcomes;
            }
            let outcome = outcome(&cases[place]);
            if outcome.fails {
                end.fetch_min(place + 1, Ordering::Relaxed);
            }
            outcomes.push((place, outcome));
        }
    };
    let mut outcomes: Vec<(usize, Outcome)> = rayon::broadcast(work).into_iter().flatten().collect();
    outcomes.sort_unstable_by_key(|(place, _)| *place);
    outcomes.truncate(end.into_inner());
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

/// Where the small run goes.
struct Places {
    scenario: PathBuf,
    capsule: PathBuf,
}

impl Places {
    fn of(arguments: &Arguments) -> Self {
        let given = Path::new(&arguments.capsule);
        let name = || {
            let text = given.to_string_lossy();
            let stem =
                text.strip_suffix(".capsule.ron").or_else(|| text.strip_suffix(".ron")).unwrap_or(&text);
            PathBuf::from(format!("{stem}.shrunk"))
        };
        let base = arguments.output.clone().unwrap_or_else(name);
        let with = |end: &str| {
            let mut path = base.as_os_str().to_owned();
            path.push(end);
            PathBuf::from(path)
        };
        Self { scenario: with(".ron"), capsule: with(".capsule.ron") }
    }
}

fn refused(refusal: &Refusal, capsule: &str) -> Failure {
    match refusal {
        Refusal::Passes(verdict) => Usage::new(
            format!("the run of `{capsule}` does not fail: {verdict}"),
            "a capsule whose run violates something",
            "`splitbrain replay` shows what the run is under this version of the program",
        ),
        Refusal::NotWritable => Usage::new(
            format!("the run of `{capsule}` fails no longer when its faults are written out"),
            "a failure that depends on times of a nanosecond and more",
            "`splitbrain replay` still repeats the run as it is",
        ),
    }
    .into()
}

/// What `--format json` prints.
#[derive(Serialize)]
struct Document<'a> {
    property: &'a str,
    evidence: &'a str,
    seed: u64,
    runs: u64,
    before: scenarios::shrink::Size,
    after: scenarios::shrink::Size,
    scenario: String,
    capsule: String,
}

fn print(format: Format, shrunk: &Shrunk, places: &Places, output: &mut Output) -> Result<(), Failure> {
    let (scenario, capsule) = (places.scenario.display().to_string(), places.capsule.display().to_string());
    match format {
        Format::Json => {
            let document = Document {
                property: &shrunk.capsule.property,
                evidence: &shrunk.capsule.evidence,
                seed: shrunk.capsule.seed,
                runs: shrunk.runs,
                before: shrunk.before,
                after: shrunk.after,
                scenario,
                capsule,
            };
            output.json(&document)
        }
        Format::Human => {
            output.print(format_args!("{}: {}\n\n", shrunk.capsule.property, shrunk.capsule.evidence))?;
            output.print(Sizes { before: shrunk.before, after: shrunk.after })?;
            output.print(format_args!(
                "\n{} runs. Written: {scenario}\n",
                crate::table::grouped(shrunk.runs)
            ))?;
            let seed = shrunk.capsule.seed;
            output.print(format_args!("  splitbrain run {} --seed {seed}\n", quoted(&scenario)))?;
            output.print(format_args!("  splitbrain replay {}\n", quoted(&capsule)))
        }
    }
}
