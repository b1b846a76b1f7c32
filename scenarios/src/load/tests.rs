//! Each kind of bad input gives one clear error: checked as it is shown.

use proptest::prelude::*;

use super::*;
use crate::library;
use crate::text::Source;

mod coordination;
mod protocols;

fn try_load(bytes: &[u8], overrides: &[&str]) -> Result<Loaded, Diagnostic> {
    let overrides: Vec<Override> =
        overrides.iter().map(|text| Override::parse(text).expect("a path and a value")).collect();
    load("test.ron", bytes, &overrides, &ProtocolTable::builtin())
}

fn error_of(text: &str) -> String {
    try_load(text.as_bytes(), &[]).expect_err("the text is refused").to_string()
}

/// The error for a scenario that has nothing but these fields beside the usual ones, from line 2 on.
fn error_with(fields: &str) -> String {
    error_of(&format!("Scenario(format_version: 1, name: \"t\", protocol: Raft(),\n{fields}\n)"))
}

/// That an error says all of this, and stands at this line and column.
#[track_caller]
fn assert_says(error: &str, place: &str, parts: &[&str]) {
    assert!(error.contains(&format!("--> test.ron:{place}\n")), "not at {place}:\n{error}");
    for part in parts.iter().chain(&["= allowed: ", "= hint: "]) {
        assert!(error.contains(part), "`{part}` is missing:\n{error}");
    }
}

#[test]
fn the_smallest_scenario_is_one_line() {
    let text = r#"Scenario(format_version: 1, name: "t", protocol: Raft())"#;
    let loaded = try_load(text.as_bytes(), &[]).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((loaded.scenario.nodes, loaded.scenario.clients.count), (5, 3));
}

#[test]
fn every_library_scenario_is_valid_and_says_what_it_shows() {
    assert!(library::all().len() >= 13, "the library has lost scenarios");
    for entry in library::all() {
        let loaded =
            try_load(entry.text.as_bytes(), &[]).unwrap_or_else(|error| panic!("{}: {error}", entry.path));
        assert!(entry.text.starts_with("// ") && entry.text.contains("// Look at: "), "{}", entry.path);
        assert!(!loaded.scenario.summary.is_empty(), "{}", entry.path);
        assert!(
            entry.name.ends_with(&loaded.scenario.name),
            "{} is called {}",
            entry.path,
            loaded.scenario.name
        );
        assert_eq!(library::find(entry.name), Some(entry));
    }
    assert_eq!(library::find("leader-crash").map(|entry| entry.path), Some("raft/leader-crash.ron"));
    assert_eq!(library::find("leader"), None);
}

#[test]
fn a_scenario_survives_being_written_and_read() {
    for entry in library::all() {
        let scenario = try_load(entry.text.as_bytes(), &[]).expect("valid").scenario;
        let written = scenario.to_text();
        let read = try_load(written.as_bytes(), &[]).unwrap_or_else(|error| panic!("{error}\n{written}"));
        assert_eq!(read.scenario, scenario, "{written}");
    }
}

#[test]
fn a_syntax_error_is_shown_where_it_is() {
    let error = error_of("Scenario(\n    format_version: 1,\n    name \"t\",\n)");
    assert_says(&error, "3:10", &["3 |     name \"t\","]);
    let error = error_of("Scenario(\n    format_version: 1,\n    name: \"t\",\n    protocol: Raft(\n");
    assert_says(&error, "4:19", &["never closed"]);
}

#[test]
fn an_unknown_field_is_named_with_the_nearest() {
    let error = error_with("nodez: 3,");
    assert_says(&error, "2:1", &["unknown field `nodez`", "2 | nodez: 3,", "hint: did you mean `nodes`?"]);
    let error = error_with("network: (latancy: \"1ms\"),");
    assert_says(&error, "2:11", &["unknown field `latancy`", "did you mean `latency`?"]);
}

