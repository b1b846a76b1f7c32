//! `splitbrain search`: failures that seeds seldom draw, found by breeding plans.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use scenarios::capsule::Capsule;
use scenarios::search::Search;
use scenarios::{Loaded, ProtocolTable, Report};

use super::Format;
use crate::cli::quoted;
use crate::exit_code::ExitCode;
use crate::failure::{Failure, Usage};
use crate::input::{Seed, parse_seed, parse_time};
use crate::interrupt;
use crate::output::{NewFile, Output};
use crate::report::VerdictKind;
use crate::report::search::{Document, Found, Setting};
use crate::sweep::{Asked, Done, Grid, Job, Row, Standing, Stopwatch, Sweep, Watch, slug};

/// Search for failures with plans that are bred from those that reached something new.
///
/// A sweep draws each run anew. A search keeps the runs that reached what none before them had (how the nodes stand to each
/// other, what follows what, which fault meets which situation), and changes their faults a little: one more, one fewer, one
/// at another time, half of another run's. Each failure of a new kind is written as a capsule. The same seed searches the
/// same runs, on however many processors.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  splitbrain search raft/random-swarm --set protocol.mutant=commit-prior-term
  splitbrain search my.ron --runs 100000 --until-failures 3 --out found
  splitbrain search raft/ --time-budget 10m --seed random

Exit codes:
    0  nothing failed
    1  something failed; its capsule is written
    2  wrong usage, a bad file, or a scenario without random faults
    3  inconclusive: runs were out of budget, and none failed
   70  internal error
  130  interrupted; what was found is written")]
pub(crate) struct Arguments {
    /// Scenario files, names of the library, or `raft/` for all below that have random faults
    #[arg(value_name = "SCENARIO", required = true)]
    scenarios: Vec<String>,

    /// Change a field of all scenarios: `nodes=3`, `protocol.mutant=no-uptodate-check`
    #[arg(long, value_name = "PATH=VALUE", help_heading = "What to run")]
    set: Vec<String>,

    /// What the search draws from: a number, or `random` to have one drawn and shown
    #[arg(long, value_name = "N|random", default_value = "0", value_parser = parse_seed, help_heading = "What to run")]
    seed: Seed,

    /// Stop after so many runs
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..), help_heading = "How long")]
    runs: u64,

    /// Stop after so many failed runs
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..), help_heading = "How long")]
    until_failures: u64,

    /// Stop after this time, such as `10m`; which runs are done by then depends on the machine
    #[arg(long, value_name = "TIME", value_parser = parse_time, help_heading = "How long")]
    time_budget: Option<Duration>,

    /// On how many threads [default: one a processor]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_024))]
    jobs: Option<u16>,

    /// Where to write capsules
    #[arg(long, value_name = "FOLDER", default_value = ".", help_heading = "Output")]
    out: PathBuf,

    /// For whom
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    format: Format,
}

/// What is kept of a run.
struct Kept {
    row: Row,
    /// If it failed.
    capsule: Option<Box<Capsule>>,
}

pub(crate) fn perform(arguments: &Arguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let table = ProtocolTable::builtin();
    let grid = grid(arguments, &table)?;
    let mut search = search(&grid, &table, arguments.seed.number())?;
    interrupt::listen();
    let sweep = Sweep::on(&table, arguments.jobs)?;
    let setting = Setting { grid: &grid, seed: arguments.seed.number(), threads: sweep.threads() };
    if arguments.format == Format::Human {
        output.print(setting.heading())?;
        output.flush()?;
    }
    let found = searched(arguments, &mut search, &sweep)?;
    let code = found.code();
    let document = Document::new(&setting, found);
    match arguments.format {
        Format::Json => output.json(&document)?,
        Format::Human => output.print(&document)?,
    }
    Ok(code)
}

/// Goes through the runs, and writes the capsules of those that fail in a way of their own.
fn searched<'a>(arguments: &Arguments, search: &mut Search<'a>, sweep: &Sweep<'_>) -> Result<Found, Failure> {
    let watch = Stopwatch::start();
    let mut line = Watch::new(arguments.runs);
    let mut standing = Standing { total: arguments.runs, ..Standing::default() };
    let (mut found, mut failed) = (Found::default(), None);
    let take = |done: Done<Kept>, ground: &Loaded, search: &Search<'a>| {
        let Kept { row, capsule } = done.kept;
        let is_new = found.add(&row, done.processor_time, search.reach());
        if let (true, Some(capsule)) = (is_new, capsule)
            && let Err(failure) = write(arguments, ground, &row, &capsule, &mut found)
        {
            failed = Some(failure);
            return ControlFlow::Break(());
        }
        standing.runs += 1;
        standing.failures += u64::from(row.is_failure());
        standing.simulated_ns += u128::from(row.simulated_ns);
        standing.elapsed = watch.elapsed();
        standing.time_left = arguments.time_budget.map(|time| time.saturating_sub(standing.elapsed));
        line.show(&standing);
        let is_late = arguments.time_budget.is_some_and(|time| standing.elapsed >= time);
        if is_late || standing.failures >= arguments.until_failures {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    };
    sweep.guided(search, arguments.runs, kept, |_| false, take);
    line.clear();
    found.elapsed = watch.elapsed();
    found.was_interrupted = interrupt::is_asked();
    failed.map_or(Ok(found), Err)
}

fn kept(job: &Job<'_>, ended: Result<Report, String>) -> Kept {
    let failed = ended.as_ref().ok().filter(|report| VerdictKind::from(&report.verdict).is_failure());
    let capsule = failed.map(|report| Box::new(Capsule::of(job.loaded, report)));
    Kept { row: Row::of(job, ended), capsule }
}

/// All that is named, with the seeds left open.
fn grid(arguments: &Arguments, table: &ProtocolTable) -> Result<Grid, Failure> {
    let Arguments { scenarios, set, .. } = arguments;
    let mut grid = Grid::new(&Asked { scenarios, set, vary: &[], seeds: 0..1 }, table)?;
    // Who names a folder means those in it that can be searched.
    if grid.configurations.len() > scenarios.len() {
        grid.configurations.retain(|one| one.loaded.scenario.faults.random.is_some());
    }
    Ok(grid)
}

fn search<'a>(grid: &'a Grid, table: &'a ProtocolTable, seed: u64) -> Result<Search<'a>, Failure> {
    let grounds = grid.configurations.iter().map(|one| &one.loaded).collect();
    Search::new(grounds, table, seed).map_err(|nothing| {
        let hint = "`splitbrain sweep` runs it with many seeds as it is";
        Usage::new(nothing.to_string(), "scenarios with `faults: (random: (…))`", hint).into()
    })
}

/// Writes the capsule of a failure under a name that nothing has.
fn write(
    arguments: &Arguments,
    ground: &Loaded,
    row: &Row,
    capsule: &Capsule,
    found: &mut Found,
) -> Result<(), Failure> {
    let name = format!("{}-run-{}", slug(&row.cause().unwrap_or_default()), row.job + 1);
    let names = std::iter::once(name.clone()).chain((2..).map(|copy| format!("{name}-{copy}")));
    let mut paths = names.map(|name| arguments.out.join(format!("{name}.capsule.ron")));
    let path = paths.find(|path| !path.exists()).expect("there are endless names");
    std::fs::create_dir_all(&arguments.out).map_err(|error| Failure::write_file(&arguments.out, &error))?;
    let command = format!("splitbrain replay {}", quoted(&path.display().to_string()));
    NewFile::create(&path)?.finish(&capsule.to_text(ground, &command))?;
    found.written(&path);
    Ok(())
}
