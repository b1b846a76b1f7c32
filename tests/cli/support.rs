//! Starting the program and looking at how it ended.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use scenarios::ProtocolTable;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_splitbrain");

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// What it ended with; -1 where a signal ended it.
    pub(crate) code: i32,
    /// What it printed.
    pub(crate) stdout: String,
    /// What it said.
    pub(crate) stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("what is printed is UTF-8");
        let code = output.status.code().unwrap_or(-1);
        Self { code, stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// The program, not yet started, in the root of the workspace.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    command.env_remove("SPLITBRAIN_LOG").stdin(Stdio::null());
    command
}

/// Runs the program to its end.
pub(crate) fn splitbrain(arguments: &[&str]) -> Ended {
    command(arguments).output().expect("the program starts").into()
}

/// Runs a line as a shell would.
pub(crate) fn shell(line: &str) -> Ended {
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("SPLITBRAIN_LOG");
    shell.output().expect("there is a shell").into()
}

/// Presses Ctrl-C as soon as the run has begun.
pub(crate) fn interrupted(arguments: &[&str]) -> Ended {
    let mut child = piped(arguments);
    let mut first = [0];
    child.stdout.as_mut().expect("piped").read_exact(&mut first).expect("a heading is printed");
    interrupt(&child);
    let mut ended = Ended::from(child.wait_with_output().expect("it ends"));
    ended.stdout.insert(0, char::from(first[0]));
    ended
}

/// Presses Ctrl-C as soon as the program has logged this.
pub(crate) fn interrupted_at(arguments: &[&str], logged: &str) -> Ended {
    let mut child = piped(arguments);
    let mut log = BufReader::new(child.stderr.take().expect("piped"));
    let mut said = String::new();
    while !said.contains(logged) {
        assert!(log.read_line(&mut said).expect("text") > 0, "`{logged}` was not logged, but:\n{said}");
    }
    interrupt(&child);
    log.read_to_string(&mut said).expect("text");
    let mut ended = Ended::from(child.wait_with_output().expect("it ends"));
    ended.stderr = said;
    ended
}

/// Kills the program, so that it can do nothing more, as soon as it has logged this.
pub(crate) fn killed_at(arguments: &[&str], logged: &str) {
    let mut child = piped(arguments);
    let mut log = BufReader::new(child.stderr.take().expect("piped"));
    let mut said = String::new();
    while !said.contains(logged) {
        assert!(log.read_line(&mut said).expect("text") > 0, "`{logged}` was not logged, but:\n{said}");
    }
    child.kill().expect("it runs");
    child.wait().expect("it has ended");
}

fn interrupt(child: &Child) {
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.expect("there is `kill`").success());
}

/// The program, started, with pipes for what it prints.
pub(crate) fn piped(arguments: &[&str]) -> Child {
    command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
}

/// A mutant that almost every seed catches: its voters don't look at the candidate's log.
pub(crate) fn easy_mutant() -> String {
    format!("protocol.mutant={}", easy_mutant_name())
}

/// The name of that mutant.
pub(crate) fn easy_mutant_name() -> &'static str {
    let about = ProtocolTable::builtin().find("raft").expect("it is built in").about();
    let mutant = about.mutants.into_iter().find(|mutant| mutant.name.ends_with("date-check"));
    mutant.expect("Raft has it").name
}

/// The line that begins like this.
pub(crate) fn line_of<'a>(text: &'a str, beginning: &str) -> &'a str {
    let found = text.lines().find(|line| line.starts_with(beginning));
    found.unwrap_or_else(|| panic!("no line begins with `{beginning}` in:\n{text}"))
}

/// Asserts the exit code, and that something is said on either stream.
pub(crate) fn code_and(ended: &Ended, code: i32, said: &str) {
    assert_eq!(ended.code, code, "{ended:?}");
    assert!(ended.stdout.contains(said) || ended.stderr.contains(said), "`{said}` is missing in {ended:?}");
}

/// An empty folder for one test.
pub(crate) fn folder(name: &str) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("the folder is ours");
    }
    fs::create_dir_all(&folder).expect("cargo's folder can be written to");
    folder.to_str().expect("cargo's folder is UTF-8").to_owned()
}

/// Writes a file below a folder, and gives its path.
pub(crate) fn write(folder: &str, name: &str, bytes: &[u8]) -> String {
    let path = Path::new(folder).join(name);
    fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("the folder is ours");
    fs::write(&path, bytes).expect("the folder is ours");
    path.to_str().expect("names are UTF-8").to_owned()
}