#[test]
fn an_unknown_parameter_of_the_protocol_is_named_with_the_nearest() {
    let error = error_of("Scenario(format_version: 1, name: \"t\",\nprotocol: Raft(heartbeet: \"50ms\"))");
    assert_says(
        &error,
        "2:16",
        &["unknown field `heartbeet`", "allowed: `heartbeat`", "did you mean `heartbeat`?"],
    );
}

#[test]
fn an_unknown_protocol_is_named_with_the_nearest() {
    let error = error_of("Scenario(format_version: 1, name: \"t\",\nprotocol: Rafd())");
    assert_says(&error, "2:11", &["unknown variant `Rafd`", "did you mean `Raft`?"]);
    let error = error_of("Scenario(format_version: 1, name: \"t\",\nprotocol: Added(\"rafd\"))");
    assert_says(&error, "2:11", &["there is no protocol `rafd`", "did you mean `raft`?"]);
}

#[test]
fn a_capsule_is_no_scenario_and_can_be_replayed() {
    let error = error_of("Capsule(format_version: 1, seed: 0)");
    assert_says(
        &error,
        "1:8",
        &["allowed: a scenario", "hint: `splitbrain replay FILE` runs a capsule again"],
    );
}

#[test]
fn a_missing_field_is_named() {
    let error = error_of("Scenario(format_version: 1, protocol: Raft())");
    assert_says(&error, "1:1", &["the field `name` is missing", "hint: add `name: …`"]);
}

#[test]
fn a_wrong_unit_is_refused_with_what_is_allowed() {
    let error = error_with("phases: (faults: \"10sec\"),");
    assert_says(
        &error,
        "2:18",
        &["`10sec`", "allowed: a number directly followed by `ns`, `us`, `ms`, `s`, `m` or `h`"],
    );
    let error = error_with("network: (latency: \"5\"),");
    assert_says(&error, "2:20", &["hint: write"]);
    let error = error_with("network: (latency: \"gauss(5ms)\"),");
    assert_says(&error, "2:20", &["`gauss(5ms)` is no distribution", "`exponential(5ms)`"]);
}

#[test]
fn a_value_out_of_range_is_refused_with_the_range() {
    assert_says(&error_with("nodes: 0,"), "2:8", &["cannot have 0 nodes", "allowed: 1 to 1000000"]);
    assert_says(&error_with("nodes: 1000001,"), "2:8", &["allowed: 1 to 1000000"]);
    assert_says(&error_with("network: (loss: 1.5),"), "2:17", &["`1.5` is above 1", "from 0 to 1"]);
    assert_says(&error_with("clients: (count: 10001),"), "2:18", &["allowed: 0 to 10000"]);
    assert_says(&error_with("limits: (events: 0),"), "2:18", &["allowed: 1 and more"]);
    assert_says(&error_with("phases: (faults: \"0s\"),"), "2:18", &["a phase cannot last 0s"]);
    assert_says(&error_with("hosts: (inbox: 0),"), "2:16", &["allowed: 1 and more"]);
    let error = error_with("clocks: (nodes: {\"n1\": (drift: \"600000ppm\")}),");
    assert_says(&error, "2:32", &["600000ppm", "-500000ppm to 500000ppm"]);
    let error = error_with("clients: (workload: Kv(keys: 0)),");
    assert_says(&error, "2:30", &["cannot have 0 keys", "1 to 1000000"]);
}

