//! A world whose every step is chosen: contents, lost and doubled messages, requests past the clients.

use sim_core::metrics::Counter;
use sim_core::service::Operation;
use sim_core::simulation::ChoiceKind;
use sim_core::world::Content;
use sim_core::{ClientId, OpId, World};

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
