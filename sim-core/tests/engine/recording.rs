//! A recording shows what the run showed, wherever the cursor stands.

use sim_core::fault::Command;
use sim_core::simulation::Recording;
use sim_core::simulation::{Capture, RecordingData, RecordingError};
use sim_core::view::ViewRequest;
use sim_core::world::Stop;
use sim_core::{Simulation, World};

use crate::support::{AppendsInOrder, Chatter, at, n, storm};

const EVENTS: u64 = 1_500;

fn capture() -> Capture {
    Capture {
        scenario: "storm".to_owned(),
        text: "Scenario()".to_owned(),
        until: at(300),
        events: EVENTS,
        view_every: 100,
    }
}

fn world() -> World<Chatter> {
    let mut setup = storm(1);
    setup.invariants.push(Box::new(AppendsInOrder { limit: Some(20), ..AppendsInOrder::default() }));
    World::new(setup)
}

fn recorded() -> Recording {
    Recording::capture(&mut world(), &capture())
}

fn statuses(simulation: &dyn Simulation) -> Vec<sim_core::status::NodeStatus> {
    let mut statuses = Vec::new();
    simulation.statuses(&mut statuses);
    statuses
}

#[test]
fn the_same_event_shows_the_same_as_the_run_did() {
    let mut recording = recorded();
    let mut world = world();
    world.start_trace();
    assert_eq!(recording.events_end(), EVENTS);
    for event in 0..EVENTS {
        assert_eq!((recording.events(), recording.now()), (event, world.now()));
        assert_eq!(recording.digest(), world.digest(), "after {event} events");
        assert_eq!(statuses(&recording), statuses(&world), "after {event} events");
        assert_eq!(recording.history(), world.history());
        assert_eq!(recording.milestones(), world.milestones());
        assert_eq!(recording.violations(), world.violations());
        assert_eq!(
            recording.trace().map(sim_core::trace::Trace::len),
            world.trace().map(sim_core::trace::Trace::len)
        );
        if event % 100 == 0 {
            let view = |simulation: &dyn Simulation| simulation.view(n(2), &ViewRequest::default());
            assert_eq!(view(&recording), view(&world), "after {event} events");
            assert_eq!(recording.trace(), world.trace());
        }
        let stops = (recording.step(), world.run(at(300), 1));
        assert_eq!(stops.0, stops.1, "after {event} events");
    }
    assert_eq!(recording.digest(), world.digest());
    assert_eq!(recording.plan(), world.plan());
    let last = recording.trace().and_then(|trace| trace.iter().last()).expect("it recorded");
    assert_eq!(recording.describe(last), Simulation::describe(&world, last));
}

#[test]
fn seeking_shows_any_moment_in_any_order() {
    let mut recording = recorded();
    let mut stepped = recording.clone();
    for event in [700, 3, 1_499, 0, 700, EVENTS + 5] {
        recording.seek(event).expect("it can seek");
        stepped.seek(0).expect("it can seek");
        while stepped.events() < event.min(EVENTS) {
            stepped.run(at(300), event - stepped.events());
        }
        assert_eq!(recording.now(), stepped.now());
        assert_eq!(statuses(&recording), statuses(&stepped));
        assert_eq!(recording.trace(), stepped.trace());
    }
}

#[test]
fn a_recording_runs_to_a_time_to_a_violation_and_to_its_end() {
    let mut recording = recorded();
    assert_eq!(recording.run(at(10), u64::MAX), Stop::Horizon);
    assert!(recording.now() <= at(10));
    assert_eq!(recording.run(at(300), u64::MAX), Stop::Violation);
    let violation = &recording.violations()[0];
    assert_eq!((violation.event, violation.at), (recording.events(), recording.now()));
    assert_eq!(recording.run(at(300), u64::MAX), Stop::Idle);
    assert_eq!(recording.events(), EVENTS);
}

#[test]
fn a_recording_says_what_it_cannot_do() {
    let mut recording = recorded();
    let can = recording.capabilities();
    assert!(can.step && can.seek && can.fork && !can.command);
    assert!(recording.apply(Command::HealAll).is_err() && recording.reseed(1).is_err());
    assert_eq!(recording.enabled(), []);
    let choice = world().enabled()[0];
    assert!(recording.take(choice).is_err());
    let copy = recording.fork().expect("it can be copied");
    recording.seek(100).expect("it can seek");
    assert_eq!((copy.events(), recording.events()), (0, 100), "each has its own cursor");
}

#[test]
fn a_recording_reads_back_from_json_as_it_was() {
    let recording = recorded();
    let data = RecordingData::from(&recording);
    let text = serde_json::to_string(&data).expect("it is data");
    let read: RecordingData = serde_json::from_str(&text).expect("what was written reads back");
    assert_eq!(read, data);
    let mut again = Recording::try_from(read).expect("it is sound");
    assert_eq!(RecordingData::from(&again), data);
    let mut recording = recording;
    for event in [0, 400, EVENTS] {
        recording.seek(event).expect("it can seek");
        again.seek(event).expect("it can seek");
        assert_eq!(statuses(&again), statuses(&recording));
        assert_eq!(again.trace(), recording.trace());
        assert_eq!(again.view(n(1), &ViewRequest::default()), recording.view(n(1), &ViewRequest::default()));
    }
    assert_eq!((again.scenario(), again.text()), ("storm", "Scenario()"));
}

/// Reads a recording in whose JSON something was changed.
fn damaged(change: impl FnOnce(&mut serde_json::Value)) -> Result<Recording, RecordingError> {
    let mut json = serde_json::to_value(RecordingData::from(&recorded())).expect("it is data");
    change(&mut json);
    Recording::try_from(serde_json::from_value::<RecordingData>(json).expect("still data"))
}

#[test]
fn damaged_data_is_refused_with_the_reason() {
    let clear = |json: &mut serde_json::Value| *json = serde_json::json!([]);
    let refusal = |change: &dyn Fn(&mut serde_json::Value)| damaged(change).expect_err("it is damaged");
    assert_eq!(refusal(&|json| clear(&mut json["frames"])), RecordingError::Empty);
    assert_eq!(refusal(&|json| clear(&mut json["words"])), RecordingError::Word { index: 0 });
    assert_eq!(refusal(&|json| clear(&mut json["statuses"][1])), RecordingError::Statuses { number: 2 });
    assert_eq!(refusal(&|json| clear(&mut json["views"][2][1])), RecordingError::View { index: 2 });
    assert_eq!(refusal(&|json| json["frames"][7]["at"] = 0.into()), RecordingError::Frame { index: 7 });
    let history = |json: &mut serde_json::Value| json["history"].as_array_mut().expect("a list").reverse();
    assert!(matches!(refusal(&history), RecordingError::History { .. }));
    let cause = |json: &mut serde_json::Value| json["records"][4]["cause"] = 1_000_000.into();
    assert!(matches!(refusal(&cause), RecordingError::Record { .. }));
    let count = recorded().node_count();
    let milestone = |json: &mut serde_json::Value| json["milestones"][0]["what"]["Stands"][0] = 76.into();
    assert_eq!(refusal(&milestone), RecordingError::Node { node: n(77), count });
    let change = |json: &mut serde_json::Value| json["status_changes"][0]["node"] = 76.into();
    assert_eq!(refusal(&change), RecordingError::Node { node: n(77), count });
    let counter = |json: &mut serde_json::Value| json["counters"]["nonsense"] = 1.into();
    assert_eq!(refusal(&counter), RecordingError::Counter { name: "nonsense".to_owned() });
}
