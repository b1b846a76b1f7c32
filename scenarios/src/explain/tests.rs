//! Claims about explanations.

use sim_core::SimTime;
use sim_core::check::Violation;

use super::*;
use crate::capsule::{self, Capsule};
use crate::load::load;
use crate::run::{RunOptions, run};

/// A leader commits as soon as the other's answer is there, which is sent before anything is on its disk.
const ANSWERS_TOO_SOON: &str = r#"Scenario(
    format_version: 1,
    name: "answers-too-soon",
    protocol: Raft(heartbeat: "50ms", election_timeout: "150ms..300ms", mutant: "ack-before-fsync"),
    nodes: 3,
    network: (latency: "exponential(2ms)"),
    clients: (count: 1, operations: 0),
    phases: (faults: "1s"),
    expect: Violation("committed-is-durable"),
)"#;

/// A leader that is cut off answers a read by what it knows, without asking whether it still leads.
const STALE_READ: &str = r#"Scenario(
    format_version: 1,
    name: "stale-read",
    protocol: Raft(heartbeat: "50ms", election_timeout: "150ms..300ms", mutant: "stale-read-no-heartbeat"),
    nodes: 3,
    clients: (count: 1, operations: 0),
    phases: (faults: "1s"),
    faults: (timed: [
        (at: "300ms", do: Partition(name: "split", shape: Groups([["n1"]]))),
        (at: "300ms", do: Issue(client: "c1", operation: "kv write k0=2000000028")),
        (at: "300ms", do: Issue(client: "c1", operation: "kv cas k0 2000000032->2000000034")),
        (at: "300ms", do: Issue(client: "c1", operation: "kv read k0")),
    ]),
    expect: Violation("linearizability"),
)"#;

/// A leader takes over what was reported, and leaves the slot between that nobody reported: its proposal was lost.
const LEAVES_A_GAP: &str = r#"Scenario(
    format_version: 1,
    name: "leaves-a-gap",
    protocol: Paxos(heartbeat: "20ms", election_timeout: "60ms..120ms", window: 8, snapshot_every: 60, mutant: "no-gap-fill"),
    nodes: 6,
    spares: ["n4", "n5", "n6"],
    network: (latency: "exponential(4ms)"),
    clients: (count: 2, think: "0ms..5ms", operations: 8),
    phases: (faults: "200ms", convergence: "10s"),
    faults: (timed: [
        (at: "1ms", do: DropMessage("n3->n1#18")),
        (at: "10ms", do: DropMessage("n3->n2#2")),
        (at: "10ms", do: DropMessage("n3->n1#0")),
        (at: "95ms", do: Hold(from: ["n1", "n2", "n3", "n4", "n5", "n6"], to: ["n1"])),
    ]),
    expect: Violation("clients-are-served"),
)"#;

/// An acceptor forgets what it accepted when it crashes.
const FORGETS: &str = r#"Scenario(
    format_version: 1,
    name: "forgets",
    protocol: Paxos(heartbeat: "8ms", election_timeout: "20ms..50ms", window: 16, snapshot_every: 40, mutant: "amnesia-accept"),
    nodes: 3,
    clients: (count: 1, operations: 0),
    phases: (faults: "100ms"),
    faults: (timed: [
        (at: "36ms", do: Issue(client: "c1", operation: "kv write k2=3000000028")),
        (at: "41ms", do: Crash("n3"), undo_after: "1ms"),
    ]),
    expect: Violation("a3-keeps-pvalues"),
)"#;

/// What a node on its way to the disk is taken for what replaced it meanwhile.
const TAKES_ONE_FOR_ANOTHER: &str = r#"Scenario(
    format_version: 1,
    name: "takes-one-for-another",
    protocol: Raft(
        heartbeat: "30ms", election_timeout: "150ms..200ms", pre_vote: true, check_quorum: true, stickiness: true,
        reads: Lease, drift_max: "450000ppm", mutant: "async-append-aba",
    ),
    nodes: 3,
    clients: (count: 1, operations: 0),
    phases: (faults: "1.739s", convergence: "10s"),
    faults: (timed: [
        (at: "1.2s", do: Pause("leader")),
        (at: "1.2s", do: Issue(client: "c1", operation: "kv write k0=8000000086")),
    ]),
    expect: Violation("durable-is-on-disk"),
)"#;

