//! A world whose every step is chosen: contents, lost and doubled messages, requests past the clients.

use sim_core::fault::{Command, MessageAct, Place};
use sim_core::metrics::Counter;
use sim_core::service::Operation;
use sim_core::simulation::ChoiceKind;
use sim_core::world::Content;
use sim_core::{ClientId, MessageId, OpId, SimTime, Span, World};

use crate::support::{
    Input, Puppet, PuppetTimer, Word, at, closed_loop, constant, echoes, link, ms, n, puppets, relink,
};

/// n1 sends 3, 2, 1 to n2 and sets two timers as it starts.
fn start() -> World<Puppet> {
    World::new(puppets(1, 2, |puppet, context, input| {
        if *input == Input::Start && puppet.node == n(1) {
            context.set_timer(PuppetTimer::B, ms(50));
            (1..=3).rev().for_each(|word| context.send(n(2), Word(word)));
            context.set_timer(PuppetTimer::A, ms(5));
        }
    }))
}

/// The words in flight, in the order of the prospects.
fn flying(world: &World<Puppet>) -> Vec<u64> {
    let prospects = world.prospects();
    let words = prospects.iter().filter_map(|prospect| prospect.content.message());
    words.map(|word| word.0).collect()
}

#[test]
fn prospects_come_in_the_order_of_the_effects_with_what_they_hold() {
    let world = start();
    assert_eq!(flying(&world), [3, 2, 1]);
    let prospects = world.prospects();
    let kinds: Vec<ChoiceKind> = prospects.iter().map(|prospect| prospect.choice.kind).collect();
    let (timer, message) = (ChoiceKind::Timer, ChoiceKind::Message);
    assert_eq!(kinds, [timer, message, message, message, timer]);
    assert_eq!(prospects[0].content.timer(), Some(PuppetTimer::B));
    assert_eq!((prospects[0].due, prospects[4].due), (at(50), at(5)));
}

#[test]
fn a_later_timer_may_be_taken_first() {
    let mut world = start();
    let choice = world.prospects()[0].choice;
    world.take(choice);
    assert_eq!(world.now(), at(50));
    let puppet = world.process(n(1)).expect("it runs");
    assert_eq!(puppet.count(|input| *input == Input::Timer(PuppetTimer::B)), 1);
}

#[test]
fn a_lost_message_is_gone_and_counted_and_a_doubled_one_arrives_twice() {
    let mut world = start();
    let of = |world: &World<Puppet>, place: usize| world.prospects()[1 + place].choice;
    let (first, second) = (of(&world, 0), of(&world, 1));
    world.lose(first);
    world.double(second);
    assert_eq!(flying(&world), [2, 1, 2]);
    assert_eq!(world.metrics().counter(Counter::MessagesDropped), 1);
    world.run(at(40), u64::MAX);
    let mut words = world.process(n(2)).expect("it runs").words();
    words.sort_unstable();
    assert_eq!(words, [1, 2, 2]);
}

#[test]
fn a_request_by_hand_reaches_the_node_and_leaves_no_history() {
    let mut setup = puppets(1, 2, |_, _, _| {});
    setup.clients = vec![closed_loop(1, ms(1), echoes(0))];
    relink(&mut setup, &link(constant(ms(1))));
    let mut world = World::new(setup);
    let op = OpId { client: ClientId::new(0), ordinal: 7 };
    world.ask(op, n(2), Operation::Echo(1));
    let prospects = world.prospects();
    assert!(
        matches!(prospects[..], [ref only] if matches!(only.content, Content::Request(asked, _) if asked == op))
    );
    let choice = prospects[0].choice;
    world.take(choice);
    let asked = Input::Request(op, Operation::Echo(1));
    assert_eq!(world.process(n(2)).expect("it runs").count(|input| *input == asked), 1);
    assert_eq!(world.history().operations(), []);
}

