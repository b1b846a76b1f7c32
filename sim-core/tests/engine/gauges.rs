//! Gauges are what a look at the whole world finds, at every event, and nothing that they do shows in a digest.

use proptest::prelude::*;
use sim_core::fault::Command;
use sim_core::gauge::GaugeSummary;
use sim_core::history::HistoryEventKind;
use sim_core::metrics::Gauge;
use sim_core::simulation::ChoiceKind;
use sim_core::status::Power;
use sim_core::{Context, NodeId, Process, World};

use crate::support::{Chatter, Input, Puppet, PuppetTimer, Word, at, ms, n, puppets, storm};

fn summary<P: Process>(world: &World<P>, gauge: Gauge) -> GaugeSummary {
    world.metrics().gauge(gauge, world.now()).expect("it is kept")
}

fn last<P: Process>(world: &World<P>, gauge: Gauge) -> u64 {
    summary(world, gauge).last.expect("the world is there to the end")
}

fn node_ids<P: Process>(world: &World<P>) -> impl Iterator<Item = NodeId> {
    (0..).map(NodeId::new).take(world.nodes().count())
}

/// What travels, but for what waits on held links: of that there is no list.
fn travelling(world: &World<Chatter>) -> u64 {
    let travels = |kind| matches!(kind, ChoiceKind::Message | ChoiceKind::Request | ChoiceKind::Reply);
    world.prospects().iter().filter(|prospect| travels(prospect.choice.kind)).count() as u64
}

fn unsynced(world: &World<Chatter>) -> u64 {
    let nodes = world.nodes();
    node_ids(world).filter_map(|node| Some(nodes.disk(node)?.unsynced_in_all())).sum()
}

fn up(world: &World<Chatter>) -> u64 {
    node_ids(world).filter(|node| world.status(*node).power != Power::Down).count() as u64
}

fn pending(world: &World<Chatter>) -> u64 {
    let events = world.history().events();
    let invoked = events.filter(|event| matches!(event.what, HistoryEventKind::Invoked(_))).count() as u64;
    2 * invoked - world.history().events().count() as u64
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn gauges_of_the_world_are_what_a_look_at_all_of_it_finds(
        seed in 0..1_000_u64,
        since in 0..60_u64,
    ) {
        let mut world = World::new(storm(seed));
        prop_assert_eq!(world.metrics().gauge(Gauge::InFlight, at(0)), None, "nobody asked for it");
        // From the middle of a hold.
        world.run(at(since), u64::MAX);
        world.watch_flight();
        while world.now() < at(250) {
            world.run(at(260), 7);
            let found = [travelling(&world), unsynced(&world), up(&world), pending(&world)];
            let mut kept = [Gauge::InFlight, Gauge::UnsyncedWrites, Gauge::NodesUp, Gauge::OperationsPending]
                .map(|gauge| last(&world, gauge));
            if (at(25)..=at(40)).contains(&world.now()) {
                // A link is held: what waits on it is on its way as well.
                prop_assert!(kept[0] >= found[0], "{} on their way, of {}", kept[0], found[0]);
                kept[0] = found[0];
            }
            prop_assert_eq!(kept, found, "at {}", world.now());
        }
    }

    /// Processes of the storm tell how many of their syncs are under way.
    #[test]
    fn a_process_tells_its_own_level_and_is_silent_while_it_is_down(seed in 0..1_000_u64) {
        let mut world = World::new(storm(seed));
        while world.now() < at(250) {
            world.run(at(260), 23);
            let summary = world.metrics().summary(world.now());
            for (node, gauge) in &summary.process_gauges[Chatter::GAUGES[0]] {
                let own = world.process(*node).map(|process| process.waiting_count() as u64);
                prop_assert_eq!(gauge.last, own, "{} at {}", node, world.now());
            }
        }
    }
}

#[test]
fn who_watches_what_is_on_its_way_changes_no_digest() {
    let mut silent = World::new(storm(3));
    let mut watched = World::new(storm(3));
    watched.watch_flight();
    silent.run(at(300), u64::MAX);
    watched.run(at(300), u64::MAX);
    assert_eq!((silent.digest(), silent.events()), (watched.digest(), watched.events()));
    let in_flight = summary(&watched, Gauge::InFlight);
    assert!(in_flight.max > 3 && in_flight.mean_thousandths > 1_000, "{in_flight:?}");
}

