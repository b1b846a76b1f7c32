use super::*;
use crate::library;
use crate::load::load;
use crate::run::{RunOptions, run};

fn table() -> ProtocolTable {
    ProtocolTable::builtin()
}

fn from_library(name: &str) -> Loaded {
    let entry = library::find(name).expect("the library has it");
    load(entry.path, entry.text.as_bytes(), &[], &table()).expect("it is valid")
}

fn kept(name: &str, seed: u64) -> (Capsule, String) {
    let loaded = from_library(name);
    let report = run(&loaded, &table(), seed, &RunOptions::default()).report;
    let capsule = Capsule::of(&loaded, &report);
    let text = capsule.to_text(&loaded, "splitbrain replay it");
    (capsule, text)
}

fn refused(text: &str) -> String {
    open("broken.capsule.ron", text.as_bytes(), &table()).expect_err("it is broken").to_string()
}

#[test]
fn a_capsule_reads_back_as_it_was_written_for_every_scenario_of_the_library() {
    for entry in library::all() {
        let (capsule, text) = kept(entry.name, 1);
        let opened = open("it", text.as_bytes(), &table()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(opened.capsule, capsule, "{}", entry.name);
    }
}

#[test]
fn the_plan_of_a_capsule_leads_to_its_digest_though_nothing_is_drawn() {
    for name in ["raft/random-swarm", "raft/leader-crash", "paxos/random-members"] {
        let (capsule, text) = kept(name, 3);
        let opened = open("it", text.as_bytes(), &table()).expect("it was just written");
        let options = RunOptions { replay: Some(opened.capsule.plan.clone()), ..RunOptions::default() };
        let again = run(&opened.loaded, &table(), opened.capsule.seed, &options).report;
        assert_eq!((again.digest, again.events), (capsule.digest, capsule.events), "{name}");
        assert_eq!(again.scenario_digest, from_library(name).text_digest, "the same scenario: {name}");
    }
}

#[test]
fn what_was_set_by_hand_is_not_drawn_when_a_capsule_is_run_again() {
    let entry = library::find("raft/random-elections").expect("the library has it");
    for set in ["nodes=3", "nodes=5"] {
        let overrides = [Override::parse(set).expect("a path and a value")];
        let loaded = load(entry.path, entry.text.as_bytes(), &overrides, &table()).expect("it is valid");
        let report = run(&loaded, &table(), 0, &RunOptions::default()).report;
        let text = Capsule::of(&loaded, &report).to_text(&loaded, "splitbrain replay it");
        let opened = open("it", text.as_bytes(), &table()).unwrap_or_else(|error| panic!("{error}"));
        let options = RunOptions { replay: Some(opened.capsule.plan.clone()), ..RunOptions::default() };
        let again = run(&opened.loaded, &table(), opened.capsule.seed, &options).report;
        assert_eq!((again.nodes, again.digest), (report.nodes, report.digest), "{set}");
    }
}

#[test]
fn a_command_takes_a_line_and_the_scenario_stands_as_it_was_written() {
    let (capsule, text) = kept("raft/leader-crash", 0);
    let entries = text.lines().filter(|line| line.trim_start().starts_with("(trigger:")).count();
    assert_eq!(entries, capsule.plan.entries().len());
    let written = from_library("raft/leader-crash");
    assert!(text.contains(written.value_text()), "its comments and layout are kept:\n{text}");
    assert!(text.starts_with("// A run to be repeated: splitbrain replay it\nCapsule(\n"), "{text}");
}

#[test]
fn what_is_wrong_with_a_capsule_is_said_with_its_place() {
    let (_, text) = kept("raft/leader-crash", 0);
    let newer = refused(&text.replacen("format_version: 1", "format_version: 2", 1));
    assert!(newer.contains("format version 2 is newer than this program"), "{newer}");
    assert!(newer.contains("broken.capsule.ron:3:"), "{newer}");
    let field = refused(&text.replacen("made_by", "made_buy", 1));
    assert!(field.contains("unknown field `made_buy`") && field.contains("made_by"), "{field}");
    let inside = refused(&text.replacen("nodes: 5", "nodes: 0", 1));
    let line = 1 + text.lines().position(|line| line.trim().starts_with("nodes: 5")).expect("it has nodes");
    assert!(inside.contains(&format!("broken.capsule.ron:{line}:")), "{inside}");
    let digest = refused(&text.replacen("digest: \"", "digest: \"zz", 1));
    assert!(digest.contains("broken.capsule.ron:"), "{digest}");
    assert!(refused("Capsule(").contains("broken.capsule.ron:1:"));
    let scenario = refused(from_library("raft/leader-crash").value_text());
    assert!(scenario.contains("makes one of a scenario"), "{scenario}");
}

#[test]
fn a_plan_that_names_somebody_who_is_not_there_is_refused() {
    let (_, text) = kept("raft/leader-crash", 0);
    let fewer = refused(&text.replace("nodes: 5", "nodes: 1"));
    assert!(fewer.contains("there are 1 nodes") && fewer.contains("`n1` to `n1`"), "{fewer}");
}

#[test]
fn a_plan_that_names_a_fault_point_that_is_not_there_is_refused() {
    let (_, text) = kept("raft/crash-at-fault-points", 0);
    let stranger = refused(&text.replacen("\"before-apply\"", "\"before-aply\"", 1));
    assert!(stranger.contains("`raft` has no fault point `before-aply`"), "{stranger}");
    assert!(stranger.contains("did you mean `before-apply`?"), "{stranger}");
}
