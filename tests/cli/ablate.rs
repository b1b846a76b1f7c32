//! Ablations: which kinds of fault failures need.

use serde_json::Value;

use crate::support::{Ended, PROGRAM, code_and, easy_mutant, folder, interrupted, shell, splitbrain, write};

fn ablate(arguments: &[&str]) -> Ended {
    splitbrain(&[&["ablate"], arguments].concat())
}

fn document(arguments: &[&str]) -> Value {
    let ended = ablate(&[arguments, &["--format", "json"]].concat());
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("one document: {error}\n{ended:?}"))
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("a count, not {value}"))
}

#[test]
fn what_a_failure_needs_is_what_it_does_not_happen_without() {
    let mutant = easy_mutant();
    let document = document(&["raft/random-transfers", "--set", &mutant, "--seeds", "0..5"]);
    let failures = count(&document["failures"]);
    assert!(failures >= 2 && document["exit_code"] == 0 && document["seeds"] == 5, "{document:#}");
    let kinds = document["kinds"].as_array().expect("a list");
    let needed = kinds.iter().find(|kind| count(&kind["needed"]) > 0).expect("the failures need something");
    for kind in kinds {
        let (without, new) = (count(&kind["failures"]), count(&kind["new"]));
        assert!(without >= new && without + count(&kind["needed"]) >= failures, "{kind:#}");
        assert!(kind["low"].as_f64() <= kind["difference"].as_f64(), "{kind:#}");
    }
    let causes = document["causes"].as_array().expect("a list");
    assert_eq!(causes.iter().map(|cause| count(&cause["count"])).sum::<u64>(), failures);
    let cause = &causes[0];
    let replay = cause["replay"].as_str().expect("a command").replacen("splitbrain", PROGRAM, 1);
    assert_eq!(shell(&replay).code, 1, "{replay}");
    // As many of the seeds as are counted fail without the kind, run one by one.
    let off = needed["set"].as_str().expect("an override");
    let run = |seed: u32| {
        splitbrain(&[
            "run",
            "raft/random-transfers",
            "--set",
            &mutant,
            "--seed",
            &seed.to_string(),
            "--set",
            off,
        ])
    };
    assert_eq!(
        (0..5).filter(|seed| run(*seed).code == 1).count() as u64,
        count(&needed["failures"]),
        "{off}"
    );
}

#[test]
fn what_comes_out_is_the_same_on_one_thread_and_on_two() {
    let mutant = easy_mutant();
    let arguments = ["raft/random-transfers", "--set", &mutant, "--seeds", "2..6"];
    let [one, two] = ["1", "2"].map(|threads| document(&[&arguments[..], &["--jobs", threads]].concat()));
    assert_eq!(one, two);
}

#[test]
fn where_nothing_fails_there_is_nothing_to_find() {
    let short = ["--set", "phases.faults=3s", "--seeds", "0..2"];
    code_and(&ablate(&[&["raft/random-transfers"][..], &short].concat()), 4, "there was nothing to find");
}

#[test]
fn a_kind_that_is_off_leaves_no_fault_and_is_not_ablated() {
    let all = ["leader-latency", "leader-isolation", "leader-pauses", "leadership-transfer", "latency"];
    let off = format!("faults.random.off={all:?}");
    let document = document(&["raft/random-transfers", "--set", &off, "--seeds", "0..1"]);
    assert_eq!(document["kinds"].as_array().map(Vec::len), Some(1), "{document:#}");
    assert_eq!(document["kinds"][0]["name"], "cut");
    assert!(
        document["kinds"][0]["set"]
            .as_str()
            .is_some_and(|set| set.contains("leader-pauses") && set.ends_with("\"cut\"]"))
    );
}

#[test]
fn an_ablation_that_is_interrupted_prints_what_was_finished() {
    let ended =
        interrupted(&["ablate", "raft/random-transfers", "--set", &easy_mutant(), "--seeds", "0..1000000"]);
    code_and(&ended, 130, "of 1,000,000: interrupted");
}

#[test]
fn what_cannot_be_ablated_is_refused() {
    let broken = write(&folder("ablate"), "broken.ron", b"Scenario(format_version: 1, nodes: 0)");
    let cases: [(&[&str], &str); 5] = [
        (&["raft/steady"], "has no random faults"),
        (&["raft/random-transfer"], "the library has `raft/random-transfers`"),
        (&["raft/random-transfers", "--set", "faults.random.off=[\"cutt\"]"], "did you mean `cut`?"),
        (&["raft/random-transfers", "--seeds", "7..7"], "there is no seed from 7"),
        (&[&broken], "error: "),
    ];
    for (arguments, said) in cases {
        let ended = ablate(arguments);
        code_and(&ended, 2, said);
        assert!(ended.stdout.is_empty() && ended.stderr.contains("= hint: "), "{ended:?}");
    }
}