#[test]
fn a_value_of_the_wrong_kind_is_shown_with_what_its_field_takes() {
    let error = error_with("nodes: -3\n");
    assert_says(&error, "2:8", &["`-3` is out of range", "from 0 to 4294967295", "hint: write `3`"]);
    let error = error_with("nodes: 99999999999, limits: (events: -1)");
    assert_says(&error, "2:8", &["`99999999999` is out of range", "from 0 to 4294967295"]);
    let error = error_with("limits: (events: -1)");
    assert_says(&error, "2:18", &["from 0 to 18446744073709551615", "hint: write `1`"]);
    assert_says(&error_with("nodes: 1.5"), "2:8", &["`1.5` is no whole number", "hint: write `1`"]);
    assert_says(&error_with("nodes: \"7\""), "2:8", &["allowed: a whole number", "hint: write `7`"]);
    assert_says(&error_with("nodes: 5ms"), "2:8", &["`5ms` is no number", "hint: write `\"5ms\"`"]);
    let error = error_with("ties: 3");
    assert_says(&error, "2:7", &["`3` is no name of a variant", "allowed: `Fifo`, `Shuffled`"]);
    assert_says(&error_with("ties: \"shuffled\""), "2:7", &["hint: did you mean `Shuffled`?"]);
    let error = error_with("network: (latency: Constant(\"5ms\"))");
    let parts = ["seen: `Constant(\"5ms\")`", "allowed: how long something takes", "hint: write `\"5ms\"`"];
    assert_says(&error, "2:20", &parts);
    assert_says(&error_with("network: (latency: [])"), "2:20", &["hint: write a text such as `\"5ms\"`"]);
}

#[test]
fn counts_are_refused_before_anything_of_that_size_is_built() {
    let most = u32::MAX;
    assert_says(&error_with(&format!("clients: (count: {most}),")), "2:18", &["allowed: 0 to 10000"]);
    assert_says(&error_with(&format!("clients: (admins: {most}),")), "2:19", &["allowed: 0 to 10000"]);
    assert_says(&error_with("clients: (count: 9999, admins: 2),"), "2:32", &["10001 clients"]);
    let error = error_with(&format!("clients: (count: {most}, admins: {most}),"));
    assert_says(&error, "2:18", &["allowed: 0 to 10000"]);
    assert_says(&error_with(&format!("nodes: {most},")), "2:8", &["allowed: 1 to 1000000"]);
}

#[test]
fn a_latency_of_a_year_is_refused() {
    let error = error_with("network: (latency: \"8760h\"),");
    assert_says(&error, "2:20", &["takes up to 31536000s", "allowed: times up to `1h`"]);
    let error = error_with("disks: (sync: \"exponential(1h)\"),");
    assert_says(&error, "2:15", &["allowed: times up to `1h`"]);
}

#[test]
fn a_node_that_does_not_exist_is_refused_where_it_is_named() {
    let error = error_with(
        "faults: (timed: [\n  (at: \"1s\", do: Crash(\"n2\")),\n  (at: \"2s\", do: Crash(\"n9\")),\n]),",
    );
    assert_says(
        &error,
        "4:18",
        &["there is no node `n9`: the scenario has 5 nodes", "allowed: `n1` to `n5`"],
    );
    assert_says(&error_with("spares: [\"n5\", \"n6\"],"), "2:16", &["there is no node `n6`"]);
    assert_says(&error_with("zones: {\"east\": [\"n7\"]},"), "2:17", &["there is no node `n7`"]);
    let error = error_with("network: (links: [(from: \"n1\", to: \"c8\", link: (loss: 1))]),");
    assert_says(&error, "2:36", &["there is no client `c8`: the scenario has 3 clients"]);
    let error = error_with("clocks: (nodes: {\"n6\": (drift: \"1ppm\")}),");
    assert_says(&error, "2:24", &["there is no node `n6`"]);
    let error = error_with("topology: Star(hub: \"n6\"),");
    assert_says(&error, "2:11", &["n6", "there are 5 nodes"]);
}

