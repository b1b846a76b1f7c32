//! The lock in whole worlds.

use sim_core::check::Answer;
use sim_core::check::history::{DEFAULT_BUDGET, for_service};
use sim_core::clock::ClockFault;
use sim_core::fault::{Command, LinkFault};
use sim_core::random::Probability;
use sim_core::service::{LAST_TICKET, Operation, Outcome, Service, lock};
use sim_core::{NodeId, Process as _, Span, World};

use super::*;
use crate::testing::faults::{isolate, random_fault};
use crate::testing::{self, Script};

const WORKER: NodeId = NodeId::new(2);

/// Clients that take the lock and give it back, a few milliseconds later.
fn scripts(count: usize, rounds: usize) -> Vec<Script> {
    let take = (Span::millis(5), Operation::Lock(lock::Operation::Acquire));
    let give = (Span::millis(3), Operation::Lock(lock::Operation::Release { token: LAST_TICKET }));
    let steps = [take, give].into_iter().cycle().take(2 * rounds);
    vec![Script(steps.collect()); count]
}

fn world(seed: u64, config: Config, scripts: Vec<Script>) -> World<Lock> {
    let invariants = invariants::all(&config);
    testing::world(seed, config.node_count, config, scripts, invariants)
}

fn counted(world: &World<Lock>, name: &str) -> u64 {
    world.metrics().summary(world.now()).counters[name]
}

fn assert_clients_are_right(world: &World<Lock>) {
    for checker in for_service(Service::Lock) {
        assert_eq!(checker.check(world.history(), DEFAULT_BUDGET), Answer::Pass);
    }
}

#[test]
fn workers_take_turns_and_all_that_they_write_is_taken() {
    let mut world = world(7, Config::new(5), Vec::new());
    testing::run(&mut world, Span::secs(20));
    let (given, taken) = (counted(&world, "locks-given"), counted(&world, "writes-taken"));
    assert!(given > 100, "{given} times in 20 s");
    assert!(taken >= 5 * (given - 1), "{taken} writes with {given} tokens");
    assert_eq!((counted(&world, "locks-lost"), counted(&world, "writes-fenced")), (0, 0));
}

#[test]
fn clients_take_turns_each_with_a_higher_token() {
    let mut world = world(3, Config::new(2), scripts(3, 30));
    testing::run(&mut world, Span::secs(20));
    assert_clients_are_right(&world);
    let outcomes = world.history().operations().into_iter().map(|operation| operation.outcome);
    let tickets = outcomes.filter(|outcome| matches!(outcome, Outcome::Ticket(_))).count();
    assert!((30..=90).contains(&tickets), "{tickets} of 90 attempts");
}

#[test]
fn a_client_that_does_not_give_the_lock_back_loses_it_after_the_lease() {
    let take = |wait| (Span::millis(wait), Operation::Lock(lock::Operation::Acquire));
    let scripts = vec![Script(vec![take(1)]), Script(vec![take(100), take(100), take(300)])];
    let mut world = world(3, Config::new(2), scripts);
    testing::run(&mut world, Span::secs(2));
    let outcomes = world.history().operations().into_iter().map(|operation| operation.outcome);
    let outcomes: Vec<Outcome> = outcomes.collect();
    let rejected = Outcome::Rejected;
    assert_eq!(outcomes, [Outcome::Ticket(1), rejected.clone(), rejected, Outcome::Ticket(2)]);
}

#[test]
fn a_worker_that_stands_still_loses_the_lock_and_the_others_go_on() {
    let config = Config { writes: 100, ..Config::new(4) };
    let mut world = world(5, config, Vec::new());
    testing::run(&mut world, Span::millis(100));
    let holder = world.nodes().running().find(|(_, lock)| lock.status().role == "holder");
    let (holder, _) = holder.expect("some worker has the lock");
    world.apply(Command::Pause(holder));
    testing::run(&mut world, Span::secs(1));
    world.apply(Command::Resume(holder));
    testing::run(&mut world, Span::secs(1));
    assert!(counted(&world, "locks-lost") > 0, "it finds out");
    assert!(counted(&world, "leases-lapsed") > 0);
}

