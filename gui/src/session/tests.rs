//! A run under a person's hand, without a window.

use proptest::prelude::*;
use scenarios::RunOptions;
use sim_core::fault::{Command, Target};
use sim_core::status::{NodeStatus, Power, Standing};
use sim_core::{Digest, NodeId, Span};

use super::branch::KEYFRAME_EVENTS;
use super::*;
use crate::open::{self, Opened};
use crate::testing;

const FRAME: Duration = Duration::from_millis(16);

fn session(seed: u64) -> Session {
    testing::session("raft/leader-crash", &[], seed)
}

fn play(session: &mut Session, frames: u32) {
    session.play();
    (0..frames).for_each(|_| session.on_frame(FRAME));
}

fn statuses(session: &Session) -> Vec<NodeStatus> {
    let mut statuses = Vec::new();
    session.simulation().statuses(&mut statuses);
    statuses
}

#[test]
fn playing_lets_speed_times_frame_pass() {
    let mut session = session(1);
    session.set_speed(Speed::thousandths(500));
    play(&mut session, 100);
    assert_eq!(session.playhead, SimTime::ZERO + Span::millis(800));
    let now = session.simulation().now();
    let lag = session.playhead.since(now);
    assert!(lag < Span::millis(100), "the last event, at {now}, is near the playhead {}", session.playhead);
}

#[test]
fn a_paused_run_stands_still() {
    let mut session = session(1);
    play(&mut session, 10);
    session.pause();
    let before = (session.simulation().digest(), session.playhead);
    session.on_frame(FRAME);
    assert_eq!((session.simulation().digest(), session.playhead), before);
}

#[test]
fn a_step_is_one_event_and_pauses() {
    let mut session = session(1);
    play(&mut session, 20);
    let before = session.simulation().events();
    session.step();
    assert_eq!(session.simulation().events(), before + 1);
    assert_eq!(session.playback(), Playback::Paused);
    assert_eq!(session.playhead, session.simulation().now());
}

#[test]
fn how_a_run_is_cut_into_frames_does_not_change_it() {
    let mut slow = session(7);
    slow.set_speed(Speed::thousandths(100));
    play(&mut slow, 1_000);
    let mut fast = session(7);
    play(&mut fast, 100);
    assert_eq!(slow.playhead, fast.playhead);
    assert_eq!(slow.simulation().digest(), fast.simulation().digest());
}

#[test]
fn a_restart_with_the_same_seed_has_the_same_digest_and_another_seed_has_not() {
    let mut session = session(3);
    let mut digest_of = |seed| {
        session.restart(seed);
        play(&mut session, 200);
        session.simulation().digest()
    };
    let [first, other, again] = [3, 4, 3].map(&mut digest_of);
    assert_eq!(first, again);
    assert_ne!(first, other);
}

#[test]
fn a_frame_with_more_events_than_its_budget_leaves_no_debt() {
    let mut session = session(1);
    session.play();
    session.on_frame(Duration::from_hours(1));
    assert_eq!(session.simulation().events(), FRAME_EVENTS_MAX);
    assert_eq!(session.playhead, session.simulation().now());
}

#[test]
fn a_command_by_hand_acts_and_is_in_the_plan() {
    let mut session = session(1);
    play(&mut session, 100);
    let leader = Target::Leader.resolve(&statuses(&session), &[], 0)[0];
    let planned = session.simulation().plan().entries().len();
    session.apply(Command::Crash(leader)).expect("a world takes commands");
    assert_eq!(statuses(&session)[leader.index()].power, Power::Down);
    let entries = session.simulation().plan().entries();
    assert_eq!(entries.len(), planned + 1);
    let by_hand = |entry: &sim_core::fault::Entry| entry.command == Command::Crash(Target::Node(leader));
    assert!(entries.iter().any(by_hand), "{entries:?}");
}

#[test]
fn a_restart_forgets_what_was_done_by_hand() {
    let mut session = session(1);
    let plan = session.simulation().plan().clone();
    session.apply(Command::Crash(NodeId::new(0))).expect("a world takes commands");
    session.restart(1);
    assert_eq!(*session.simulation().plan(), plan);
    assert_eq!(session.verdict(), None);
}

/// What a moment is recognised by.
fn moment(session: &Session) -> (u64, SimTime, Digest) {
    let simulation = session.simulation();
    (simulation.events(), simulation.now(), simulation.digest())
}

