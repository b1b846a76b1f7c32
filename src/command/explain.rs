//! `splitbrain explain`: why the run of a capsule failed.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Args;
use rayon::prelude::*;
use scenarios::ProtocolTable;
use scenarios::explain::{Explanation, Job, Judge, Options, Refusal, explain};
use sim_core::Simulation;

use super::Format;
use crate::cli::quoted;
use crate::exit_code::ExitCode;
use crate::failure::{Failure, Usage};
use crate::input::open_capsule;
use crate::interrupt;
use crate::output::{NewFile, Output, talk_line};
use crate::report::explain::{Document, Drawing, Text};
use crate::sweep;

/// Say why the run of a capsule failed.
///
/// What was violated, and where that property is from; the events, messages and faults that led to it, in sentences and as
/// a space-time diagram; how the nodes stood; from when on nearly every other future would have failed as well; how far the
/// history is legal; and a scenario to test it with. The same capsule always gives the same explanation, on however many
/// processors.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  splitbrain run raft/random-swarm --seed 9 --set protocol.mutant=stale-read-no-heartbeat --save stale.capsule.ron
  splitbrain shrink stale.capsule.ron                       the smaller the run, the clearer the story
  splitbrain explain stale.shrunk.capsule.ron --svg stale.svg --test stale-test.ron
  splitbrain explain stale.shrunk.capsule.ron --format json | jq .inevitable.happening

Exit codes:
    0  it was explained
    2  wrong usage, a bad file, or a capsule whose run does not fail
   70  internal error
  130  interrupted; what is known so far is printed")]
pub(crate) struct Arguments {
    /// The capsule
    #[arg(value_name = "CAPSULE")]
    capsule: String,

    /// Draw the space-time diagram into this file
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    svg: Option<PathBuf>,

    /// Write the scenario of the regression test into this file
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    test: Option<PathBuf>,

    /// For whom
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    format: Format,

    /// With how many seeds each moment is tried for how inevitable the failure was, fewer in long runs; 0 leaves that out
    #[arg(long, value_name = "N", default_value_t = Options::default().samples, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    samples: u32,

    /// Stop trying moments when their runs together have had about so many events
    #[arg(long, value_name = "EVENTS", default_value_t = Options::default().events_max, value_parser = clap::value_parser!(u64).range(1..))]
    events_max: u64,

    /// How many lines the story has at most
    #[arg(long, value_name = "N", default_value_t = 45, value_parser = clap::value_parser!(u16).range(5..=10_000))]
    lines: u16,
}

pub(crate) fn perform(arguments: &Arguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let table = ProtocolTable::builtin();
    let opened = open_capsule(&arguments.capsule, &table)?;
    if !opened.capsule.is_of_this_version() {
        talk_line(format_args!(
            "the capsule was made by version {}, this is {}: its plan is followed, the run may differ",
            opened.capsule.made_by,
            scenarios::capsule::VERSION
        ));
    }
    refuse_one_place(arguments)?;
    // Before the runs, so that a place that cannot be written to is known at once.
    let svg = arguments.svg.as_deref().map(NewFile::create).transpose()?;
    let test = arguments.test.as_deref().map(NewFile::create).transpose()?;
    interrupt::listen();
    let options = Options {
        samples: arguments.samples,
        events_max: arguments.events_max,
        lines_max: usize::from(arguments.lines),
    };
    let mut progress = sweep::Progress::new();
    let explanation = {
        let mut runner = |judge: &Judge<'_>, jobs: Vec<Job>| {
            let outcome = |job| (!interrupt::is_asked()).then(|| judge.outcome(job));
            jobs.into_par_iter().map(outcome).collect()
        };
        let mut watch = |what: &str, runs: u64| {
            tracing::info!(runs, "{what}");
            progress.begin(what);
            progress.show(usize::try_from(runs).unwrap_or(usize::MAX));
        };
        let mut observer = |_: &dyn Simulation| {
            if interrupt::is_asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        explain(&opened, &table, &options, &mut observer, &mut runner, &mut watch)
    };
    progress.clear();
    let explanation = match explanation {
        Ok(explanation) => explanation,
        Err(Refusal::Passes(verdict)) => return Err(passes(&verdict, &arguments.capsule)),
        Err(Refusal::BrokenOff) => {
            talk_line(format_args!("interrupted before the run was replayed: nothing is known yet"));
            return Ok(ExitCode::INTERRUPTED);
        }
    };
    let kept = opened.capsule.digest.to_string();
    if opened.capsule.is_of_this_version() && explanation.digest != kept {
        talk_line(format_args!(
            "not the run of the capsule, which has digest {kept}: it was changed by hand"
        ));
    }
    if let Some(file) = svg {
        file.finish(&Drawing(&explanation).to_string())?;
    }
    if let Some(file) = test {
        file.finish(test_of(&explanation, arguments)?)?;
    }
    print(arguments, &explanation, output)?;
    if explanation.is_complete {
        return Ok(ExitCode::PASS);
    }
    talk_line(format_args!("interrupted: what stands above is what is known so far"));
    Ok(ExitCode::INTERRUPTED)
}

/// What is written must not take the place of the capsule, nor of what else is written.
fn refuse_one_place(arguments: &Arguments) -> Result<(), Failure> {
    let capsule = PathBuf::from(&arguments.capsule);
    let (svg, test) = (arguments.svg.as_ref(), arguments.test.as_ref());
    let pairs = [
        ("`--svg`", svg, "the capsule", Some(&capsule)),
        ("`--test`", test, "the capsule", Some(&capsule)),
        ("`--svg`", svg, "`--test`", test),
    ];
    for (one, path, other, taken) in pairs {
        if let Some((path, _)) = path.zip(taken).filter(|(one, other)| are_one_place(one, other)) {
            return Err(Usage::new(
                format!("{one} and {other} are the same file, `{}`", path.display()),
                "a file of its own for each",
                "give it another name",
            )
            .into());
        }
    }
    Ok(())
}

/// Whether two names are of one file, as far as is known before it is there.
fn are_one_place(one: &Path, other: &Path) -> bool {
    let whole = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    whole(one) == whole(other)
}

fn passes(verdict: &str, capsule: &str) -> Failure {
    Usage::new(
        format!("the run of `{capsule}` does not fail: {verdict}"),
        "a capsule whose run violates something",
        "`splitbrain replay` shows what the run is under this version of the program",
    )
    .into()
}

/// The scenario of the regression test.
fn test_of<'a>(explanation: &'a Explanation, arguments: &Arguments) -> Result<&'a str, Failure> {
    explanation.regression.scenario.as_deref().ok_or_else(|| {
        Usage::new(
            format!("the run of `{}` fails no longer when it is written as a scenario", arguments.capsule),
            "a failure that does not depend on times of a nanosecond and more",
            "keep the capsule itself: `splitbrain replay` repeats it",
        )
        .into()
    })
}

fn print(arguments: &Arguments, explanation: &Explanation, output: &mut Output) -> Result<(), Failure> {
    match arguments.format {
        Format::Json => {
            let document = Document::new(&arguments.capsule, explanation);
            output.json(&document)
        }
        Format::Human => {
            let test = arguments.test.as_ref().map(|path| quoted(&path.display().to_string()));
            let svg = arguments.svg.as_ref().map(|path| path.display().to_string());
            output.print(Text { explanation, test, svg })
        }
    }
}
