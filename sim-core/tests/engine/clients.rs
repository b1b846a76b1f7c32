//! Clients ask, wait, ask elsewhere and give up; the history says what they saw.

use std::collections::BTreeSet;

use sim_core::fault::{Command, LinkFault};
use sim_core::history::{HistoryEventKind, HistoryOperation};
use sim_core::metrics::Counter;
use sim_core::service::{Operation, Outcome, Refusal};
use sim_core::world::{ClientSetup, Setup, Start, WorkloadStep};
use sim_core::{OpId, SimTime, World};

use crate::support::{
    Input, Puppet, Strings, asks, at, c, closed_loop, constant, echoes, link, ms, n, percent, plan, puppets,
    relink, storm,
};

/// Answers at once.
const ANSWER: Strings = |_, context, input| {
    if let Input::Request(op, Operation::Echo(value)) = input {
        context.reply(*op, Outcome::Value(Some(*value)));
    }
};

/// Links take 1 ms, so that an answer takes 2.
fn served(nodes: u32, strings: Strings, clients: Vec<ClientSetup>) -> Setup<Puppet> {
    let mut setup = puppets(1, nodes, strings);
    setup.clients = clients;
    relink(&mut setup, &link(constant(ms(1))));
    setup
}

fn times(operations: &[HistoryOperation]) -> Vec<(SimTime, Option<SimTime>)> {
    operations.iter().map(|operation| (operation.invoked, operation.completed)).collect()
}

#[test]
#[should_panic(expected = "the network is for as many nodes and clients as there are")]
fn clients_that_the_network_does_not_know_are_refused_at_once() {
    let mut setup = puppets(1, 1, ANSWER);
    setup.clients = vec![closed_loop(1, ms(5), echoes(3))];
    drop(World::new(setup));
}

#[test]
fn a_closed_loop_thinks_after_each_answer() {
    let mut world = World::new(served(1, ANSWER, vec![closed_loop(1, ms(5), echoes(3))]));
    world.run(at(100), u64::MAX);
    let operations = world.history().operations();
    let expected = [(5, 7), (12, 14), (19, 21)].map(|(asked, got)| (at(asked), Some(at(got))));
    assert_eq!(times(&operations), expected);
    let outcomes: Vec<_> = operations.into_iter().map(|operation| operation.outcome).collect();
    assert_eq!(outcomes, [0, 1, 2].map(|value| Outcome::Value(Some(value))));
}

#[test]
fn an_open_loop_asks_on_time_or_as_soon_as_it_can() {
    let step =
        |millis, value| WorkloadStep { start: Start::At(at(millis)), operation: Operation::Echo(value) };
    let steps = vec![step(10, 0), step(11, 1), step(30, 2)];
    let mut world = World::new(served(1, ANSWER, vec![asks(1, steps)]));
    world.run(at(100), u64::MAX);
    let expected = [(10, 12), (12, 14), (30, 32)].map(|(asked, got)| (at(asked), Some(at(got))));
    assert_eq!(times(&world.history().operations()), expected);
}

#[test]
fn a_timeout_asks_the_next_node() {
    let mut setup = served(2, ANSWER, vec![closed_loop(2, ms(5), echoes(1))]);
    setup.plan = plan([(0, Command::Crash(n(1)))]);
    let mut world = World::new(setup);
    world.run(at(300), u64::MAX);
    assert_eq!(
        times(&world.history().operations()),
        [(at(5), Some(at(57)))],
        "50 ms of waiting, and an answer"
    );
    assert_eq!(world.metrics().counter(Counter::Retries), 1);
    assert_eq!(world.metrics().counter(Counter::Requests), 1, "one request reached a process");
}

#[test]
fn giving_up_leaves_the_outcome_unknown_and_the_client_goes_on() {
    let mut setup = served(1, ANSWER, vec![closed_loop(1, ms(5), echoes(2))]);
    setup.plan = plan([(0, Command::Crash(n(1))), (206, Command::Restart(n(1)))]);
    let mut world = World::new(setup);
    world.run(at(300), u64::MAX);
    let operations = world.history().operations();
    assert_eq!(operations[0].outcome, Outcome::Unknown);
    assert_eq!(times(&operations), [(at(5), Some(at(205))), (at(210), Some(at(212)))]);
    assert_eq!(world.metrics().counter(Counter::OperationsUnknown), 1);
}