#[test]
fn acts_with_numbers_that_make_no_sense_are_refused() {
    let error = |act: &str| error_with(&format!("faults: (timed: [(at: \"1s\", do: {act})]),"));
    let slew = |rate| error(&format!("ClockSlew(node: \"n1\", rate: \"{rate}\")"));
    for rate in ["0ppm", "-500ppm", "501ppm"] {
        assert_says(&slew(rate), "2:33", &["a clock cannot be slewed at ", rate, "1ppm to 500ppm"]);
    }
    let error_at_node = error_with("clocks: (nodes: {\"n1\": (slew: \"501ppm\")}),");
    assert_says(&error_at_node, "2:31", &["a clock cannot be slewed at 501ppm"]);
    let region = error("DiskCorrupt(node: \"n1\", at: (region: 9, record: 0))");
    assert_says(&region, "2:33", &["`raft` has no region 9 on its disks", "allowed: 0 to "]);
    let point = error("CrashAtPoint(node: \"n1\", point: \"before-aply\")");
    assert_says(&point, "2:33", &["`raft` has no fault point `before-aply`", "did you mean `before-apply`?"]);
    let never = error("CrashAtPoint(node: \"n1\", point: \"before-apply\", nth: 0)");
    assert_says(&never, "2:33", &["occurrences count from 1"]);
    let waits = "faults: (timed: [(when: (event: Reaches(\"after-apply\")), do: Recover)]),";
    assert_says(&error_with(waits), "2:33", &["`raft` has no fault point `after-apply`"]);
    let timer = error("FireTimer(node: \"n1\", timer: \"elections\")");
    assert_says(&timer, "2:33", &["`raft` has no timer `elections`", "did you mean `election`?"]);
    let lie = error("DiskLieFor(node: \"n1\", syncs: 0)");
    assert_says(&lie, "2:33", &["a disk that lies for 0 syncs is honest"]);
    let late = error("DelayMessage(message: \"n1->n2#0\", by: \"2h\")");
    assert_says(&late, "2:33", &["a message cannot be held back for ", "up to `1h`"]);
    let message = error("DropMessage(\"n1->n9#0\")");
    assert_says(&message, "2:33", &["there is no node `n9`"]);
    assert_says(&error("DropMessage(\"n1-n2#0\")"), "2:33", &["`n1-n2#0` is no message"]);
    let issue = |client, asked| error(&format!("Issue(client: \"{client}\", operation: \"{asked}\")"));
    assert_says(&issue("c9", "kv read k1"), "2:33", &["there is no client `c9`"]);
    let other = issue("c1", "queue dequeue");
    assert_says(&other, "2:33", &["`raft` does not offer the service `queue`", "allowed: `kv`"]);
    assert_says(&issue("c1", "kv reed k1"), "2:64", &["`kv reed k1` is nothing that a client can ask"]);
}

#[test]
fn a_role_or_zone_that_does_not_exist_is_named_with_the_nearest() {
    let error = error_with("faults: (timed: [(at: \"1s\", do: Crash(\"leeder\"))]),");
    assert_says(&error, "2:33", &["`leeder` names no node and no role", "hint: write `\"leader\"`"]);
    let error = error_with(
        "zones: {\"east\": [\"n1\"]}, faults: (timed: [(at: \"1s\", do: Crash(\"zone(east2)\"))]),",
    );
    assert_says(&error, "2:58", &["there is no zone `east2`", "did you mean `east`?"]);
    let error =
        error_with("racks: {\"r1\": [\"n1\"]}, faults: (timed: [(at: \"1s\", do: Pause(\"rack(r2)\"))]),");
    assert_says(&error, "2:56", &["there is no rack `r2`", "did you mean `r1`?"]);
    let error = error_with("faults: (timed: [(at: \"1s\", do: Crash(\"rack(r1)\"))]),");
    assert_says(&error, "2:33", &["there is no rack `r1`", "hint: say which nodes it has: `racks: {"]);
    let error = error_with("faults: (random: (rates: {\"crush\": \"1/s\"})),");
    assert_says(&error, "2:36", &["there is no kind of fault `crush`", "did you mean `crash`?"]);
}