#[test]
fn inputs_of_a_paused_node_are_in_its_inbox_and_no_longer_on_their_way() {
    let mut world = World::new(puppets(1, 2, |puppet, context, input| {
        if puppet.node == n(1) && *input == Input::Start {
            (0..3).for_each(|number| context.send(n(2), Word(number)));
            context.set_timer(PuppetTimer::A, ms(50));
        }
    }));
    world.watch_flight();
    assert_eq!((last(&world, Gauge::InFlight), last(&world, Gauge::InboxDepth)), (3, 0));
    world.apply(Command::Pause(n(2)));
    world.run(at(20), u64::MAX);
    assert_eq!((last(&world, Gauge::InFlight), last(&world, Gauge::InboxDepth)), (0, 3));
    world.apply(Command::Resume(n(2)));
    world.run(at(50), u64::MAX);
    let depth = summary(&world, Gauge::InboxDepth);
    assert_eq!((depth.last, depth.min, depth.max), (Some(0), 0, 3));
    assert!(depth.mean_thousandths > 0, "they waited for some time");
}

#[test]
fn nodes_up_has_the_extremes_of_the_run_and_not_of_its_preparation() {
    let mut world = World::new(puppets(1, 4, |_, context, input| {
        if *input == Input::Start {
            context.set_timer(PuppetTimer::A, ms(10));
        }
    }));
    world.run(at(10), u64::MAX);
    let full = GaugeSummary { last: Some(4), min: 4, max: 4, mean_thousandths: 4_000 };
    assert_eq!(summary(&world, Gauge::NodesUp), full);
    world.apply(Command::Crash(n(1)));
    world.run(at(10), u64::MAX);
    let reduced = GaugeSummary { last: Some(3), min: 3, ..full };
    assert_eq!(summary(&world, Gauge::NodesUp), reduced);
    let later = world.metrics().gauge(Gauge::NodesUp, at(20)).expect("it is kept");
    assert_eq!(later.mean_thousandths, 3_500);
}

fn send_once(puppet: &mut Puppet, context: &mut Context<'_, Puppet>, input: &Input) {
    if puppet.node == n(1) && *input == Input::Start {
        context.send(n(2), Word(7));
    }
}

fn send_once_and_tell(puppet: &mut Puppet, context: &mut Context<'_, Puppet>, input: &Input) {
    context.gauge(0, puppet.heard.len() as u64);
    send_once(puppet, context, input);
    context.gauge(0, 1 + puppet.heard.len() as u64);
}

#[test]
fn telling_a_level_changes_no_digest_and_is_no_effect() {
    let end_of = |strings: fn(&mut Puppet, &mut Context<'_, Puppet>, &Input)| {
        let mut world = World::new(puppets(1, 2, strings));
        world.apply(Command::CrashAfterEffect { node: n(2), effects: 0 });
        world.run(at(50), u64::MAX);
        (world.digest(), world.status(n(2)).power, world.metrics().summary(world.now()).process_gauges)
    };
    let (silent, telling) = (end_of(send_once), end_of(send_once_and_tell));
    assert_eq!((silent.0, silent.1), (telling.0, telling.1));
    assert_eq!((silent.1, silent.2.len()), (Power::Running, 0));
    let of_receiver = telling.2["level"][&n(2)];
    assert_eq!((of_receiver.last, of_receiver.min, of_receiver.max), (Some(2), 0, 2));
}

/// Both count; the second begins two works at its start, and ends each 20 ms later, if it still runs.
fn work(puppet: &mut Puppet, context: &mut Context<'_, Puppet>, input: &Input) {
    match input {
        Input::Start => {
            context.count(0, 3);
            if puppet.node == n(2) {
                context.begin(0, 1);
                context.begin(0, 2);
                context.set_timer(PuppetTimer::A, ms(20));
            }
        }
        Input::Timer(_) => {
            context.end(0, 2);
            context.end(0, 9);
        }
        _ => {}
    }
}

#[test]
fn what_processes_count_and_time_stands_among_the_numbers_of_the_run() {
    let run = |crash_at: u64| {
        let mut world = World::new(puppets(1, 2, work));
        world.run(at(crash_at), u64::MAX);
        world.apply(Command::Crash(n(2)));
        world.apply(Command::Restart(n(2)));
        world.run(at(100), u64::MAX);
        let summary = world.metrics().summary(world.now());
        let took = summary.latencies["work"];
        (summary.counters["starts"], took.count, took.max, world.digest())
    };
    let (starts, count, max, _) = run(10);
    assert_eq!((starts, count, max), (9, 1, ms(20)), "what was begun before the crash never ended");
    assert_eq!(run(50).1, 2);
    let silent = || World::new(puppets(1, 2, |_, _, _| {})).metrics().summary(at(0));
    assert_eq!(silent().counters["starts"], 0, "a counter is there from the start");
    assert!(!silent().latencies.contains_key("work"));
}

#[test]
fn a_gauge_that_is_not_declared_is_a_panic_of_its_process() {
    let world = World::new(puppets(1, 1, |_, context, _| context.gauge(1, 0)));
    let said: Vec<_> = world.violations().iter().map(|violation| violation.evidence.as_str()).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("gauge 1 is not declared; there are 1"), "{said:?}");
}
