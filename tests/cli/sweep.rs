//! Sweeps: many runs, what they come to, and that nothing but the runs decides it.

use serde_json::Value;

use crate::support::{Ended, code_and, easy_mutant, folder, interrupted, shell, splitbrain};

/// A short run with random faults.
const SHORT: [&str; 4] = ["--set", "phases.faults=3s", "--set", "clients.count=2"];

fn sweep(arguments: &[&str]) -> Ended {
    splitbrain(&[&["sweep"], arguments].concat())
}

fn document(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("one document: {error}\n{ended:?}"))
}

/// What a sweep came to, without how fast it was.
fn outcome(arguments: &[&str]) -> Value {
    let mut document = document(&sweep(&[arguments, &["--format", "json"]].concat()));
    document.as_object_mut().expect("an object").remove("speed").expect("it says how fast it was");
    document
}

#[test]
fn every_run_is_counted_and_none_fails() {
    let ended = sweep(&["echo/hello", "--seeds", "5..45", "--vary", "nodes=2,3"]);
    code_and(&ended, 0, "echo/hello");
    assert!(ended.stdout.contains("2 configurations, seeds 5..45: 80 runs"), "{}", ended.stdout);
    assert!(ended.stdout.contains("no run failed"), "{}", ended.stdout);
    let document = outcome(&["echo/hello", "--seeds", "5..45", "--vary", "nodes=2,3"]);
    assert_eq!((&document["runs"], &document["end"]), (&80.into(), &"complete".into()));
    assert_eq!(document["verdicts"]["pass"], 80);
    assert_eq!(document["configurations"][1]["set"][0], "nodes=3");
    assert_eq!(document["configurations"][1]["runs"], 40);
}

#[test]
fn what_comes_out_is_the_same_on_one_thread_and_on_two() {
    let mutant = easy_mutant();
    let arguments =
        [&["raft/random-elections", "--seeds", "0..12", "--vary", "nodes=3,5", "--set", &mutant], &SHORT[..]]
            .concat();
    let [one, two] = ["1", "2"].map(|threads| outcome(&[&arguments[..], &["--jobs", threads]].concat()));
    assert_eq!(one, two);
    assert_eq!(one["runs"], 24);
}

#[test]
fn a_canary_that_must_fail_is_noticed_and_its_command_replays_the_failure() {
    let mutant = easy_mutant();
    let arguments = ["raft/random-elections", "--seeds", "0..200", "--set", &mutant, "--until-failures", "2"];
    let ended = sweep(&[&arguments[..], &["--quiet", "--jobs", "2"]].concat());
    code_and(&ended, 1, "violation: ");
    let replay = ended.stdout.lines().map(str::trim).find(|line| line.starts_with("splitbrain run "));
    let replay = replay.unwrap_or_else(|| panic!("no command replays it: {ended:?}"));
    let again = shell(&replay.replacen("splitbrain", crate::support::PROGRAM, 1));
    assert_eq!(again.code, 1, "{replay}\n{}", again.stdout);
    let [one, two] = ["1", "2"].map(|threads| outcome(&[&arguments[..], &["--jobs", threads]].concat()));
    assert_eq!(one, two, "it ends after the same run");
    assert_eq!(one["end"], "failures");
    let counted: u64 =
        one["failures"].as_array().expect("a list").iter().filter_map(|group| group["count"].as_u64()).sum();
    assert_eq!(counted, 2);
    let rate = |bound: &str| one["failures"][0][bound].as_f64().expect("a rate");
    assert!(rate("rate_low") < rate("rate") && rate("rate") <= rate("rate_high"), "{one}");
}

#[test]
fn a_sweep_that_reaches_nothing_new_ends() {
    let arguments = ["raft/steady", "--seeds", "0..100000", "--until-saturated", "5"];
    let document = outcome(&[&arguments[..], &SHORT[..]].concat());
    assert_eq!(document["end"], "saturated");
    assert!(document["runs"].as_u64().is_some_and(|runs| (5..200).contains(&runs)), "{document}");
    let never = document["points"].as_array().expect("a list").iter().any(|point| point["runs"] == 0);
    assert!(never, "a steady cluster does not reach everything");
}

#[test]
fn a_sweep_ends_when_its_time_is_up() {
    let ended = sweep(&["echo/hello", "--seeds", "0..10000000", "--time-budget", "500ms"]);
    code_and(&ended, 0, "the time was up");
}

#[test]
fn a_sweep_that_is_interrupted_prints_what_was_finished() {
    let ended = interrupted(&["sweep", "echo/hello", "--seeds", "0..100000000"]);
    code_and(&ended, 130, "interrupted");
    assert!(ended.stdout.contains("verdicts") && ended.stdout.contains("no run failed"), "{}", ended.stdout);
}

