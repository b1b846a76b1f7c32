//! `splitbrain history`: histories in files, good, bad and malformed.

use std::io::Write;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Ended, code_and, command, folder, line_of, splitbrain, write};

fn check(file: &str, more: &[&str]) -> Ended {
    splitbrain(&[&["history", "check", file][..], more].concat())
}

fn check_text(name: &str, text: &str, more: &[&str]) -> Ended {
    check(&write(&folder(&format!("history-{name}")), "history", text.as_bytes()), more)
}

#[test]
fn a_stale_read_is_a_violation_with_the_operations_that_show_it() {
    let ended = check("tests/histories/stale-read.edn", &["--model", "register"]);
    code_and(&ended, 1, "Smallest part that is illegal by itself (3 operations)");
    assert!(ended.stdout.contains("3 clients, 5 operations (1 unknown, 0 refused)"), "{}", ended.stdout);
    assert!(line_of(&ended.stdout, "linearizability").ends_with("violation"));
    assert_eq!(line_of(&ended.stdout, "verdict"), "verdict    violation");
}

#[test]
fn what_is_stale_may_be_sequential() {
    let stale = &["--model", "register", "--consistency", "sequential"];
    code_and(&check("tests/histories/stale-read.edn", stale), 0, "verdict    pass");
    let session =
        check("tests/histories/stale-read.edn", &["--model", "register", "--consistency", "session"]);
    code_and(&session, 0, "writes-follow-reads");
}

#[test]
fn an_operation_that_timed_out_may_take_effect_later() {
    code_and(&check("tests/histories/timeout.jsonl", &["--model", "kv"]), 0, "1 unknown");
}

#[test]
fn of_a_set_it_is_told_how_long_values_took_to_be_in_all_reads() {
    let late = ["--model", "set", "--consistency", "stable"];
    let ended = check("tests/histories/late-set.edn", &late);
    code_and(&ended, 1, "3, there at 5s: missing in 2 of 2 reads, first in c2#1 at 30s");
    assert!(line_of(&ended.stdout, "set-integrity").ends_with("pass"), "{}", ended.stdout);
    assert_eq!(line_of(&ended.stdout, "  stable"), "  stable       2    0ns    0ns  27.0s  27.0s  27.0s");
    let ended = check("tests/histories/late-set.edn", &[&late[..], &["--format", "json"]].concat());
    let document: Value = serde_json::from_str(&ended.stdout).expect("it is JSON");
    let figures = &document["checks"][1]["figures"];
    let count = |name: &str| figures["counts"][name].as_u64();
    assert_eq!(["stable", "stale", "lost", "never-read"].map(count), [Some(2), Some(1), Some(1), Some(1)]);
    assert_eq!(figures["latencies"]["stable"]["p95_ns"], 27_000_000_001_u64);
    assert_eq!(document["checks"][0]["figures"], Value::Null);
    let queue = check("tests/histories/late-set.edn", &["--model", "queue", "--consistency", "stable"]);
    assert_eq!(queue.code, 2, "{}", queue.stderr);
}

#[test]
fn transactions_are_judged_at_the_level_that_is_asked_for() {
    let level =
        |name| check("tests/histories/write-skew.edn", &["--model", "list-append", "--consistency", name]);
    code_and(&level("serializable"), 1, "G2-item");
    code_and(&level("snapshot-isolation"), 0, "pass");
    code_and(&check("tests/histories/write-skew.edn", &["--model", "list-append"]), 1, "(rw)");
}

#[test]
fn monotonic_writes_may_be_all_that_is_violated() {
    let session =
        check("tests/histories/monotonic-writes.jsonl", &["--model", "kv", "--consistency", "session"]);
    code_and(&session, 1, "c2#1 had to see it, having read a later write of its client");
    for (guarantee, answer) in [
        ("read-your-writes", "pass"),
        ("monotonic-reads", "pass"),
        ("monotonic-writes", "violation"),
        ("writes-follow-reads", "pass"),
    ] {
        assert!(line_of(&session.stdout, guarantee).ends_with(answer), "{}", session.stdout);
    }
}

