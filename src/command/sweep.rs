//! `splitbrain sweep`: many runs, judged together.

mod annotations;
mod canary;
mod junit;
mod preset;
mod summary;

use std::ops::{ControlFlow, Range};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use scenarios::ProtocolTable;

use self::preset::{Defaults, Preset};
use self::summary::{Body, Heading, Speed, Summary};
use super::Format;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::input::parse_time;
use crate::interrupt;
use crate::output::{NewFile, Output, talk_line};
use crate::sweep::{
    Asked, Course, DoubleCheck, End, Folder, Grid, Job, News, Resume, Row, Stops, Sweep, Tally, Unequal,
    Varied, Watch, parse_seeds,
};

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
  splitbrain sweep --preset ci --junit sweep.xml               what a pipeline wants
  splitbrain sweep all --seeds 0..2000 --out results           keep every run: results/results.parquet
  splitbrain sweep all --seeds 0..2000 --out results --resume  go on with it after whatever ended it

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
    #[arg(value_name = "SCENARIO", required_unless_present = "preset")]
    scenarios: Vec<String>,

    /// What a pipeline wants; whatever else is given wins
    #[arg(long, value_enum, help_heading = "What to run")]
    preset: Option<Preset>,

    /// Which seeds: from A up to B, without B [default: 0..100]
    #[arg(long, value_name = "A..B", value_parser = parse_seeds, help_heading = "What to run")]
    seeds: Option<Range<u64>>,

    /// Run with each of these values of a field: `nodes=3,5,7`; given more than once, with each combination
    #[arg(long, value_name = "PATH=A,B,…", value_parser = Varied::parse, help_heading = "What to run")]
    vary: Vec<Varied>,

    /// Change a field of all scenarios: `nodes=3`, `network.loss=0.05`
    #[arg(long, value_name = "PATH=VALUE", help_heading = "What to run")]
    set: Vec<String>,

    /// Run so many of the runs twice, `5%` or `0.05`, and name the first event at which they part if they do [default: 0%]
    #[arg(long, value_name = "SHARE", value_parser = DoubleCheck::parse, help_heading = "What to run")]
    double_check: Option<DoubleCheck>,

    /// First see that a bug that is built in on purpose fails: else failures would not be noticed
    #[arg(long, help_heading = "What to run")]
    canary: bool,

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

    /// Keep every run in this folder: shards while it runs, `results.parquet` and `failures/` at the end
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    out: Option<PathBuf>,

    /// Go on with the sweep that is in that folder, if one is; what is done already is not done again
    #[arg(long, requires = "out", help_heading = "Output")]
    resume: bool,

    /// A test report of what came out, a test case a configuration (`JUnit` XML)
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    junit: Option<PathBuf>,

    /// Print failures as annotations, too
    #[arg(long, value_enum, conflicts_with = "format", help_heading = "Output")]
    annotations: Option<Host>,

    /// Say nothing but what failed
    #[arg(long, short, help_heading = "Output")]
    quiet: bool,

    /// For whom
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    format: Format,
}

/// Whose annotations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Host {
    /// GitHub Actions; Forgejo and Gitea read them, too.
    Github,
}

/// What is to be done: what the command line says, and what the preset says where it does not.
struct Task<'a> {
    arguments: &'a Arguments,
    scenarios: Vec<String>,
    seeds: Range<u64>,
    stops: Stops,
    double_check: DoubleCheck,
    canary: bool,
}

impl<'a> Task<'a> {
    fn new(arguments: &'a Arguments) -> Self {
        let Defaults { seeds, time, double_check, canary } = Defaults::of(arguments.preset);
        let scenarios =
            if arguments.scenarios.is_empty() { vec!["all".to_owned()] } else { arguments.scenarios.clone() };
        let stops = Stops {
            failures: arguments.until_failures,
            saturated: arguments.until_saturated,
            time: arguments.time_budget.or(time),
        };
        Self {
            arguments,
            scenarios,
            seeds: arguments.seeds.clone().unwrap_or(seeds),
            stops,
            double_check: arguments.double_check.unwrap_or(double_check),
            canary: arguments.canary || canary,
        }
    }

    fn asked(&self) -> Asked<'_> {
        let Arguments { set, vary, .. } = self.arguments;
        Asked { scenarios: &self.scenarios, set, vary, seeds: self.seeds.clone() }
    }

    fn watch(&self, total: u64) -> Watch {
        if self.arguments.quiet { Watch::Quiet } else { Watch::new(total) }
    }
}

