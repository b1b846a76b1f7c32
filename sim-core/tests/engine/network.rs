//! What the network does to messages, and that each loss says why.

use sim_core::fault::{Command, Place};
use sim_core::network::{Direction, Topology, Transport};
use sim_core::service::Outcome;
use sim_core::trace::{Payload, TraceKind};
use sim_core::world::{Setup, TieRule};
use sim_core::{NodeId, World};

use crate::support::{
    Input, Puppet, PuppetTimer, Word, at, c, closed_loop, constant, drops, echoes, link, ms, n, network,
    plan, puppets, records, relink, traced,
};

/// n1 sends a number to n2 each 10 ms, from 10 ms on; links take 4 ms.
fn counting() -> Setup<Puppet> {
    let mut setup = puppets(1, 3, |puppet, context, input| {
        if matches!(input, Input::Start | Input::Timer(_)) && puppet.node == n(1) {
            context.set_timer(PuppetTimer::A, ms(10));
            if !puppet.heard.is_empty() {
                context.send(n(2), Word(puppet.heard.len() as u64));
            }
        }
    });
    relink(&mut setup, &link(constant(ms(4))));
    setup
}

fn place(node: NodeId) -> Vec<Place> {
    vec![Place::Node(node)]
}

fn cut(from: NodeId, to: NodeId) -> Command {
    Command::Cut { from: place(from), to: place(to), direction: Direction::OneWay }
}

fn words(world: &World<Puppet>, node: NodeId) -> Vec<u64> {
    world.process(node).expect("it runs").words()
}

#[test]
fn a_cut_drops_what_is_sent_and_what_arrives() {
    let mut setup = counting();
    setup.plan = plan([(12, cut(n(1), n(2))), (25, Command::HealAll)]);
    let mut world = traced(setup);
    world.run(at(39), u64::MAX);
    let cut = |millis| (at(millis), "cut".to_owned());
    assert_eq!(drops(&world), [cut(14), cut(20)], "the first at its arrival, the second at its send");
    assert_eq!(words(&world, n(2)), [3]);
}

#[test]
fn the_way_back_of_a_one_way_cut_is_open() {
    let mut setup = counting();
    setup.plan = plan([(0, cut(n(2), n(1)))]);
    let mut world = traced(setup);
    world.run(at(39), u64::MAX);
    assert_eq!((drops(&world), words(&world, n(2))), (vec![], vec![1, 2, 3]));
}

#[test]
fn a_node_that_is_down_drops_what_arrives_and_hears_again_after_its_restart() {
    let mut setup = counting();
    setup.plan = plan([(12, Command::Crash(n(2))), (30, Command::Restart(n(2)))]);
    let mut world = traced(setup);
    world.run(at(49), u64::MAX);
    let down = |millis| (at(millis), "node-down".to_owned());
    assert_eq!(drops(&world), [down(14), down(24)]);
    assert_eq!(words(&world, n(2)), [3, 4]);
    let drop = records(&world, TraceKind::Drop)[0];
    assert_eq!(
        (drop.subject(), drop.peer()),
        (Some(n(2).into()), Some(n(1).into())),
        "on the receiver's lane"
    );
    assert_eq!(drop.payload(), Some(Payload::Message(0)));
}

#[test]
fn what_is_held_comes_in_a_burst_and_in_order() {
    for ties in [TieRule::Fifo, TieRule::Shuffled] {
        let mut setup = counting();
        setup.ties = ties;
        setup.plan = plan([
            (11, Command::Hold { from: place(n(1)), to: place(n(2)) }),
            (95, Command::Release { from: place(n(1)), to: place(n(2)) }),
        ]);
        let mut world = traced(setup);
        world.run(at(94), u64::MAX);
        assert!(words(&world, n(2)).is_empty(), "all wait");
        world.run(at(95), u64::MAX);
        assert_eq!(words(&world, n(2)), [1, 2, 3, 4, 5, 6, 7, 8, 9], "{ties:?}");
        world.run(at(104), u64::MAX);
        assert_eq!(words(&world, n(2)).len(), 10, "the link is free again");
        assert_eq!(drops(&world), []);
    }
}

#[test]
fn a_restart_resets_connections_and_not_datagrams() {
    for (transport, expected) in [(Transport::Connection, 1), (Transport::Datagram, 0)] {
        let mut setup = counting();
        let mut model = link(constant(ms(4)));
        model.transport = transport;
        relink(&mut setup, &model);
        setup.plan = plan([(11, Command::Crash(n(2))), (12, Command::Restart(n(2)))]);
        let mut world = traced(setup);
        world.run(at(39), u64::MAX);
        let resets = drops(&world);
        assert_eq!(resets.len(), expected, "{transport:?}: {resets:?}");
        assert!(resets.iter().all(|drop| *drop == (at(14), "connection-reset".to_owned())));
    }
}

