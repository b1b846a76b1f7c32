//! `splitbrain replay`: the run of a capsule, again.

use clap::Args;
use scenarios::ProtocolTable;

use super::run::Shown;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::input::open_capsule;
use crate::output::{Output, talk_line};
use crate::report::{Replayed, Report};
use crate::session::Session;

/// Run what a capsule keeps once more, and see that it is the same.
///
/// A capsule has the scenario, the seed, every command that was applied and the digest of the run. Its plan is followed,
/// nothing is drawn anew. Under the version of the program that made it, the digest must be equal; under another one the
/// run may differ, and what is printed is what that plan leads to now.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  splitbrain run raft/leader-crash --save run.capsule.ron   a capsule
  splitbrain replay run.capsule.ron                         the same run again
  splitbrain replay run.capsule.ron -v | less               every message of it

Exit codes:
    0  pass, or the violation that the scenario expects
    1  violation: safety, liveness, or a panic in a process
    2  wrong usage or a bad file
    3  inconclusive, or out of budget
    5  disks suffered beyond what the protocol promises to survive
   70  internal error, or not the run of the capsule though this version made it
  130  interrupted; what was reached is printed")]
pub(crate) struct Arguments {
    /// The capsule
    #[arg(value_name = "CAPSULE")]
    capsule: String,

    #[command(flatten)]
    shown: Shown,
}

pub(crate) fn perform(arguments: &Arguments, output: &mut Output) -> Result<ExitCode, Failure> {
    arguments.shown.check()?;
    let table = ProtocolTable::builtin();
    let opened = open_capsule(&arguments.capsule, &table)?;
    let (digest, made_by) = (opened.capsule.digest, opened.capsule.made_by.clone());
    if !opened.capsule.is_of_this_version() {
        talk_line(format_args!(
            "the capsule was made by version {made_by}, this is {}: its plan is followed, the run may differ",
            scenarios::capsule::VERSION
        ));
    }
    let session = Session::of_capsule(&arguments.capsule, opened, &table);
    arguments.shown.heading(&session, output)?;
    let ran = session.run(arguments.shown.watch());
    let mut report = Report::new(&session, &ran, None);
    if !ran.was_interrupted() {
        let equal = ran.run.report.digest == digest;
        report.compare(Replayed { equal, digest: digest.to_string(), made_by });
    }
    arguments.shown.body(&report, &ran, output)?;
    Ok(report.code())
}
