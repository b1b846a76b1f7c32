//! The forms of a trace, as the tools that read them want them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::support::{folder, splitbrain};

const SCENARIO: &str = "raft/leader-crash";

fn trace(format: &str) -> String {
    let ended = splitbrain(&["trace", SCENARIO, "--format", format]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    ended.stdout
}

#[test]
fn text_has_a_line_a_record_in_order_of_time() {
    let text = trace("text");
    assert!(text.contains("timer election fires") && text.contains("receives RequestVote from n"));
    let times: Vec<f64> = text.lines().filter_map(|line| line.get(20..)).filter_map(time).collect();
    assert!(times.len() > 100 && times.is_sorted());
}

fn time(line: &str) -> Option<f64> {
    line.split_whitespace().next()?.strip_suffix('s')?.parse().ok()
}

#[test]
fn a_file_gets_what_standard_output_would() {
    let path = format!("{}/trace.jsonl", folder("trace-file"));
    let ended = splitbrain(&["trace", SCENARIO, "--format", "jsonl", "-o", &path]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, ""));
    assert!(ended.stderr.contains("records of seed 0 written to"), "{}", ended.stderr);
    assert_eq!(std::fs::read_to_string(&path).expect("just written"), trace("jsonl"));
}

#[test]
fn json_lines_are_numbered_and_caused_by_earlier_ones() {
    let lines: Vec<Value> =
        trace("jsonl").lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    let number = |line: &Value, field: &str| line[field].as_u64();
    let numbers: Vec<_> = lines.iter().filter_map(|line| number(line, "number")).collect();
    assert!(numbers.len() == lines.len() && numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]));
    for line in &lines {
        assert!(number(line, "cause") < number(line, "number"), "{line}");
        assert!(number(line, "sent_at_ns") <= number(line, "at_ns"), "{line}");
        assert_eq!(line["payload"] == "message", line["message"].is_string(), "{line}");
        assert_eq!(line["kind"] == "drop", line["reason"].is_string(), "{line}");
    }
}

#[test]
fn chrome_events_have_named_tracks_and_arrows_with_both_ends() {
    let document: Value = serde_json::from_str(&trace("chrome")).expect("JSON");
    let events = document["traceEvents"].as_array().expect("a list");
    let of = |phase: &str| events.iter().filter(|event| event["ph"] == phase).collect::<Vec<_>>();
    let ids = |phase: &str| of(phase).iter().map(|event| event["id"].to_string()).collect::<BTreeSet<_>>();
    let begun = ids("s");
    assert!(begun.len() > 100 && ids("f").is_superset(&begun), "arrows end");
    let named: BTreeSet<_> = of("M").iter().map(|event| event["pid"].as_u64()).collect();
    for event in events {
        assert!(named.contains(&event["pid"].as_u64()), "no name for the track of {event}");
    }
    let slices: Vec<&str> = of("X").iter().filter_map(|event| event["name"].as_str()).collect();
    assert!(slices.iter().any(|name| name.starts_with("leader, epoch")), "roles are slices");
    assert!(slices.contains(&"down"), "so is a crash");
    assert!(
        of("i").iter().any(|event| event["name"].as_str().is_some_and(|name| name.starts_with("crash n")))
    );
}

#[test]
fn shiviz_clocks_count_their_own_host_and_name_no_future() {
    let text = trace("shiviz");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(r"(?<host>\S*) (?<clock>{.*})\n(?<event>.*)"));
    assert_eq!(lines.next(), Some(""));
    let mut happened: BTreeMap<String, u64> = BTreeMap::new();
    while let Some(head) = lines.next() {
        let (host, clock) = head.split_once(' ').expect("host and clock");
        assert!(lines.next().is_some_and(|event| !event.is_empty()), "{head} has no event");
        let clock: BTreeMap<String, u64> = serde_json::from_str(clock).expect("a clock is JSON");
        *happened.entry(host.to_owned()).or_default() += 1;
        assert_eq!(clock.get(host), happened.get(host), "{head}");
        for (host, count) in &clock {
            assert!(
                happened.get(host).is_some_and(|known| count <= known),
                "{head} knows a future of {host}"
            );
        }
    }
    assert!(happened.len() > 5, "nodes and clients: {happened:?}");
}