/// The capsule of a scenario's run.
fn opened(text: &str, seed: u64) -> Opened {
    let table = ProtocolTable::builtin();
    let loaded = load("test", text.as_bytes(), &[], &table).unwrap_or_else(|error| panic!("{error}"));
    let report = run(&loaded, &table, seed, &RunOptions::default()).report;
    let text = Capsule::of(&loaded, &report).to_text(&loaded, "splitbrain replay it");
    capsule::open("it", text.as_bytes(), &table).unwrap_or_else(|error| panic!("{error}"))
}

fn go_on(_: &dyn Simulation) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Its explanation, by jobs done one after the other.
fn explained(text: &str, seed: u64, options: &Options) -> Explanation {
    let (opened, table) = (opened(text, seed), ProtocolTable::builtin());
    let mut runner = |judge: &Judge<'_>, jobs: Vec<Job>| {
        Some(jobs.into_iter().map(|job| judge.outcome(job)).collect::<Vec<_>>())
    };
    let explanation = explain(&opened, &table, options, &mut go_on, &mut runner, &mut |_, _| {});
    explanation.unwrap_or_else(|refusal| panic!("{refusal:?}"))
}

fn told(explanation: &Explanation) -> Vec<&str> {
    explanation.story.lines.iter().map(|line| line.text.as_str()).collect()
}

fn assert_told(explanation: &Explanation, parts: &[&str]) {
    let lines = told(explanation);
    let mut from = 0;
    for part in parts {
        let found = lines[from..].iter().position(|line| line.contains(part));
        from += found
            .unwrap_or_else(|| panic!("`{part}` is not told after line {from} of:\n{}", lines.join("\n")))
            + 1;
    }
}

#[test]
fn the_moment_is_found_at_which_all_that_decides_is_on_its_way() {
    // The answer is sent when the entries arrive, and at the same time the disk begins to write: which is first is known.
    let explanation = explained(ANSWERS_TOO_SOON, 5, &Options::default());
    let inevitable = explanation.inevitable.expect("it can be copied");
    let event = inevitable.event.expect("the search came to its end");
    let happening = inevitable.happening.expect("the search came to its end");
    assert!(happening.starts_with("n3 receives AppendEntries term=1"), "{happening}");
    for share in &inevitable.shares {
        assert_eq!(share.is_inevitable(), share.event >= event, "{share:?} and event {event}");
        assert!(share.event < event || share.failed == share.of, "{share:?}: nothing is left to be drawn");
    }
}

#[test]
fn nearly_all_fail_where_the_interval_reaches_what_is_wanted() {
    let is_inevitable = |failed, of| Share { event: 1, at_ns: 1, failed, of }.is_inevitable();
    for (failed, of) in [(36, 40), (40, 40), (9, 10), (22, 24), (1, 1), (500, 520)] {
        assert!(is_inevitable(failed, of), "{failed} of {of}");
    }
    for (failed, of) in [(35, 40), (17, 40), (8, 10), (15, 20), (0, 1), (480, 520)] {
        assert!(!is_inevitable(failed, of), "{failed} of {of}");
    }
}

#[test]
fn only_what_the_failure_depends_on_can_have_decided_it() {
    let (opened, table) = (opened(STALE_READ, 9), ProtocolTable::builtin());
    let Run { report, simulation } = replayed(&opened, &table, &mut go_on).expect("nobody breaks it off");
    let symptom = Symptom::of(&report).expect("it fails");
    let configured = opened.loaded.configured(opened.capsule.seed, &table);
    let judge = Judge { opened: &opened, table: &table, configured, symptom, events_max: u64::MAX };
    let moment = Moment::find(&judge, &report, simulation.as_ref(), &mut go_on).expect("it is found");
    let all = past::depends_on(&moment);
    let is_past = |event: u64| all.iter().any(|record| moment.told.event_of(*record) == event);
    let commands: Vec<u64> = (0..moment.told.trace().len())
        .filter(|number| moment.told.record(*number).kind() == sim_core::trace::TraceKind::Command)
        .map(|number| moment.told.event_of(number))
        .collect();
    let shares = explained(STALE_READ, 9, &Options::default()).inevitable.expect("it can be copied").shares;
    for share in &shares {
        let may_decide = share.event == 0 || is_past(share.event) || commands.contains(&share.event);
        assert!(may_decide, "event {} is in nobody's past", share.event);
    }
    assert!((1..moment.event).any(|event| !is_past(event)), "some event is in nobody's past");
}

