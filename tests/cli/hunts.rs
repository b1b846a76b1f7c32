//! Hunting mutants, and reproducing published numbers.

use crate::support::{code_and, easy_mutant_name, splitbrain};

#[test]
fn a_mutant_that_is_caught_is_shown_with_what_it_broke_and_the_right_protocol_passes() {
    let name = format!("raft/{}", easy_mutant_name());
    let ended = splitbrain(&["mutants", &name, "--seeds", "50", "--starts", "2"]);
    code_and(&ended, 0, &name);
    let row = ended.stdout.lines().find(|line| line.starts_with(&name));
    assert!(
        row.is_some_and(|row| row.contains("2/2") && row.contains("more-up-to-date-correct")),
        "{ended:?}"
    );
    assert!(ended.stdout.contains("raft without a bug") && ended.stderr.contains("--seed 0"), "{ended:?}");
}

#[test]
fn a_mutant_that_is_not_caught_fails() {
    let ended = splitbrain(&["mutants", "raft/commit-prior-term", "--seeds", "1", "--starts", "1"]);
    code_and(&ended, 1, "not caught in 1 seeds");
}

#[test]
fn a_guided_hunt_catches_as_well_and_the_right_protocol_passes_what_it_breeds() {
    let name = format!("raft/{}", easy_mutant_name());
    let guided = ["--search", "guided", "--seeds", "100", "--starts", "2"];
    let ended = splitbrain(&[&["mutants", &name][..], &guided].concat());
    code_and(&ended, 0, "2/2");
    assert!(ended.stdout.contains("raft without a bug"), "{ended:?}");
}

#[test]
fn each_catch_can_be_run_again() {
    let name = format!("raft/{}", easy_mutant_name());
    let ended = splitbrain(&["mutants", &name, "--seeds", "50", "--starts", "1", "--format", "json"]);
    let outcome: serde_json::Value = serde_json::from_str(&ended.stdout).expect("one document");
    assert_eq!(outcome["mutants"][0]["caught"], true);
    let caught = &outcome["mutants"][0]["starts"][0]["caught"];
    let (scenario, seed) = (caught["scenario"].as_str().expect("a name"), caught["seed"].to_string());
    let set = format!("protocol.mutant={}", easy_mutant_name());
    let again = splitbrain(&["run", scenario, "--seed", &seed, "--set", &set]);
    code_and(&again, 1, caught["property"].as_str().expect("a property"));
    let right = splitbrain(&["run", scenario, "--seed", &seed]);
    code_and(&right, 0, "verdict    pass");
}

#[test]
fn a_mutant_that_there_is_not_is_answered_by_the_nearest_name() {
    code_and(&splitbrain(&["mutants", "raft/commit-prior-tem"]), 4, "did you mean `raft/commit-prior-term`?");
    code_and(&splitbrain(&["mutants", "zab"]), 4, "there is no mutant `zab`");
}

#[test]
fn a_published_number_stands_beside_ours() {
    let ended = splitbrain(&["reproduce", "raft-earliest-timeout-4", "--runs", "1000"]);
    code_and(&ended, 0, "180ms");
    assert!(ended.stdout.contains("pass") && ended.stdout.contains("source: Ongaro"), "{ended:?}");
    let json = splitbrain(&["reproduce", "raft-earliest-timeout-4", "--runs", "1000", "--format", "json"]);
    let outcomes: serde_json::Value = serde_json::from_str(&json.stdout).expect("one document");
    assert_eq!(outcomes[0]["figures"][1]["expected"], "0.68");
}

#[test]
fn a_reproduction_that_there_is_not_is_answered_by_the_nearest_name() {
    code_and(
        &splitbrain(&["reproduce", "raft-earliest-timeout-5"]),
        4,
        "did you mean `raft-earliest-timeout-",
    );
}
