//! Parameters of gossip, of replicated data, of queues and of logs that cannot be.

use super::{assert_says, error_of};

#[test]
fn gossip_that_cannot_be_is_refused() {
    let error = |parameters: &str| {
        error_of(&format!("Scenario(format_version: 1, name: \"t\", protocol: Gossip(\n{parameters}))"))
    };
    assert_says(&error("cycle: \"0s\""), "2:8", &["a site calls endlessly in one instant"]);
    assert_says(&error("interest: Coin(0)"), "2:11", &["before it has shared it", "`Counter(1)`"]);
    assert_says(&error("minimization: true"), "2:15", &["compares the counters of two sites"]);
    assert_says(&error("connection_limit: 0"), "2:19", &["nobody takes a call"]);
    assert_says(&error("hunt_limit: 2"), "2:13", &["without a `connection_limit`"]);
    let alone = "Scenario(format_version: 1, name: \"t\", protocol: Gossip(), nodes: 1)";
    assert_says(&error_of(alone), "1:67", &["at least two nodes, and there are 1"]);
}

#[test]
fn a_broadcast_tree_that_cannot_be_is_refused() {
    let error = |parameters: &str| {
        error_of(&format!("Scenario(format_version: 1, name: \"t\", protocol: Plumtree(\n{parameters}))"))
    };
    assert_says(&error("active_view: 1"), "2:14", &["passes nothing on", "2 and more"]);
    assert_says(&error("passive_view: 0"), "2:15", &["must be 1 or more"]);
    assert_says(&error("passive_walk: 7"), "2:15", &["a walk has only 6 hops", "0 to 6"]);
    assert_says(&error("shuffle_active: 6"), "2:17", &["its view has only 5 places", "0 to 5"]);
    assert_says(&error("keep_alive: \"0s\""), "2:13", &["acts endlessly in one instant"]);
    assert_says(
        &error("graft_retry: \"1s\""),
        "2:14",
        &["no longer than `graft_timeout`, 200ms", "`\"100ms\"`"],
    );
    assert_says(
        &error("detector: Timeout(\"500ms\")"),
        "2:11",
        &["everybody would be suspected", "`Timeout(\"2s\")`"],
    );
    assert_says(&error("detector: Phi(threshold: 20)"), "2:11", &["must be from 1 to 16"]);
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

#[test]
fn a_log_that_cannot_be_is_refused() {
    let error = |parameters: &str| {
        error_of(&format!(
            "Scenario(format_version: 1, name: \"t\", nodes: 4, protocol: Log(\n{parameters}))"
        ))
    };
    assert_says(&error("partitions: 0"), "2:13", &["there is nothing to append to"]);
    assert_says(&error("partitions: 20000"), "2:13", &["cannot have 20000 `partitions`", "1 to 10000"]);
    assert_says(&error("replication: 0"), "2:14", &["a partition is nowhere"]);
    assert_says(&error("replication: 4"), "2:14", &["needs as many brokers, and there are 3", "1 to 3"]);
    assert_says(&error("min_insync: 4"), "2:13", &["nothing is ever taken", "1 to 3"]);
    assert_says(&error("session_timeout: \"2s\""), "2:18", &["over before the second `heartbeat`"]);
    assert_says(&error("lag_max: \"500ms\""), "2:10", &["is out of sync"]);
    assert_says(&error("consumers: 2"), "2:12", &["leave no broker among 4 nodes", "up to 1"]);
    assert_says(&error("group_session: \"3s\""), "2:16", &["over before the second `group_heartbeat`"]);
    assert_says(&error("workers: 0"), "2:10", &["at least 1"]);
    let nobody = ["consumers write results, and there are 0 `consumers`", "1 or more `consumers`"];
    assert_says(&error("guarantee: Transactional"), "2:12", &nobody);
    let short = "consumers: 1, guarantee: Transactional, transaction_timeout: \"5s\"";
    let over = ["over before a consumer ends its transaction", "times above `5s`"];
    assert_says(&error(short), "2:62", &over);
    assert_says(&error("transaction_timeout: \"0s\""), "2:22", &["longer than 0"]);
    let alone = "Scenario(format_version: 1, name: \"t\", protocol: Log(), nodes: 1)";
    assert_says(&error_of(alone), "1:64", &["1 `controllers` leave no broker among 1 nodes", "more than 1"]);
    let many = "nodes: 4, protocol: Log(controllers: 4)";
    let many = error_of(&format!("Scenario(format_version: 1, name: \"t\", {many})"));
    assert_says(&many, "1:47", &["4 `controllers` leave no broker among 4 nodes", "more than 4"]);
    assert_says(&error("controllers: 0"), "2:14", &["at least 1"]);
}
