//! Whatever people hand to the command line, there is one clear error, exit code 2, and no panic.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::support::{self, Ended, code_and, command, folder, piped, splitbrain, write};

fn is_refused(ended: &Ended, said: &[&str]) {
    assert_eq!(ended.code, 2, "{ended:?}");
    assert_eq!(ended.stderr.matches("error: ").count(), 1, "one clear error: {ended:?}");
    assert!(!ended.stderr.contains("panicked"), "{ended:?}");
    for said in said.iter().chain(&["= allowed: ", "= hint: "]) {
        assert!(ended.stderr.contains(said), "`{said}` is missing in:\n{}", ended.stderr);
    }
}

fn run_file(name: &str, bytes: &[u8]) -> Ended {
    splitbrain(&["run", &write(&folder(&format!("bad-{name}")), "bad.ron", bytes)])
}

#[test]
fn what_is_not_there_is_refused_with_the_nearest_name() {
    is_refused(&splitbrain(&["run", "raft/leadr-crash"]), &["the library has `raft/leader-crash`"]);
    is_refused(&splitbrain(&["run", "leader-crahs.ron"]), &["the library has `raft/leader-crash`"]);
    is_refused(&splitbrain(&["run", "xyzzy"]), &["neither a file nor a library scenario", "list scenarios"]);
}

#[test]
fn a_directory_is_refused() {
    is_refused(&splitbrain(&["run", "scenarios/library"]), &["is a directory", "hint:"]);
}

#[test]
fn an_empty_file_is_refused() {
    is_refused(&run_file("empty", b""), &["the file is empty", "bad.ron:1:1"]);
    is_refused(&run_file("blank", b" \n// nothing\n"), &["the file is empty"]);
}

#[test]
fn a_file_of_100_mb_is_refused_before_it_is_read() {
    let path = write(&folder("bad-large"), "bad.ron", b"");
    let file = File::options().write(true).open(&path).expect("just written");
    // A hole: it takes no space.
    file.set_len(100_000_000).expect("the file is ours");
    is_refused(&splitbrain(&["run", &path]), &["the file is too large", "100000000 bytes", "16 MiB"]);
}

#[test]
fn a_stream_without_end_is_refused() {
    is_refused(&splitbrain(&["run", "/dev/zero"]), &["the file is too large"]);
}

#[test]
fn bytes_that_are_no_text_are_refused_with_their_place() {
    is_refused(&run_file("bytes", b"Scenario(\n  name: \"\xFF\")"), &["not UTF-8", "bad.ron:2:10"]);
}

#[test]
fn mistakes_in_a_scenario_are_shown_with_their_line() {
    let head = "Scenario(format_version: 1, name: \"x\", protocol: Raft(),\n";
    let cases = [
        ("unknown field", "  nods: 5)", &["bad.ron:2:3", "`nods`", "did you mean `nodes`?"][..]),
        ("unclosed", "  nodes: 5", &["bad.ron:1:9", "never closed"]),
        ("wrong unit", "  phases: (faults: \"10parsecs\"))", &["bad.ron:2:", "10parsecs"]),
        ("no nodes", "  nodes: 0)", &["bad.ron:2:10"]),
        ("negative", "  nodes: -3)", &["bad.ron:2:10", "`-3` is out of range", "0 to 4294967295"]),
        ("fraction", "  nodes: 1.5)", &["bad.ron:2:10", "`1.5` is no whole number"]),
        ("no variant", "  ties: 3)", &["bad.ron:2:9", "`Fifo`, `Shuffled`"]),
        ("too many", "  clients: (count: 4294967295))", &["bad.ron:2:20", "0 to 10000"]),
        ("wrong form", "  network: (latency: Constant(\"5ms\")))", &["bad.ron:2:22", "write `\"5ms\"`"]),
        ("contradiction", "  clients: (think: \"1ms\", rate: \"5/s\"))", &["bad.ron:2:", "not both"]),
        ("no comma", "  nodes: 5 ties: Fifo)", &["bad.ron:2:12", "expected comma"]),
        ("missing node", "  faults: (timed: [(at: \"1s\", do: Crash(\"n9\"))]))", &["bad.ron:2:", "n9"]),
    ];
    for (name, rest, said) in cases {
        is_refused(&run_file(name, format!("{head}{rest}").as_bytes()), said);
    }
    let future = b"Scenario(format_version: 99, name: \"x\", protocol: Raft(), new_field: 1)";
    is_refused(&run_file("future", future), &["format version 99 is newer"]);
}

#[test]
fn wrong_options_are_refused() {
    is_refused(&splitbrain(&["run", "raft/steady", "--set", "nodes"]), &["the override has no `=`"]);
    is_refused(&splitbrain(&["run", "raft/steady", "--set", "nods=3"]), &["did you mean `nodes`?"]);
    is_refused(
        &splitbrain(&["run", "raft/steady", "--set", "nodes=3", "--set", "nodes=5"]),
        &["`nodes` is set twice", "keep one of `--set nodes=3` and `--set nodes=5`"],
    );
    is_refused(&splitbrain(&["run", "raft/steady", "--seed", "-5x"]), &["error: "]);
    is_refused(&splitbrain(&["run", "raft/steady", "--log", "sim_core=loud"]), &["is no filter", "allowed:"]);
    is_refused(&splitbrain(&["run", "raft/steady", "-v", "--format", "json"]), &["trace --format jsonl"]);
    is_refused(&splitbrain(&["run"]), &["required"]);
    is_refused(&splitbrain(&["frobnicate"]), &["frobnicate"]);
}

#[test]
fn a_place_that_cannot_be_written_to_is_refused() {
    let nowhere = format!("{}/missing/trace.json", folder("bad-output"));
    is_refused(&splitbrain(&["trace", "raft/steady", "-o", &nowhere]), &["cannot write", "no such file"]);
    is_refused(&splitbrain(&["trace", "raft/steady", "-o", "src"]), &["cannot write `src`"]);
}

#[test]
fn a_full_device_is_an_error() {
    let full = File::options().write(true).open("/dev/full").expect("Linux has it");
    let ended = command(&["list"]).stdout(full).output().expect("the program starts");
    is_refused(&ended.into(), &["cannot write to standard output", "no space"]);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    for arguments in [&["run", "raft/steady", "-v"][..], &["trace", "raft/steady"], &["list"]] {
        let mut child = piped(arguments);
        let mut line = String::new();
        let mut reader = BufReader::with_capacity(1, child.stdout.take().expect("piped"));
        reader.read_line(&mut line).expect("a line is printed");
        drop(reader);
        let ended = Ended::from(child.wait_with_output().expect("it ends"));
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{arguments:?}");
    }
}

#[test]
fn a_closed_standard_output_is_no_error() {
    let line = format!("{} list >&-", support::PROGRAM);
    code_and(&support::shell(&line), 0, "");
    let silent = command(&["run", "raft/steady"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert_eq!(silent.expect("the program starts").code(), Some(0));
}

#[test]
fn a_missing_visualiser_is_explained() {
    let alone = folder("no-gui");
    let copy = format!("{alone}/splitbrain");
    std::fs::copy(support::PROGRAM, &copy).expect("the folder is ours");
    let ended = support::shell(&format!("{copy} gui"));
    is_refused(&ended, &["the visualiser is not built", "cargo build"]);
}
