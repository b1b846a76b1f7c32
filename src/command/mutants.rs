//! `splitbrain mutants`: whether the checkers catch the wrong variants of the protocols, and how soon.

mod hunt;
mod outcome;

use clap::Args;
use scenarios::ProtocolTable;

use self::hunt::{Hunt, Quarry, Strategy};
use self::outcome::{Outcome, Table};
use super::Format;
use crate::exit_code::ExitCode;
use crate::failure::{Failure, Usage};
use crate::input::{Seed, parse_seed};
use crate::interrupt;
use crate::output::{Output, talk_line};
use crate::sweep::Progress;

/// Hunt the wrong variants of the protocols with random faults.
///
/// Each mutant has one bug. It runs in the random scenarios of its protocol (those of the library that say `hunt: true`)
/// with one fresh seed after the other until a checker catches it; scenarios and faults are the same for all mutants
/// and don't know them. The right protocol runs with the same seeds and must pass. Figures are medians of the starts.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  splitbrain mutants                              all of all protocols
  splitbrain mutants raft --seeds 2000            those of Raft, up to 2,000 seeds a start
  splitbrain mutants raft/commit-prior-term --seed random
  splitbrain mutants --format json | jq '.mutants[] | select(.caught | not)'

Exit codes:
    0  every mutant was caught, and the right protocols pass
    1  a mutant was not caught, or a right protocol does not pass
    2  wrong usage
    4  there is no such mutant
  130  interrupted; what was finished is printed")]
pub(crate) struct Arguments {
    /// A protocol, or one of its mutants (`splitbrain list mutants`) [default: all]
    #[arg(value_name = "PROTOCOL[/NAME]")]
    what: Option<String>,

    /// How many seeds a start tries at most
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..), help_heading = "How long")]
    seeds: u64,

    /// From how many starts the medians are
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1_000), help_heading = "How long")]
    starts: u32,

    /// What the seeds are derived from: a number, or `random` to have one drawn and shown
    #[arg(long, value_name = "N|random", default_value = "0", value_parser = parse_seed, help_heading = "How long")]
    seed: Seed,

    /// How runs are chosen
    #[arg(long, value_enum, default_value_t, help_heading = "How long")]
    search: Strategy,

    /// For whom
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    format: Format,
}

pub(crate) fn perform(arguments: &Arguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let table = ProtocolTable::builtin();
    let quarries = selected(arguments.what.as_deref(), &table)?;
    interrupt::listen();
    let start_seed = arguments.seed.number();
    talk_line(format_args!(
        "seeds are derived from {start_seed}: `--seed {start_seed}` tries the same again"
    ));
    let hunt = Hunt {
        table: &table,
        start_seed,
        starts: arguments.starts,
        seeds: arguments.seeds,
        strategy: arguments.search,
    };
    let mut outcome = Outcome::new(&hunt);
    let mut progress = Progress::new();
    let mut rows = Table::new(&quarries, arguments.format);
    for quarry in &quarries {
        hunt_all(&hunt, quarry, &mut outcome, &mut rows, &mut progress, output)?;
        if interrupt::is_asked() {
            break;
        }
    }
    progress.clear();
    outcome.was_interrupted = interrupt::is_asked();
    if arguments.format == Format::Json {
        output.json(&outcome)?;
    }
    Ok(outcome.code())
}

/// Hunts the mutants of one protocol, and then runs the right protocol with the same seeds.
fn hunt_all(
    hunt: &Hunt<'_>,
    quarry: &Quarry,
    outcome: &mut Outcome,
    rows: &mut Table,
    progress: &mut Progress,
    output: &mut Output,
) -> Result<(), Failure> {
    let mut longest = 0;
    for mutant in &quarry.mutants {
        let Some(caught) = hunt.mutant(quarry, mutant, progress)? else { return Ok(()) };
        longest = longest.max(caught.longest());
        print_row(rows.mutant(&caught), progress, output)?;
        outcome.mutants.push(caught);
    }
    let Some(control) = hunt.control(quarry, longest, progress)? else { return Ok(()) };
    print_row(rows.control(&control), progress, output)?;
    outcome.controls.push(control);
    Ok(())
}

fn print_row(row: Option<String>, progress: &mut Progress, output: &mut Output) -> Result<(), Failure> {
    let Some(row) = row else { return Ok(()) };
    progress.clear();
    output.print(row)?;
    output.flush()
}

/// The mutants that are asked for, by protocol.
fn selected(what: Option<&str>, table: &ProtocolTable) -> Result<Vec<Quarry>, Failure> {
    let (protocol, mutant) = match what.map(|what| what.split_once('/').unwrap_or((what, ""))) {
        Some((protocol, mutant)) => (Some(protocol), Some(mutant).filter(|mutant| !mutant.is_empty())),
        None => (None, None),
    };
    let mut all = Quarry::all(table);
    // Folders of scenarios are written with hyphens.
    let is_meant = |name: &str, wanted: &str| name == wanted.replace('-', "_");
    all.retain(|quarry| protocol.is_none_or(|wanted| is_meant(&quarry.protocol, wanted)));
    for quarry in &mut all {
        quarry.mutants.retain(|about| mutant.is_none_or(|name| about.name == name));
    }
    all.retain(|quarry| !quarry.mutants.is_empty());
    if all.is_empty() { Err(nothing(what.unwrap_or_default(), table)) } else { Ok(all) }
}

fn nothing(what: &str, table: &ProtocolTable) -> Failure {
    let names: Vec<String> = Quarry::all(table).iter().flat_map(Quarry::names).collect();
    let protocols = Quarry::all(table).into_iter().map(|quarry| quarry.protocol);
    let names: Vec<String> = names.into_iter().chain(protocols).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let message = format!("there is no mutant `{what}`");
    let allowed = "a mutant, or a protocol for all of its mutants";
    Usage::unknown(message, allowed, what, &names, "`splitbrain list mutants` shows all").into()
}