#[test]
fn parameters_of_raft_that_make_no_sense_together_are_refused_with_the_reason() {
    let error = |parameters: &str| {
        error_of(&format!("Scenario(format_version: 1, name: \"t\",\nprotocol: Raft({parameters}))"))
    };
    let hint = "hint: add `check_quorum: true`";
    assert_says(
        &error("reads: Lease"),
        "2:23",
        &["reads by lease need `check_quorum`", "section 6.4.1", hint],
    );
    assert_says(&error("stickiness: true"), "2:28", &["`stickiness` needs `check_quorum`", "4.2.3", hint]);
    assert_says(&error("learners: \"n1,n2,n3,n4,n5\""), "2:26", &["all members are learners"]);
    assert_says(&error("learners: \"n9\""), "2:26", &["n9 is a learner and no member"]);
    assert_says(&error("syncs_max: 0"), "2:27", &["`syncs_max` must be at least 1"]);
}

#[test]
fn election_timeouts_must_be_longer_than_the_heartbeat() {
    let error = error_of("Scenario(format_version: 1, name: \"t\",\nprotocol: Raft(heartbeat: \"200ms\"))");
    assert_says(
        &error,
        "2:27",
        &["must be shorter than the shortest election timeout 150ms", "paper", "hint: such as `\"50ms\"`"],
    );
    let error =
        error_of("Scenario(format_version: 1, name: \"t\",\nprotocol: Raft(election_timeout: \"150ms\"))");
    assert_says(&error, "2:34", &["is empty", "hint: write a range"]);
}

#[test]
fn contradictory_sections_are_refused() {
    let error =
        error_with("phases: (faults: \"5s\"),\nfaults: (timed: [(at: \"7s\", do: Crash(\"leader\"))]),");
    assert_says(&error, "3:23", &["comes after the fault phase, which ends at 5s", "hint: an earlier time"]);
    let error = error_with("clients: (think: \"10ms\", rate: \"5/s\"),");
    assert_says(&error, "2:32", &["`think` time (closed loop) or a `rate` (open loop), not both"]);
    let error = error_with("network: (loss: 0.1, burst: (enter: 0.1, leave: 0.1, loss: 1)),");
    assert_says(&error, "2:29", &["`loss` or `burst`, not both"]);
    let error = error_with("phases: (heal: Nothing),");
    assert_says(&error, "2:16", &["nothing heals", "hint: add `checks: (liveness: Ignored)`"]);
    let error = error_with("faults: (timed: [(at: \"1s\", when: (event: Crashes), do: Crash(\"leader\"))]),");
    assert_says(&error, "2:35", &["not several of these"]);
    let error = error_with("faults: (timed: [(do: Crash(\"leader\"))]),");
    assert_says(&error, "2:18", &["the fault has no time"]);
    let error = error_with("zones: {\"a\": [\"n1\"], \"b\": [\"n1\"]},");
    assert_says(&error, "2:27", &["n1 is in the zones `a` and `b`"]);
    let error = error_with("racks: {\"a\": [\"n1\"], \"b\": [\"n1\"]},");
    assert_says(&error, "2:27", &["n1 is in the racks `a` and `b`"]);
    let error =
        error_with("zones: {\"east\": [\"n1\"], \"west\": [\"n2\"]},\nracks: {\"r1\": [\"n1\", \"n2\"]},");
    assert_says(&error, "3:15", &["the rack `r1` has n1 of zone `east` and n2 of zone `west`"]);
    let error = error_with("spares: [\"n1\", \"n2\", \"n3\", \"n4\", \"n5\"],");
    assert_says(&error, "2:9", &["all nodes are spares"]);
    let error = error_with("clients: (timeout: \"3s\"),");
    assert_says(&error, "2:10", &["give up after 2s, before they have waited 3s"]);
}

#[test]
fn a_workload_that_the_protocol_does_not_serve_is_refused() {
    let error = error_with("clients: (workload: Echo()),");
    assert_says(&error, "2:21", &["`raft` does not serve `echo`", "allowed: `kv`"]);
}

