//! Groups of consumers of a log in situations that once stopped them, for a while or for ever.

use crate::text::Override;

use super::*;

/// A scenario of the library, changed, passes; what it reports.
fn passes(name: &str, seed: u64, set: &[&str]) -> Report {
    let entry = library::find(name).expect("the library has it");
    let set = set.iter().map(|text| Override::parse(text)).collect::<Result<Vec<_>, _>>();
    let set = set.expect("a path and a value");
    let scenario = load(entry.path, entry.text.as_bytes(), &set, &ProtocolTable::builtin());
    let report = run_seed(&scenario.unwrap_or_else(|error| panic!("{error}")), seed).report;
    assert_eq!(report.verdict, Verdict::Pass, "{:?}", report.violations);
    report
}

fn count(report: &Report, counter: &str) -> u64 {
    report.metrics.counters[counter]
}

#[test]
fn consumers_of_a_broker_that_stays_down_find_the_next_leader() {
    let set = [
        r#"faults.timed=[(at:"2s", do: Crash("n2"))]"#,
        r#"clients=(count: 2, rate: "20/s", workload: Log(polls: 0, offsets: 0, partitions: 8))"#,
        "phases.faults=4s",
        r#"phases.heal=Core(nodes: Nodes("n1, n3, n4, n5, n6, n7, n8, n9, n10"), others: Down)"#,
    ];
    passes("log/consumer-crash", 1, &set);
}

#[test]
fn several_workers_whose_records_fail_leave_none_out() {
    let set = [
        "protocol.workers=3",
        "protocol.failure=0.2",
        "protocol.failure_pause=10ms",
        r#"protocol.service="exponential(20ms)""#,
    ];
    let report = passes("log/failing-handlers", 0, &set);
    assert!(count(&report, "handlings-failed") > 50);
}

/// Both consumers stand still while what they are to read goes; then each has a partition whose next record is gone.
#[test]
fn a_partition_whose_records_are_gone_is_given_up_all_the_same() {
    let set = [
        "protocol.group=Cooperative",
        "protocol.retention_time=500ms",
        "protocol.clean_interval=100ms",
        r#"checks.invariants=["one-leader-an-epoch"]"#,
        "checks.history=Off",
        r#"clients=(count: 4, rate: "100/s", operations: 30, workload: Log(polls: 0, offsets: 0, partitions: 2))"#,
        "phases.faults=8s",
        r#"faults.timed=[
            (at: "20ms", do: Pause("n5"), undo_after: "3s"), (at: "20ms", do: Pause("n6"), undo_after: "3s"),
            (at: "5s", do: Crash("n6"), undo_after: "1500ms"),
        ]"#,
    ];
    let report = passes("log/transactions", 1, &set);
    assert!(count(&report, "offsets-reset") >= 1);
}

#[test]
fn members_join_whose_way_to_the_coordinator_is_longer_than_a_call() {
    let set = ["nodes=7", "protocol.consumers=2", "network.latency=105ms", "phases.faults=30s"];
    let report = passes("log/steady", 0, &set);
    assert!(count(&report, "rebalances") <= 4);
}

/// While one result is lost others are written; not so many that its leader forgets whether it has had it.
#[test]
fn no_transaction_hangs_because_of_a_result_that_was_lost() {
    let set = [
        "network.loss=0.01",
        r#"clients=(count: 4, rate: "50/s", workload: Log(polls: 0, results: 1, offsets: 0, partitions: 1))"#,
        "protocol.workers=4",
        r#"protocol.service="exponential(500us)""#,
        "protocol.fetch_max=500",
        "protocol.partitions=1",
    ];
    let report = passes("log/transactions", 1, &set);
    assert_eq!(count(&report, "transactions-timed-out"), 0);
}

#[test]
fn a_transaction_ends_in_which_a_record_fails_beside_others() {
    let set = [
        "protocol.guarantee=Transactional",
        "protocol.failure=0.1",
        "protocol.failure_pause=500ms",
        "protocol.workers=3",
        "protocol.transaction_timeout=3s",
        r#"clients=(count: 4, rate: "5/s", workload: Log(polls: 0, offsets: 0, partitions: 4))"#,
        "phases.faults=10s",
    ];
    let report = passes("log/failing-handlers", 1, &set);
    assert!(count(&report, "handlings-failed") >= 5);
    assert_eq!(count(&report, "transactions-timed-out"), 0);
}