/// Lets frames pass until it has come to what it was asked for.
fn arrive(session: &mut Session) {
    for _ in 0..10_000 {
        if !session.is_seeking() {
            return;
        }
        session.on_frame(FRAME);
    }
    panic!("it does not come to what it was asked for");
}

fn crash(session: &mut Session, node: u32) {
    session.apply(Command::Crash(NodeId::new(node))).expect("a world takes commands");
}

#[test]
fn a_step_back_shows_what_was_shown_before_the_step() {
    let mut session = session(1);
    play(&mut session, 20);
    let before = moment(&session);
    session.step();
    assert_ne!(moment(&session), before);
    session.step_back();
    assert_eq!(moment(&session), before);
    session.step();
    session.step_back();
    assert_eq!(moment(&session), before);
    assert_eq!(session.trouble(), None);
}

#[test]
fn at_the_start_there_is_no_step_back() {
    let mut session = session(1);
    session.step_back();
    assert_eq!(moment(&session).0, 0);
    assert_eq!(session.trouble(), None);
}

#[test]
fn what_is_played_again_after_a_step_back_is_what_happened() {
    let mut session = session(1);
    play(&mut session, 200);
    let end = moment(&session);
    session.seek_events(end.0 / 3);
    session.set_speed(Speed::FULL);
    session.play();
    while moment(&session).0 < end.0 {
        session.on_frame(FRAME);
    }
    session.seek_events(end.0);
    assert_eq!(moment(&session), end);
    assert_eq!(session.trouble(), None);
}

#[test]
fn a_moment_that_was_not_computed_takes_some_frames() {
    let mut session = session(1);
    session.seek_events(3 * FRAME_EVENTS_MAX);
    assert!(session.is_seeking());
    arrive(&mut session);
    assert_eq!(moment(&session).0, 3 * FRAME_EVENTS_MAX);
    session.seek_time(SimTime::ZERO + Span::millis(500));
    assert!(!session.is_seeking());
    assert_eq!(session.playhead(), SimTime::ZERO + Span::millis(500));
    assert!(session.simulation().now() <= session.playhead());
}

/// Sought forwards and back, in whatever order, every moment is what it is in a run that only goes forwards.
#[test]
fn any_moment_of_a_long_run_is_at_most_a_keyframes_distance_away() {
    let mut session = session(2);
    let last = 7 * KEYFRAME_EVENTS / 2;
    session.seek_events(last);
    arrive(&mut session);
    let mut again = self::session(2);
    for events in [KEYFRAME_EVENTS - 1, KEYFRAME_EVENTS, KEYFRAME_EVENTS + 1, 3 * KEYFRAME_EVENTS - 1, last] {
        session.seek_events(events);
        assert!(session.redone < KEYFRAME_EVENTS, "{} events are done again", session.redone);
        again.seek_events(events);
        arrive(&mut again);
        assert_eq!(moment(&session), moment(&again));
    }
    assert_eq!(session.trouble(), None);
}

#[test]
fn every_act_by_hand_begins_a_branch_and_none_is_lost() {
    let mut session = session(1);
    play(&mut session, 100);
    let (before, plain) = (moment(&session), session.tip());
    crash(&mut session, 0);
    play(&mut session, 100);
    let (first, crashed) = (moment(&session), session.tip());
    session.seek_events(before.0 / 2);
    crash(&mut session, 1);
    let other = session.tip();
    play(&mut session, 100);
    assert_ne!(moment(&session).2, first.2);
    assert_eq!(session.branches().len(), 3);
    for (branch, expected) in [(crashed, first), (plain, before)] {
        session.go_to(branch);
        assert_eq!(moment(&session), expected);
    }
    session.go_to(other);
    assert_eq!(session.acts().len(), 1, "what was done elsewhere is not on this path: {:?}", session.acts());
}

#[test]
fn undo_restores_the_digest_and_redo_does_it_again() {
    let mut session = session(1);
    play(&mut session, 100);
    let before = moment(&session);
    crash(&mut session, 0);
    play(&mut session, 50);
    crash(&mut session, 1);
    let twice = moment(&session);
    session.undo();
    session.undo();
    assert_eq!(moment(&session), before);
    session.undo();
    assert_eq!(moment(&session), before, "there is nothing more to undo");
    session.redo();
    session.redo();
    session.redo();
    assert_eq!(moment(&session), twice);
}

