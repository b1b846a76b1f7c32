//! Comparisons of two sides with the same seeds.

use serde_json::Value;

use crate::support::{Ended, code_and, easy_mutant, folder, interrupted, line_of, shell, splitbrain, write};

fn compare(arguments: &[&str]) -> Ended {
    splitbrain(&[&["compare"], arguments].concat())
}

fn document(arguments: &[&str]) -> Value {
    let ended = compare(&[arguments, &["--format", "json"]].concat());
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("one document: {error}\n{ended:?}"))
}

fn metric<'a>(document: &'a Value, name: &str) -> &'a Value {
    let mut metrics = document["metrics"].as_array().expect("a list").iter();
    metrics.find(|metric| metric["name"] == name).unwrap_or_else(|| panic!("no `{name}` in {document:#}"))
}

#[test]
fn a_slower_heartbeat_sends_fewer_messages_and_the_interval_says_so() {
    let arguments = ["raft/steady", "--seeds", "0..12", "--set-b", "protocol.heartbeat=100ms"];
    let document = document(&arguments);
    assert_eq!(
        (&document["pairs"], &document["measured"], &document["exit_code"]),
        (&12.into(), &12.into(), &0.into())
    );
    assert_eq!(document["differences"].as_array().map(Vec::len), Some(1), "{:#}", document["differences"]);
    assert_eq!(document["differences"][0]["path"], "protocol.heartbeat");
    let sent = metric(&document, "messages-sent");
    let of = |field: &str| sent[field].as_f64().unwrap_or_else(|| panic!("`{field}` in {sent:#}"));
    assert!(of("high") < 0.0 && of("low") < of("difference") && of("difference") < of("high"), "{sent:#}");
    assert!((of("mean_b") - of("mean_a") - of("difference")).abs() < 0.1, "{sent:#}");
    assert!(sent["differs"] == true && of("p") <= of("p_adjusted") && of("p_adjusted") <= 0.05, "{sent:#}");
    assert!(
        document["gain"].as_f64().is_some_and(|gain| gain > 1.0),
        "pairing gains something: {}",
        document["gain"]
    );
    let text = compare(&arguments);
    code_and(&text, 0, "protocol.heartbeat  50ms  100ms");
    let row = line_of(&text.stdout, "  messages-sent ");
    assert!(row.contains('-') && row.ends_with(" %"), "{row}");
    assert!(
        text.stdout.contains("no run failed") && text.stdout.contains("metrics differ: "),
        "{}",
        text.stdout
    );
}

#[test]
fn the_means_are_those_of_the_runs() {
    let document = document(&["raft/steady", "--seeds", "4..6", "--set-b", "nodes=3"]);
    for (side, field, set) in [("a", "mean_a", "nodes=5"), ("b", "mean_b", "nodes=3")] {
        let sent = ["4", "5"].map(|seed| {
            let run = splitbrain(&["run", "raft/steady", "--seed", seed, "--set", set, "--format", "json"]);
            let report: Value = serde_json::from_str(&run.stdout).expect("one document");
            report["metrics"]["counters"]["messages-sent"].as_f64().expect("a count")
        });
        let mean = metric(&document, "messages-sent")[field].as_f64().expect("a mean");
        assert!((mean - sent.iter().sum::<f64>() / 2.0).abs() < 0.1, "{side}: {mean} for {sent:?}");
    }
}

#[test]
fn right_against_mutant_names_the_first_seed_and_commands_that_replay_both() {
    let mutant = easy_mutant();
    let arguments = ["raft/random-elections", "--seeds", "0..12", "--set-b", &mutant];
    let document = document(&arguments);
    assert_eq!((&document["exit_code"], &document["a"]["failures"]), (&1.into(), &0.into()));
    let failures = document["b"]["failures"].as_u64().expect("a count");
    assert!(failures > 3, "{failures}");
    assert_eq!(document["failing"]["only_b"], failures);
    assert_eq!(document["apart"], failures);
    let causes = document["b"]["causes"].as_array().expect("a list");
    assert_eq!(causes.iter().filter_map(|cause| cause["count"].as_u64()).sum::<u64>(), failures);
    let rate = &document["failure_rate"];
    assert!(rate["low"].as_f64().is_some_and(|low| low > 0.0), "{rate:#}");
    let apart = &document["first_apart"];
    for (side, code, verdict) in [("a", 0, "pass"), ("b", 1, "violation")] {
        assert_eq!(apart[side]["verdict"], verdict);
        let replay = apart[side]["replay"].as_str().expect("a command");
        let again = shell(&replay.replacen("splitbrain", crate::support::PROGRAM, 1));
        assert_eq!(again.code, code, "{replay}\n{}", again.stdout);
    }
    let text = compare(&arguments);
    code_and(&text, 1, "with which A does not");
    assert!(text.stdout.contains(&format!("{failures} of 12 runs")), "{}", text.stdout);
}