#[test]
fn where_something_is_missing_the_story_says_when_it_was_last_there_and_which_message_was_lost() {
    let explanation = explained(LEAVES_A_GAP, 24, &Options::default());
    assert_told(
        &explanation,
        &[
            "drop message n3->n1#18",
            "Prepare from n3 to n1 is dropped: a fault picked it out",
            "no operation is answered after this",
            "slot 7 (c1#6 write k2=1000000007 (b1.n3)) is added",
            "n2 receives Accept b1.n3 slot 7=c1#6 write k2=1000000007",
            "Promise from n3 to n1 is dropped: a fault picked it out",
            "to be decided; nothing more is known to be decided after this",
            "no operation that was invoked after the faults had ended has completed",
        ],
    );
    let turning = explanation.story.lines.iter().find(|line| line.is_turning).expect("it is told");
    assert!(turning.text.contains("Accept b1.n3 slot 7"), "{turning:?}");
    let row = explanation.states.rows.iter().find(|row| row.name == "slot 7").expect("the gap is shown");
    assert_eq!(row.values[..2], [None, None]);
}

#[test]
fn what_a_node_forgot_while_it_was_down_is_told_where_it_comes_back() {
    let explanation = explained(FORGETS, 13, &Options { samples: 0, ..Options::default() });
    let parts = ["crash n3", "restart n3: slot 1 (c1#0 write k2=3000000028 (b1.n3)) is removed"];
    assert_told(&explanation, &parts);
}

#[test]
fn heartbeats_that_set_each_other_are_one_step_of_the_chain() {
    let explanation = explained(TAKES_ONE_FOR_ANOTHER, 375, &Options { samples: 0, ..Options::default() });
    let lines = &explanation.story.lines;
    let beats =
        lines.iter().filter(|line| line.in_chain && line.text.starts_with("n2: timer heartbeat fires"));
    assert_eq!(beats.count(), 1, "{:?}", told(&explanation));
    assert_told(
        &explanation,
        &["pause n3", "log 2 (epoch 1: write k0=8000000086) is replaced by 2 (epoch 2: noop)"],
    );
}

#[test]
fn futures_are_those_of_the_seed_and_nothing_else() {
    let options = Options { samples: 10, ..Options::default() };
    let shares = || explained(STALE_READ, 9, &options).inevitable.expect("it can be copied").shares;
    assert_eq!(shares(), shares());
}

#[test]
fn the_story_of_a_stale_read_names_the_fault_the_process_and_the_operations() {
    let explanation = explained(STALE_READ, 9, &Options { samples: 0, ..Options::default() });
    assert_told(
        &explanation,
        &[
            "n1 becomes leader in epoch 1",
            "partition {n1}",
            "n2 becomes leader in epoch 2",
            "n2 receives a request for c1#0 from c1: write k0=2000000028",
            "c1 receives a reply for c1#0 from n2: done",
            "n1 receives a request for c1#2 from c1: read k0",
            "c1 receives a reply for c1#2 from n1: none",
            "linearizability is violated",
        ],
    );
    assert_eq!((explanation.story.faults_tried, explanation.story.faults_needed), (1, 1));
    assert!(explanation.inevitable.is_none(), "nobody asked");
    let prefix = explanation.legal_prefix.expect("a history failed");
    assert!(prefix.stuck[0].starts_with("c1#2 read k0 -> none"), "{prefix:?}");
    assert!(prefix.legal[0].starts_with("c1#0 write k0=2000000028 -> done"), "{prefix:?}");
    let rows = &explanation.states.rows;
    let term = rows.iter().find(|row| row.name.ends_with("current term")).expect("the two leaders differ");
    assert_eq!(term.values, [Some("1".to_owned()), Some("2".to_owned())]);
}

