//! Named places inside handlers: a node crashes exactly there, plans wait for them, and nothing else changes.

use sim_core::fault::{Command, Entry, Plan, PointName, StatusEvent, Target, Trigger};
use sim_core::metrics::Counter;
use sim_core::status::Power;
use sim_core::world::Setup;
use sim_core::{Simulation, World};

use crate::support::{
    Input, Puppet, PuppetTimer, Word, at, constant, entry, link, ms, n, plan, puppets, relink,
};

const WRITTEN: usize = 0;
const SENT: usize = 1;

fn name(text: &str) -> PointName {
    text.parse().expect("a name")
}

fn crash_at(point: &str, nth: u32) -> Command {
    Command::CrashAtPoint { node: n(1), point: name(point), nth }
}

/// Every 10 ms n1 writes, passes `written`, sends to n2, passes `sent`, and states a fact.
fn beats() -> Setup<Puppet> {
    let mut setup = puppets(1, 2, |puppet, context, input| match input {
        Input::Start if puppet.node == n(1) => context.set_timer(PuppetTimer::A, ms(10)),
        Input::Timer(PuppetTimer::A) => {
            context.set_timer(PuppetTimer::A, ms(10));
            _ = context.append(sim_core::disk::RegionId::new(0), Word(5));
            context.fault_point(WRITTEN);
            context.send(n(2), Word(1));
            context.fault_point(SENT);
            context.fact("the handler ran to its end");
        }
        _ => {}
    });
    relink(&mut setup, &link(constant(ms(1))));
    setup
}

fn run(setup: Setup<Puppet>) -> World<Puppet> {
    let mut world = World::new(setup);
    world.run(at(100), u64::MAX);
    world
}

/// What n1 wrote and n2 heard.
fn done(world: &World<Puppet>) -> (u64, u64) {
    let count = |counter| world.metrics().counter(counter);
    (count(Counter::DiskWrites), count(Counter::MessagesDelivered))
}

#[test]
fn a_node_crashes_where_it_reaches_a_point_for_the_nth_time() {
    for (point, nth, expected) in
        [("written", 1, (1, 0)), ("written", 3, (3, 2)), ("sent", 1, (1, 1)), ("sent", 2, (2, 2))]
    {
        let mut setup = beats();
        setup.plan = plan([(5, crash_at(point, nth))]);
        let world = run(setup);
        assert_eq!(done(&world), expected, "{nth} times at {point}");
        assert_eq!(world.status(n(1)).power, Power::Down);
        assert_eq!(world.metrics().counter(Counter::Crashes), 1);
    }
}

#[test]
fn the_nth_time_counts_from_when_the_crash_was_armed() {
    let mut setup = beats();
    setup.plan = plan([(35, crash_at("sent", 2))]);
    assert_eq!(done(&run(setup)), (5, 5));
}

#[test]
fn points_that_a_cut_handler_would_have_passed_were_not_reached() {
    let mut setup = beats();
    setup.plan = plan([(5, crash_at("written", 2))]);
    assert_eq!(run(setup).fault_points(), [("written", 2), ("sent", 1)]);
}

#[test]
fn an_armed_crash_is_called_off_by_a_restart_a_recovery_or_another() {
    for command in [Command::Restart(n(1)), Command::Recover, crash_at("sent", 1_000)] {
        let mut setup = beats();
        setup.plan = plan([(5, crash_at("sent", 4)), (15, command)]);
        let world = run(setup);
        assert_eq!(world.status(n(1)).power, Power::Running);
        assert_eq!(done(&world).0, 10);
    }
}

#[test]
fn a_crash_that_is_armed_does_not_outlive_another_crash() {
    let mut setup = beats();
    setup.plan = plan([(5, crash_at("sent", 4)), (15, Command::Crash(n(1))), (16, Command::Restart(n(1)))]);
    assert_eq!(run(setup).status(n(1)).power, Power::Running);
}

#[test]
fn a_crash_at_a_point_of_a_slow_node_cuts_there_too() {
    let mut setup = beats();
    setup.timing.service = constant(ms(2));
    setup.plan = plan([(5, crash_at("written", 2))]);
    let world = run(setup);
    assert_eq!((done(&world).0, world.status(n(1)).power), (2, Power::Down));
}

