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
  splitbrain man history check | man -l -
")]
pub(crate) struct Arguments {
    /// Of which command; of a command of its own, both names [default: of the program]
    command: Vec<String>,
}

pub(crate) fn perform(arguments: &Arguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let page = Man::new(find(&arguments.command)?);
    let mut text = Vec::new();
    page.render(&mut text).map_err(|error| Failure::write("the manual page", &error))?;
    output.fill(|writer| writer.write_all(&text))?;
    Ok(ExitCode::PASS)
}

/// The program, or one of its commands under its full name.
fn find(names: &[String]) -> Result<clap::Command, Failure> {
    let mut found = Cli::command();
    found.build();
    for name in names {
        let command = found.find_subcommand(name).ok_or_else(|| no_command(name, &found))?;
        let full = format!("{}-{name}", found.get_name());
        found = command.clone().name(full);
    }
    Ok(found)
}

fn no_command(name: &str, above: &clap::Command) -> Failure {
    let names: Vec<_> = above.get_subcommands().map(|command| format!("`{}`", command.get_name())).collect();
    let allowed = if names.is_empty() { "nothing more".to_owned() } else { names.join(", ") };
    let hint = "leave the name out for the page of what stands before it";
    Usage::new(format!("there is no command `{name}`"), allowed, hint).into()
}
