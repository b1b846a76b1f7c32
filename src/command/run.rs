//! `splitbrain run`: one run, judged.

use clap::{ArgAction, Args};
use scenarios::ProtocolTable;

use super::Format;
use crate::exit_code::ExitCode;
use crate::export::{Detail, Lines};
use crate::failure::{Failure, Usage};
use crate::input::Selection;
use crate::output::{Output, talk_line};
use crate::report::{Body, Heading, Report, Timeline};
use crate::session::{Session, Watch};

/// Run a scenario and judge it.
///
/// Prints what mattered (elections, crashes, faults, violations), what was counted, and a verdict. A run that fails
/// ends with a command that replays it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  splitbrain run raft/leader-crash                  a scenario of the library, seed 0
  splitbrain run my.ron --seed random               a file, a seed that nobody chose
  splitbrain run raft/leader-crash --set nodes=3 --set network.loss=0.05
  splitbrain run raft/leader-crash -v | less        every message
  splitbrain run raft/leader-crash --format json | jq .verdict
  splitbrain run raft/leader-crash --twice          the same again, and where they part if they do

Exit codes:
    0  pass, or the violation that the scenario expects
    1  violation: safety, liveness, or a panic in a process
    2  wrong usage or a bad file
    3  inconclusive, or out of budget
    5  disks suffered beyond what the protocol promises to survive
   70  internal error, or a run made twice differs
  130  interrupted; what was reached is printed")]
pub(crate) struct Arguments {
    #[command(flatten)]
    selection: Selection,

    /// Run it twice and name the first event at which the runs part
    #[arg(long, help_heading = "What to run")]
    twice: bool,

    /// Show everything that happens, each message included; twice: with the cause of each
    #[arg(short, long, action = ArgAction::Count, help_heading = "Output")]
    verbose: u8,

    /// For whom
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    format: Format,
}

pub(crate) fn perform(arguments: &Arguments, output: &mut Output) -> Result<ExitCode, Failure> {
    if arguments.format == Format::Json && arguments.verbose > 0 {
        let message = "`--verbose` is text for people, and `--format json` was asked for";
        let hint = "`splitbrain trace --format jsonl` writes everything that happens";
        return Err(Usage::new(message, "one of the two", hint).into());
    }
    let table = ProtocolTable::builtin();
    let session = Session::new(&arguments.selection, &table)?;
    let heading = Heading(&session.summary(), session.seed).to_string();
    if arguments.format == Format::Human {
        output.print(heading)?;
        output.flush()?;
    }
    run(arguments, &session, output)
}

fn run(arguments: &Arguments, session: &Session<'_>, output: &mut Output) -> Result<ExitCode, Failure> {
    let watch = if arguments.verbose > 0 { Watch::Everything } else { Watch::Milestones };
    let ran = session.run(watch);
    let twice = (arguments.twice && !ran.was_interrupted()).then(|| session.run_again(&ran));
    let was_cut = matches!(twice, Some(None));
    let report = Report::new(session, &ran, twice.flatten());
    match arguments.format {
        Format::Json => output.fill(|writer| {
            serde_json::to_writer_pretty(&mut *writer, &report)?;
            writer.write_all(b"\n")
        })?,
        Format::Human => {
            let detail = if arguments.verbose > 1 { Detail::Causes } else { Detail::Plain };
            let lines = Lines { simulation: ran.run.simulation.as_ref(), detail };
            let everything = arguments.verbose > 0;
            let timeline = if everything { Timeline::Everything(&lines) } else { Timeline::Milestones };
            output.print(Body { report: &report, timeline })?;
        }
    }
    if was_cut {
        talk_line(format_args!("interrupted in the second run: nothing was compared"));
        return Ok(ExitCode::INTERRUPTED);
    }
    Ok(report.code())
}
