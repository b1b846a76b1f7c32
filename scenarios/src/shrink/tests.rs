use super::*;
use crate::capsule::{self, Capsule};
use crate::load::load;
use crate::text::Override;

fn table() -> ProtocolTable {
    ProtocolTable::builtin()
}

/// The capsule of a run of a library scenario.
fn opened(scenario: &str, seed: u64, set: &[&str]) -> Opened {
    let entry = crate::library::find(scenario).expect("the library has it");
    let overrides: Vec<Override> =
        set.iter().map(|set| Override::parse(set).expect("a path and a value")).collect();
    let loaded = load(scenario, entry.text.as_bytes(), &overrides, &table()).expect("it is valid");
    let report = run(&loaded, &table(), seed, &RunOptions::default()).report;
    let text = Capsule::of(&loaded, &report).to_text(&loaded, "");
    capsule::open("test.capsule.ron", text.as_bytes(), &table()).expect("it was just written")
}

/// Shrinks with few events, one run after the other or all of a batch backwards, as if several processors had raced.
fn shrunk(opened: &Opened, is_reversed: bool) -> Result<Shrunk, Refusal> {
    let mut runner = |trial: &Trial<'_>, cases: &[Case]| {
        let mut outcomes = vec![Outcome::default(); cases.len()];
        let mut order: Vec<usize> = (0..cases.len()).collect();
        if is_reversed {
            order.reverse();
        }
        for index in order {
            outcomes[index] = trial.outcome(&cases[index]);
        }
        outcomes
    };
    shrink(opened, &table(), 1_000_000, &mut runner, &mut |_| {})
}

#[test]
fn a_failure_shrinks_to_a_scenario_that_fails_in_the_same_way() {
    let opened = opened("raft/random-elections", 0, &["protocol.mutant=no-uptodate-check"]);
    let shrunk = shrunk(&opened, false).expect("it fails");
    assert_eq!(shrunk.capsule.property, opened.capsule.property);
    let (before, after) = (shrunk.before, shrunk.after);
    assert!(after.faults * 10 <= before.faults, "{before:?} became {after:?}");
    assert!(after.operations * 10 <= before.operations, "{before:?} became {after:?}");
    assert!(after.clients < before.clients && after.events < before.events, "{before:?} became {after:?}");

    let loaded = load("it.ron", shrunk.scenario_text.as_bytes(), &[], &table()).expect("the file is valid");
    let report = run(&loaded, &table(), shrunk.capsule.seed, &RunOptions::default()).report;
    assert_eq!((report.digest, report.exit_code), (shrunk.capsule.digest, 0), "{:?}", report.verdict);
}

#[test]
fn who_runs_candidates_in_which_order_changes_nothing() {
    let opened = opened("raft/crash-while-voting", 0, &["protocol.mutant=vote-not-persisted"]);
    let [one, other] = [false, true].map(|is_reversed| shrunk(&opened, is_reversed).expect("it fails"));
    assert_eq!(one.scenario_text, other.scenario_text);
    assert_eq!((one.runs, one.after), (other.runs, other.after));
}

#[test]
fn a_run_that_does_not_fail_is_refused() {
    let refusal = shrunk(&opened("raft/steady", 0, &[]), false).expect_err("it passes");
    assert_eq!(refusal, Refusal::Passes("pass".to_owned()));
}
