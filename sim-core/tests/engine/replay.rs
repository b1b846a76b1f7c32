//! What was done by hand or fell to a role is a plan that repeats the run to the nanosecond.

use proptest::prelude::*;
use sim_core::fault::{Command, MessageAct, Place, Plan, StatusEvent, Target, Trigger};
use sim_core::network::Direction;
use sim_core::world::Stop;
use sim_core::{Span, World};

use crate::support::{Chatter, Input, PuppetTimer, at, constant, entry, link, ms, n, puppets, relink, storm};

/// Runs a setup on another plan.
fn replay(seed: u64, plan: Plan) -> World<Chatter> {
    let mut setup = storm(seed);
    setup.plan = plan;
    let mut world = World::new(setup);
    world.run(at(300), u64::MAX);
    world
}

fn by_hand() -> impl Strategy<Value = Command> {
    let node = || (1..=5_u32).prop_map(n);
    let cut = |from, to| Command::Cut {
        from: vec![Place::Node(from)],
        to: vec![Place::Node(to)],
        direction: Direction::BothWays,
    };
    prop_oneof![
        node().prop_map(Command::Crash),
        node().prop_map(Command::Restart),
        node().prop_map(Command::Pause),
        node().prop_map(Command::Resume),
        node().prop_map(|node| Command::SlowDown { node, percent: 700 }),
        (node(), 0..4_u32).prop_map(|(node, effects)| Command::CrashAfterEffect { node, effects }),
        node().prop_map(|node| Command::FireTimer { node, timer: "tick".parse().expect("a name") }),
        (node(), node()).prop_map(move |(from, to)| cut(from, to)),
        (node(), node()).prop_map(|(from, to)| Command::Hold {
            from: vec![Place::Node(from)],
            to: vec![Place::Node(to)]
        }),
        Just(Command::HealAll),
        Just(Command::Recover),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Some stops are between two events, some at a time that the run has come to the end of.
    #[test]
    fn a_saved_plan_repeats_the_run(
        seed in 0..1_000_u64,
        steps in prop::collection::vec((0..300_u64, any::<bool>(), prop::collection::vec((by_hand(), 0..900_u64), 0..3)), 0..10),
    ) {
        let mut world = World::new(storm(seed));
        for (amount, is_time, commands) in steps {
            if is_time {
                let until = world.now() + ms(amount % 40);
                world.run(until, u64::MAX);
            } else {
                world.run(at(300), amount);
            }
            for (command, moment) in commands {
                world.pass_to(world.now() + Span::micros(moment));
                world.apply(command);
            }
            let flights = world.in_flight();
            if let Some(flight) = flights.get(usize::try_from(amount % 16).expect("it is small")) {
                let acts = [MessageAct::Drop, MessageAct::Duplicate, MessageAct::Delay(ms(3)), MessageAct::Deliver];
                let act = acts[flights.len() % acts.len()];
                world.apply(Command::Message { id: flight.id, act });
            }
        }
        world.run(at(300), u64::MAX);
        let saved = serde_json::to_string(world.plan()).expect("a plan is data");
        let plan: Plan = serde_json::from_str(&saved).expect("what was written reads back");
        prop_assert_eq!(&plan, world.plan());
        let again = replay(seed, plan);
        prop_assert_eq!(again.digest(), world.digest());
        prop_assert_eq!(again.plan(), world.plan(), "what it was stays");
    }
}

/// All nodes tick at the same nanoseconds, and messages arrive there as well.
fn synchronous() -> sim_core::world::Setup<crate::support::Puppet> {
    let mut setup = puppets(1, 3, |_, context, input| match input {
        Input::Start | Input::Timer(_) => {
            context.set_timer(PuppetTimer::A, ms(10));
            context.broadcast(&crate::support::Word(7));
        }
        _ => {}
    });
    relink(&mut setup, &link(constant(ms(10))));
    setup
}

#[test]
fn commands_between_events_of_one_nanosecond_replay_between_them() {
    for events in 0..40 {
        let mut world = World::new(synchronous());
        world.run(at(100), events);
        world.apply(Command::Crash(n(2)));
        world.run(at(100), 1);
        world.apply(Command::Restart(n(2)));
        world.run(at(100), u64::MAX);
        let mut setup = synchronous();
        setup.plan = world.plan().clone();
        let mut again = World::new(setup);
        again.run(at(100), u64::MAX);
        assert_eq!(again.digest(), world.digest(), "crash after {events} events");
        assert_eq!(again.plan(), world.plan());
    }
}

#[test]
fn a_command_after_a_drop_of_the_same_nanosecond_follows_it_in_a_replay() {
    let cut = Command::Cut {
        from: vec![Place::Node(n(1))],
        to: vec![Place::Node(n(2))],
        direction: Direction::OneWay,
    };
    let hold = Command::Hold { from: vec![Place::Node(n(1))], to: vec![Place::Node(n(2))] };
    for obstacle in [cut, hold] {
        let mut world = World::new(synchronous());
        world.apply(obstacle);
        world.run(at(20), u64::MAX);
        world.apply(Command::HealAll);
        world.run(at(100), u64::MAX);
        let mut setup = synchronous();
        setup.plan = world.plan().clone();
        let mut again = World::new(setup);
        again.run(at(100), u64::MAX);
        assert_eq!(again.digest(), world.digest());
    }
}

#[test]
fn commands_of_one_moment_replay_in_the_order_in_which_they_happened() {
    let led = Trigger::after(ms(0), StatusEvent::BecomesLeader, 1);
    let mut setup = storm(1);
    setup.plan = Plan::new(vec![entry(led, Command::Crash(Target::Leader))], Vec::new());
    let mut world = World::new(setup);
    while world.plan().entries()[0].was.is_none() {
        let next = world.now() + ms(1);
        assert_eq!(world.run(next, u64::MAX), Stop::Horizon);
        assert!(world.now() < at(250), "somebody leads soon");
        if world.plan().entries()[0].was.is_none() {
            world.run(at(300), 1);
        }
    }
    let was = world.plan().entries()[0].was.clone().expect("it has happened");
    let Some(Command::Crash(leader)) = was.commands.first() else { panic!("the leader was somebody") };
    world.apply(Command::Restart(*leader));
    world.run(at(300), u64::MAX);
    let again = replay(1, world.plan().clone());
    assert_eq!(again.digest(), world.digest());
    assert_eq!(again.plan(), world.plan());
}