#[test]
fn a_restart_resets_answers_on_their_way_to_clients() {
    let mut setup = puppets(1, 1, |_, context, input| {
        if let Input::Request(op, _) = input {
            context.reply(*op, Outcome::Done);
        }
    });
    let mut model = link(constant(ms(4)));
    model.transport = Transport::Connection;
    setup.clients = vec![closed_loop(1, ms(1), echoes(1))];
    relink(&mut setup, &model);
    setup.plan = plan([(6, Command::Crash(n(1))), (7, Command::Restart(n(1)))]);
    let mut world = traced(setup);
    world.run(at(20), u64::MAX);
    assert_eq!(drops(&world), [(at(9), "connection-reset".to_owned())]);
}

/// A burst at one nanosecond: a connection keeps its order under any rule for ties.
#[test]
fn a_connection_keeps_the_order_of_a_burst() {
    for ties in [TieRule::Fifo, TieRule::Shuffled] {
        let mut setup = puppets(1, 2, |puppet, context, input| {
            if *input == Input::Start && puppet.node == n(1) {
                (0..20).for_each(|word| context.send(n(2), Word(word)));
            }
        });
        let mut model = link(constant(ms(4)));
        model.transport = Transport::Connection;
        relink(&mut setup, &model);
        setup.ties = ties;
        let mut world = World::new(setup);
        world.run(at(20), u64::MAX);
        assert_eq!(words(&world, n(2)), (0..20).collect::<Vec<_>>(), "{ties:?}");
    }
}

#[test]
fn a_message_to_oneself_is_neither_delayed_nor_lost() {
    let mut setup = puppets(1, 2, |puppet, context, input| {
        if *input == Input::Start {
            context.send(puppet.node, Word(9));
        }
    });
    let mut model = link(constant(ms(4)));
    model.loss = sim_core::network::Loss::Independent(crate::support::percent(100));
    relink(&mut setup, &model);
    let mut world = World::new(setup);
    world.run(at(0), u64::MAX);
    assert_eq!((words(&world, n(1)), words(&world, n(2))), (vec![9], vec![9]));
}

/// n1 greets everybody at 10 and at 30 ms.
fn greeting(topology: Topology) -> Setup<Puppet> {
    let mut setup = puppets(1, 5, |puppet, context, input| match input {
        Input::Start if puppet.node == n(1) => context.set_timer(PuppetTimer::A, ms(10)),
        Input::Timer(_) => {
            context.set_timer(PuppetTimer::A, ms(20));
            context.broadcast(&Word(1));
        }
        _ => {}
    });
    setup.network = network(5, 0, topology, &link(constant(ms(1))));
    setup
}

fn heard_at(world: &World<Puppet>) -> Vec<Vec<u64>> {
    let times = |node| -> Vec<u64> {
        let arrivals = records(world, TraceKind::Delivery).into_iter();
        arrivals
            .filter(|record| record.subject() == Some(node))
            .map(|record| record.at().as_nanos() / 1_000_000)
            .collect()
    };
    (2..=5).map(|node| times(n(node).into())).collect()
}

#[test]
fn messages_take_the_shortest_way_round_a_ring() {
    let mut world = traced(greeting(Topology::Ring));
    world.run(at(20), u64::MAX);
    assert_eq!(heard_at(&world), [[11], [12], [12], [11]]);
}

#[test]
fn a_ring_routes_round_a_node_that_is_down_and_a_line_does_not() {
    let crash = || plan([(20, Command::Crash(n(2)))]);
    let mut ring = greeting(Topology::Ring);
    ring.plan = crash();
    let mut ring = traced(ring);
    ring.run(at(40), u64::MAX);
    assert_eq!(heard_at(&ring), [vec![11], vec![12, 33], vec![12, 32], vec![11, 31]]);
    let mut line = greeting(Topology::Line);
    line.plan = crash();
    let mut line = traced(line);
    line.run(at(40), u64::MAX);
    assert_eq!(heard_at(&line), [vec![11], vec![12], vec![13], vec![14]]);
    let reasons: Vec<String> = drops(&line).into_iter().map(|(_, reason)| reason).collect();
    assert_eq!(reasons, ["no-route", "no-route", "no-route", "node-down"]);
}

#[test]
fn a_spare_that_is_down_forwards_nothing() {
    let mut setup = greeting(Topology::Line);
    setup.spares = vec![n(2)];
    setup.plan = plan([(20, Command::Restart(n(2)))]);
    let mut world = traced(setup);
    world.run(at(40), u64::MAX);
    assert_eq!(heard_at(&world), [[31], [32], [33], [34]]);
}

#[test]
fn a_client_that_is_cut_off_gets_no_answer_and_others_do() {
    let mut setup = puppets(1, 1, |_, context, input| {
        if let Input::Request(op, _) = input {
            context.reply(*op, Outcome::Done);
        }
    });
    setup.clients = vec![closed_loop(1, ms(1), echoes(3)), closed_loop(1, ms(1), echoes(3))];
    relink(&mut setup, &link(constant(ms(1))));
    let cut =
        Command::Cut { from: vec![Place::Client(c(1))], to: place(n(1)), direction: Direction::BothWays };
    setup.plan = plan([(0, cut)]);
    let mut world = World::new(setup);
    world.run(at(100), u64::MAX);
    let operations = world.history().operations();
    let answers = |client| {
        operations.iter().filter(|done| done.op.client == client && done.completed.is_some()).count()
    };
    assert_eq!((answers(c(1)), answers(c(2))), (0, 3));
}