#[test]
fn steps_go_past_acts_by_hand_both_ways() {
    let mut session = session(1);
    play(&mut session, 100);
    let before = moment(&session);
    crash(&mut session, 0);
    let after = moment(&session);
    assert_ne!(before.2, after.2);
    session.step();
    let next = moment(&session);
    session.step_back();
    assert_eq!(moment(&session), after);
    session.step_back();
    assert_eq!(moment(&session), before);
    session.step();
    assert_eq!(moment(&session), after);
    session.step();
    assert_eq!(moment(&session), next);
    session.step_back();
    session.step_back();
    session.step_back();
    play(&mut session, 1);
    let acts = session.acts();
    assert_eq!(acts.len(), 1, "playing goes the same way: {acts:?}");
}

#[test]
fn jumps_find_elections_and_faults_both_ways_and_compute_what_is_needed() {
    let mut session = session(1);
    session.jump(Landmark::Election, Direction::Forward);
    arrive(&mut session);
    assert_eq!(leaders(&session), 1);
    let first = session.playhead();
    session.jump(Landmark::Fault, Direction::Forward);
    arrive(&mut session);
    assert!(session.playhead() > first);
    assert!(statuses(&session).iter().any(|status| status.power == Power::Down), "the leader has crashed");
    session.jump(Landmark::Election, Direction::Back);
    assert_eq!(session.playhead(), first);
}

fn leaders(session: &Session) -> usize {
    let leads = |status: &NodeStatus| status.process.is_some_and(|p| p.standing == Standing::Leader);
    statuses(session).iter().filter(|status| leads(status)).count()
}

/// A run in which a vote is given that must not be.
fn violating() -> Session {
    testing::session("raft/random-elections", &["protocol.mutant=no-uptodate-check"], 1)
}

#[test]
fn a_violation_is_found_shown_and_found_again() {
    let mut session = violating();
    session.jump(Landmark::Violation, Direction::Forward);
    arrive(&mut session);
    let found = moment(&session);
    let violation = session.simulation().violations().first().expect("there is one").clone();
    assert_eq!(violation.event, found.0);
    assert!(session.verdict().is_some());
    session.step_back();
    assert!(session.simulation().violations().is_empty(), "before it there was none");
    session.set_speed(Speed::FULL);
    session.play();
    (0..10).for_each(|_| session.on_frame(FRAME));
    assert_eq!(moment(&session), found, "playing pauses there again");
    session.seek_time(SimTime::ZERO);
    session.jump(Landmark::Violation, Direction::Forward);
    assert_eq!(moment(&session), found);
}

/// Seed after seed, as the command line runs them.
#[test]
fn a_hunt_shows_the_first_seed_that_breaks_something_where_it_breaks() {
    let mut session = violating();
    session.restart(0);
    let verdict = |seed: u64| {
        let report = scenarios::run(session.loaded(), &session.table, seed, &RunOptions::PLAIN).report;
        (report.verdict, report.violations.first().map(|violation| violation.event))
    };
    let breaks = (0..1_000).find(|seed| verdict(*seed).0 != Verdict::Pass).expect("one breaks");
    let expected = verdict(breaks);
    session.hunt();
    for _ in 0..10_000 {
        session.on_frame(FRAME);
        if !session.is_hunting() {
            break;
        }
    }
    arrive(&mut session);
    assert_eq!(session.seed(), breaks);
    assert_eq!(session.search(), Some(&Search::Found { verdict: expected.0, tried: breaks }));
    assert_eq!(Some(session.simulation().events()), expected.1);
    session.hunt();
    assert!(matches!(session.search(), Some(Search::Underway { seed, .. }) if *seed == breaks + 1));
}

#[test]
fn a_hunt_that_is_paused_ends_and_the_run_stays() {
    let mut session = session(1);
    play(&mut session, 50);
    let before = moment(&session);
    session.hunt();
    (0..5).for_each(|_| session.on_frame(FRAME));
    assert!(session.is_hunting());
    session.pause();
    session.on_frame(FRAME);
    assert_eq!(moment(&session), before);
    assert!(matches!(session.search(), Some(Search::Stopped { .. })));
}

#[test]
fn a_jump_that_finds_nothing_ends_with_the_run() {
    let mut session = session(1);
    session.jump(Landmark::Violation, Direction::Forward);
    arrive(&mut session);
    let reached = session.playhead();
    assert!(reached <= session.end() && session.end().since(reached) < Span::secs(1), "{reached}");
}

