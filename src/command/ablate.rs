//! `splitbrain ablate`: which kinds of fault failures need.

use std::ops::Range;

use clap::Args;
use scenarios::ProtocolTable;
use scenarios::plan::RandomFaults;

use super::Format;
use crate::ablate::{Ablation, Kind};
use crate::exit_code::ExitCode;
use crate::failure::{Failure, Usage};
use crate::interrupt;
use crate::output::Output;
use crate::report::VerdictKind;
use crate::report::ablate::{Body, Document, Heading, Setting};
use crate::sweep::{Configuration, Grid, Row, SideAsked, Stopwatch, Sweep, parse_seeds};

/// Say which kinds of fault failures need.
///
/// Each seed runs with all kinds of random fault, and once more without each of them; a kind that is left out leaves all
/// other faults where they are. A failure that is no longer there needs the kind. The other way round, a kind without which
/// as many runs fail finds nothing that the others do not find.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  splitbrain ablate raft/random-elections --set protocol.mutant=no-uptodate-check --seeds 0..20
  splitbrain ablate my.ron --seeds 0..500 --format json | jq '.kinds[] | select(.needed == 0) | .kind'
  splitbrain run raft/random-elections --set 'faults.random.off=[\"crash\"]'      one run without a kind

Exit codes:
    0  it was found what failures need
    2  wrong usage, a bad file, or a scenario without random faults
    4  no run failed, so there was nothing to find
   70  internal error
  130  interrupted; what was finished is printed")]
pub(crate) struct Arguments {
    /// A scenario file, or the name of a scenario of the library
    #[arg(value_name = "SCENARIO")]
    scenario: String,

    /// Which seeds: from FROM up to TO, without TO
    #[arg(long, value_name = "FROM..TO", value_parser = parse_seeds, default_value = "0..100", help_heading = "What to run")]
    seeds: Range<u64>,

    /// Change a field of the scenario: `nodes=3`, `protocol.mutant=no-uptodate-check`
    #[arg(long, value_name = "PATH=VALUE", help_heading = "What to run")]
    set: Vec<String>,

    /// On how many threads [default: one a processor]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_024))]
    jobs: Option<u16>,

    /// For whom
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    format: Format,
}

pub(crate) fn perform(arguments: &Arguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let table = ProtocolTable::builtin();
    let (kinds, grid) = grid(arguments, &table)?;
    interrupt::listen();
    let sweep = Sweep::on(&table, arguments.jobs)?;
    let setting = Setting { with: &grid.configurations[0], kinds: &kinds, seeds: grid.seeds.clone() };
    if arguments.format == Format::Human {
        output.print(Heading { setting: &setting, threads: sweep.threads() })?;
        output.flush()?;
    }
    let watch = Stopwatch::start();
    let ablation = ablated(&grid, kinds.len(), &sweep, &watch);
    let code = code(&ablation, &grid);
    let document = Document::new(&setting, &ablation, code);
    match arguments.format {
        Format::Json => output.json(&document)?,
        Format::Human => {
            let Ablation { events, simulated_ns, .. } = ablation;
            output.print(Body { document: &document, events, simulated_ns, elapsed: watch.elapsed() })?;
        }
    }
    Ok(code)
}

/// Each kind with what leaves it out; and all that is run.
fn grid(arguments: &Arguments, table: &ProtocolTable) -> Result<(Vec<Kind>, Grid), Failure> {
    let Arguments { scenario, set, seeds, .. } = arguments;
    let side = |off: &[String]| SideAsked::new(scenario, set, ("--set", off));
    let plain = Grid::of_sides(vec![side(&[])?], seeds.clone(), table)?;
    let kinds = kinds(&plain.configurations[0], table).ok_or_else(|| without_random(scenario))?;
    let mut sides = vec![side(&[])?];
    for Kind { off, .. } in &kinds {
        sides.push(side(std::slice::from_ref(off))?);
    }
    Ok((kinds, Grid::of_sides(sides, seeds.clone(), table)?))
}

/// The kinds of random fault that may come, with what leaves each out; `None` where there are none.
fn kinds(configuration: &Configuration, table: &ProtocolTable) -> Option<Vec<Kind>> {
    let scenario = &configuration.loaded.scenario;
    let kind = table.find(scenario.protocol.name()).expect("the scenario was loaded with this table");
    let names = RandomFaults::of(scenario, kind.sites(&scenario.protocol))?.kinds();
    let off_before = &scenario.faults.random.as_ref()?.off;
    let off = |name: &'static str| {
        let all = off_before.iter().map(String::as_str).chain([name]);
        let all: Vec<String> = all.map(|name| format!("\"{name}\"")).collect();
        Kind { name, off: format!("faults.random.off=[{}]", all.join(", ")) }
    };
    (!names.is_empty()).then(|| names.into_iter().map(off).collect())
}

fn without_random(scenario: &str) -> Usage {
    Usage::new(
        format!("`{scenario}` has no random faults"),
        "a scenario with `faults: (random: (…))`",
        "`splitbrain shrink` finds what one run with written faults needs",
    )
}

/// Runs all of it.
fn ablated<'a>(grid: &'a Grid, kinds: usize, sweep: &Sweep<'a>, watch: &Stopwatch) -> Ablation {
    let mut ablation = Ablation::new(kinds);
    sweep.whole(grid, watch, Row::of, |row| ablation.put(row));
    ablation.finish();
    ablation
}

fn code(ablation: &Ablation, grid: &Grid) -> ExitCode {
    if ablation.verdicts.of(VerdictKind::InternalError) > 0 {
        ExitCode::INTERNAL
    } else if ablation.verdicts.total() < grid.len() {
        ExitCode::INTERRUPTED
    } else if ablation.failures() == 0 {
        ExitCode::NOTHING_SELECTED
    } else {
        ExitCode::PASS
    }
}