#[test]
fn what_cannot_be_swept_is_refused_before_anything_runs() {
    let cases: [(&[&str], i32, &str); 14] = [
        (&["raft/steady", "--seeds", "5..5"], 2, "there is no seed from 5"),
        (&["raft/steady", "--seeds", "0..18446744073709551616"], 2, "from 0 to 18446744073709551615"),
        (&["raft/steady", "--vary", "nodes="], 2, "there is no value"),
        (&["raft/steady", "--vary", "nodes=3,,5"], 2, "value 2 is empty"),
        (&["raft/steady", "--vary", "nods=3,5"], 2, "did you mean `nodes`?"),
        (&["raft/steady", "--vary", "network.los=0.1"], 2, "did you mean `loss`?"),
        (
            &["raft/steady", "--vary", "network.los=0.1"],
            2,
            "--> --vary network.los=0.1\n   |\n   | network.los=0.1\n   |         ^^^\n",
        ),
        (&["raft/steady", "--vary", "nodes=3,0"], 2, "cannot have 0 nodes"),
        (
            &["raft/steady", "--vary", "nodes=3", "--vary", "nodes=5"],
            2,
            "keep one of `--vary nodes=3` and `--vary nodes=5`",
        ),
        (&["raft/steady", "--vary", "nodes=3", "--set", "nodes=5"], 2, "`nodes` is set twice"),
        (&["raft/stedy"], 2, "the library has `raft/steady`"),
        (&["rat/"], 4, "did you mean `raft/`?"),
        (&["raft/steady", "--time-budget", "10"], 2, "a number and its unit"),
        (&["all", "--seeds", "0..18446744073709551615"], 2, "too many runs"),
    ];
    for (arguments, code, said) in cases {
        let ended = sweep(arguments);
        code_and(&ended, code, said);
        assert!(ended.stdout.is_empty() && ended.stderr.starts_with("error: "), "{ended:?}");
        assert!(ended.stderr.contains("= allowed: ") && ended.stderr.contains("= hint: "), "{ended:?}");
    }
}

#[test]
fn a_failure_in_junit_ends_in_the_command_that_replays_it() {
    let (mutant, place) = (easy_mutant(), format!("{}/sweep.xml", folder("sweep-junit")));
    let arguments =
        ["raft/random-elections", "echo/hello", "--seeds", "0..3", "--vary", "nodes=3,5", "--junit", &place];
    code_and(&sweep(&arguments), 0, "no run failed");
    let passed = std::fs::read_to_string(&place).expect("it is there");
    assert!(
        passed.contains(r#"tests="4" skipped="0" errors="0" failures="0""#)
            || passed.contains(r#"tests="4""#),
        "{passed}"
    );
    assert!(!passed.contains("<failure") && passed.contains(r#"name="nodes=3""#), "{passed}");
    let ended = sweep(&["raft/random-elections", "--seeds", "0..3", "--set", &mutant, "--junit", &place]);
    code_and(&ended, 1, "violation: ");
    let failed = std::fs::read_to_string(&place).expect("it is there");
    let (_, failure) = failed.split_once("<failure ").expect("there is one");
    let (text, _) = failure.split_once("</failure>").expect("it ends");
    assert!(
        text.ends_with(&format!("splitbrain run raft/random-elections --seed 0 --set {mutant}")),
        "{text}"
    );
    assert!(text.contains("type=\"violation\"") && text.contains("3 of 3 runs failed"), "{text}");
    code_and(&sweep(&["echo/hello", "--junit", "/proc/sweep.xml"]), 2, "cannot write");
}

#[test]
fn a_preset_sends_a_canary_and_what_else_is_given_wins() {
    let ended = sweep(&["echo/hello", "--preset", "ci", "--seeds", "0..7"]);
    code_and(&ended, 0, "echo/hello, seeds 0..7: 7 runs");
    assert!(ended.stderr.contains("canary     dies, as it must: violation of "), "{}", ended.stderr);
    code_and(&sweep(&[]), 2, "<SCENARIO>");
}

#[test]
fn a_quiet_sweep_says_nothing_but_what_failed_and_ends_with_the_worst_code_of_its_runs() {
    let wiped = "faults.timed=[(at: \"1s\", do: Wipe(\"n1\"))]";
    let cases: [(&[&str], i32); 4] = [
        (&["echo/hello", "--seeds", "0..3", "--preset", "nightly"], 0),
        (&["raft/steady", "--seeds", "0..2", "--set", "limits.events=100"], 3),
        (&["raft/steady", "--seeds", "0..2", "--set", wiped], 5),
        (&["raft/steady", "echo/hello", "--seeds", "0..2", "--vary", "limits.events=100,5000000"], 3),
    ];
    for (arguments, code) in cases {
        let ended = sweep(&[arguments, &["--quiet"]].concat());
        assert_eq!(
            (ended.code, ended.stdout.as_str(), ended.stderr.as_str()),
            (code, "", ""),
            "{arguments:?}"
        );
    }
}

#[test]
fn runs_that_are_made_twice_count_once() {
    let document = outcome(&["echo/hello", "--seeds", "0..20", "--double-check", "100%"]);
    assert_eq!(document["verdicts"]["pass"], 20);
    code_and(&sweep(&["echo/hello", "--double-check", "200%"]), 2, "at most all of them");
}

#[test]
fn failures_are_annotations_where_a_code_host_wants_them() {
    let ended = sweep(&[
        "raft/random-elections",
        "--seeds",
        "0..2",
        "--set",
        &easy_mutant(),
        "--annotations",
        "github",
        "--quiet",
    ]);
    code_and(
        &ended,
        1,
        "::error title=violation%3A more-up-to-date-correct::2 of 2 runs of raft/no-uptodate-check%0A",
    );
    let line = ended.stdout.lines().find(|line| line.starts_with("::error ")).expect("just seen");
    assert!(line.contains("%0Asplitbrain run raft/random-elections --seed 0"), "{line}");
}
