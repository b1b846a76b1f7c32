//! `splitbrain compare`: two sides with the same seeds.

use std::ops::Range;

use clap::Args;
use scenarios::ProtocolTable;

use super::Format;
use crate::compare::{Comparison, Kept, differences, service};
use crate::exit_code::ExitCode;
use crate::failure::{Failure, Usage};
use crate::interrupt;
use crate::output::Output;
use crate::report::VerdictKind;
use crate::report::compare::{Body, Document, Heading, MetricsShown, Setting};
use crate::sweep::{Grid, SideAsked, Stopwatch, Sweep, parse_seeds};

/// Compare two configurations, or two protocols, with the same seeds.
///
/// Both sides run with each seed, so that what they share happens to both alike: operations, faults, the latency of each
/// message. What is compared are the differences, seed by seed: how often each side fails, with which seeds only one does, and
/// every metric, with intervals. What comes out is the same on however many threads.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  splitbrain compare raft/steady --set-b protocol.heartbeat=100ms
  splitbrain compare raft/random-elections --set-a protocol.pre_vote=false --set-b protocol.pre_vote=true
  splitbrain compare raft/random-swarm vrr/random-swarm --seeds 0..500
  splitbrain compare raft/random-elections --set-b protocol.mutant=no-uptodate-check
  splitbrain compare raft/steady --set nodes=3 --set-b nodes=7 --all
  splitbrain compare raft/steady --set-b network.loss=0.05 --format json | jq '.metrics[] | select(.differs) | .name'

Exit codes:
    0  compared: B failed with no seed with which A did not
    1  B failed with a seed with which A did not
    2  wrong usage, a bad file, or two sides that are the same
    3  B failed nowhere else than A, but a run was inconclusive
    5  disks suffered beyond what the protocol promises to survive, in every run
   70  internal error
  130  interrupted; what was finished is printed")]
pub(crate) struct Arguments {
    /// The first side: a scenario file, or the name of a scenario of the library
    #[arg(value_name = "A")]
    a: String,

    /// The second side [default: A, with what `--set-b` changes]
    #[arg(value_name = "B")]
    b: Option<String>,

    /// Which seeds: from FROM up to TO, without TO
    #[arg(long, value_name = "FROM..TO", value_parser = parse_seeds, default_value = "0..100", help_heading = "What to run")]
    seeds: Range<u64>,

    /// Change a field of both sides: `nodes=3`, `network.loss=0.05`
    #[arg(long, value_name = "PATH=VALUE", help_heading = "What to run")]
    set: Vec<String>,

    /// Change a field of A
    #[arg(long, value_name = "PATH=VALUE", help_heading = "What to run")]
    set_a: Vec<String>,

    /// Change a field of B
    #[arg(long, value_name = "PATH=VALUE", help_heading = "What to run")]
    set_b: Vec<String>,

    /// On how many threads [default: one a processor]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_024))]
    jobs: Option<u16>,

    /// Show all metrics, also those that do not differ
    #[arg(long, conflicts_with = "format", help_heading = "Output")]
    all: bool,

    /// For whom
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    format: Format,
}

pub(crate) fn perform(arguments: &Arguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let table = ProtocolTable::builtin();
    let grid = Grid::of_sides(sides(arguments)?, arguments.seeds.clone(), &table)?;
    let [a, b] = [0, 1].map(|side| &grid.configurations[side]);
    let differences = differences([&a.loaded, &b.loaded]);
    if differences.is_empty() {
        return Err(same(arguments).into());
    }
    let services = [a, b].map(|side| Some(service(&side.loaded, &table)?.name().to_owned()));
    let setting = Setting { sides: [a, b], services, differences: &differences, seeds: grid.seeds.clone() };
    interrupt::listen();
    let sweep = Sweep::on(&table, arguments.jobs)?;
    if arguments.format == Format::Human {
        output.print(Heading { setting: &setting, threads: sweep.threads() })?;
        output.flush()?;
    }
    let watch = Stopwatch::start();
    let comparison = compared(&grid, &sweep, &watch);
    let document = Document::new(&setting, &comparison, code(&comparison, &grid));
    print(arguments, &document, &comparison, &watch, output)?;
    Ok(code(&comparison, &grid))
}

/// What each side is.
fn sides(arguments: &Arguments) -> Result<Vec<SideAsked<'_>>, Failure> {
    let Arguments { a, b, set, set_a, set_b, .. } = arguments;
    let b = b.as_ref().unwrap_or(a);
    Ok(vec![SideAsked::new(a, set, ("--set-a", set_a))?, SideAsked::new(b, set, ("--set-b", set_b))?])
}

fn same(arguments: &Arguments) -> Usage {
    let b = arguments.b.as_ref().unwrap_or(&arguments.a);
    Usage::new(
        format!("A and B are the same: `{}` and `{b}` differ in no field", arguments.a),
        "two sides that differ",
        "`--set-b protocol.pre_vote=true` changes a field of B alone; a second scenario is another side",
    )
}

/// Runs all pairs.
fn compared<'a>(grid: &'a Grid, sweep: &Sweep<'a>, watch: &Stopwatch) -> Comparison {
    let mut comparison = Comparison::default();
    sweep.whole(grid, watch, Kept::of, |kept| comparison.put(kept));
    comparison.finish();
    comparison
}

/// What it ends with: that B fails where A does not is what a pipeline wants to know.
fn code(comparison: &Comparison, grid: &Grid) -> ExitCode {
    let has = |kind| comparison.sides.iter().any(|side| side.verdicts.of(kind) > 0);
    let beyond: u64 = comparison.sides.iter().map(|side| side.verdicts.of(VerdictKind::BeyondPromise)).sum();
    if has(VerdictKind::InternalError) || has(VerdictKind::NonDeterminism) {
        ExitCode::INTERNAL
    } else if comparison.pairs * 2 < grid.len() {
        ExitCode::INTERRUPTED
    } else if comparison.failing.only_b > 0 {
        ExitCode::VIOLATION
    } else if has(VerdictKind::Inconclusive) {
        ExitCode::INCONCLUSIVE
    } else if beyond == grid.len() {
        ExitCode::BEYOND_PROMISE
    } else {
        ExitCode::PASS
    }
}

fn print(
    arguments: &Arguments,
    document: &Document,
    comparison: &Comparison,
    watch: &Stopwatch,
    output: &mut Output,
) -> Result<(), Failure> {
    match arguments.format {
        Format::Json => output.json(document),
        Format::Human => {
            let metrics = if arguments.all { MetricsShown::All } else { MetricsShown::Clearest };
            let (events, simulated_ns) = (comparison.events, comparison.simulated_ns);
            output.print(Body { document, metrics, events, simulated_ns, elapsed: watch.elapsed() })
        }
    }
}
