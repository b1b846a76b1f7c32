//! `splitbrain`: the simulator at the command line.
//!
//! ```text
//! arguments ─ cli ─► command::{run, check, list, trace, …} ─► scenarios ─► sim-core
//!                       │ report: what a run was, as text or data
//!                       ▼
//!                    output: the one place that prints
//! ```
//!
//! Rules kept here: data goes to standard output and talk to standard error; what a user can cause is a [`Failure`]
//! in the house format; every end has its documented [`ExitCode`]; the wall clock, the environment and threads,
//! which the libraries below may not touch, are touched here alone, each with its reason.

mod ablate;
mod cli;
mod command;
mod compare;
mod exit_code;
mod failure;
mod history;
mod input;
mod interrupt;
mod logging;
mod output;
mod panics;
mod report;
mod session;
mod sweep;
mod table;

use clap::Parser;

use crate::cli::Cli;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;

/// Histories, replies and messages are many small pieces: an allocator made for that saves a tenth of the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return cli::refuse(&error).into(),
    };
    panics::silence();
    let done = panics::catch(|| perform(&cli)).unwrap_or_else(|panic| Err(Failure::Internal(panic)));
    done.unwrap_or_else(|failure| explain(&failure)).into()
}

/// Does what the command line asks.
fn perform(cli: &Cli) -> Result<ExitCode, Failure> {
    if let Some(filter) = &cli.log {
        logging::start(filter)?;
    }
    let mut output = Output::stdout();
    let code = cli.command.perform(&mut output)?;
    output.flush()?;
    Ok(code)
}

/// Says why nothing came of it.
fn explain(failure: &Failure) -> ExitCode {
    output::talk(failure);
    if let Failure::Internal(_) = failure {
        output::talk_line(format_args!(
            "   = hint: please report this, with the command: {}",
            cli::as_typed()
        ));
    }
    failure.code()
}