#[test]
fn transactions_may_break_the_order_of_a_process_or_of_the_clock_only() {
    let level = |file: &str, name: &str| {
        check(&format!("tests/histories/{file}.edn"), &["--model", "list-append", "--consistency", name])
    };
    code_and(&level("g2-process", "serializable"), 0, "pass");
    let own = level("g2-process", "strong-session-serializable");
    code_and(&own, 1, "G2-item-process: transactions miss what one another appended, in a circle");
    assert!(own.stdout.contains("before c1#1: its client ran it first (process)"), "{}", own.stdout);
    assert!(own.stdout.contains("c1 is process 0, c3 is process 2"), "{}", own.stdout);
    code_and(&level("g2-realtime", "strong-session-serializable"), 0, "pass");
    let clock = level("g2-realtime", "strict-serializable");
    code_and(&clock, 1, "G2-item-realtime: transactions miss what one another appended, in a circle");
    assert!(
        clock.stdout.contains("c3#0  txn [read :x, append :y 2] -> txn [[], appended]"),
        "{}",
        clock.stdout
    );
}

#[test]
fn a_failed_cas_of_a_log_says_what_it_is_taken_to_say() {
    let log = "tests/histories/register.log";
    code_and(&check(log, &["--model", "register"]), 0, "2 refused");
    code_and(&check(log, &["--model", "register", "--failed-cas", "mismatch"]), 0, "0 refused");
    let text = std::fs::read_to_string(log)
        .expect("it is there")
        .replace(":invoke\t:cas\t[2 4]", ":invoke\t:read\tnil");
    let text = text.replace(":fail\t:cas\t[2 4]", ":ok\t:read\tnil").replace("[3 4]", "[2 4]");
    let both = ["--model", "register", "--failed-cas", "mismatch"];
    code_and(&check_text("mismatch", &text, &both), 1, "cas k0 2->4 -> rejected");
}

#[test]
fn json_has_the_evidence_as_data() {
    let ended = check("tests/histories/stale-read.edn", &["--model", "register", "--format", "json"]);
    assert_eq!(ended.code, 1);
    let document: Value = serde_json::from_str(&ended.stdout).expect("one document");
    assert_eq!((&document["verdict"], &document["operations"]), (&"violation".into(), &5.into()));
    let evidence = &document["checks"][0]["evidence"];
    assert_eq!(evidence["minimal"].as_array().map(Vec::len), Some(3));
    assert_eq!(evidence["is_minimal"], true);
}

#[test]
fn texts_that_are_appended_to_are_judged_as_texts() {
    let append = |process: u32, text: &str| {
        format!(
            "{{:process {process}, :type :invoke, :f :append, :key \"0\", :value \"{text}\"}}\n\
             {{:process {process}, :type :ok, :f :append, :key \"0\", :value \"{text}\"}}\n"
        )
    };
    let get = |text: &str| {
        format!(
            "{{:process 9, :type :invoke, :f :get, :key \"0\", :value nil}}\n\
             {{:process 9, :type :ok, :f :get, :key \"0\", :value \"{text}\"}}\n"
        )
    };
    let both = append(0, "x 0 y") + &append(1, "x 1 y");
    code_and(
        &check_text("text-good", &(both.clone() + &get("x 0 yx 1 y")), &["--model", "text-kv"]),
        0,
        "pass",
    );
    code_and(
        &check_text("text-bad", &(both + &get("x 1 yx 0 y")), &["--model", "text-kv"]),
        1,
        "\"x 1 yx 0 y\"",
    );
    let two = append(0, "a") + &append(0, "b");
    let sequential = ["--model", "text-kv", "--consistency", "sequential"];
    code_and(&check_text("text-old", &(two.clone() + &get("a") + &get("ab")), &sequential), 0, "pass");
    code_and(
        &check_text("text-back", &(two + &get("ab") + &get("a")), &sequential),
        1,
        "sequential-consistency",
    );
}