#[test]
fn a_redirect_is_followed_at_once_and_remembered() {
    let strings: Strings = |puppet, context, input| {
        if let Input::Request(op, _) = input {
            let answer = if puppet.node == n(3) { Outcome::Done } else { Outcome::Redirect(Some(n(3))) };
            context.reply(*op, answer);
        }
    };
    let mut world = World::new(served(3, strings, vec![closed_loop(3, ms(5), echoes(2))]));
    world.run(at(100), u64::MAX);
    let expected = [(5, 9), (14, 16)].map(|(asked, got)| (at(asked), Some(at(got))));
    assert_eq!(times(&world.history().operations()), expected, "the second goes to n3 straight away");
    assert_eq!(world.metrics().counter(Counter::Redirects), 1);
}

#[test]
fn what_a_node_says_of_an_attempt_that_is_over_starts_no_other() {
    use crate::support::PuppetTimer;
    // n1 sends the client away long after it has asked n2, which takes its time and answers.
    let strings: Strings = |puppet, context, input| match input {
        Input::Request(op, _) => {
            puppet.memory.push(u64::from(op.ordinal));
            context.set_timer(PuppetTimer::A, if puppet.node == n(1) { ms(60) } else { ms(30) });
        }
        Input::Timer(_) => {
            let op = OpId { client: c(1), ordinal: 0 };
            let answer = if puppet.node == n(1) { Outcome::Redirect(Some(n(3))) } else { Outcome::Done };
            context.reply(op, answer);
        }
        _ => {}
    };
    let mut world = World::new(served(3, strings, vec![closed_loop(3, ms(5), echoes(1))]));
    world.run(at(300), u64::MAX);
    assert_eq!(times(&world.history().operations()), [(at(5), Some(at(87)))], "n2 answers after 30 ms");
    assert_eq!(world.metrics().counter(Counter::Requests), 2, "n3 is not asked");
    assert_eq!(world.metrics().counter(Counter::Redirects), 0);
}

#[test]
fn a_node_that_is_unavailable_is_asked_again_after_a_pause() {
    let strings: Strings = |puppet, context, input| {
        if let Input::Request(op, _) = input {
            let is_first = puppet.count(|input| matches!(input, Input::Request(..))) == 0;
            context.reply(*op, if is_first { Outcome::Refused(Refusal::Unavailable) } else { Outcome::Done });
        }
    };
    let mut world = World::new(served(1, strings, vec![closed_loop(1, ms(5), echoes(1))]));
    world.run(at(100), u64::MAX);
    let operations = world.history().operations();
    let done = operations[0].completed.expect("answered");
    assert!(done >= at(14) && done <= at(24), "between half and three halves of 10 ms of pause: {done}");
}

#[test]
fn an_operation_by_hand_takes_its_turn() {
    let mut world = World::new(served(1, ANSWER, vec![closed_loop(1, ms(5), echoes(2))]));
    world.run(at(5), u64::MAX);
    let issue = |value| Command::Issue { client: c(1), operation: Operation::Echo(value) };
    world.apply(issue(100));
    world.apply(issue(101));
    world.run(at(200), u64::MAX);
    let operations = world.history().operations();
    let asked: Vec<_> = operations.iter().map(|operation| operation.operation.clone()).collect();
    assert_eq!(asked, [0, 100, 101, 1].map(Operation::Echo));
    assert!(operations.iter().all(|operation| operation.outcome != Outcome::Unknown));
    let idle = world.now();
    world.apply(issue(102));
    world.run(at(300), u64::MAX);
    assert_eq!(world.history().operations()[4].invoked, idle, "an idle client asks at once");
}

#[test]
fn a_doubled_answer_is_taken_once() {
    let mut setup = served(1, ANSWER, vec![closed_loop(1, ms(5), echoes(5))]);
    setup.plan = plan([(0, Command::AllLinks(LinkFault::Duplicate(Some(percent(100)))))]);
    let mut world = World::new(setup);
    world.run(at(100), u64::MAX);
    let operations = world.history().operations();
    assert_eq!(operations.len(), 5);
    assert!(operations.iter().all(|operation| matches!(operation.outcome, Outcome::Value(_))));
}

#[test]
fn a_history_is_well_formed_whatever_happens() {
    for seed in 0..8 {
        let mut world = World::new(storm(seed));
        world.run(at(2_000), u64::MAX);
        let mut open = BTreeSet::new();
        let mut ordinals = [0; 2];
        for event in world.history().events() {
            let client = event.op.client.index();
            match &event.what {
                HistoryEventKind::Invoked(_) => {
                    assert_eq!(event.op.ordinal, ordinals[client], "operations are numbered in order");
                    ordinals[client] += 1;
                    assert!(open.insert(event.op.client), "a client has one operation under way at a time");
                }
                HistoryEventKind::Completed(_) => assert!(open.remove(&event.op.client), "it was under way"),
            }
        }
        assert_eq!(ordinals, [41, 30], "seed {seed}: everything was asked, one by hand");
    }
}
