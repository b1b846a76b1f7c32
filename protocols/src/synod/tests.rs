//! The Synod in whole worlds, all invariants on.

use sim_core::fault::{Command as Fault, LinkFault};
use sim_core::random::{KeySource, Purpose};
use sim_core::service::{Operation, Outcome, Refusal, kv};
use sim_core::view::ViewRequest;
use sim_core::{Simulation, Span, World};

use super::*;
use crate::replicated::Quorums;
use crate::testing::clients::{assert_linearizable, outcomes};
use crate::testing::faults::{percent, random_fault};
use crate::testing::names::assert_gauge;
use crate::testing::{self, Script};

fn config(node_count: u32) -> Config {
    Config::new((0..node_count).map(NodeId::new))
}

fn world(seed: u64, node_count: u32, config: Config, scripts: Vec<Script>) -> World<Synod> {
    let invariants = invariants::all(&config);
    testing::world(seed, node_count, config, scripts, invariants)
}

fn write(wait: u64, value: u64) -> (Span, Operation) {
    (Span::millis(wait), Operation::Kv(kv::Operation::Write(REGISTER, value)))
}

fn read(wait: u64) -> (Span, Operation) {
    (Span::millis(wait), Operation::Kv(kv::Operation::Read(REGISTER)))
}

/// Clients that all want another value, at about the same time, and read before and after.
fn rivals(count: u64) -> Vec<Script> {
    (1..=count)
        .map(|client| Script(vec![read(0), write(client % 3, client), read(5), write(0, 100 + client)]))
        .collect()
}

/// At most one write happened, and reads are as if one machine had answered them.
fn assert_decided_once(world: &World<Synod>) {
    let operations = world.history().operations();
    let done: Vec<_> = operations
        .iter()
        .filter(|operation| !operation.operation.is_read() && operation.outcome == Outcome::Done)
        .collect();
    assert!(done.len() <= 1, "two writes happened: {done:?}");
    assert_linearizable(world.history(), "");
}

#[test]
fn the_gauge_of_a_node_is_how_many_clients_wait_at_it() {
    let mut world = world(3, 3, config(3), rivals(6));
    assert_gauge(&mut world, WAITING, 300, |synod| synod.proposer.waiting_count() as u64);
}

#[test]
fn a_proposer_alone_knows_what_is_chosen_after_four_delays_and_one_ballot() {
    let (config, delay) = (config(3), Span::millis(5));
    let invariants = invariants::all(&config);
    let mut world = testing::steady_world(3, delay, config, vec![Script(vec![write(0, 7)])], invariants);
    testing::run(&mut world, Span::secs(1));
    let summary = world.metrics().summary(world.now());
    let chosen = summary.latencies["chosen"];
    assert_eq!((chosen.count, chosen.max), (1, delay.times(4)));
    let counters = ["ballots", "prepares", "preemptions"].map(|name| summary.counters[name]);
    assert_eq!(counters, [1, 3, 0]);
}

#[test]
fn rivals_are_counted_as_they_pre_empt_each_other() {
    let mut world = world(3, 3, config(3), rivals(6));
    testing::run(&mut world, Span::secs(2));
    let counters = world.metrics().summary(world.now()).counters;
    assert!(counters["preemptions"] > 0 && counters["ballots"] > counters["preemptions"], "{counters:?}");
    assert!(counters["prepares"] <= 3 * counters["ballots"], "each ballot asks three acceptors at most once");
}

#[test]
fn every_fault_point_is_reached_by_rivals() {
    let mut world = world(3, 3, config(3), rivals(6));
    testing::run(&mut world, Span::secs(2));
    assert!(world.fault_points().iter().all(|(_, count)| *count > 0), "{:?}", world.fault_points());
}