pub(crate) fn perform(arguments: &Arguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let table = ProtocolTable::builtin();
    let task = Task::new(arguments);
    let grid = Grid::new(&task.asked(), &table)?;
    // Before the runs, so that a place that cannot be written to is known at once.
    let junit = arguments.junit.as_deref().map(NewFile::create).transpose()?;
    interrupt::listen();
    let sweep = Sweep::on(&table, arguments.jobs)?;
    let mut sweeping = Sweeping::new(&task, &grid)?;
    if task.canary {
        let died = canary::send(&sweep, &table)?;
        if !arguments.quiet {
            talk_line(format_args!("canary     {died}"));
        }
    }
    if arguments.format == Format::Human && !arguments.quiet {
        output.print(Heading { grid: &grid, threads: sweep.threads(), done: sweeping.before })?;
        output.flush()?;
    }
    sweeping.run(&task, &sweep, &table)?;
    let (tally, end, speed, unequal) = sweeping.finish(&sweep, &table)?;
    let summary = Summary::new(&grid, &tally, end, speed);
    match arguments.format {
        Format::Json => output.json(&summary)?,
        Format::Human if arguments.quiet => output.print(summary.failures_only())?,
        Format::Human => output.print(Body(&summary))?,
    }
    if arguments.annotations.is_some() {
        output.print(annotations::github(&grid, &tally))?;
    }
    if let Some(file) = junit {
        file.finish(&junit::text(&grid, &tally)?)?;
    }
    complain(&unequal);
    Ok(match end {
        End::Interrupted => ExitCode::INTERRUPTED,
        _ if unequal.is_empty() => tally.verdicts.code(),
        _ => ExitCode::INTERNAL,
    })
}

/// A sweep under way.
struct Sweeping<'a> {
    grid: &'a Grid,
    course: Course<'a>,
    folder: Option<Folder>,
    /// How many runs an earlier start has done.
    before: u64,
    processor_time: Duration,
}

impl<'a> Sweeping<'a> {
    /// With what is in the folder already.
    fn new(task: &Task<'_>, grid: &'a Grid) -> Result<Self, Failure> {
        let arguments = task.arguments;
        let mut course = Course::new(grid, task.stops);
        let mut before = 0;
        let mut take = |row: Row| {
            before += 1;
            course.put(row);
        };
        let resume = if arguments.resume { Resume::Yes } else { Resume::No };
        let open = |path: &PathBuf| Folder::open(path, grid, resume, &mut take);
        let folder = arguments.out.as_ref().map(open).transpose()?;
        course.restart_clock();
        Ok(Self { grid, course, folder, before, processor_time: Duration::ZERO })
    }

    /// Makes the runs that are left.
    fn run(&mut self, task: &Task<'_>, sweep: &Sweep<'a>, table: &ProtocolTable) -> Result<(), Failure> {
        if self.course.look().is_break() {
            return Ok(());
        }
        let done = self.folder.as_ref().map(|folder| folder.done.clone()).unwrap_or_default();
        let left = (0..self.grid.len()).filter(move |index| !done.contains(*index));
        let (mut watch, mut failed) = (task.watch(self.grid.len()), None);
        let grid = self.grid;
        let row = |job: &Job<'_>, ended| task.double_check.row(job, ended, table);
        sweep.stream(left.map(|index| grid.job(index)), row, |news| {
            let over = self.take(news).unwrap_or_else(|failure| {
                failed = Some(failure);
                ControlFlow::Break(())
            });
            watch.show(&self.course.standing(self.before));
            over
        });
        watch.clear();
        failed.map_or(Ok(()), Err)
    }

    /// Takes in a run that is done.
    fn take(&mut self, news: News<Row>) -> Result<ControlFlow<()>, Failure> {
        match news {
            News::Done(done) => {
                self.processor_time += done.processor_time;
                if let Some(folder) = &mut self.folder {
                    folder.put(&done.kept)?;
                }
                self.course.put(done.kept);
            }
            News::Tick => self.folder.as_mut().map_or(Ok(()), Folder::look)?,
        }
        Ok(self.course.look())
    }

    /// Writes what is left to write, and says what the sweep came to.
    fn finish(
        self,
        sweep: &Sweep<'_>,
        table: &ProtocolTable,
    ) -> Result<(Tally, End, Speed, Vec<Unequal>), Failure> {
        let (elapsed, processor_time) = (self.course.watch.elapsed(), self.processor_time);
        let (tally, end) = self.course.finish();
        let runs = tally.runs.saturating_sub(self.before);
        let speed = Speed { elapsed, processor_time, threads: sweep.threads(), runs };
        let finish = |mut folder: Folder| folder.finish(self.grid, &tally, end, table);
        let unequal = self.folder.map(finish).transpose()?.unwrap_or_default();
        Ok((tally, end, speed, unequal))
    }
}

/// Says which runs were not the same again.
fn complain(unequal: &[Unequal]) {
    for Unequal { command, digests: [row, again] } in unequal {
        talk_line(format_args!(
            "error: not deterministic: the digest was {row} in the sweep and {again} when it was run again\n   = hint: {command}"
        ));
    }
}
