//! The command line: what may be written, and its help.

use clap::builder::Styles;
use clap::builder::styling::AnsiColor;
use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use crate::command::{
    ablate, check, compare, completions, explain, gui, history, list, man, mutants, replay, reproduce, run,
    search, shrink, sweep, trace,
};
use crate::exit_code::ExitCode;
use crate::failure::{Failure, Usage};
use crate::output::{Output, talk};

/// A deterministic simulator for distributed systems.
///
/// One seed decides everything: which messages are lost, which nodes crash, whom the clients ask. The same scenario and
/// the same seed give the same run, event by event, on every machine.
#[derive(Debug, Parser)]
#[command(name = "splitbrain", version, styles = STYLES, max_term_width = 110, after_help = after_help())]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Say what goes on inside, on standard error: `warn`, `debug`, or `sim_core=trace`
    #[arg(
        long,
        global = true,
        value_name = "FILTER",
        env = "SPLITBRAIN_LOG",
        help_heading = "Global options"
    )]
    pub(crate) log: Option<String>,
}

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// One thing to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a scenario and judge it
    Run(run::Arguments),
    /// Run scenarios with many seeds, and tell what failed
    Sweep(sweep::Arguments),
    /// Search for failures with plans bred from those that reached something new
    Search(search::Arguments),
    /// Run what a capsule keeps once more
    Replay(replay::Arguments),
    /// Make the failure in a capsule as small as it gets
    Shrink(shrink::Arguments),
    /// Say why the run of a capsule failed
    Explain(explain::Arguments),
    /// Compare two configurations, or two protocols, with the same seeds
    Compare(compare::Arguments),
    /// Say which kinds of fault failures need
    Ablate(ablate::Arguments),
    /// Validate scenario files without running them
    Check(check::Arguments),
    /// List scenarios, protocols, faults, checkers and workloads
    List(list::Arguments),
    /// Run a scenario and write its trace for other tools
    Trace(trace::Arguments),
    /// Check or convert histories, from this program or from another system
    History(history::Arguments),
    /// Hunt the wrong variants of the protocols with random faults
    Mutants(mutants::Arguments),
    /// Reproduce published numbers
    Reproduce(reproduce::Arguments),
    /// Start the visualiser
    Gui(gui::Arguments),
    /// Print a completion script for a shell
    Completions(completions::Arguments),
    /// Print the manual page
    Man(man::Arguments),
}

impl Command {
    /// Does it.
    pub(crate) fn perform(&self, output: &mut Output) -> Result<ExitCode, Failure> {
        match self {
            Self::Run(arguments) => run::perform(arguments, output),
            Self::Sweep(arguments) => sweep::perform(arguments, output),
            Self::Search(arguments) => search::perform(arguments, output),
            Self::Replay(arguments) => replay::perform(arguments, output),
            Self::Shrink(arguments) => shrink::perform(arguments, output),
            Self::Explain(arguments) => explain::perform(arguments, output),
            Self::Compare(arguments) => compare::perform(arguments, output),
            Self::Ablate(arguments) => ablate::perform(arguments, output),
            Self::Check(arguments) => check::perform(arguments, output),
            Self::List(arguments) => list::perform(arguments, output),
            Self::Trace(arguments) => trace::perform(arguments, output),
            Self::History(arguments) => history::perform(arguments, output),
            Self::Mutants(arguments) => mutants::perform(arguments, output),
            Self::Reproduce(arguments) => reproduce::perform(arguments, output),
            Self::Gui(arguments) => gui::perform(arguments),
            Self::Completions(arguments) => completions::perform(arguments, output),
            Self::Man(arguments) => man::perform(arguments, output),
        }
    }
}

fn after_help() -> String {
    let codes: Vec<ExitCode> = ExitCode::ALL.into_iter().map(|(code, _)| code).collect();
    let examples = "Examples:
  splitbrain list                                 what there is to run
  splitbrain run raft/leader-crash                run a scenario of the library with seed 0
  splitbrain run my.ron --seed 7 --set nodes=3    run a file of your own, with one field changed
  splitbrain trace raft/leader-crash --format chrome -o trace.json
";
    format!("{examples}\n{}", ExitCode::help(&codes))
}

/// Prints the help that was asked for, or says why the command line cannot be read.
pub(crate) fn refuse(error: &clap::Error) -> ExitCode {
    let code = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::PASS,
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => ExitCode::USAGE,
        _ => {
            talk(refusal(&error.to_string()));
            return ExitCode::USAGE;
        }
    };
    let _nobody_listens = error.print();
    code
}

/// What clap says, in the house format: its first paragraph, the values or the usage it names, its tip.
fn refusal(text: &str) -> Usage {
    let after = |prefix: &str| text.lines().find_map(|line| line.trim_start().strip_prefix(prefix));
    let values = after("[possible values: ").map(|values| values.trim_end_matches(']').to_owned());
    let usage = || after("Usage: ").map(|usage| format!("`{usage}`"));
    let allowed = values.or_else(usage).unwrap_or_else(|| "what `--help` says of it".to_owned());
    let paragraph = text.trim_start_matches("error: ").split("\n\n").next().unwrap_or(text);
    let message: Vec<&str> = paragraph.lines().filter(|line| !line.contains("[possible values: ")).collect();
    let hint = after("tip: ").unwrap_or("`--help` behind the command shows examples");
    Usage::new(message.join("\n"), allowed, hint)
}

/// The command line as it was typed, quoted for a shell.
pub(crate) fn as_typed() -> String {
    let words = std::env::args().skip(1).map(|word| quoted(&word));
    std::iter::once("splitbrain".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

/// A word as a shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=:,@%+".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_shows_examples() {
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Examples:\n  splitbrain "), "{} has none", command.get_name());
        }
    }

    #[test]
    fn what_a_shell_would_split_or_expand_is_quoted() {
        let cases = [("nodes=3", "nodes=3"), ("a b", "'a b'"), ("it's", r"'it'\''s'"), ("", "''")];
        for (word, expected) in cases {
            assert_eq!(quoted(word), expected);
        }
        assert_eq!(quoted("faults[0].at=1s"), "'faults[0].at=1s'");
    }
}