#[test]
fn a_bug_that_b_does_not_have_is_no_failure_of_b() {
    let ended = compare(&["raft/random-elections", "--seeds", "0..6", "--set-a", &easy_mutant()]);
    code_and(&ended, 0, "B fails nowhere else than A");
}

#[test]
fn what_comes_out_is_the_same_on_one_thread_and_on_two() {
    let mutant = easy_mutant();
    let arguments = ["raft/random-elections", "--seeds", "3..15", "--set-b", &mutant];
    let [one, two] = ["1", "2"].map(|threads| document(&[&arguments[..], &["--jobs", threads]].concat()));
    assert_eq!(one, two);
}

#[test]
fn runs_that_a_change_does_not_touch_are_the_same_on_both_sides() {
    let document = document(&["raft/steady", "--seeds", "0..6", "--set-b", "limits.events=5000001"]);
    assert_eq!(document["identical"], 6);
    let metrics = document["metrics"].as_array().expect("a list");
    assert!(
        metrics.iter().all(|metric| metric["difference"] == 0.0 && metric["differs"] == false),
        "{document:#}"
    );
}

#[test]
fn two_protocols_with_one_service_are_compared_and_other_services_are_said() {
    let ended = compare(&["raft/steady", "vrr/steady", "--seeds", "0..3"]);
    code_and(&ended, 0, "protocol ");
    assert!(!ended.stdout.contains("clients ask"), "{}", ended.stdout);
    let ended = compare(&["raft/steady", "echo/hello", "--seeds", "0..3"]);
    code_and(&ended, 0, "A's clients ask kv, B's echo");
    assert!(ended.stdout.contains("only A has: "), "{}", ended.stdout);
}

#[test]
fn what_is_set_for_one_side_wins_over_what_is_set_for_both() {
    let document = document(&["raft/steady", "--seeds", "0..1", "--set", "nodes=3", "--set-b", "nodes=7"]);
    assert_eq!((&document["a"]["set"][0], &document["b"]["set"][0]), (&"nodes=3".into(), &"nodes=7".into()));
    assert_eq!(document["b"]["set"].as_array().map(Vec::len), Some(1));
    assert!(metric(&document, "events")["low"].is_null(), "one pair has no interval");
    let whole = ["--set", "network.loss=0.1", "--set-b", "network=(latency: \"5ms\")"];
    let document = self::document(&[&["raft/steady", "--seeds", "0..1"], &whole[..]].concat());
    assert_eq!(document["b"]["set"], serde_json::json!(["network=(latency: \"5ms\")"]));
}

#[test]
fn all_metrics_are_shown_where_they_are_asked_for() {
    let ended = compare(&["raft/steady", "--seeds", "0..3", "--set-b", "nodes=3", "--all"]);
    code_and(&ended, 0, "not shown to differ");
    assert!(ended.stdout.contains("  messages-duplicated "), "{}", ended.stdout);
}

#[test]
fn a_comparison_that_is_interrupted_prints_what_was_finished() {
    let ended = interrupted(&["compare", "echo/hello", "--seeds", "0..100000000", "--set-b", "nodes=4"]);
    code_and(&ended, 130, "of 100,000,000: interrupted");
    assert!(ended.stdout.contains("verdicts"), "{}", ended.stdout);
}

#[test]
fn what_cannot_be_compared_is_refused_before_anything_runs() {
    let copy = std::fs::read("scenarios/library/raft/steady.ron").expect("it is in the library");
    let copy = write(&folder("compare-copy"), "other-name.ron", &copy);
    let cases: [(&[&str], &str); 11] = [
        (&["raft/steady"], "A and B are the same"),
        (&["raft/steady", "raft/steady", "--set", "nodes=3"], "A and B are the same"),
        (&["raft/steady", &copy], "differ in no field"),
        (&["raft/steady", "--set-b", "nodes=5"], "A and B are the same"),
        (&["raft/steady", "raft/stedy"], "the library has `raft/steady`"),
        (&["raft/steady", "--set-b", "network.los=0.1"], "did you mean `loss`?"),
        (&["raft/steady", "--set-b", "network.los=0.1"], "--> --set-b network.los=0.1\n"),
        (&["raft/steady", "--set-a", "nodes"], "has no `=`"),
        (
            &["raft/steady", "--set-a", "nodes=3", "--set-a", "nodes=7"],
            "keep one of `--set-a nodes=3` and `--set-a nodes=7`",
        ),
        (&["raft/steady", "--set-b", "nodes=3", "--seeds", "5..5"], "there is no seed from 5"),
        (&["raft/steady", "--set-b", "nodes=3", "--seeds", "0..18446744073709551615"], "too many runs"),
    ];
    for (arguments, said) in cases {
        let ended = compare(arguments);
        code_and(&ended, 2, said);
        assert!(ended.stdout.is_empty() && ended.stderr.starts_with("error: "), "{ended:?}");
        assert!(ended.stderr.contains("= allowed: ") && ended.stderr.contains("= hint: "), "{ended:?}");
    }
}