#[test]
fn rivals_agree_on_one_value() {
    for node_count in [1, 2, 3, 5] {
        for learning in [Learning::Everybody, Learning::Proposer] {
            let config = Config { learning, ..config(node_count) };
            let mut world = world(u64::from(node_count), node_count, config, rivals(4));
            testing::run(&mut world, Span::secs(5));
            assert_eq!(world.history().open_count(), 0, "everything is answered");
            assert_decided_once(&world);
            let answers = outcomes(&world);
            assert_eq!(answers.iter().filter(|outcome| **outcome == Outcome::Done).count(), 1, "{answers:?}");
            let refused = |outcome: &&Outcome| **outcome == Outcome::Refused(Refusal::Aborted);
            assert_eq!(answers.iter().filter(refused).count(), 7, "{answers:?}");
        }
    }
}

#[test]
fn a_read_of_nothing_asks_a_quorum_and_proposes_nothing() {
    let mut world = world(1, 3, config(3), vec![Script(vec![read(0), read(10)])]);
    testing::run(&mut world, Span::secs(1));
    assert_eq!(outcomes(&world), vec![Outcome::Value(None); 2]);
    assert!(world.nodes().running().all(|(_, synod)| synod.acceptor().accepted().is_none()));
}

#[test]
fn what_is_no_proposal_is_refused() {
    let kv = |operation| (Span::ZERO, Operation::Kv(operation));
    let script = Script(vec![
        kv(kv::Operation::Write(Key(1), 5)),
        kv(kv::Operation::Delete(REGISTER)),
        kv(kv::Operation::CompareAndSet { key: REGISTER, expected: 1, value: 2 }),
        (Span::ZERO, Operation::UniqueId),
    ]);
    let mut world = world(1, 3, config(3), vec![script]);
    testing::run(&mut world, Span::secs(1));
    let refused = Outcome::Refused;
    let unsupported = refused(Refusal::Unsupported);
    let expected = [refused(Refusal::NotFound), unsupported.clone(), unsupported.clone(), unsupported];
    assert_eq!(outcomes(&world), expected);
}

#[test]
fn flexible_quorums_agree_too() {
    let systems = [
        (4, Quorums::Sizes { phase1: 3, phase2: 2 }),
        (5, Quorums::Sizes { phase1: 1, phase2: 5 }),
        (6, Quorums::Grid { rows: 2, columns: 3 }),
        (3, Quorums::Weights { weights: [3, 1, 1].into(), phase1: 3, phase2: 3 }),
    ];
    for (node_count, quorums) in systems {
        let config = Config { quorums, ..config(node_count) };
        assert_eq!(config.validate(), Ok(()));
        let mut world = world(7, node_count, config, rivals(3));
        testing::run(&mut world, Span::secs(5));
        assert_eq!(world.history().open_count(), 0);
        assert_decided_once(&world);
    }
}

#[test]
fn a_value_that_was_chosen_survives_a_crash_after_each_effect_of_every_node() {
    for effects in 0..10 {
        for victim in 0..3 {
            let mut world = world(effects, 3, config(3), rivals(3));
            let node = NodeId::new(victim);
            testing::run(&mut world, Span::micros(700 * effects));
            world.apply(Fault::CrashAfterEffect { node, effects: u32::try_from(effects).expect("small") });
            testing::run(&mut world, Span::millis(300));
            if world.process(node).is_none() {
                world.apply(Fault::Restart(node));
            }
            testing::run(&mut world, Span::secs(5));
            assert_eq!(world.history().open_count(), 0);
            assert_decided_once(&world);
        }
    }
}

#[test]
fn a_minority_decides_nothing() {
    let mut world = world(3, 5, config(5), vec![Script(vec![write(500, 1)])]);
    for node in 0..3 {
        world.apply(Fault::Crash(NodeId::new(node)));
    }
    testing::run(&mut world, Span::secs(5));
    assert!(world.nodes().running().all(|(_, synod)| synod.chosen().is_none()));
    world.apply(Fault::Recover);
    testing::run(&mut world, Span::secs(5));
    assert_eq!(outcomes(&world), [Outcome::Done]);
}

