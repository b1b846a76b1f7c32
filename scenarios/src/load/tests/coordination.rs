//! Locks, two-phase commit and snapshots that cannot be.

use super::{assert_says, error_of};

#[test]
fn a_lock_that_cannot_be_is_refused() {
    let error = |parameters: &str| {
        error_of(&format!("Scenario(format_version: 1, name: \"t\", protocol: Lock(\n{parameters}))"))
    };
    assert_says(&error("ttl: \"2ns\""), "2:6", &["cannot be renewed three times", "`3ns` and more"]);
    assert_says(&error("drift_max: \"500000ppm\""), "2:12", &["measures no lease"]);
    assert_says(&error("writes: 0"), "2:9", &["takes the lock for nothing"]);
    assert_says(&error("retry: \"0ms..5ms\""), "2:8", &["ask endlessly in one instant"]);
    let timeless = error("rest: \"0ms..5ms\", work: \"0ms\"");
    assert_says(
        &timeless,
        "2:25",
        &["`work` and `rest` both begin at 0", "in one instant", "or leave one of them out"],
    );
    let alone = "Scenario(format_version: 1, name: \"t\", protocol: Lock(), nodes: 1)";
    assert_says(&error_of(alone), "1:65", &["a server and a resource, and there are 1 nodes"]);
}

#[test]
fn two_phase_commit_that_cannot_be_is_refused() {
    let error = |parameters: &str| {
        error_of(&format!(
            "Scenario(format_version: 1, name: \"t\", protocol: TwoPhaseCommit(\n{parameters}))"
        ))
    };
    assert_says(&error("coordinators: 0"), "2:15", &["at least one coordinator"]);
    assert_says(&error("accounts: 0"), "2:11", &["at least one account"]);
    assert_says(
        &error("accounts: 4000000000"),
        "2:11",
        &["4000000000 accounts are too many", "1 to 1000000"],
    );
    assert_says(&error("participants_min: 99"), "2:19", &["cannot have 99 participants"]);
    assert_says(&error("attempts: 0"), "2:11", &["no transaction is ever tried"]);
    assert_says(&error("inquire_after: \"0s\""), "2:16", &["must be longer than 0"]);
    let alone = "Scenario(format_version: 1, name: \"t\", protocol: TwoPhaseCommit(), nodes: 1)";
    assert_says(&error_of(alone), "1:75", &["no participant is left"]);
}

#[test]
fn a_transfer_workload_that_cannot_be_is_refused() {
    let error = |workload: &str| {
        let clients = format!("clients: (workload: {workload})");
        error_of(&format!("Scenario(format_version: 1, name: \"t\", protocol: TwoPhaseCommit(),\n{clients})"))
    };
    assert_says(&error("Transfer(accounts: 0)"), "2:40", &["cannot have 0 accounts"]);
    assert_says(&error("Transfer(amount_max: 0)"), "2:42", &["nothing can be moved"]);
}

#[test]
fn snapshots_that_cannot_be_are_refused() {
    let error = |parameters: &str| {
        error_of(&format!("Scenario(format_version: 1, name: \"t\", protocol: Snapshots(\n{parameters}))"))
    };
    assert_says(&error("accounts: 1"), "2:11", &["cannot share 1 accounts"]);
    assert_says(&error("accounts: 4000000000"), "2:11", &["4000000000 accounts are too many"]);
    assert_says(&error("initiators: 99"), "2:13", &["99 cannot begin snapshots"]);
    assert_says(&error("patience: \"0s\""), "2:11", &["must be longer than 0"]);
    assert_says(&error("pay_every: \"0ms..5ms\""), "2:12", &["must be longer than 0"]);
    let alone = "Scenario(format_version: 1, name: \"t\", protocol: Snapshots(), nodes: 1)";
    assert_says(&error_of(alone), "1:70", &["at least two nodes, and there are 1"]);
}