#[test]
fn time_that_passes_makes_nothing_happen_but_all_late() {
    let mut world = start();
    let events = world.events();
    world.pass(ms(100));
    assert_eq!((world.now(), world.events()), (at(100), events));
    let choice = world.prospects()[0].choice;
    world.take(choice);
    assert_eq!(world.now(), at(100), "a late timer fires now");
}

/// A command on the first message that n1 sends.
fn on_first(act: MessageAct) -> Command {
    Command::Message { id: MessageId { from: n(1).into(), to: n(2).into(), ordinal: 0 }, act }
}

/// What n2 gets, in order, where one of the three messages is acted on while it travels for 1 ms, and then this time passes.
fn heard_after(act: MessageAct) -> Vec<(u64, SimTime)> {
    let mut setup = puppets(1, 2, |puppet, context, input| {
        if *input == Input::Start && puppet.node == n(1) {
            (1..=3).for_each(|word| context.send(n(2), Word(word)));
        }
    });
    relink(&mut setup, &link(constant(ms(1))));
    let mut world = World::new(setup);
    world.pass_to(SimTime::ZERO + Span::micros(300));
    world.apply(on_first(act));
    world.run(at(40), u64::MAX);
    let heard = &world.process(n(2)).expect("it runs").heard;
    let said = |input: &Input| if let Input::Word(_, word) = input { Some(*word) } else { None };
    heard.iter().filter_map(|(at, input)| Some((said(input)?, SimTime::from_nanos(at.as_nanos())))).collect()
}

#[test]
fn a_message_on_its_way_is_lost_doubled_late_or_early_by_its_address() {
    let (usual, early) = (at(1), SimTime::ZERO + Span::micros(300));
    assert_eq!(heard_after(MessageAct::Drop), [(2, usual), (3, usual)]);
    let mut doubled = heard_after(MessageAct::Duplicate);
    doubled.sort_unstable();
    assert_eq!(doubled, [(1, usual), (1, usual), (2, usual), (3, usual)]);
    assert_eq!(heard_after(MessageAct::Delay(ms(2))), [(2, usual), (3, usual), (1, at(3))]);
    assert_eq!(heard_after(MessageAct::Deliver), [(1, early), (2, usual), (3, usual)]);
}

#[test]
fn what_a_held_link_keeps_is_on_its_way_and_can_be_lost_there() {
    let held = || vec![Place::Node(n(1))];
    let mut world = start();
    world.apply(Command::Hold { from: held(), to: vec![Place::Node(n(2))] });
    world.run(at(10), u64::MAX);
    let flights = world.in_flight();
    let told: Vec<_> = flights.iter().map(|flight| (flight.id.ordinal, flight.due)).collect();
    assert_eq!(told, [(1, None), (0, None), (2, None)], "in the order in which they came");
    let says = |world: &_, flight| World::describe_flight(world, flight);
    assert!(flights.iter().all(|flight| says(&world, flight).is_some_and(|text| !text.is_empty())));
    world.apply(on_first(MessageAct::Drop));
    world.apply(on_first(MessageAct::Drop));
    world.apply(Command::Release { from: held(), to: vec![Place::Node(n(2))] });
    world.run(at(40), u64::MAX);
    assert_eq!(world.process(n(2)).expect("it runs").words(), [2, 1], "the first, 3, is gone");
    assert!(flights.iter().all(|flight| says(&world, flight).is_none()), "nothing is on its way any more");
}

#[test]
fn time_comes_to_just_after_what_happened_at_an_instant_and_never_past_what_is_due() {
    let mut world = start();
    world.pass_to(at(2));
    assert_eq!(world.now(), SimTime::ZERO, "messages are due before");
    world.run(at(20), u64::MAX);
    let last = world.now();
    world.pass_to(last);
    assert_eq!(world.now(), last + Span::nanos(1));
    world.pass_to(at(21));
    assert_eq!(world.now(), at(21));
}
