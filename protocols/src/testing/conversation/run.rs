//! Running the scripts of a folder.

use std::fs;
use std::path::{Path, PathBuf};

use super::Conversation;
use super::script::Script;
use super::stage::Stage;

/// Runs every script of `protocols/src/<folder>/conversations/`.
///
/// # Panics
/// If there is none, or with the differences of all that did not go as written. With `SPLITBRAIN_REWRITE=1` in the
/// environment, files get the outputs that came instead, unless a command failed.
pub(crate) fn run_all<P: Conversation>(folder: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder).join("conversations");
    let only = variable("SPLITBRAIN_ONLY").unwrap_or_default();
    let rewrites = variable("SPLITBRAIN_REWRITE").is_some_and(|value| value == "1");
    let files = files(&folder);
    assert!(!files.is_empty(), "no script in {}", folder.display());
    let chosen = files.iter().filter(|file| file.to_string_lossy().contains(&only));
    let failures: Vec<String> = chosen.filter_map(|file| failure::<P>(file, rewrites)).collect();
    let count = failures.len();
    let hint = "hint: where the new outputs (+) are right, SPLITBRAIN_REWRITE=1 puts them into the files";
    assert!(
        failures.is_empty(),
        "{count} of {} scripts failed\n\n{}\n{hint}",
        files.len(),
        failures.join("\n")
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "chooses which tests run and whether files are rewritten; reaches no world"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.expect("a readable folder").path());
    let mut files: Vec<_> = paths.filter(|path| path.extension().is_some_and(|ext| ext == "txt")).collect();
    files.sort();
    files
}

/// What is wrong with a file; `None` if nothing is, or no more.
fn failure<P: Conversation>(file: &Path, rewrites: bool) -> Option<String> {
    let text = fs::read_to_string(file).expect("a readable script");
    let played = play::<P>(&text);
    if rewrites && let Played { error: None, after, .. } = &played {
        fs::write(file, after).expect("a writable script");
        return None;
    }
    let report: Vec<String> = played.differences.into_iter().chain(played.error).collect();
    (!report.is_empty()).then(|| format!("{}\n{}", file.display(), report.join("\n")))
}

/// What became of a script.
pub(super) struct Played {
    /// How outputs differ from those expected.
    pub(super) differences: Vec<String>,
    /// What ended it early.
    pub(super) error: Option<String>,
    /// The text with the outputs that came.
    pub(super) after: String,
}

/// Plays a script from its first command to its last, or to one that fails.
pub(super) fn play<P: Conversation>(text: &str) -> Played {
    let mut differences = Vec::new();
    let mut script = match Script::parse(text) {
        Ok(script) => script,
        Err(error) => return Played { differences, error: Some(error), after: text.to_owned() },
    };
    let mut error = None;
    let mut stage: Option<Stage<P>> = None;
    for block in script.blocks() {
        match perform(&mut stage, &block.command) {
            Ok(output) => {
                differences.extend(block.difference(&output));
                block.output = output;
            }
            Err(reason) => {
                error = Some(format!("line {}: > {}\n  {reason}\n", block.line, block.command));
                break;
            }
        }
    }
    let end = stage.and_then(|stage| stage.missing_violation());
    Played { differences, error: error.or(end), after: script.text() }
}

fn perform<P: Conversation>(stage: &mut Option<Stage<P>>, command: &str) -> Result<Vec<String>, String> {
    if let Some(stage) = stage {
        return stage.command(command);
    }
    let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
    if name != "cluster" {
        return Err("the first command is `cluster`".to_owned());
    }
    *stage = Some(Stage::new(rest)?);
    Ok(Vec::new())
}