#[test]
fn an_act_without_an_opposite_needs_one_to_be_undone() {
    let error = error_with("faults: (timed: [(at: \"1s\", do: Wipe(\"n1\"), undo_after: \"1s\")]),");
    assert_says(&error, "2:57", &["no opposite", "hint: say which with `undo`"]);
    let error = error_with("faults: (timed: [(at: \"1s\", do: Crash(\"n1\"), undo: Restart(\"n1\"))]),");
    assert_says(&error, "2:52", &["hint: add `undo_after`"]);
}

#[test]
fn an_administrator_asks_for_what_there_is() {
    let asking = |what: &str, more: &str| {
        error_with(&format!("faults: (timed: [(at: \"1s\", do: Ask({what}){more})]),"))
    };
    let error = asking("AddNode(\"n9\")", "");
    assert_says(&error, "2:33", &["there is no node `n9`", "allowed: `n1` to `n5`"]);
    let error = asking("ReplaceNode(remove: \"n2\", add: \"n2\")", "");
    assert_says(&error, "2:33", &["`n2` is named twice", "allowed: two nodes"]);
    let error = asking("TransferLeadership(\"leader\")", "");
    assert!(error.contains("`n1`, `n2`, …"), "{error}");
    let error = asking("AddNodes(\"n1\", \"n2\")", ", undo_after: \"1s\"");
    assert_says(&error, "2:72", &["no opposite", "hint: say which with `undo`"]);
    let error = error_with("clients: (count: 0), faults: (timed: [(at: \"1s\", do: Ask(Snapshot))]),");
    assert_says(&error, "2:54", &["nobody is there to ask", "hint: add `clients: (admins: 1)`"]);
}

#[test]
fn too_many_faults_are_refused() {
    let error = error_with("faults: (periodic: [(every: \"1ns\", do: Crash(\"leader\"))]),");
    assert_says(&error, "2:29", &["10000000000 faults", "up to 1000000"]);
    let error = error_with("faults: (random: (rates: {\"crash\": \"1000000/s\"})),");
    assert_says(&error, "2:26", &["faults", "up to 1000000"]);
}

#[test]
fn an_expectation_that_cannot_come_is_refused() {
    let error = error_with("expect: Violation(\"election-safty\"),");
    assert_says(
        &error,
        "2:9",
        &["nothing in this run can violate `election-safty`", "did you mean `election-safety`?"],
    );
    let error = error_with("checks: (invariants: [\"log-machting\"]),");
    assert_says(&error, "2:23", &["`raft` has no invariant `log-machting`", "did you mean `log-matching`?"]);
}

#[test]
fn a_version_from_the_future_is_refused_before_its_new_fields() {
    let error = error_of("Scenario(\n    format_version: 2,\n    hologram: true,\n)");
    assert_says(
        &error,
        "2:21",
        &["format version 2 is newer than this program", "hint: use a newer version"],
    );
    let error = error_of("Scenario(format_version: 0, name: \"t\", protocol: Raft())");
    assert_says(&error, "1:26", &["there is no format version 0", "allowed: `1`"]);
}

#[test]
fn an_empty_file_is_refused() {
    for text in ["", "\n\n", "// nothing here\n"] {
        let error = error_of(text);
        assert!(
            error.contains("the file is empty") && error.contains("hint: a scenario begins with"),
            "{error}"
        );
    }
}

#[test]
fn invalid_utf8_is_refused_with_its_place() {
    let mut bytes = b"Scenario(\n    name: \"t".to_vec();
    bytes.extend([0xFF, b'"', b')']);
    let error = try_load(&bytes, &[]).expect_err("not UTF-8").to_string();
    assert_says(&error, "2:13", &["not UTF-8: byte 0xFF", "hint: save the file as UTF-8"]);
}

#[test]
fn a_huge_file_is_refused() {
    let error = try_load(&vec![b' '; 17 << 20], &[]).expect_err("too large").to_string();
    assert!(error.contains("the file is too large") && error.contains("16 MiB"), "{error}");
}