#[test]
fn a_record_of_the_trace_can_be_gone_to() {
    let mut session = session(1);
    play(&mut session, 200);
    crash(&mut session, 0);
    play(&mut session, 200);
    let len = session.run().trace().expect("it is recorded").len();
    for number in [0, 1, len / 2, len - 1] {
        session.seek_record(number);
        let shown = session.simulation().trace().expect("it is recorded").len();
        assert!(shown > number, "record {number} of {len} is there, {shown} are");
        assert!(shown <= number + 8, "little more than record {number} has happened, but {shown}");
    }
    assert_eq!(session.trouble(), None);
}

/// What a person did replays from the file, to the digest in it and by way of what was shown.
#[test]
fn a_capsule_of_what_was_done_by_hand_replays_to_its_digest() {
    let mut session = session(1);
    play(&mut session, 100);
    crash(&mut session, 0);
    play(&mut session, 30);
    crash(&mut session, 1);
    session.step();
    let shown = moment(&session);
    let text = session.capsule("splitbrain replay it");
    let table = Arc::new(ProtocolTable::builtin());
    let Opened { loaded, kept, .. } =
        open::of_bytes("it.capsule.ron", text.as_bytes(), &[], &table).expect("it is right");
    let (seed, plan) = kept.expect("a capsule has a plan");
    let options = RunOptions { replay: Some(plan.clone()), ..RunOptions::PLAIN };
    let report = scenarios::run(&loaded, &table, seed, &options).report;
    assert!(text.contains(&format!("digest: \"{}\"", report.digest)), "{text}");
    let mut again = Session::following(loaded, table, seed, Some(&plan));
    again.seek_events(shown.0);
    assert_eq!(moment(&again), shown);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever a person does, what is shown is what a run that only goes forwards shows.
    #[test]
    fn however_a_moment_was_come_to_it_is_the_same(acts in proptest::collection::vec((0..7_u8, 0..5_000_u64), 1..12)) {
        let mut session = session(5);
        session.seek_events(6_000);
        for (act, number) in acts {
            match act {
                0 => session.seek_events(number),
                1 => session.seek_time(SimTime::from_nanos(number * 400_000)),
                2 => session.step(),
                3 => session.step_back(),
                4 => crash(&mut session, u32::try_from(number % 5).expect("small")),
                5 => session.undo(),
                _ => session.redo(),
            }
            arrive(&mut session);
        }
        prop_assert_eq!(session.trouble(), None);
        // An act by hand at the moment that is shown changes nothing before the next event.
        let mut shown = session.simulation().fork().expect("a world can be copied");
        Moment::Events(shown.events() + 300).replay(shown.as_mut());
        let mut again = from_the_start(&session);
        Moment::Events(shown.events()).replay(again.as_mut());
        prop_assert_eq!(again.digest(), shown.digest(), "the plan leads to another run");
    }
}

/// A run that follows the plan of what is shown.
fn from_the_start(session: &Session) -> Box<dyn Simulation> {
    let plan = session.simulation().plan();
    assemble_recording(session.scenario(), &session.table, session.seed(), Some(plan), Traced::Off)
}

#[test]
fn stepping_by_message_stops_at_each_arrival_and_at_nothing_else() {
    use sim_core::trace::TraceKind;
    let is_arrival =
        |kind: TraceKind| matches!(kind, TraceKind::Delivery | TraceKind::Request | TraceKind::Reply);
    let shown = |session: &Session| session.simulation().trace().expect("it is recorded").len() - 1;
    let mut session = session(1);
    session.seek_events(300);
    arrive(&mut session);
    let mut stops = Vec::new();
    for _ in 0..20 {
        session.jump(Landmark::Arrival, Direction::Forward);
        arrive(&mut session);
        stops.push(shown(&session));
    }
    let trace = session.run().trace().expect("it is recorded");
    let all =
        (stops[0]..=stops[19]).filter(|number| is_arrival(trace.get(*number).expect("it is there").kind()));
    assert_eq!(stops, all.collect::<Vec<_>>());
    session.jump(Landmark::Arrival, Direction::Back);
    assert_eq!(shown(&session), stops[18]);
}

#[test]
fn stepping_at_a_node_stops_at_what_happens_there() {
    let mut session = session(1);
    session.seek_events(300);
    arrive(&mut session);
    let node = NodeId::new(2);
    for direction in [Direction::Forward, Direction::Forward, Direction::Back] {
        session.jump(Landmark::At(node), direction);
        arrive(&mut session);
        let trace = session.simulation().trace().expect("it is recorded");
        let last = trace.get(trace.len() - 1).expect("something was recorded");
        assert_eq!(last.subject(), Some(node.into()), "{direction:?}");
    }
}