#[test]
fn the_regression_test_fails_as_the_run_does() {
    let table = ProtocolTable::builtin();
    for (text, seed) in [(STALE_READ, 9), (ANSWERS_TOO_SOON, 5)] {
        let explanation = explained(text, seed, &Options { samples: 0, ..Options::default() });
        let Regression { scenario, seed, verdict, .. } = explanation.regression;
        let scenario = scenario.expect("it can be written");
        let loaded = load("test", scenario.as_bytes(), &[], &table).unwrap_or_else(|error| panic!("{error}"));
        let report = run(&loaded, &table, seed, &RunOptions::default()).report;
        assert_eq!(report.verdict.to_string(), verdict, "{scenario}");
    }
}

#[test]
fn everything_that_is_told_lies_in_the_past_of_the_failure_and_in_order() {
    let explanation = explained(STALE_READ, 9, &Options { samples: 0, ..Options::default() });
    let lines = &explanation.story.lines;
    assert!(lines.windows(2).all(|pair| pair[0].at_ns <= pair[1].at_ns), "{lines:?}");
    assert!(lines.iter().all(|line| line.event <= explanation.failure.event), "{lines:?}");
    let dots = explanation.picture.dots.len();
    let is_drawn = |dot: u32| usize::try_from(dot).expect("a picture is small") < dots;
    for arrow in &explanation.picture.arrows {
        assert!(is_drawn(arrow.from) && is_drawn(arrow.to) && arrow.from < arrow.to, "{arrow:?}");
    }
    assert_eq!(explanation.picture.dots.iter().filter(|dot| dot.is_violation).count(), 1);
}

#[test]
fn a_story_has_at_most_as_many_lines_as_were_asked_for() {
    for lines_max in [5, 12, 50] {
        let options = Options { samples: 0, lines_max, ..Options::default() };
        let explanation = explained(STALE_READ, 9, &options);
        assert!(explanation.story.lines.len() <= lines_max, "{:?}", told(&explanation));
    }
}

#[test]
fn a_run_that_does_not_fail_is_refused() {
    let text = STALE_READ
        .replace(", mutant: \"stale-read-no-heartbeat\"", "")
        .replace("expect: Violation(\"linearizability\"),", "");
    let (opened, table) = (opened(&text, 9), ProtocolTable::builtin());
    let explanation =
        explain(&opened, &table, &Options::default(), &mut go_on, &mut |_, _| None, &mut |_, _| {});
    assert_eq!(explanation.err(), Some(Refusal::Passes("pass".to_owned())));
}

#[test]
fn a_search_that_is_broken_off_leaves_the_rest_of_the_explanation() {
    let (opened, table) = (opened(STALE_READ, 9), ProtocolTable::builtin());
    let explanation =
        explain(&opened, &table, &Options::default(), &mut go_on, &mut |_, _| None, &mut |_, _| {});
    let explanation = explanation.expect("the run fails");
    assert!(!explanation.is_complete);
    assert_eq!(explanation.inevitable.as_ref().expect("it was begun").event, None);
    assert_told(&explanation, &["partition {n1}", "linearizability is violated"]);
}

#[test]
fn a_search_that_comes_to_the_end_of_its_events_says_between_which_events_it_is() {
    let of = |events_max| {
        let options = Options { events_max, ..Options::default() };
        explained(STALE_READ, 9, &options).inevitable.expect("it can be copied")
    };
    assert_eq!((of(8_000_000).bracket, of(8_000_000).samples), (None, 40));
    let ended = (1..=12).map(|thousands| of(thousands * 500)).find(|ended| ended.bracket.is_some());
    let ended = ended.expect("with some number of events it ends while it halves");
    assert_eq!((ended.event, ended.samples), (None, 10), "fewer futures, and still too many events");
    let Bracket { above, up_to } = ended.bracket.expect("just seen");
    let share = |event| *ended.shares.iter().find(|share| share.event == event).expect("it was tried");
    assert!(above < up_to && !share(above).is_inevitable() && share(up_to).is_inevitable(), "{ended:?}");
}

#[test]
fn faults_are_weighed_where_they_are_few() {
    let slow =
        |place| format!("(at: \"{}ms\", do: SlowDown(node: \"n3\", percent: 100)),\n        ", 310 + place);
    let many: String = (0..25).map(slow).collect();
    let text = STALE_READ.replace("timed: [", &format!("timed: [{many}"));
    let story = explained(&text, 9, &Options { samples: 0, ..Options::default() }).story;
    assert_eq!((story.fault_moments, story.faults_tried, story.faults_needed), (26, 0, 0));
    assert!(story.lines.iter().all(|line| line.is_needed.is_none()), "{:?}", story.lines);
}

