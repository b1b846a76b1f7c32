//! `splitbrain gui`: starts `splitbrain-gui`, which lies beside this program.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process;

use clap::Args;

use crate::exit_code::ExitCode;
use crate::failure::{Failure, Usage, reason};

const NAME: &str = "splitbrain-gui";

/// Start the visualiser.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  splitbrain gui raft/leader-crash
  splitbrain gui raft/steady --seed 3
  splitbrain gui failure.capsule.ron --at 1.5s
")]
pub(crate) struct Arguments {
    /// What the visualiser is given: a scenario, options
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

pub(crate) fn perform(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let program = beside_this().filter(|program| program.is_file()).ok_or_else(not_built)?;
    let status = process::Command::new(&program).args(&arguments.arguments).status();
    let status = status.map_err(|error| cannot_start(&program, &error))?;
    if status.success() {
        return Ok(ExitCode::PASS);
    }
    if status.code() == Some(i32::from(ExitCode::USAGE.number())) {
        return Ok(ExitCode::USAGE); // The visualiser has said what is wrong.
    }
    Err(Failure::Internal(format!("`{NAME}` ended with {status}")))
}

fn beside_this() -> Option<PathBuf> {
    let this = env::current_exe().ok()?;
    Some(this.with_file_name(format!("{NAME}{}", env::consts::EXE_SUFFIX)))
}

fn not_built() -> Failure {
    let place = beside_this().map_or_else(String::new, |path| format!(": `{}` is not there", path.display()));
    let build = "cargo build --release --workspace --bin splitbrain-gui";
    let allowed = format!("`{NAME}` beside this program");
    let hint = format!("build it with `{build}`");
    Usage::new(format!("the visualiser is not built{place}"), allowed, hint).into()
}

fn cannot_start(program: &Path, error: &std::io::Error) -> Failure {
    let message = format!("cannot start `{}`: {}", program.display(), reason(error));
    let hint = "look at who may run it, or build it again";
    Usage::new(message, "a program for this machine that may be run", hint).into()
}