/// A run of 1,500 events in which the leader was crashed by hand, recorded, written to a file's bytes and read again.
fn recorded() -> (Session, Session) {
    let mut run = session(1);
    run.seek_events(700);
    arrive(&mut run);
    crash(&mut run, 0);
    run.seek_events(1_500);
    arrive(&mut run);
    let recording = run.recorded().expect("it is short");
    let mut bytes = Vec::new();
    scenarios::recording::write(&recording, run.loaded(), run.seed(), &mut bytes).expect("memory takes it");
    let name = format!("it{}", open::RECORDING_ENDING);
    let opened = open::of_bytes(&name, &bytes, &[], &run.table).unwrap_or_else(|error| panic!("{error}"));
    let shown = opened.session(Arc::clone(&run.table), 0);
    (run, shown)
}

#[test]
fn a_recording_shows_at_any_event_what_the_run_showed() {
    let (mut run, mut shown) = recorded();
    assert_eq!((shown.seed(), shown.simulation().events(), shown.hindrance().is_some()), (1, 0, true));
    let views = |session: &Session| {
        let nodes = (0..5).map(NodeId::new);
        let of = |node| session.simulation().view(node, &sim_core::view::ViewRequest::default());
        nodes.map(of).collect::<Vec<_>>()
    };
    for events in [0, 1, 650, 699, 701, 1_200, 1_499, 1_500, 3] {
        for session in [&mut run, &mut shown] {
            session.seek_events(events);
            arrive(session);
        }
        assert_eq!(shown.simulation().events(), events);
        assert_eq!(moment(&shown), moment(&run), "after {events} events");
        assert_eq!(statuses(&shown), statuses(&run), "after {events} events");
        assert_eq!(shown.simulation().trace(), run.simulation().trace(), "after {events} events");
        assert_eq!(shown.simulation().history(), run.simulation().history(), "after {events} events");
        assert_eq!(views(&shown), views(&run), "after {events} events");
    }
    assert_eq!((shown.trouble(), run.trouble()), (None, None));
}

#[test]
fn a_recording_goes_back_and_forth_by_time_record_and_landmark_as_its_run_does() {
    let (mut run, mut shown) = recorded();
    let both = [&mut run, &mut shown].map(|session| {
        let mut seen = Vec::new();
        let mut look = |session: &mut Session| {
            arrive(session);
            seen.push((session.simulation().events(), session.playhead()));
        };
        session.seek_time(SimTime::ZERO + Span::millis(300));
        look(session);
        session.seek_record(500);
        look(session);
        session.step_back();
        look(session);
        session.jump(Landmark::Election, Direction::Back);
        look(session);
        session.jump(Landmark::Fault, Direction::Forward);
        look(session);
        seen
    });
    assert_eq!(both[0], both[1]);
}

#[test]
fn a_recording_goes_no_further_than_its_end_and_takes_no_commands() {
    let (_, mut shown) = recorded();
    shown.seek_events(9_000);
    arrive(&mut shown);
    assert_eq!((shown.simulation().events(), shown.can_go_on()), (1_500, false));
    let refusal = shown.apply(Command::HealAll).expect_err("it takes none");
    assert!(refusal.to_string().contains("recording"), "{refusal}");
    shown.step_back();
    assert_eq!((shown.simulation().events(), shown.can_go_on()), (1_499, true));
    shown.play();
    (0..1_000).for_each(|_| shown.on_frame(FRAME));
    assert_eq!((shown.simulation().events(), shown.playback()), (1_500, Playback::Idle));
}

#[test]
fn a_damaged_recording_is_refused_with_its_place() {
    let (run, _) = recorded();
    let open = |text: &str| {
        let name = format!("it{}", open::RECORDING_ENDING);
        open::of_bytes(&name, text.as_bytes(), &[], &run.table).expect_err("it is damaged").to_string()
    };
    let (cut, other) = (open("{\n\"format_version\": 1,"), open("{\"format_version\": 1, \"plan\": []}"));
    assert!(cut.contains("it.recording.json:2") && cut.contains("this is no recording"), "{cut}");
    assert!(other.contains("unknown field `plan`"), "{other}");
}
