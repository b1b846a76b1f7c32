//! What README.md tells its readers to type works.

use std::fs;
use std::path::Path;

use crate::support::{self, folder, splitbrain, write};

fn readme() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    fs::read_to_string(path).expect("there is a README.md")
}

#[test]
fn every_example_of_the_readme_works_as_printed() {
    let readme = readme();
    let examples: Vec<&str> = readme.lines().filter(|line| line.starts_with("splitbrain ")).collect();
    assert!(examples.len() >= 8, "{examples:?}");
    for example in examples {
        let ended = support::shell(&example.replacen("splitbrain", support::PROGRAM, 1));
        assert_eq!(ended.code, 0, "{example}\n{}\n{}", ended.stdout, ended.stderr);
    }
}

#[test]
fn the_first_command_of_the_readme_prints_what_is_shown_there() {
    let readme = readme();
    let (_, rest) =
        readme.split_once("<!-- ci: first-run -->\n```sh\n").expect("the first command is marked");
    let (command, rest) = rest.split_once("\n```").expect("its block ends");
    let (_, rest) = rest.split_once("```text\n").expect("what it prints is shown");
    let (shown, _) = rest.split_once("\n```").expect("that block ends");
    let arguments = command.split_once(" -- ").expect("cargo runs the program").1;
    let ended = splitbrain(&arguments.split_whitespace().collect::<Vec<_>>());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let [printed, shown] = [&ended.stdout, shown].map(|text| without_wall_time(text.trim_end()));
    assert_eq!(printed, shown, "left: `{command}`; right: README.md");
}

/// A transcript without what differs from machine to machine: how long it took, and events a second.
fn without_wall_time(transcript: &str) -> Vec<String> {
    let masked = |line: &str| {
        let parts = line.strip_prefix("time ")?.split_once(" simulated in ")?;
        let (_, counted) = parts.1.split_once(": ")?;
        let (events, _) = counted.split_once(" events, ")?;
        Some(format!("time {} simulated: {events} events", parts.0))
    };
    transcript.lines().map(|line| masked(line).unwrap_or_else(|| line.to_owned())).collect()
}

#[test]
fn the_mask_of_wall_times_leaves_the_rest() {
    let lines = without_wall_time(
        "digest     ab\ntime       10.0s simulated in 58.8ms: 11,021 events, 187,399 a second",
    );
    assert_eq!(lines, ["digest     ab", "time       10.0s simulated: 11,021 events"]);
}

#[test]
fn the_scenario_in_the_readme_is_valid() {
    let readme = readme();
    let (_, rest) = readme.split_once("```ron\n").expect("there is one");
    let (scenario, _) = rest.split_once("```").expect("the block ends");
    let path = write(&folder("readme"), "my-first.ron", scenario.as_bytes());
    let ended = splitbrain(&["run", &path]);
    assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
}

#[test]
fn the_exit_codes_of_the_readme_are_those_of_the_help() {
    let help = splitbrain(&["--help"]).stdout;
    let (_, codes) = help.split_once("Exit codes:\n").expect("help has them");
    let readme = readme();
    for line in codes.lines() {
        let (code, meaning) = line.trim().split_once("  ").expect("a code and its meaning");
        assert!(readme.contains(&format!("| {code} | {}", meaning.trim())), "README.md lacks: {line}");
    }
}