#[test]
fn a_run_that_goes_on_after_a_pause_ends_as_without() {
    let table = ProtocolTable::builtin();
    let opened = opened(STALE_READ, 9);
    let options = RunOptions { replay: Some(opened.capsule.plan.clone()), ..RunOptions::default() };
    let whole = run(&opened.loaded, &table, 9, &options).report;
    for event in [0, 1, 40, 86, 100, whole.events, whole.events + 1] {
        let mut paused = Paused::at_start(&opened.loaded, &table, 9, &options);
        paused.go_on(event);
        assert_eq!(paused.simulation().events(), event.min(whole.events));
        let copy = paused.copy().expect("it can be copied");
        let report = copy.finish(&opened.loaded, &table, &mut |_| ControlFlow::Continue(())).report;
        assert_eq!(report, whole, "after a pause at event {event}");
    }
    assert!(whole.simulated_ns > SimTime::ZERO.as_nanos());
}

/// What a window tells of a run on its way is what the command tells of its capsule.
#[test]
fn a_story_that_is_asked_for_piece_by_piece_is_the_same() {
    let table = ProtocolTable::builtin();
    let opened = opened(TAKES_ONE_FOR_ANOTHER, 375);
    let options = Options { samples: 0, events_max: 0, lines_max: 30 };
    let whole = explained(TAKES_ONE_FOR_ANOTHER, 375, &options);
    let scenario = &opened.loaded.configured(opened.capsule.seed, &table).scenario;
    let start = |recording| {
        assemble_recording(scenario, &table, opened.capsule.seed, Some(&opened.capsule.plan), recording)
    };
    let mut ran = start(Recording::Off);
    let _violated = ran.run(SimTime::from_nanos(u64::MAX - 1), u64::MAX);
    let question = Question::Violation(ran.violations()[0].clone());
    for piece in [1, 7, 100_000] {
        let mut inquiry =
            Inquiry::new(question.clone(), scenario, start(Recording::On), start(Recording::Off), 30);
        while !inquiry.go_on(piece) {
            assert_eq!(inquiry.story().map(|story| story.lines.len()), None, "it is not known yet");
        }
        let story = inquiry.story().expect("there is something to tell");
        let texts: Vec<&str> = story.lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, told(&whole), "in pieces of {piece} events");
        assert_eq!((story.depends_on, &story.folded), (whole.story.depends_on, &whole.story.folded));
    }
}

#[test]
fn a_story_of_an_illegal_history_is_the_same_piece_by_piece() {
    let table = ProtocolTable::builtin();
    let options = Options { samples: 0, events_max: 0, lines_max: 30 };
    let whole = explained(STALE_READ, 9, &options);
    let opened = opened(STALE_READ, 9);
    let scenario = &opened.loaded.configured(opened.capsule.seed, &table).scenario;
    let start = |recording| {
        assemble_recording(scenario, &table, opened.capsule.seed, Some(&opened.capsule.plan), recording)
    };
    let mut ran = start(Recording::Off);
    let phases = &opened.loaded.scenario.phases;
    let _idle = ran.run(phases.converged_by() + phases.steady.span(), u64::MAX);
    let (history, budget) = (ran.history(), scenario.checks.history_budget);
    let evidence =
        crate::run::evidence(scenario, &table, "linearizability", history, budget).expect("it is illegal");
    let at =
        evidence.minimal.iter().filter_map(|operation| operation.completed).max().expect("one completed");
    let violation = Violation {
        property: "linearizability".to_owned(),
        at,
        event: ran.events(),
        node: None,
        evidence: evidence.to_string(),
    };
    let question = Question::Seen { violation, evidence };
    for piece in [1, 100_000] {
        let mut inquiry =
            Inquiry::new(question.clone(), scenario, start(Recording::On), start(Recording::Off), 30);
        while !inquiry.go_on(piece) {}
        let story = inquiry.story().expect("there is something to tell");
        let texts: Vec<&str> = story.lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, told(&whole), "in pieces of {piece} events");
    }
}