#[test]
fn clocks_within_the_bound_break_nothing_and_cost_nobody_the_lock() {
    let config = Config { drift_max: 50_000, writes: 200, ..Config::new(4) };
    let mut world = world(5, config, Vec::new());
    for (node, ppm) in [(0, 47_000), (2, -47_000), (3, 47_000)] {
        world.apply(Command::Clock { node: NodeId::new(node), fault: ClockFault::Drift(ppm) });
    }
    testing::run(&mut world, Span::secs(20));
    assert_eq!(counted(&world, "locks-lost"), 0);
}

/// Workers with clocks as slow as `slower` ppm beside a server whose clock is as fast as may be, and a link between them that fails
/// again and again: which properties were violated in a minute.
fn violated_with_slow_clocks(drift_max: u32, slower: u32) -> Vec<String> {
    let config = Config { drift_max, writes: 200, ..Config::new(4) };
    let mut world = world(5, config, Vec::new());
    let drift = |node, ppm| Command::Clock { node: NodeId::new(node), fault: ClockFault::Drift(ppm) };
    world.apply(drift(0, drift_max.cast_signed()));
    world.apply(drift(2, -slower.cast_signed()));
    world.apply(drift(3, -slower.cast_signed()));
    for _ in 0..60 {
        let holder = world.nodes().running().find(|(_, lock)| lock.status().role == "holder");
        if let Some((holder, _)) = holder {
            world.apply(isolate(holder));
        }
        world.run(world.now() + Span::millis(700), u64::MAX);
        world.apply(Command::HealAll);
        world.run(world.now() + Span::millis(300), u64::MAX);
    }
    world.violations().iter().map(|violation| violation.property.clone()).collect()
}

#[test]
fn clocks_at_the_very_bound_break_nothing_and_beyond_it_they_do() {
    let slowest = crate::lease::slower_at_most(450_000);
    assert_eq!(violated_with_slow_clocks(450_000, slowest), Vec::<String>::new());
    let beyond = violated_with_slow_clocks(450_000, 449_000);
    assert!(beyond.contains(&"single-holder".to_owned()), "a clock that is ρ slow is beyond it: {beyond:?}");
}

#[test]
fn a_wall_clock_that_jumps_changes_nothing() {
    let mut world = world(5, Config::new(4), scripts(2, 200));
    for step in 0..20 {
        let hour = if step % 2 == 0 { 3_600_000_000_000 } else { -3_600_000_000_000 };
        let node = NodeId::new(step % 4);
        world.apply(Command::Clock { node, fault: ClockFault::Step(hour) });
        testing::run(&mut world, Span::millis(200));
    }
    assert_eq!(counted(&world, "locks-lost"), 0);
    assert_clients_are_right(&world);
}

#[test]
fn anything_that_nodes_must_survive_breaks_no_rule() {
    for seed in 0..30 {
        let mut world = world(seed, Config::new(5), scripts(2, 60));
        let mut stream =
            sim_core::random::KeySource::new(seed).stream(sim_core::random::Purpose::Faults, 0, 0);
        for _ in 0..60 {
            let fault = random_fault(&world, &mut stream, Some(SERVER));
            world.apply(fault);
            let pause = stream.span(Span::ZERO, Span::millis(120));
            testing::run(&mut world, pause);
        }
        assert_clients_are_right(&world);
    }
}

#[test]
fn what_comes_twice_is_done_once() {
    let mut world = world(3, Config::new(4), scripts(3, 30));
    let always = Probability::from_ratio(1, 1).expect("valid");
    world.apply(Command::AllLinks(LinkFault::Duplicate(Some(always))));
    testing::run(&mut world, Span::secs(20));
    assert_clients_are_right(&world);
    assert_eq!(counted(&world, "locks-lost"), 0);
}

#[test]
fn a_copy_goes_on_as_the_original_does() {
    let mut world = world(8, Config::new(4), scripts(2, 30));
    testing::run(&mut world, Span::millis(400));
    let mut copy = world.fork().expect("a lock can be copied");
    testing::run(&mut world, Span::secs(2));
    testing::run(&mut copy, Span::secs(2));
    assert_eq!(world.digest(), copy.digest());
    assert!(world.process(WORKER).is_some());
}
