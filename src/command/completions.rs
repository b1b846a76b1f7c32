//! `splitbrain completions`: a script that lets a shell complete commands and options.

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use crate::cli::Cli;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;

/// Print a completion script for a shell.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  splitbrain completions bash > ~/.local/share/bash-completion/completions/splitbrain
  splitbrain completions fish > ~/.config/fish/completions/splitbrain.fish
")]
pub(crate) struct Arguments {
    /// For which shell
    shell: Shell,
}

pub(crate) fn perform(arguments: &Arguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    generate(arguments.shell, &mut Cli::command(), "splitbrain", &mut script);
    output.fill(|writer| writer.write_all(&script))?;
    Ok(ExitCode::PASS)
}
