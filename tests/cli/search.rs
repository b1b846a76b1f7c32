//! Guided search: what it finds can be run again, and is the same on however many threads.

use std::fs;

use serde_json::Value;

use crate::support::{Ended, code_and, easy_mutant, folder, interrupted, splitbrain};

fn search(arguments: &[&str]) -> Ended {
    splitbrain(&[&["search"], arguments].concat())
}

/// The document of a search, without what depends on the machine.
fn document(arguments: &[&str]) -> Value {
    let ended = search(&[arguments, &["--format", "json"]].concat());
    let mut document: Value = serde_json::from_str(&ended.stdout)
        .unwrap_or_else(|error| panic!("one document: {error}\n{ended:?}"));
    document["processor_seconds"] = Value::Null;
    for failure in document["failures"].as_array_mut().expect("a list") {
        failure["processor_seconds"] = Value::Null;
    }
    document
}

#[test]
fn a_failure_that_was_found_is_a_capsule_that_replays() {
    let (mutant, out) = (easy_mutant(), folder("search-found"));
    let found =
        document(&["raft/random-elections", "--set", &mutant, "--until-failures", "3", "--out", &out]);
    assert_eq!(found["exit_code"], 1, "{found:#}");
    let failures = found["failures"].as_array().expect("a list");
    let count: u64 = failures.iter().filter_map(|failure| failure["count"].as_u64()).sum();
    assert_eq!(count, 3, "{found:#}");
    for failure in failures {
        let capsule = failure["capsule"].as_str().expect("it is written");
        let replayed = splitbrain(&["replay", capsule]);
        code_and(&replayed, 1, failure["what"].as_str().expect("a property"));
        assert!(!replayed.stderr.contains("differs"), "{replayed:?}");
    }
    assert_eq!(fs::read_dir(&out).expect("a folder").count(), failures.len(), "a file a kind of failure");
}

#[test]
fn what_is_searched_is_the_same_on_one_thread_and_on_two() {
    let (mutant, out) = (easy_mutant(), folder("search-threads"));
    let arguments = [
        "raft/random-transfers",
        "raft/random-leases",
        "--set",
        &mutant,
        "--runs",
        "150",
        "--until-failures",
        "9",
        "--out",
        &out,
    ];
    let [one, two] = ["1", "2"].map(|threads| document(&[&arguments[..], &["--jobs", threads]].concat()));
    assert_eq!(one, two);
    let other = document(&[&arguments[..], &["--seed", "5"]].concat());
    assert_ne!(one["events"], other["events"], "another seed searches other runs");
}

#[test]
fn the_right_protocol_passes_what_is_bred() {
    let found = document(&["paxos/random-elections", "vrr/random-views", "--runs", "100"]);
    assert_eq!((&found["exit_code"], &found["runs"]), (&Value::from(0), &Value::from(100)), "{found:#}");
    assert!(found["features"].as_u64() > Some(100) && found["kept"].as_u64() > Some(10), "{found:#}");
}

#[test]
fn a_search_that_is_interrupted_prints_what_was_done() {
    code_and(&interrupted(&["search", "raft/random-swarm", "--runs", "10000000"]), 130, "interrupted");
}

#[test]
fn what_cannot_be_searched_is_refused() {
    let cases: [(&[&str], &str); 5] = [
        (&["raft/steady"], "`steady` has no random faults"),
        (&["raft/random-swarn"], "the library has `raft/random-swarm`"),
        (&["raft/random-swarm", "--runs", "0"], "0"),
        (&["raft/random-swarm", "--time-budget", "0s"], "no run is done in no time"),
        (&["raft/random-swarm", "--seed", "one"], "a seed is a whole number"),
    ];
    for (arguments, said) in cases {
        code_and(&search(arguments), 2, said);
    }
}
