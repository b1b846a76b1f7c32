//! `splitbrain sweep`: many runs, judged together.

mod summary;
mod watch;

use std::ops::Range;
use std::time::Duration;

use clap::Args;
use scenarios::ProtocolTable;
use scenarios::text::units::Time;

use self::summary::{Body, Heading, Speed, Summary};
use self::watch::Watch;
use super::Format;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::interrupt;
use crate::output::Output;
use crate::sweep::{Asked, Course, End, Grid, News, Row, Stops, Sweep, Tally, Varied, parse_seeds};

/// Run scenarios with many seeds, and tell what failed.
///
/// Each scenario runs with each combination of the varied fields and with each seed, on all processors. What failed is
/// grouped by what was violated, with how often, and with commands that replay the first runs of it. What comes out is the
/// same on however many threads.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  splitbrain sweep raft/random-swarm --seeds 0..1000
  splitbrain sweep raft/ paxos/ --seeds 0..50          all scenarios of two folders of the library
  splitbrain sweep my.ron --vary nodes=3,5,7 --vary network.loss=0,0.01,0.05
  splitbrain sweep all --seeds 0..1000000 --time-budget 10m
  splitbrain sweep all --seeds 0..100000 --until-saturated 5000
  splitbrain sweep my.ron --until-failures 1 --format json | jq '.failures[0].first[0].replay'

Exit codes:
    0  nothing failed
    1  a run violated something: safety, liveness, or a process panicked
    2  wrong usage, a bad file, or a place that cannot be written to
    3  nothing failed, but a run was inconclusive
    4  nothing was selected
    5  disks suffered beyond what the protocol promises to survive, in every run
   70  internal error, or a run made twice differs
  130  interrupted; what was finished is printed")]
pub(crate) struct Arguments {
    /// Scenario files, names of the library, `raft/` for all scenarios in that folder of it, or `all`
    #[arg(value_name = "SCENARIO", required = true)]
    scenarios: Vec<String>,

    /// Which seeds: from A up to B, without B
    #[arg(long, value_name = "A..B", default_value = "0..100", value_parser = parse_seeds, help_heading = "What to run")]
    seeds: Range<u64>,

    /// Run with each of these values of a field: `nodes=3,5,7`; given more than once, with each combination
    #[arg(long, value_name = "PATH=A,B,…", value_parser = Varied::parse, help_heading = "What to run")]
    vary: Vec<Varied>,

    /// Change a field of all scenarios: `nodes=3`, `network.loss=0.05`
    #[arg(long, value_name = "PATH=VALUE", help_heading = "What to run")]
    set: Vec<String>,

    /// On how many threads [default: one a processor]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_024), help_heading = "How long")]
    jobs: Option<u16>,

    /// Stop after so much time: `30s`, `10m`, `8h`
    #[arg(long, value_name = "TIME", value_parser = parse_time, help_heading = "How long")]
    time_budget: Option<Duration>,

    /// Stop after so many failures
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u64).range(1..), help_heading = "How long")]
    until_failures: Option<u64>,

    /// Stop when so many runs in a row reached no point that none before them had (`list protocols` shows the points)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "How long")]
    until_saturated: Option<u64>,

    /// Say nothing but what failed
    #[arg(long, short, help_heading = "Output")]
    quiet: bool,

    /// For whom
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    format: Format,
}

fn parse_time(text: &str) -> Result<Duration, String> {
    let time: Time =
        text.parse().map_err(|_| "a time is a number and its unit, such as `30s`, `10m` or `8h`")?;
    if time.span().is_zero() {
        return Err("no run is done in no time".to_owned());
    }
    Ok(Duration::from_nanos(time.span().as_nanos()))
}

impl Arguments {
    fn asked(&self) -> Asked<'_> {
        Asked { scenarios: &self.scenarios, set: &self.set, vary: &self.vary, seeds: self.seeds.clone() }
    }

    const fn stops(&self) -> Stops {
        Stops { failures: self.until_failures, saturated: self.until_saturated, time: self.time_budget }
    }

    fn watch(&self, total: u64) -> Watch {
        if self.quiet { Watch::Quiet } else { Watch::new(total) }
    }
}

pub(crate) fn perform(arguments: &Arguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let table = ProtocolTable::builtin();
    let grid = Grid::new(&arguments.asked(), &table)?;
    interrupt::listen();
    let sweep = match arguments.jobs {
        Some(threads) => Sweep::on(&table, usize::from(threads))?,
        None => Sweep::new(&table),
    };
    if arguments.format == Format::Human && !arguments.quiet {
        output.print(Heading { grid: &grid, threads: sweep.threads() })?;
        output.flush()?;
    }
    let (tally, end, speed) = run(arguments, &sweep, &grid);
    let summary = Summary::new(&grid, &tally, end, speed);
    match arguments.format {
        Format::Json => output.fill(|writer| {
            serde_json::to_writer_pretty(&mut *writer, &summary)?;
            writer.write_all(b"\n")
        })?,
        Format::Human if arguments.quiet => output.print(summary.failures_only())?,
        Format::Human => output.print(Body(&summary))?,
    }
    Ok(if end == End::Interrupted { ExitCode::INTERRUPTED } else { tally.verdicts.code() })
}

/// Makes the runs, and says what they came to.
fn run(arguments: &Arguments, sweep: &Sweep<'_>, grid: &Grid) -> (Tally, End, Speed) {
    let mut course = Course::new(grid, arguments.stops());
    let (mut watch, mut processor_time) = (arguments.watch(grid.len()), Duration::ZERO);
    let jobs = (0..grid.len()).map(|index| grid.job(index));
    sweep.stream(jobs, Row::of, |news| {
        let over = match news {
            News::Done(done) => {
                processor_time += done.processor_time;
                course.take(done.kept)
            }
            News::Tick => course.look(),
        };
        watch.show(&course, grid.len(), 0);
        over
    });
    watch.clear();
    let elapsed = course.watch.elapsed();
    let (tally, end) = course.finish();
    let speed = Speed { elapsed, processor_time, threads: sweep.threads(), runs: tally.runs };
    (tally, end, speed)
}
