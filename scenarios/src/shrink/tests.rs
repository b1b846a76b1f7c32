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
    opened_run(&loaded, seed)
}

fn opened_run(loaded: &Loaded, seed: u64) -> Opened {
    let report = run(loaded, &table(), seed, &RunOptions::default()).report;
    let text = Capsule::of(loaded, &report).to_text(loaded, "");
    capsule::open("test.capsule.ron", text.as_bytes(), &table()).expect("it was just written")
}

/// Shrinks with a tenth of the usual events, one run after the other or all of a batch backwards, as if several processors had raced.
fn shrunk(opened: &Opened, is_reversed: bool) -> Result<Shrunk, Refusal> {
    shrunk_within(opened, is_reversed, 4_000_000)
}

fn shrunk_within(opened: &Opened, is_reversed: bool, events_max: u64) -> Result<Shrunk, Refusal> {
    let mut runner = |trial: &Trial<'_>, cases: &[Case]| {
        let mut outcomes = vec![Outcome::default(); cases.len()];
        let mut order: Vec<usize> = (0..cases.len()).collect();
        if is_reversed {
            order.reverse();
        }
        for index in order {
            outcomes[index] = trial.outcome(&cases[index]);
        }
        Some(outcomes)
    };
    shrink(opened, &table(), events_max, &mut runner, &mut |_| {})
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

fn all_starts(opened: &Opened, ran: &Run) -> Vec<Case> {
    let (loaded, seed) = (&opened.loaded, opened.capsule.seed);
    let starts = start::cases(loaded, seed, ran.simulation.as_ref(), "linearizability", &table());
    [starts.explicit, starts.drawn].concat()
}

#[test]
fn every_way_to_begin_is_what_its_file_says() {
    for (scenario, seed) in
        [("raft/random-swarm", 3), ("raft/short-lived-leaders", 2), ("paxos/random-members", 1)]
    {
        let opened = opened(scenario, seed, &[]);
        let ran = run(&opened.loaded, &table(), seed, &RunOptions::default());
        let symptom = Symptom { property: "any".to_owned(), evidence: String::new() };
        let table = table();
        let drawing = Drawing::Nothing;
        let trial = Trial { table: &table, symptom, events_max: u64::MAX, drawing };
        let cases = all_starts(&opened, &ran);
        assert_eq!(cases.len(), 4, "{scenario}");
        for case in cases {
            let written =
                Written::of(&case, &trial, &opened.loaded, "it", Undoing::Apart, HistoryEvidence::FirstLine);
            let written = written.expect("it can be written");
            let options = RunOptions { replay: Some(case.plan()), ..RunOptions::default() };
            let tried = run(&case.loaded, &table, seed, &options).report;
            assert_eq!(written.report.digest, tried.digest, "{scenario}: {}", written.text);
        }
    }
}

#[test]
fn half_a_run_is_a_smaller_run_that_fits_its_scenario() {
    let opened = opened("raft/random-swarm", 3, &[]);
    let ran = run(&opened.loaded, &table(), 3, &RunOptions::default());
    for case in all_starts(&opened, &ran) {
        let phase = |case: &Case| case.loaded.scenario.phases.faults.span();
        let halves: Vec<Case> = (0..100).filter_map(|number| halves::half(&case, number, &table())).collect();
        assert!(halves.len() > 50, "{}", halves.len());
        for half in halves {
            assert!(half.entries.len() < case.entries.len() || phase(&half) < phase(&case));
            let heal_at = half.loaded.scenario.phases.heal_at();
            let is_in_phase = |entry: &Arc<Entry>| entry.moment().is_none_or(|moment| moment.time < heal_at);
            assert!(half.entries.iter().all(is_in_phase));
        }
    }
}

#[test]
fn what_waits_for_an_election_shrinks_to_a_file_that_repeats() {
    let opened = opened("raft/short-lived-leaders", 2, &["protocol.mutant=commit-prior-term"]);
    let shrunk = shrunk(&opened, false).expect("it fails");
    let loaded = load("it.ron", shrunk.scenario_text.as_bytes(), &[], &table()).expect("the file is valid");
    let report = run(&loaded, &table(), shrunk.capsule.seed, &RunOptions::default()).report;
    assert_eq!(report.digest, shrunk.capsule.digest, "{}", shrunk.scenario_text);
    let (before, after) = (shrunk.before, shrunk.after);
    assert!(after.faults < before.faults && after.operations < before.operations, "{after:?}");
}