#[test]
fn overrides_change_what_the_file_says_and_errors_point_at_them() {
    let entry = library::find("leader-crash").expect("the library has it");
    let set = |overrides: &[&str]| try_load(entry.text.as_bytes(), overrides);
    let changed =
        set(&["nodes=7", "network.loss=0.05", "protocol.heartbeat=20ms", "faults.periodic[0].every=3s"]);
    let scenario = changed.unwrap_or_else(|error| panic!("{error}")).scenario;
    assert_eq!((scenario.nodes, scenario.faults.periodic[0].every.to_string().as_str()), (7, "3s"));
    assert_eq!(scenario.network.loss.map(|loss| loss.to_string()).as_deref(), Some("0.05"));
    let error = set(&["nodes=0"]).expect_err("0 nodes");
    assert_eq!(error.place.source, Source::Set { flag: "--set", text: "nodes=0".to_owned() });
    let error = set(&["network.los=0.1"]).expect_err("no such field").to_string();
    assert!(error.contains("--set network.los=0.1") && error.contains("did you mean `loss`?"), "{error}");
    assert_ne!(set(&["nodes=3"]).expect("valid").text_digest, set(&[]).expect("valid").text_digest);
}

/// A change of a text that a careless editor, disk or person could make.
#[derive(Clone, Debug)]
enum Mangling {
    Flip(usize, u8),
    Truncate(usize),
    Insert(usize, String),
    DeleteLine(usize),
    SwapLines(usize, usize),
    /// Makes a number, of those there are, the largest of 32 bits.
    Maximise(usize),
}

fn mangling() -> impl Strategy<Value = Mangling> {
    let junk = prop::sample::select(vec![
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "\"",
        "//",
        "/*",
        "-1",
        "1e999",
        "99999999999999999999",
        "null",
        "\u{0}",
        "ü",
        "n0",
        "Some(",
        "\"1y\"",
        "r#\"",
        "\\",
    ]);
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Mangling::Flip(at, byte)),
        any::<usize>().prop_map(Mangling::Truncate),
        (any::<usize>(), junk).prop_map(|(at, text)| Mangling::Insert(at, text.to_owned())),
        any::<usize>().prop_map(Mangling::DeleteLine),
        (any::<usize>(), any::<usize>()).prop_map(|(a, b)| Mangling::SwapLines(a, b)),
        any::<usize>().prop_map(Mangling::Maximise),
    ]
}

fn mangle(bytes: &mut Vec<u8>, mangling: &Mangling) {
    if bytes.is_empty() {
        return;
    }
    match mangling {
        Mangling::Flip(at, byte) => {
            let at = at % bytes.len();
            bytes[at] = *byte;
        }
        Mangling::Truncate(at) => bytes.truncate(at % bytes.len()),
        Mangling::Insert(at, text) => {
            let at = at % bytes.len();
            bytes.splice(at..at, text.bytes());
        }
        Mangling::DeleteLine(at) => with_lines(bytes, |lines| {
            lines.remove(at % lines.len());
        }),
        Mangling::SwapLines(a, b) => with_lines(bytes, |lines| {
            let count = lines.len();
            lines.swap(a % count, b % count);
        }),
        Mangling::Maximise(at) => maximise(bytes, *at),
    }
}

