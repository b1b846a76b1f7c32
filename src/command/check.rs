//! `splitbrain check`: whether scenario files say something that could be run.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use scenarios::protocol::ProtocolTable;

use crate::exit_code::ExitCode;
use crate::failure::{Failure, Usage};
use crate::input;
use crate::output::{Output, talk};

/// Validate scenario files without running them.
///
/// Every file is read and checked as `run` would; each that is wrong is reported, not only the first.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  splitbrain check my.ron
  splitbrain check scenarios/library      every .ron file in it, at any depth

Exit codes:
    0  all files are valid
    2  a file is wrong or cannot be read
    4  there was no .ron file to check")]
pub(crate) struct Arguments {
    /// Files, and directories to look for .ron files in
    #[arg(required = true, value_name = "FILE")]
    paths: Vec<PathBuf>,
}

pub(crate) fn perform(arguments: &Arguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let mut files = Vec::new();
    for path in &arguments.paths {
        collect(path, &mut files)?;
    }
    if files.is_empty() {
        let hint = "name files, or directories that have some";
        let failure = Usage::new("there is no .ron file to check", "one .ron file and more", hint);
        return Err(failure.code(ExitCode::NOTHING_SELECTED).into());
    }
    let table = ProtocolTable::builtin();
    let mut wrong_count = 0_usize;
    for file in &files {
        match input::load_file(file, &[], &table) {
            Ok(loaded) => {
                output.print(format_args!("ok     {} ({})\n", file.display(), loaded.scenario.name))?;
            }
            Err(failure) => {
                wrong_count += 1;
                output.print(format_args!("wrong  {}\n", file.display()))?;
                output.flush()?;
                talk(failure);
            }
        }
    }
    output.print(format_args!("{} valid, {wrong_count} wrong\n", files.len() - wrong_count))?;
    Ok(if wrong_count == 0 { ExitCode::PASS } else { ExitCode::USAGE })
}

/// A file as it is named; of a directory, the .ron files in it, in order of name.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let listed = fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let listed = listed.map_err(|error| Usage::read(path.display(), &error))?;
    let mut inside: Vec<PathBuf> = listed.into_iter().map(|entry| entry.path()).collect();
    inside.sort();
    for path in inside {
        let is_link = path.is_symlink();
        if (path.is_dir() && !is_link) || path.extension().is_some_and(|extension| extension == "ron") {
            collect(&path, files)?;
        }
    }
    Ok(())
}
