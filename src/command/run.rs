//! `splitbrain run`: one run, judged.

use std::path::{Path, PathBuf};

use clap::{ArgAction, Args};
use scenarios::ProtocolTable;
use scenarios::export::{Detail, Lines};

use super::Format;
use crate::cli::quoted;
use crate::exit_code::ExitCode;
use crate::failure::{Failure, Usage};
use crate::input::Selection;
use crate::output::{NewFile, Output, talk_line};
use crate::report::{Body, Heading, Report, Timeline};
use crate::session::{Ran, Session, Watch};

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
  splitbrain run raft/leader-crash --save run.capsule.ron   keep it for `splitbrain replay`

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

    /// Keep the run in a capsule, a file that `splitbrain replay` repeats it from
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    save: Option<PathBuf>,

    #[command(flatten)]
    shown: Shown,
}

/// How a run is printed.
#[derive(Debug, Args)]
pub(crate) struct Shown {
    /// Show everything that happens, each message included; twice: with the cause of each
    #[arg(short, long, action = ArgAction::Count, help_heading = "Output")]
    verbose: u8,

    /// For whom
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    format: Format,
}

impl Shown {
    /// Refuses what contradicts itself.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.format == Format::Json && self.verbose > 0 {
            let message = "`--verbose` is text for people, and `--format json` was asked for";
            let hint = "`splitbrain trace --format jsonl` writes everything that happens";
            return Err(Usage::new(message, "one of the two", hint).into());
        }
        Ok(())
    }

    /// How much has to be recorded.
    pub(crate) const fn watch(&self) -> Watch {
        if self.verbose > 0 { Watch::Everything } else { Watch::Milestones }
    }

    /// Prints what is run, before it is.
    pub(crate) fn heading(&self, session: &Session<'_>, output: &mut Output) -> Result<(), Failure> {
        if self.format == Format::Human {
            output.print(Heading(&session.summary(), session.seed))?;
            output.flush()?;
        }
        Ok(())
    }

    /// Prints what came of it.
    pub(crate) fn body(&self, report: &Report, ran: &Ran, output: &mut Output) -> Result<(), Failure> {
        match self.format {
            Format::Json => output.json(report),
            Format::Human => {
                let detail = if self.verbose > 1 { Detail::Causes } else { Detail::Plain };
                let lines = Lines { simulation: ran.run.simulation.as_ref(), detail };
                let everything = self.verbose > 0;
                let timeline = if everything { Timeline::Everything(&lines) } else { Timeline::Milestones };
                output.print(Body { report, timeline })
            }
        }
    }
}

pub(crate) fn perform(arguments: &Arguments, output: &mut Output) -> Result<ExitCode, Failure> {
    arguments.shown.check()?;
    let table = ProtocolTable::builtin();
    let session = Session::new(&arguments.selection, &table)?;
    // Before the run, so that a place that cannot be written to is known at once.
    let capsule = arguments.save.as_deref().map(NewFile::create).transpose()?;
    arguments.shown.heading(&session, output)?;
    let ran = session.run(arguments.shown.watch());
    if let (Some(file), Some(path)) = (capsule, &arguments.save) {
        save(&session, &ran, path, file)?;
    }
    let twice = (arguments.twice && !ran.was_interrupted()).then(|| session.run_again(&ran));
    let was_cut = matches!(twice, Some(None));
    let report = Report::new(&session, &ran, twice.flatten());
    arguments.shown.body(&report, &ran, output)?;
    if was_cut {
        talk_line(format_args!("interrupted in the second run: nothing was compared"));
        return Ok(ExitCode::INTERRUPTED);
    }
    Ok(report.code())
}

/// Writes the capsule of a run. One that was interrupted would stop elsewhere the next time.
fn save(session: &Session<'_>, ran: &Ran, path: &Path, file: NewFile) -> Result<(), Failure> {
    if ran.was_interrupted() {
        talk_line(format_args!("interrupted: `{}` is not written", path.display()));
        return Ok(());
    }
    let command = format!("splitbrain replay {}", quoted(&path.display().to_string()));
    file.finish(&session.capsule(ran).to_text(session.loaded(), &command))
}
