//! `splitbrain man`: the manual page, of the program or of one command.

use clap::{Args, CommandFactory};
use clap_mangen::Man;

use crate::cli::Cli;
use crate::exit_code::ExitCode;
use crate::failure::{Failure, Usage};
use crate::output::Output;

/// Print the manual page.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  splitbrain man | man -l -
  splitbrain man run > splitbrain-run.1
")]
pub(crate) struct Arguments {
    /// Of which command [default: of the program]
    command: Option<String>,
}

pub(crate) fn perform(arguments: &Arguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let page = Man::new(find(arguments.command.as_deref())?);
    let mut text = Vec::new();
    page.render(&mut text).map_err(|error| Failure::write("the manual page", &error))?;
    output.fill(|writer| writer.write_all(&text))?;
    Ok(ExitCode::PASS)
}

/// The program, or one of its commands under its full name.
fn find(name: Option<&str>) -> Result<clap::Command, Failure> {
    let mut program = Cli::command();
    program.build();
    let Some(name) = name else { return Ok(program) };
    if let Some(command) = program.find_subcommand(name) {
        return Ok(command.clone().name(format!("splitbrain-{name}")));
    }
    let names: Vec<_> =
        program.get_subcommands().map(|command| format!("`{}`", command.get_name())).collect();
    let hint = "leave the name out for the page of the program";
    Err(Usage::new(format!("there is no command `{name}`"), names.join(", "), hint).into())
}
