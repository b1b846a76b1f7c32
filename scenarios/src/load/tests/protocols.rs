//! Parameters of gossip, of replicated data and of queues that cannot be.

use super::{assert_says, error_of};

#[test]
fn gossip_that_cannot_be_is_refused() {
    let error = |parameters: &str| {
        error_of(&format!("Scenario(format_version: 1, name: \"t\", protocol: Gossip(\n{parameters}))"))
    };
    assert_says(&error("cycle: \"0s\""), "2:8", &["a site calls endlessly in one instant"]);
    assert_says(&error("interest: Coin(0)"), "2:11", &["before it has shared it", "`Counter(1)`"]);
    assert_says(&error("connection_limit: 0"), "2:19", &["nobody takes a call"]);
    assert_says(&error("hunt_limit: 2"), "2:13", &["without a `connection_limit`"]);
    let alone = "Scenario(format_version: 1, name: \"t\", protocol: Gossip(), nodes: 1)";
    assert_says(&error_of(alone), "1:67", &["at least two nodes, and there are 1"]);
}

#[test]
fn a_workload_that_parameters_rule_out_is_refused() {
    let error = error_of(
        "Scenario(format_version: 1, name: \"t\", protocol: Crdt(kind: GSet),\nclients: (workload: Counter()))",
    );
    assert_says(&error, "2:21", &["does not serve `counter` with these parameters", "`set`"]);
}

#[test]
fn a_queue_that_cannot_be_is_refused() {
    let error = |parameters: &str| {
        error_of(&format!("Scenario(format_version: 1, name: \"t\", protocol: Queue(\n{parameters}))"))
    };
    assert_says(&error("visibility: \"0s\""), "2:13", &["back before anybody has it"]);
    assert_says(&error("workers: 11"), "1:50", &["never have work with a `prefetch` of 10"]);
    assert_says(&error("heartbeat: \"30s\""), "2:12", &["`visibility` of 30s has run out", "`\"10s\"`"]);
    assert_says(&error("priorities: 2, groups: 3"), "2:13", &["keep their order"]);
}
