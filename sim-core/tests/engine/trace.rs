//! The trace: one record an event, each with its cause.

use sim_core::World;
use sim_core::network::DropReason;
use sim_core::trace::{Record, TraceKind};

use crate::support::{at, n, storm, traced};

const fn is_event(kind: TraceKind) -> bool {
    match kind {
        TraceKind::Delivery
        | TraceKind::TimerFired
        | TraceKind::Durable
        | TraceKind::Request
        | TraceKind::Reply
        | TraceKind::HandlerStart => true,
        TraceKind::Drop
        | TraceKind::Start
        | TraceKind::Crash
        | TraceKind::Restart
        | TraceKind::Pause
        | TraceKind::Resume
        | TraceKind::Command => false,
    }
}

#[test]
fn a_record_takes_24_bytes() {
    assert_eq!(size_of::<Record>(), 24);
}

#[test]
fn every_event_has_one_record() {
    for seed in 0..4 {
        let mut world = traced(storm(seed));
        world.run(at(300), u64::MAX);
        let trace = world.trace().expect("recorded");
        let records = trace.iter().filter(|record| is_event(record.kind())).count() as u64;
        let is_full = |record: &&Record| record.drop_reason() == Some(DropReason::InboxFull);
        // What an inbox has no room for has arrived, and its record is the drop.
        let full = trace.iter().filter(is_full).count() as u64;
        assert_eq!(records + full, world.events(), "seed {seed}");
    }
}

#[test]
fn causes_come_first_and_make_sense() {
    let mut world = traced(storm(2));
    world.run(at(300), u64::MAX);
    let trace = world.trace().expect("recorded");
    let mut checked = 0;
    for record in trace {
        let Some(cause) = record.cause().and_then(|cause| trace.get(cause)) else { continue };
        assert!(cause.at() <= record.at(), "{cause:?} causes {record:?}");
        if matches!(record.kind(), TraceKind::Delivery | TraceKind::Reply | TraceKind::Request) {
            assert_eq!(cause.subject(), record.peer(), "{record:?} was sent by whom {cause:?} happened to");
            checked += 1;
        }
        if record.kind() == TraceKind::HandlerStart {
            assert_eq!(cause.subject(), record.subject(), "{record:?} handles what arrived");
        }
    }
    assert!(checked > 500, "{checked} sends have a known cause");
}

#[test]
fn the_first_record_from_a_time_on_is_found_also_where_recording_began_late() {
    let mut late = World::new(storm(2));
    late.run(at(100), u64::MAX);
    late.start_trace();
    late.run(at(300), u64::MAX);
    let mut early = traced(storm(2));
    early.run(at(300), u64::MAX);
    for world in [&late, &early] {
        let trace = world.trace().expect("recorded");
        let numbered: Vec<_> =
            (0..trace.len()).filter_map(|number| Some((number, trace.get(number)?.at()))).collect();
        for time in [0, 99, 150, 299, 400] {
            let first = numbered
                .iter()
                .find(|(_, when)| *when >= at(time))
                .map_or(trace.len(), |(number, _)| *number);
            assert_eq!(trace.first_at(at(time)), first, "at {time} ms");
        }
    }
}

#[test]
fn records_are_in_order_of_time_and_drops_lie_on_the_receivers_lane() {
    let mut world = traced(storm(3));
    world.run(at(300), u64::MAX);
    let trace = world.trace().expect("recorded");
    let mut last = at(0);
    for record in trace {
        assert!(record.at() >= last, "{record:?} after {last}");
        last = record.at();
        if record.kind() == TraceKind::Drop {
            assert!(record.subject().is_some() && record.peer().is_some(), "{record:?}");
            assert_ne!(record.subject(), record.peer(), "{record:?}");
        }
    }
}

#[test]
fn a_world_that_is_traced_from_its_making_begins_with_the_starts_of_its_members() {
    let world = World::new_traced(storm(1));
    let trace = world.trace().expect("recorded");
    let starts: Vec<_> = (0..4).filter_map(|number| trace.get(number)).collect();
    for (record, node) in starts.iter().zip(1..) {
        let seen = (record.kind(), record.subject(), record.cause(), record.at());
        assert_eq!(seen, (TraceKind::Start, Some(n(node).into()), None, at(0)));
    }
    assert_eq!((starts.len(), world.digest()), (4, World::new(storm(1)).digest()), "n5 is a spare");
}

#[test]
fn recording_can_begin_in_the_middle() {
    let mut whole = traced(storm(1));
    whole.run(at(300), u64::MAX);
    let mut late = World::new(storm(1));
    late.run(at(300), 500);
    late.start_trace();
    late.run(at(300), u64::MAX);
    let (whole, late) = (whole.trace().expect("recorded"), late.trace().expect("recorded"));
    assert_eq!(late.len(), whole.len());
    let first = whole.len() - u32::try_from(late.iter().len()).expect("fewer");
    assert!(first > 500 && late.iter().len() > 500, "{first} records came before");
    assert!((first..whole.len()).all(|number| late.get(number) == whole.get(number)), "the rest is the same");
}
