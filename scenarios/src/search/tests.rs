use super::*;
use crate::load::load;
use crate::run::{RunOptions, run};

fn ground(name: &str, more: &str) -> Loaded {
    let text = format!(
        r#"Scenario(
            format_version: 1, name: "{name}", protocol: Raft(), nodes: 3, phases: (faults: "3s"),
            faults: (random: (duration: "100ms..500ms", settle: "500ms")),
            {more}
        )"#
    );
    load("ground.ron", text.as_bytes(), &[], &ProtocolTable::builtin())
        .unwrap_or_else(|error| panic!("{error}"))
}

/// Runs a candidate; what it has reached.
fn coverage(search: &Search<'_>, candidate: &Candidate) -> Vec<u64> {
    let replay = Some(candidate.plan.clone());
    let options = RunOptions { replay, watches_coverage: true, ..RunOptions::PLAIN };
    run(search.ground(candidate), search.table, candidate.seed, &options).report.coverage
}

/// The candidates of a few batches, each learned from.
fn searched(search: &mut Search<'_>, batches: usize) -> Vec<Candidate> {
    let mut all = Vec::new();
    for _ in 0..batches {
        for candidate in search.batch(8) {
            let coverage = coverage(search, &candidate);
            all.push(candidate.clone());
            search.learn(candidate, &coverage);
        }
    }
    all
}

#[test]
fn the_same_seed_searches_the_same_runs_and_another_seed_others() {
    let (table, ground) = (ProtocolTable::builtin(), ground("same", ""));
    let runs = |seed| {
        let mut search = Search::new(vec![&ground], &table, seed).expect("it draws faults");
        let runs = searched(&mut search, 4);
        runs.into_iter().map(|candidate| (candidate.seed, candidate.plan)).collect::<Vec<_>>()
    };
    assert_eq!(runs(7), runs(7));
    assert_ne!(runs(7), runs(8));
}

#[test]
fn runs_are_bred_from_those_that_reached_something_new() {
    let (table, ground) = (ProtocolTable::builtin(), ground("bred", ""));
    let mut search = Search::new(vec![&ground], &table, 1).expect("it draws faults");
    let runs = searched(&mut search, 6);
    let fresh: Vec<&Candidate> = runs.iter().take(8).collect();
    let is_of_old = |candidate: &&Candidate| fresh.iter().any(|old| old.seed == candidate.seed);
    let bred: Vec<&Candidate> = runs.iter().skip(8).filter(is_of_old).collect();
    assert!(!bred.is_empty(), "no run has the seed of an earlier one");
    assert!(
        bred.iter().any(|child| fresh.iter().all(|old| old.plan != child.plan)),
        "they are the same runs"
    );
    let reach = search.reach();
    assert!(reach.kept > 0 && reach.features > reach.kept, "{reach:?}");
}

#[test]
fn scenarios_take_turns_and_keep_their_own_runs() {
    let table = ProtocolTable::builtin();
    let (one, other) = (ground("one", ""), ground("other", r#"draw: [(path: "nodes", from: ["3", "5"])],"#));
    let mut search = Search::new(vec![&one, &other], &table, 3).expect("they draw faults");
    let runs = searched(&mut search, 6);
    for (place, candidate) in runs.iter().enumerate() {
        assert_eq!(candidate.ground, place % 2);
        let scenario = &search.ground(candidate).configured(candidate.seed, &table).scenario;
        let fits = candidate.plan.validate(scenario.nodes, scenario.clients.total());
        assert_eq!(fits, Ok(()), "faults of a run with more nodes in one with fewer");
    }
}

#[test]
fn a_scenario_that_draws_no_faults_cannot_be_searched() {
    let table = ProtocolTable::builtin();
    let text = r#"Scenario(format_version: 1, name: "quiet", protocol: Echo())"#;
    let quiet = load("quiet.ron", text.as_bytes(), &[], &table).expect("it is valid");
    let refused = Search::new(vec![&quiet], &table, 0).err().expect("it draws nothing");
    assert_eq!(refused.to_string(), "`quiet` has no random faults, so there is nothing to search through");
}