#[test]
fn a_run_that_is_not_live_shrinks_as_well() {
    let opened = opened("paxos/random-members", 6_060_373_176_095_612, &["protocol.mutant=no-gap-fill"]);
    let shrunk = shrunk(&opened, false).expect("it fails");
    assert_eq!(shrunk.capsule.property, "clients-are-served");
    let (before, after) = (shrunk.before, shrunk.after);
    assert!((after.faults + after.operations) * 10 <= before.faults + before.operations, "{after:?}");
    assert_eq!(shrunk.loaded.scenario.phases.convergence, opened.loaded.scenario.phases.convergence);
}

#[test]
fn a_failure_by_losses_becomes_single_drops() {
    let text = r#"Scenario(
        format_version: 1,
        name: "lossy",
        protocol: Raft(heartbeat: "50ms", election_timeout: "150ms..300ms", mutant: "no-session-dedup"),
        nodes: 3,
        network: (latency: "5ms", loss: 0.2),
        clients: (count: 2, timeout: "100ms"),
        phases: (faults: "3s"),
    )"#;
    let loaded = load("lossy.ron", text.as_bytes(), &[], &table()).expect("it is valid");
    let shrunk = shrunk_within(&opened_run(&loaded, 3), false, 12_000_000).expect("it fails");
    assert!(shrunk.scenario_text.contains("DropMessage("), "{}", shrunk.scenario_text);
    assert!(shrunk.loaded.scenario.network.loss.is_none(), "{}", shrunk.scenario_text);
    assert!(shrunk.after.faults <= 4, "{}", shrunk.scenario_text);
}

#[test]
fn a_failure_needs_the_faults_without_which_it_is_gone() {
    let opened = opened("raft/short-lived-leaders", 2, &["protocol.mutant=commit-prior-term"]);
    let (symptom, needed) = needs(&opened.loaded, &table(), 2).expect("it fails");
    assert_eq!(
        (symptom.property.as_str(), &needed[..]),
        (opened.capsule.property.as_str(), &[Family::Crash][..])
    );
    assert_eq!(needs(&opened.loaded, &table(), 0), None, "it passes");
}

#[test]
fn who_runs_candidates_in_which_order_changes_nothing() {
    let opened = opened("raft/crash-while-voting", 0, &["protocol.mutant=vote-not-persisted"]);
    let [one, other] = [false, true].map(|is_reversed| shrunk(&opened, is_reversed).expect("it fails"));
    assert_eq!(one.scenario_text, other.scenario_text);
    assert_eq!((one.runs, one.after), (other.runs, other.after));
}

#[test]
fn a_failure_that_no_part_of_its_run_shows_is_small_in_another_run_of_its_scenario() {
    let mutant = "protocol.mutant=no-uptodate-check";
    let opened = opened("raft/random-elections", 50_318_724_051_128, &[mutant]);
    let shrunk = shrunk_within(&opened, false, 22_000_000).expect("it fails");
    assert_eq!(shrunk.capsule.property, "committed-is-durable");
    let (before, after) = (shrunk.before, shrunk.after);
    assert_eq!(before.faults, 108, "of the capsule's run");
    assert!(after.faults * 10 <= before.faults, "{before:?} became {after:?}");
    assert!(after.operations * 10 <= before.operations, "{before:?} became {after:?}");
}

#[test]
fn what_is_broken_off_ends_with_the_smallest_run_so_far() {
    let mutant = "protocol.mutant=no-uptodate-check";
    let opened = opened("raft/random-elections", 50_318_724_051_128, &[mutant]);
    let mut batches = 0..20;
    let mut runner = |trial: &Trial<'_>, cases: &[Case]| {
        batches.next().map(|_| cases.iter().map(|case| trial.outcome(case)).collect())
    };
    let shrunk = shrink(&opened, &table(), 40_000_000, &mut runner, &mut |_| {}).expect("it fails");
    assert_eq!(shrunk.capsule.property, "committed-is-durable");
    assert!(shrunk.runs <= 20 * 64, "{}", shrunk.runs);
}

#[test]
fn a_run_that_does_not_fail_is_refused() {
    let refusal = shrunk(&opened("raft/steady", 0, &[]), false).expect_err("it passes");
    assert_eq!(refusal, Refusal::Passes("pass".to_owned()));
}
