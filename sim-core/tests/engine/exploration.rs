//! Exhaustive exploration: what could happen next, and when two futures are one.

use std::collections::BTreeSet;

use sim_core::fault::{Command, Place};
use sim_core::simulation::{Choice, ChoiceKind};
use sim_core::world::Setup;
use sim_core::{NodeId, World};

use crate::support::{
    Chatter, Input, Puppet, PuppetTimer, Word, at, closed_loop, constant, echoes, link, ms, n, puppets,
    relink, storm,
};

/// n1 sends 1 to n2 and 2 to n3 as it starts.
fn two_messages() -> World<Puppet> {
    World::new(puppets(1, 3, |puppet, context, input| {
        if *input == Input::Start && puppet.node == n(1) {
            context.send(n(2), Word(1));
            context.send(n(3), Word(2));
        }
    }))
}

fn to(world: &World<impl sim_core::Process>, node: NodeId) -> Choice {
    world.enabled().into_iter().find(|choice| choice.to == node.into()).expect("something goes there")
}

#[test]
fn independent_deliveries_commute() {
    let after = |order: [NodeId; 2]| {
        let mut world = two_messages();
        for node in order {
            let choice = to(&world, node);
            assert_eq!(choice.kind, ChoiceKind::Message);
            world.take(choice);
        }
        assert_eq!(world.enabled(), []);
        world.state_fingerprint()
    };
    assert_eq!(after([n(2), n(3)]), after([n(3), n(2)]));
    assert_ne!(after([n(2), n(3)]), two_messages().state_fingerprint());
}

#[test]
fn a_state_is_the_same_whenever_it_is_reached() {
    let at_latency = |millis| {
        let mut setup = puppets(1, 2, |puppet, context, input| {
            if *input == Input::Start && puppet.node == n(1) {
                context.set_timer(PuppetTimer::A, ms(1));
                context.send(n(2), Word(1));
            }
        });
        relink(&mut setup, &link(constant(ms(millis))));
        let mut world = World::new(setup);
        let choice = to(&world, n(2));
        world.take(choice);
        assert_eq!(world.now(), at(millis));
        world.state_fingerprint()
    };
    assert_eq!(at_latency(3), at_latency(70));
}

/// Three messages to one node: all orders are visited, and nothing else.
#[test]
fn exploring_three_messages_visits_all_six_orders() {
    let start = World::new(puppets(1, 2, |puppet, context, input| {
        if *input == Input::Start && puppet.node == n(1) {
            (1..=3).for_each(|word| context.send(n(2), Word(word)));
        }
    }));
    let (mut seen, mut ends, mut open) = (BTreeSet::new(), BTreeSet::new(), vec![start]);
    while let Some(world) = open.pop() {
        if !seen.insert(world.state_fingerprint()) {
            continue;
        }
        let choices = world.enabled();
        if choices.is_empty() {
            ends.insert(world.process(n(2)).expect("it runs").words());
        }
        for choice in choices {
            let mut next = world.fork().expect("puppets can be copied");
            next.take(choice);
            open.push(next);
        }
    }
    assert_eq!(ends.len(), 6, "{ends:?}");
    assert_eq!(seen.len(), 1 + 3 + 6 + 6, "nothing, one, two and three messages heard");
}

fn walk(setup: Setup<Chatter>, draws: u64) {
    let mut world = World::new(setup);
    let keys = sim_core::random::KeySource::new(draws);
    let mut random = keys.stream(sim_core::random::Purpose::Test, draws, 0);
    for step in 0..300 {
        let choices = world.enabled();
        let Some(choice) = random.pick(&choices) else { break };
        let before = world.now();
        world.take(*choice);
        assert!(world.now() >= before, "time does not run back at step {step}");
        if step % 40 == 20 {
            let from = vec![Place::Node(n(1))];
            world.apply(Command::Hold { from, to: vec![Place::Node(n(2)), Place::Node(n(3))] });
        }
        if step % 40 == 39 {
            world.apply(Command::HealAll);
        }
    }
    for choice in world.enabled() {
        let mut next = world.fork().expect("chatter can be copied");
        next.take(choice);
        next.run(next.now() + ms(50), 1_000);
    }
}