#[test]
fn a_plan_waits_for_a_point_and_acts_after_the_handler() {
    for (delay, expected) in [(0, (3, 3)), (15, (4, 4))] {
        let mut setup = beats();
        let trigger = Trigger::after(ms(delay), StatusEvent::Reaches(name("written")), 3);
        setup.plan = Plan::new(vec![entry(trigger, Command::Crash(Target::Node(n(1))))], Vec::new());
        let world = run(setup);
        assert_eq!(done(&world), expected, "{delay} ms after the third");
        let was = world.plan().entries()[0].was.clone().expect("it happened");
        assert_eq!(was.moment.time, at(30 + delay));
    }
}

#[test]
fn a_point_reached_at_the_start_counts() {
    let mut setup = puppets(1, 1, |_, context, input| {
        if *input == Input::Start {
            context.fault_point(WRITTEN);
        }
    });
    let trigger = Trigger::after(ms(7), StatusEvent::Reaches(name("written")), 1);
    setup.plan = Plan::new(vec![entry(trigger, Command::Pause(Target::Node(n(1))))], Vec::new());
    let world = run(setup);
    assert_eq!(world.status(n(1)).power, Power::Paused);
    assert_eq!(world.plan().entries()[0].was.clone().expect("it happened").moment.time, at(7));
}

#[test]
fn what_points_made_happen_is_a_plan_that_repeats_the_run() {
    let waits =
        |point, nth, command| entry(Trigger::after(ms(0), StatusEvent::Reaches(name(point)), nth), command);
    let mut setup = beats();
    setup.plan = Plan::new(
        vec![
            waits(
                "sent",
                2,
                Command::CrashAtPoint { node: Target::Node(n(1)), point: name("written"), nth: 2 },
            ),
            Entry::at(at(70), &Command::Restart(n(1))),
            waits("written", 6, Command::Pause(Target::Node(n(2)))),
        ],
        Vec::new(),
    );
    let first = run(setup);
    let mut again = beats();
    again.plan = first.plan().clone();
    let second = run(again);
    assert_eq!((first.digest(), first.events()), (second.digest(), second.events()));
    assert_eq!(first.plan(), second.plan());
    assert!(first.plan().entries().iter().all(|entry| entry.was.is_some()), "{:?}", first.plan());
    assert_eq!(first.metrics().counter(Counter::Crashes), 1);
}

#[test]
fn a_copy_of_a_world_keeps_what_is_armed_and_what_was_reached() {
    let mut setup = beats();
    setup.plan = plan([(5, crash_at("sent", 4))]);
    let mut world = World::new(setup);
    world.run(at(25), u64::MAX);
    let mut copy = world.fork().expect("puppets are copied");
    world.run(at(100), u64::MAX);
    copy.run(at(100), u64::MAX);
    assert_eq!((copy.digest(), copy.fault_points()), (world.digest(), world.fault_points()));
    assert_eq!(copy.status(n(1)).power, Power::Down);
}

#[test]
fn passing_points_changes_no_digest_and_is_counted() {
    let silent = || {
        let mut setup = puppets(1, 2, |puppet, context, input| match input {
            Input::Start if puppet.node == n(1) => context.set_timer(PuppetTimer::A, ms(10)),
            Input::Timer(PuppetTimer::A) => {
                context.set_timer(PuppetTimer::A, ms(10));
                _ = context.append(sim_core::disk::RegionId::new(0), Word(5));
                context.send(n(2), Word(1));
                context.fact("the handler ran to its end");
            }
            _ => {}
        });
        relink(&mut setup, &link(constant(ms(1))));
        setup
    };
    let (silent, loud) = (run(silent()), run(beats()));
    assert_eq!(silent.digest(), loud.digest());
    let face: &dyn Simulation = &loud;
    assert_eq!(face.fault_points(), [("written", 10), ("sent", 10)]);
    assert_eq!(silent.fault_points(), [("written", 0), ("sent", 0)], "what is never reached is listed");
}

#[test]
#[should_panic(expected = "the plan names the fault point `nowhere`")]
fn a_point_that_the_protocol_does_not_have_is_refused() {
    let mut setup = beats();
    setup.plan = plan([(5, crash_at("nowhere", 1))]);
    World::new(setup);
}
