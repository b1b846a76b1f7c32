//! What there is of a node beside its process, as people see it.

use sim_core::clock::ClockFault;
use sim_core::disk::{RegionId, RegionKind};
use sim_core::fault::Command;
use sim_core::simulation::{HostView, RegionView};
use sim_core::{LocalTime, Simulation, Span, World};

use crate::support::{Input, Puppet, PuppetTimer, Word, at, constant, ms, n, puppets};

const LOG: RegionId = RegionId::new(0);

/// n1 sets a timer, appends three words, syncs after the first, and sends to n2.
fn start() -> World<Puppet> {
    let mut setup = puppets(1, 2, |puppet, context, input| {
        if *input == Input::Start && puppet.node == n(1) {
            context.set_timer(PuppetTimer::A, ms(50));
            _ = context.append(LOG, Word(1));
            context.sync(LOG);
            _ = context.append(LOG, Word(2));
            _ = context.append(LOG, Word(3));
            context.send(n(2), Word(7));
        }
    });
    setup.timing.disk.sync = constant(ms(4));
    World::new(setup)
}

fn host(world: &World<Puppet>, node: u32) -> HostView {
    Simulation::host(world, n(node)).expect("a world knows its hosts")
}

#[test]
fn a_timer_is_seen_with_its_name_and_when_it_is_due_until_it_fires() {
    let mut world = start();
    let [timer] = host(&world, 1).timers.try_into().expect("one is armed");
    assert_eq!((timer.name.as_str(), timer.due), ("a", Some(at(50))));
    assert_eq!(timer.deadline, LocalTime::from_nanos(ms(50).as_nanos()));
    world.run(at(60), u64::MAX);
    assert_eq!(host(&world, 1).timers, []);
}

#[test]
fn a_node_that_is_down_has_no_timers() {
    let mut world = start();
    world.apply(Command::Crash(n(1)));
    assert_eq!(host(&world, 1).timers, []);
}

#[test]
fn the_unsynced_tail_of_a_disk_is_told_apart_from_what_is_durable() {
    let mut world = start();
    let log =
        |seen, durable, unsynced| RegionView { region: LOG, kind: RegionKind::Log, seen, durable, unsynced };
    assert_eq!((host(&world, 1).regions, host(&world, 1).syncs.len()), (vec![log(0..3, 0..0, 3)], 1));
    world.run(at(10), u64::MAX);
    assert_eq!((host(&world, 1).regions, host(&world, 1).syncs), (vec![log(0..3, 0..1, 2)], Vec::new()));
    assert_eq!(host(&world, 2).regions, []);
}

#[test]
fn what_waits_in_an_inbox_is_seen_with_what_it_says() {
    let mut world = start();
    world.apply(Command::Pause(n(2)));
    world.run(at(40), u64::MAX);
    let [waiting] = host(&world, 2).inbox.try_into().expect("the message waits");
    assert_eq!(waiting.from, n(1).into());
    assert!(waiting.text.contains('7'), "{waiting:?}");
    world.apply(Command::Resume(n(2)));
    world.run(at(41), u64::MAX);
    assert_eq!(host(&world, 2).inbox, []);
}

#[test]
fn clocks_are_seen_against_true_time_and_a_frozen_one_has_no_due_timers() {
    let mut world = start();
    world.run(at(10), u64::MAX);
    let clock = |fault| Command::Clock { node: n(1), fault };
    world.apply(clock(ClockFault::Offset(-2_000_000)));
    world.apply(clock(ClockFault::Drift(100)));
    let view = host(&world, 1).clock;
    let now = Simulation::now(&world).as_nanos();
    assert_eq!((view.wall.as_nanos() + 2_000_000, view.drift_ppm, view.is_frozen), (now, 100, false));
    world.apply(clock(ClockFault::Freeze));
    assert!(host(&world, 1).clock.is_frozen);
    assert_eq!(host(&world, 1).timers[0].due, None);
}

#[test]
fn looking_changes_nothing() {
    let (mut looked_at, mut left_alone) = (start(), start());
    for millis in 0..60 {
        _ = looked_at.host_view(n(1));
        looked_at.run(at(millis), u64::MAX);
        left_alone.run(at(millis), u64::MAX);
    }
    assert_eq!(looked_at.digest(), left_alone.digest());
    assert_eq!(host(&looked_at, 1), host(&left_alone, 1));
    assert_eq!(Span::ZERO, host(&looked_at, 1).clock.error);
}