fn maximise(bytes: &mut Vec<u8>, at: usize) {
    let starts_number = |index: &usize| {
        bytes[*index].is_ascii_digit() && (*index == 0 || !bytes[*index - 1].is_ascii_alphanumeric())
    };
    let starts: Vec<usize> = (0..bytes.len()).filter(starts_number).collect();
    let Some(start) = starts.get(at % starts.len().max(1)) else { return };
    let len = bytes[*start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    bytes.splice(*start..*start + len, u32::MAX.to_string().bytes());
}

fn with_lines(bytes: &mut Vec<u8>, change: impl Fn(&mut Vec<Vec<u8>>)) {
    let mut lines: Vec<Vec<u8>> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    change(&mut lines);
    *bytes = lines.join(&b'\n');
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_mangled_file_is_refused_within_itself_or_means_something(
        index in any::<prop::sample::Index>(),
        manglings in prop::collection::vec(mangling(), 1..4),
    ) {
        let entry = index.get(library::all());
        let mut bytes = entry.text.as_bytes().to_vec();
        for mangling in &manglings {
            mangle(&mut bytes, mangling);
        }
        if let Err(diagnostic) = try_load(&bytes, &[]) {
            let text = String::from_utf8_lossy(&bytes);
            let place = &diagnostic.place;
            prop_assert!(place.line >= 1 && place.column >= 1 && place.width >= 1, "{:?}", place);
            prop_assert!(place.line <= text.split('\n').count().max(1), "{:?}", place);
            prop_assert!(place.column <= place.text.chars().count() + 1, "{:?}", place);
            prop_assert!(diagnostic.to_string().starts_with("error: "));
            prop_assert!(!diagnostic.allowed.trim().is_empty() && !diagnostic.hint.trim().is_empty());
        }
    }
}

#[test]
fn a_fault_before_a_timer_fires_needs_a_timer_a_node_and_no_other_time() {
    let error = |fields: &str| error_with(&format!("faults: (timed: [({fields}, do: Pause(\"n2\"))]),"));
    let timer = error("before: (timer: \"electoin\", node: \"n2\")");
    assert_says(&timer, "2:35", &["`raft` has no timer `electoin`", "did you mean `election`?"]);
    let node = error("before: (timer: \"election\", node: \"n9\")");
    assert_says(&node, "2:53", &["there is no node `n9`"]);
    let both = error("at: \"1s\", before: (timer: \"election\", node: \"n2\")");
    assert_says(&both, "2:37", &["not several of these", "one of the three"]);
    let undone = error("before: (timer: \"election\", node: \"n2\"), undo_after: \"1s\"");
    assert_says(&undone, "2:72", &["`undo_after` counts from a time or an event"]);
    let fine = "faults: (timed: [(before: (timer: \"election\", node: \"n2\", by: \"140ms\", since: \"1s\"), do: Pause(\"n2\"))]),";
    let text = format!("Scenario(format_version: 1, name: \"before\", protocol: Raft(), {fine})");
    let table = ProtocolTable::builtin();
    let loaded = load("before.ron", text.as_bytes(), &[], &table).unwrap_or_else(|error| panic!("{error}"));
    let report = crate::run(&loaded, &table, 0, &crate::RunOptions::PLAIN).report;
    let entry =
        report.plan.entries().iter().find(|entry| entry.to_string().contains("before election of n2"));
    assert!(entry.is_some_and(|entry| entry.was.is_some()), "{:?}", report.plan);
}

#[test]
fn other_overrides_take_the_place_of_those_before() {
    let table = ProtocolTable::builtin();
    let bytes = br#"Scenario(format_version: 1, name: "t", protocol: Raft(), nodes: 3)"#;
    let set = |text: &str| Override::parse(text).expect("a path and a value");
    let seven = load("test.ron", bytes, &[set("nodes=7")], &table).expect("it is right");
    let plain = seven.reloaded(&[], &table).expect("it is right");
    assert_eq!((seven.scenario.nodes, plain.scenario.nodes), (7, 3));
    let four = plain.reloaded(&[set("nodes=4"), set("ties=Shuffled")], &table).expect("it is right");
    assert_eq!(
        four.text_digest,
        load("test.ron", bytes, four.overrides(), &table).expect("it is right").text_digest
    );
    let error = four.reloaded(&[set("nodes=0")], &table).expect_err("there is nobody");
    assert_eq!(error.place.source, Source::Set { flag: "--set", text: "nodes=0".to_owned() });
}