#[test]
fn a_copy_goes_on_as_the_original_does() {
    let mut world = world(5, 5, config(5), rivals(4));
    testing::run(&mut world, Span::millis(3));
    let mut copy = world.fork().expect("the Synod can be copied");
    testing::run(&mut world, Span::secs(1));
    testing::run(&mut copy, Span::secs(1));
    assert_eq!(world.digest(), copy.digest());
}

#[test]
fn the_view_shows_the_three_roles() {
    let world = &mut world(5, 3, config(3), rivals(2));
    testing::run(world, Span::secs(2));
    let parts = Simulation::view(world, NodeId::new(0), &ViewRequest::default());
    let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
    assert_eq!(names, ["acceptor", "proposer", "learner"]);
}

/// A world with rivals under random faults, run until something is violated or `steps` faults have happened.
fn under_random_faults(seed: u64, config: Config, steps: u64) -> World<Synod> {
    let node_count = u32::try_from(config.members.len()).expect("few");
    let mut world = world(seed, node_count, config, rivals(4));
    let mut stream = KeySource::new(seed).stream(Purpose::Faults, 0, 0);
    world.apply(Fault::AllLinks(LinkFault::Loss(Some(percent(20)))));
    world.apply(Fault::AllLinks(LinkFault::Reorder {
        probability: Some(percent(50)),
        extra: Span::millis(20),
    }));
    for _ in 0..steps {
        let until = world.now() + Span::micros(stream.below(12_000));
        world.run(until, u64::MAX);
        if !world.violations().is_empty() {
            break;
        }
        let fault = random_fault(&world, &mut stream, None);
        world.apply(fault);
    }
    world
}

#[test]
fn random_faults_break_nothing_and_everything_heals() {
    for seed in 0..200 {
        let quorums = [
            Quorums::Majority,
            Quorums::Sizes { phase1: 2, phase2: 2 },
            Quorums::Sizes { phase1: 1, phase2: 3 },
        ];
        let quorums = quorums[usize::try_from(seed % 3).expect("small")].clone();
        let learning = if seed % 2 == 0 { Learning::Everybody } else { Learning::Proposer };
        let config = Config { quorums, learning, ..config(3) };
        let mut world = under_random_faults(seed, config, 30);
        assert_eq!(world.violations(), [], "seed {seed}");
        world.apply(Fault::Recover);
        testing::run(&mut world, Span::secs(10));
        assert_eq!(world.history().open_count(), 0, "seed {seed}");
        assert_decided_once(&world);
    }
}

/// Proposers that take the next ballot before the last one can have come to anything.
fn impatient(node_count: u32) -> Config {
    Config { ballot_timeout: Span::millis(5), backoff: Span::ZERO..=Span::millis(5), ..config(node_count) }
}

/// How many of `seeds` find a mutant.
fn caught(mutant: Mutant, seeds: std::ops::Range<u64>) -> usize {
    let finds = |seed: &u64| {
        let node_count = if seed.is_multiple_of(2) { 3 } else { 5 };
        let config = Config { mutant: Some(mutant), ..impatient(node_count) };
        let world = under_random_faults(*seed, config, 30);
        let violations = world.violations();
        assert!(
            violations.iter().all(|violation| mutant.about().breaks.contains(&violation.property.as_str())),
            "{mutant:?} breaks what it does not say: {violations:?}"
        );
        !violations.is_empty()
    };
    seeds.filter(finds).count()
}

#[test]
fn random_faults_find_the_common_mutants() {
    let common =
        [Mutant::BallotCollision, Mutant::AcceptIgnoresPromise, Mutant::AmnesiaPromise, Mutant::PromiseMix];
    let rates = common.map(|mutant| (mutant, caught(mutant, 0..200)));
    assert!(rates.iter().all(|(_, count)| *count > 0), "{rates:?}");
}
