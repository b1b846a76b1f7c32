//! Histories in files: of this program, and of Jepsen and what grew around it.
//!
//! ```text
//! bytes ─► edn, jsonl or log ─► entries, each with its line ─► build: a `History` in the words of a model
//!                                  └► write: the same entries in another form
//! ```
//!
//! The history of a run becomes entries, too (`recorded`), so that other checkers can read it.
//!
//! An entry says that a process invoked an operation, or how it ended: `ok`, `fail` (it certainly did not happen) or
//! `info` (nobody knows). All three forms have the same fields; the book's chapter on linearizability lists them.

mod build;
mod edn;
mod entry;
mod item;
mod jsonl;
mod log;
mod outcome;
mod problem;
mod recorded;
mod write;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use clap::ValueEnum;

pub(crate) use self::build::{Built, FailedCas, Model, build};
pub(crate) use self::entry::Entry;
pub(crate) use self::problem::Problem;
pub(crate) use self::recorded::entries_of;
pub(crate) use self::write::{Form, write};
use crate::failure::{Failure, Usage};

/// The largest history that is read: 256 MiB.
const LEN_MAX: u64 = 256 << 20;

/// In which form a file is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Input {
    /// Whatever its first character shows.
    #[default]
    Auto,
    /// EDN: a vector of maps, or a map a line.
    Edn,
    /// JSON lines: an object a line.
    Jsonl,
    /// Lines of Jepsen's console log.
    Log,
}

/// Reads the entries of a file; `-` is standard input.
pub(crate) fn read(path: &Path, input: Input) -> Result<Vec<Entry>, Failure> {
    let name = path.display().to_string();
    let text = read_text(path, &name)?;
    entries(&text, input).map_err(|problem| problem.in_file(&name))
}

/// The entries of a text.
pub(crate) fn entries(text: &str, input: Input) -> Result<Vec<Entry>, Problem> {
    match input {
        Input::Auto => entries(text, detect(text)),
        Input::Edn => edn::entries(text),
        Input::Jsonl => jsonl::entries(text),
        Input::Log => log::entries(text),
    }
}

/// What the first characters show.
fn detect(text: &str) -> Input {
    let mut letters = text.trim_start().chars();
    match letters.next() {
        Some('{') if matches!(letters.find(|letter| !letter.is_whitespace()), Some('"' | '}')) => {
            Input::Jsonl
        }
        // An array of JSON objects, which JSON lines refuse with a hint.
        Some('[') if is_json_array(letters.as_str()) => Input::Jsonl,
        Some('{' | '[' | '(' | ';' | '#') => Input::Edn,
        _ => Input::Log,
    }
}

/// Whether what follows a `[` is an object of JSON.
fn is_json_array(rest: &str) -> bool {
    let object = rest.trim_start().strip_prefix('{');
    object.is_some_and(|object| object.trim_start().starts_with('"'))
}

fn read_text(path: &Path, name: &str) -> Result<String, Failure> {
    let cannot = |error: io::Error| Usage::read(name, &error);
    if path.is_dir() {
        return Err({
            let hint = "name one of the files in it";
            Usage::new(format!("`{name}` is a directory"), "a history file", hint).into()
        });
    }
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        io::stdin().lock().take(LEN_MAX + 1).read_to_end(&mut bytes).map_err(cannot)?;
    } else {
        File::open(path).map_err(cannot)?.take(LEN_MAX + 1).read_to_end(&mut bytes).map_err(cannot)?;
    }
    if bytes.len() as u64 > LEN_MAX {
        return Err({
            let hint = "histories of separate keys can be checked one by one";
            Usage::new(format!("`{name}` is too large"), "up to 256 MiB", hint).into()
        });
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + String::from_utf8_lossy(valid).matches('\n').count();
        Problem::new(line, "this is not UTF-8").hint("histories are text").in_file(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_a_file_shows_at_its_beginning() {
        for (text, form) in [
            ("{\"process\": 0}", Input::Jsonl),
            ("{:process 0}", Input::Edn),
            ("[ {\"process\": 0}]", Input::Jsonl),
            ("[{:process 0}]", Input::Edn),
            ("\n; a comment\n[]", Input::Edn),
            ("({:process 0})", Input::Edn),
            ("#jepsen.history.Op{:process 0}", Input::Edn),
            ("INFO  jepsen.util - 0\t:invoke\t:read\tnil", Input::Log),
        ] {
            assert_eq!(detect(text), form, "{text}");
        }
    }
}
