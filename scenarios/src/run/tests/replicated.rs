//! The scenarios of queues and logs on several replicated nodes whose leaders crash: they end as they do with one.
//!
//! A queue gets three brokers, and a log three controllers. Since that moves all nodes behind them, faults are not those of the
//! scenario: whoever leads crashes again and again. Draws are left out, so that each scenario is what its file says.

use crate::format::Expectation;
use crate::text::Override;

use super::*;

/// What is not run so, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("queue/quorum-queue", "it has three brokers"),
    ("queue/random-quorum", "it has three brokers"),
    ("queue/random-outbox", "it draws how many brokers it has"),
    ("queue/in-flight", "it is about how much one broker holds, and takes long"),
    ("queue/waiting-line", "it is compared with queueing theory, which knows no crashes"),
    ("queue/deduplication-window-too-short", "its own faults make the violation"),
    ("log/controllers-crash", "it has three controllers"),
    ("log/random-controllers", "it has three controllers"),
    ("log/random-quorum", "it has three controllers"),
    ("log/controller-down", "it is about one controller"),
    ("log/hanging-transaction", "its own faults make the violation"),
    ("log/leaders-crash-acks-leader", "its own faults make the violation"),
    ("log/leaders-crash-acks-never", "its own faults make the violation"),
    ("log/read-uncommitted", "its own faults make the violation"),
    ("log/retention-too-short", "its own faults make the violation"),
    ("log/unclean-election", "its own faults make the violation"),
    ("log/without-idempotence", "its own faults make the violation"),
];

/// Leaders of a queue's brokers crash.
const BROKERS_CRASH: &str =
    r#"faults=(periodic: [(every: "2s", from: "1300ms", do: Crash("leader"), undo_after: "500ms")])"#;

/// What a leader's crash leaves in flight comes back after this time, where a scenario whose broker never crashes leaves it at
/// half a minute: longer than it runs.
const VISIBILITY: &str = "protocol.visibility=1s";

/// Controllers crash in turn, and so do brokers that lead.
const CONTROLLERS_CRASH: &str = r#"faults=(periodic: [
    (every: "3s", from: "1s", do: Crash("n1"), undo_after: "700ms"),
    (every: "3s", from: "2s", do: Crash("n2"), undo_after: "700ms"),
    (every: "3s", from: "3s", do: Crash("n3"), undo_after: "700ms"),
    (every: "3s", from: "1300ms", do: Crash("leader"), undo_after: "600ms"),
])"#;

/// The scenario with three of what its protocol has one of.
fn replicated(entry: &library::Entry, what: &str, faults: &str) -> Loaded {
    let nodes = loaded(entry.text).scenario.nodes + 2;
    let mut set = vec![format!("protocol.{what}=3"), format!("nodes={nodes}"), "draw=[]".to_owned()];
    set.push(faults.to_owned());
    if what == "brokers" && !entry.text.contains("visibility:") {
        set.push(VISIBILITY.to_owned());
    }
    let overrides = set.iter().map(|text| Override::parse(text)).collect::<Result<Vec<_>, _>>();
    let overrides = overrides.expect("a path and a value");
    load(entry.path, entry.text.as_bytes(), &overrides, &ProtocolTable::builtin())
        .unwrap_or_else(|error| panic!("{error}"))
}

fn end_as_expected(area: &str, what: &str, faults: &str) {
    let is_left_out = |name: &str| LEFT_OUT.iter().any(|(other, _)| *other == name);
    let all = library::all().iter().filter(|entry| entry.path.starts_with(area));
    let mut violating = 0;
    for entry in all.filter(|entry| !is_left_out(entry.name)) {
        let scenario = replicated(entry, what, faults);
        violating += u32::from(scenario.scenario.expect != Expectation::Pass);
        let report = run_seed(&scenario, 0).report;
        let (verdict, violations) = (&report.verdict, &report.violations);
        assert_eq!(report.exit_code, 0, "{} with three {what}: {verdict}: {violations:?}", entry.name);
        let crashes = report.milestones.iter().filter(|milestone| milestone.kind == MilestoneKind::Crashed);
        assert!(crashes.count() >= 1, "nobody crashes in {}", entry.name);
        assert!(report.operations.completed > 0, "{} serves nobody", entry.name);
    }
    assert!(violating > 0, "some of {area} show a violation, with three as well");
}

#[test]
fn queues_with_three_brokers_whose_leaders_crash_end_as_with_one() {
    end_as_expected("queue/", "brokers", BROKERS_CRASH);
}

#[test]
fn logs_with_three_controllers_that_crash_end_as_with_one() {
    end_as_expected("log/", "controllers", CONTROLLERS_CRASH);
}

#[test]
fn what_is_left_out_is_there() {
    for (name, why) in LEFT_OUT {
        assert!(library::find(name).is_some(), "{name} is left out because {why}, and is not there");
    }
}
