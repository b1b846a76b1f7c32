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