#[test]
fn every_enabled_choice_can_be_taken() {
    for seed in 0..20 {
        walk(storm(seed), seed);
    }
}

#[test]
fn what_waits_in_an_inbox_or_on_a_held_link_is_no_choice() {
    let mut setup = puppets(1, 2, |puppet, context, input| {
        if *input == Input::Start && puppet.node == n(1) {
            (1..=3).for_each(|word| context.send(n(2), Word(word)));
        }
    });
    setup.timing.service = constant(ms(1));
    let mut world = World::new(setup);
    world.run(at(5), 3);
    let kinds: Vec<ChoiceKind> = world.enabled().into_iter().map(|choice| choice.kind).collect();
    assert!(kinds.contains(&ChoiceKind::Handler), "{kinds:?}");
    let (waiting, flying) =
        (3 - kinds.iter().filter(|kind| **kind == ChoiceKind::Message).count(), kinds.len() - 1);
    assert!(waiting > 0 && flying + waiting == 3, "{kinds:?}");

    let mut world = two_messages();
    let link = || (vec![Place::Node(n(1))], vec![Place::Node(n(2))]);
    world.apply(Command::Hold { from: link().0, to: link().1 });
    world.run(at(10), u64::MAX);
    assert_eq!(world.enabled(), [], "one has arrived, the other is held");
    world.apply(Command::Release { from: link().0, to: link().1 });
    let choice = to(&world, n(2));
    world.take(choice);
    assert_eq!(world.process(n(2)).expect("it runs").words(), [1]);
}

#[test]
fn a_timer_that_was_moved_is_not_taken_before_its_deadline() {
    let mut world = World::new(puppets(1, 1, |_, context, input| {
        if *input == Input::Start {
            context.set_timer(PuppetTimer::A, ms(5));
            context.set_timer(PuppetTimer::A, ms(50));
        }
    }));
    let choice = to(&world, n(1));
    world.take(choice);
    assert_eq!(world.now(), at(50));
    assert_eq!(world.process(n(1)).expect("it runs").heard.len(), 2);
}

#[test]
fn a_sync_taken_late_is_durable_all_the_same() {
    const LOG: sim_core::disk::RegionId = sim_core::disk::RegionId::new(0);
    let mut setup = puppets(1, 1, |_, context, input| {
        if *input == Input::Start {
            context.set_timer(PuppetTimer::A, ms(50));
            _ = context.append(LOG, Word(1));
            context.sync(LOG);
            context.sync(LOG);
        }
    });
    setup.timing.disk.sync = constant(ms(4));
    let mut world = World::new(setup);
    let kinds =
        |world: &World<_>| -> Vec<ChoiceKind> { world.enabled().iter().map(|choice| choice.kind).collect() };
    assert_eq!(kinds(&world), [ChoiceKind::Timer, ChoiceKind::Durable], "syncs complete in order");
    for kind in [ChoiceKind::Timer, ChoiceKind::Durable, ChoiceKind::Durable] {
        let choice = world.enabled().into_iter().find(|choice| choice.kind == kind).expect("it is enabled");
        world.take(choice);
    }
    let puppet = world.process(n(1)).expect("it runs");
    assert_eq!(puppet.count(|input| matches!(input, Input::Durable(_))), 2);
    assert_eq!(world.nodes().disk(n(1)).expect("it wrote").unsynced(LOG), 0);
}

/// A read changes no process, but the client has asked it: the states differ.
#[test]
fn what_clients_have_asked_is_part_of_the_state() {
    let mut setup = puppets(1, 1, |_, _, _| {});
    setup.clients = vec![closed_loop(1, ms(1), echoes(2))];
    relink(&mut setup, &link(constant(ms(1))));
    setup.plan = crate::support::plan([(0, Command::Crash(n(1)))]);
    let mut world = World::new(setup);
    world.run(at(0), u64::MAX);
    let mut seen = BTreeSet::new();
    assert!(seen.insert(world.state_fingerprint()));
    world.run(at(208), u64::MAX);
    assert_eq!(world.history().operations().len(), 2, "the first is given up, the second asked");
    assert!(seen.insert(world.state_fingerprint()), "the client has come farther");
}
