//! What clients do in a run, seen through its history and its report.

use std::collections::BTreeMap;

use sim_core::history::{HistoryEventKind, HistoryOperation};
use sim_core::metrics::Counter;
use sim_core::{ClientId, SimTime, Span};

use super::*;

/// A run of Raft with these clients.
fn asked_by(clients: &str, rest: &str, seed: u64) -> Run {
    run_seed(
        &loaded(&format!(
            r#"Scenario(format_version: 1, name: "clients", protocol: Raft(), clients: {clients}, {rest})"#
        )),
        seed,
    )
}

fn by_client(run: &Run) -> BTreeMap<ClientId, Vec<HistoryOperation>> {
    let mut clients: BTreeMap<ClientId, Vec<HistoryOperation>> = BTreeMap::new();
    for operation in run.simulation.history().operations() {
        clients.entry(operation.op.client).or_default().push(operation);
    }
    clients
}

#[test]
fn in_a_closed_loop_a_client_thinks_after_each_answer() {
    let run = asked_by(r#"(count: 3, think: "20ms..30ms")"#, r#"phases: (faults: "5s")"#, 1);
    for operations in by_client(&run).into_values() {
        assert!(operations.len() > 50, "{} operations", operations.len());
        for pair in operations.windows(2) {
            let answered = pair[0].completed.expect("a client has one operation at a time");
            let thought = pair[1].invoked.since(answered);
            assert!(thought >= Span::millis(20) && thought <= Span::millis(30), "{thought}");
        }
    }
}

#[test]
fn in_an_open_loop_a_client_keeps_its_rate_whatever_answers_take() {
    // Answers take longer than the interval between two questions now and then, and the pace stays.
    let run = asked_by(
        r#"(count: 3, rate: "20/s")"#,
        r#"network: (latency: "10ms..20ms"), phases: (faults: "10s")"#,
        1,
    );
    let end = SimTime::ZERO + Span::secs(10);
    for operations in by_client(&run).into_values() {
        let asked = operations.iter().filter(|operation| operation.invoked < end).count();
        assert!((190..=200).contains(&asked), "{asked} operations in 10 s at 20 a second");
    }
}

#[test]
fn every_operation_is_in_the_history_once_with_its_end_or_open() {
    let faults = r#"network: (loss: 0.1), phases: (faults: "6s"),
        faults: (random: (rates: {"crash": "1/s", "partition": "0.5/s"}))"#;
    for seed in 0..5 {
        let run = asked_by(r#"(count: 20, timeout: "60ms", give_up: "200ms")"#, faults, seed);
        let history = run.simulation.history();
        let mut ends: BTreeMap<_, Vec<bool>> = BTreeMap::new();
        for event in history.events() {
            ends.entry(event.op).or_default().push(matches!(event.what, HistoryEventKind::Completed(_)));
        }
        assert!(ends.values().all(|ends| ends[..] == [false] || ends[..] == [false, true]), "seed {seed}");
        let open = ends.values().filter(|ends| ends.len() == 1).count();
        assert_eq!(open, history.open_count());
        let all = history.operations();
        let unknown =
            all.iter().filter(|it| it.outcome == Outcome::Unknown && it.completed.is_some()).count();
        let said = run.report.operations;
        assert!(unknown > 0, "seed {seed}: somebody gave up");
        assert_eq!((said.invoked, said.unknown), (all.len() as u64, unknown as u64), "seed {seed}");
        assert_eq!(said.completed + said.unknown + open as u64, said.invoked, "seed {seed}");
    }
}

/// How often clients had to ask again, and whether every seed passed.
fn impatient(mutant: &str, seeds: u64) -> (u64, bool) {
    let mut all_pass = true;
    let mut retries = 0;
    for seed in 0..seeds {
        let text = format!(
            r#"Scenario(format_version: 1, name: "impatient", protocol: Raft({mutant}),
                network: (latency: "exponential(10ms)", clients: (latency: "exponential(20ms)")),
                clients: (count: 5, workload: Kv(keys: 1, reads: 0.3, compare_and_set: 0.8), timeout: "40ms", think: "1ms..5ms"),
                phases: (faults: "5s"))"#
        );
        let run = run_seed(&loaded(&text), seed);
        retries += run.simulation.metrics().counter(Counter::Retries);
        all_pass &= run.report.verdict == Verdict::Pass;
    }
    (retries, all_pass)
}

#[test]
fn what_a_client_asks_again_happens_once_by_its_session() {
    let (retries, all_pass) = impatient("", 5);
    assert!(retries > 200 && all_pass, "{retries} retries");
    let (_, all_pass) = impatient(r#"mutant: "no-session-dedup""#, 5);
    assert!(!all_pass, "without sessions some command happens twice");
}

#[test]
fn a_thousand_clients_are_all_served() {
    let run = asked_by(r#"(count: 1000, think: "1s..3s", operations: 3)"#, r#"phases: (faults: "12s")"#, 1);
    let clients = by_client(&run);
    assert_eq!(clients.len(), 1_000);
    assert!(clients.values().all(|operations| operations.len() == 3), "three operations each");
    assert_eq!((run.report.operations.completed, &run.report.verdict), (3_000, &Verdict::Pass));
}
