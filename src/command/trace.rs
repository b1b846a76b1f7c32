//! `splitbrain trace`: all that happens in one run, for other tools.

use std::path::PathBuf;

use clap::Args;
use scenarios::ProtocolTable;

use crate::exit_code::ExitCode;
use crate::export::{self, TraceFormat};
use crate::failure::Failure;
use crate::input::Selection;
use crate::output::Output;
use crate::session::{Session, Watch};

/// Run a scenario and write its trace for other tools.
///
/// The trace has every delivery, drop, timer, sync, request, reply, crash and command, each with what caused it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  splitbrain trace raft/leader-crash | grep n3
  splitbrain trace raft/leader-crash --format jsonl | jq 'select(.kind == \"drop\")'
  splitbrain trace raft/leader-crash --format chrome -o trace.json      for https://ui.perfetto.dev
  splitbrain trace raft/leader-crash --format shiviz -o trace.log       for https://bestchai.bitbucket.io/shiviz/

Exit codes:
    0  the trace was written, whatever the verdict of the run
    2  wrong usage, a bad file, or a place that cannot be written to
  130  interrupted; what was reached is written")]
pub(crate) struct Arguments {
    #[command(flatten)]
    selection: Selection,

    /// In which form
    #[arg(long, value_enum, default_value = "text", help_heading = "Output")]
    format: TraceFormat,

    /// Where to [default: standard output]
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,
}

pub(crate) fn perform(arguments: &Arguments, stdout: &mut Output) -> Result<ExitCode, Failure> {
    let table = ProtocolTable::builtin();
    let session = Session::new(&arguments.selection, &table)?;
    session.written(Watch::Everything, arguments.output.as_deref(), stdout, |ran, output| {
        let (simulation, names) = (ran.run.simulation.as_ref(), session.names());
        output.fill(|writer| export::write(arguments.format, simulation, &names, writer))?;
        Ok(format!("{} records", simulation.trace().map_or(0, sim_core::trace::Trace::len)))
    })
}
