//! `splitbrain trace`: all that happens in one run, for other tools.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use scenarios::ProtocolTable;
use scenarios::export::{self, Form};

use crate::exit_code::ExitCode;
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

/// A form of the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TraceFormat {
    /// A line for each record, for people.
    Text,
    /// A JSON object for each record, one a line.
    Jsonl,
    /// Chrome trace-event JSON: open it in <https://ui.perfetto.dev>.
    Chrome,
    /// A log with vector clocks for `ShiViz`.
    Shiviz,
}

impl From<TraceFormat> for Form {
    fn from(format: TraceFormat) -> Self {
        match format {
            TraceFormat::Text => Self::Text,
            TraceFormat::Jsonl => Self::Jsonl,
            TraceFormat::Chrome => Self::Chrome,
            TraceFormat::Shiviz => Self::Shiviz,
        }
    }
}

pub(crate) fn perform(arguments: &Arguments, stdout: &mut Output) -> Result<ExitCode, Failure> {
    let table = ProtocolTable::builtin();
    let session = Session::new(&arguments.selection, &table)?;
    session.written(Watch::Everything, arguments.output.as_deref(), stdout, |ran, output| {
        let (simulation, names) = (ran.run.simulation.as_ref(), session.names());
        output.fill(|writer| export::write(arguments.format.into(), simulation, &names, writer))?;
        Ok(format!("{} records", simulation.trace().map_or(0, sim_core::trace::Trace::len)))
    })
}