#[test]
fn other_models_read_their_operations() {
    let set = "{:process 0 :type :invoke :f :add :value 1}{:process 0 :type :ok :f :add :value 1}
               {:process 1 :type :invoke :f :read}{:process 1 :type :ok :f :read :value #{}}";
    code_and(&check_text("set", set, &["--model", "set"]), 1, "add 1");
    let queue = "{:process 0 :type :invoke :f :enqueue :value 1}{:process 0 :type :ok :f :enqueue :value 1}
                 {:process 1 :type :invoke :f :dequeue}{:process 1 :type :ok :f :dequeue :value 1}
                 {:process 2 :type :invoke :f :dequeue}{:process 2 :type :ok :f :dequeue :value 1}";
    code_and(&check_text("queue", queue, &["--model", "queue"]), 1, "received 1");
    let lock = "{:process 0 :type :invoke :f :acquire}{:process 0 :type :ok :f :acquire :value 1}
                {:process 1 :type :invoke :f :acquire}{:process 1 :type :ok :f :acquire :value 2}";
    code_and(&check_text("lock", lock, &["--model", "lock"]), 1, "acquire");
    code_and(&check_text("leases", lock, &["--model", "lock", "--leases"]), 0, "pass");
    code_and(&check_text("mutex", lock, &["--model", "mutex"]), 1, "acquire");
    let sequential = ["--model", "mutex", "--consistency", "sequential"];
    code_and(&check_text("mutex-order", lock, &sequential), 1, "sequential-consistency");
}

#[test]
fn a_search_that_runs_out_of_steps_is_inconclusive() {
    // Twelve clients write six values at once, and another reads two of them in turn.
    let invoke =
        |process: u32| format!("{{:process {process} :type :invoke :f :write :value {}}}\n", process % 6);
    let end = |process: u32| format!("{{:process {process} :type :ok :f :write :value {}}}\n", process % 6);
    let read = |value: u32| {
        format!("{{:process 50 :type :invoke :f :read}}{{:process 50 :type :ok :f :read :value {value}}}\n")
    };
    let text =
        (0..12).map(invoke).chain([1, 2, 1, 2, 1].map(read)).chain((0..12).map(end)).collect::<String>();
    code_and(
        &check_text("budget", &text, &["--model", "register", "--budget", "1000"]),
        3,
        "no answer for k0",
    );
    code_and(&check_text("enough", &text, &["--model", "register"]), 1, "value 1");
}

#[test]
fn conversion_keeps_what_a_history_says() {
    let folder = folder("history-convert");
    let there = format!("{folder}/there.jsonl");
    let ended =
        splitbrain(&["history", "convert", "tests/histories/write-skew.edn", "--to", "jsonl", "-o", &there]);
    code_and(&ended, 0, "6 entries written");
    let back = splitbrain(&["history", "convert", &there, "--to", "jsonl"]);
    assert_eq!(back.stdout, std::fs::read_to_string(&there).expect("just written"));
    code_and(&check(&there, &["--model", "list-append", "--consistency", "serializable"]), 1, "G2-item");
    code_and(
        &splitbrain(&["history", "convert", "tests/histories/register.log", "--to", "edn"]),
        0,
        ":value [2 4]",
    );
}

#[test]
fn the_history_of_a_run_is_written_and_judged_as_the_run_was() {
    let folder = folder("history-export");
    for (form, file) in [("edn", format!("{folder}/run.edn")), ("jsonl", format!("{folder}/run.jsonl"))] {
        let arguments = ["history", "export", "raft/leader-crash", "--seed", "7", "--to", form, "-o", &file];
        code_and(&splitbrain(&arguments), 0, "of seed 7 written to");
        code_and(&check(&file, &["--model", "kv"]), 0, "pass");
    }
    // Without the leader's confirmation some read is stale, in the run and in the file.
    let stale = ["raft/minority-partition", "--set", "clients.count=20"];
    let mutant = ["--set", "protocol.mutant=stale-read-no-heartbeat"];
    let file = format!("{folder}/stale.jsonl");
    let exported = splitbrain(&[&["history", "export", "-o", &file][..], &stale, &mutant].concat());
    code_and(&exported, 0, "written to");
    assert!(exported.stderr.contains("violation of linearizability"), "{exported:?}");
    code_and(&check(&file, &["--model", "kv"]), 1, "violation");
}

#[test]
fn standard_input_is_read_where_the_file_is_a_dash() {
    let mut child = command(&["history", "check", "-", "--model", "register"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let text = std::fs::read("tests/histories/stale-read.edn").expect("it is there");
    child.stdin.take().expect("piped").write_all(&text).expect("it reads");
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
}

// ----- bad input -----

fn is_refused(ended: &Ended, code: i32, said: &[&str]) {
    assert_eq!(ended.code, code, "{ended:?}");
    assert_eq!(ended.stderr.matches("error: ").count(), 1, "one clear error: {ended:?}");
    assert!(ended.stderr.contains("hint: ") || ended.stderr.contains("allowed: "), "{ended:?}");
    for said in said {
        assert!(ended.stderr.contains(said), "`{said}` is missing in:\n{}", ended.stderr);
    }
}

#[test]
fn a_malformed_history_is_refused_with_file_line_and_hint() {
    let invoke = "{:process 0, :type :invoke, :f :read, :value nil}\n";
    for (name, text, said) in [
        (
            "cut",
            "[{:process 0,\n :type :invoke,",
            "history:2: the text ends before the bracket of line 1 closes",
        ),
        (
            "cut-json",
            "{\"process\":0,\"type\":\"invoke\",\"f\":\"read\"}\n{\"process\":0,\"ty",
            "history:2: this is not JSON: EOF while parsing a string at column 16",
        ),
        (
            "array",
            "[{\"process\":0,\"type\":\"invoke\",\"f\":\"read\"}]",
            "history:1: this is an array, and an entry is an object",
        ),
        (
            "cut-log",
            "INFO  jepsen.util - 0\t:invoke\t:read\tnil\nINFO  jepsen.util - 0\t:o",
            "history:2: this line is not",
        ),
        (
            "no-invocation",
            "{:process 0, :type :ok, :f :read, :value 1}",
            "history:1: process 0 ends `read` without",
        ),
        (
            "twice",
            &invoke.repeat(2),
            "history:2: process 0 invokes `read` while its `read` of line 1 has not ended",
        ),
        ("unknown", "{:process 0, :type :invoke, :f :raed, :value nil}", "history:1: `raed` is no operation"),
        ("no-value", "{:process 0, :type :invoke, :f :write}", "history:1: `write` has no value to write"),
        ("type", "{:process 0, :type :begin, :f :read, :value nil}", "history:1: `begin` is no type"),
        ("prose", "Once upon a time", "history:1: there is no history in this file"),
    ] {
        is_refused(&check_text(&format!("bad-{name}"), text, &["--model", "register"]), 2, &[said]);
    }
}

#[test]
fn what_does_not_go_together_is_refused() {
    let file = "tests/histories/stale-read.edn";
    let levels = check(file, &["--model", "register", "--consistency", "serializable"]);
    is_refused(&levels, 2, &["`--consistency serializable` is not for `--model register`"]);
    let set = "{:process 0 :type :invoke :f :add :value 1}{:process 0 :type :ok :f :add :value 1}";
    let session = check_text("set-session", set, &["--model", "set", "--consistency", "session"]);
    is_refused(&session, 2, &["allowed: linearizable, sequential or stable"]);
    let empty = check_text("empty", "; nothing\n[]", &["--model", "register"]);
    is_refused(&empty, 4, &["has no operation"]);
    is_refused(&check("tests/histories", &["--model", "register"]), 2, &["is a directory"]);
    assert_eq!(check("nowhere.edn", &["--model", "register"]).code, 2);
}
