//! The log in whole worlds.

use std::collections::BTreeMap;

use sim_core::check::Answer;
use sim_core::check::history::{DEFAULT_BUDGET, for_service};
use sim_core::fault::Command;
use sim_core::random::{KeySource, Purpose};
use sim_core::service::{Operation, Outcome, Service, log};
use sim_core::status::Standing;
use sim_core::{NodeId, Process as _, Span, World};

use super::*;
use crate::testing::faults::random_fault;
use crate::testing::{self, Script};

/// Times that suit networks of milliseconds.
fn config(nodes: u32) -> Config {
    Config {
        heartbeat: Span::millis(50),
        session_timeout: Span::millis(250),
        lag_max: Span::millis(400),
        fetch_wait: Span::millis(100),
        rebalance: Span::millis(700),
        ..Config::new(nodes)
    }
}

/// Clients that append, read from the beginning, and keep and read offsets.
fn scripts(count: u64, rounds: u64) -> Vec<Script> {
    let step = |client: u64, round: u64| {
        let partition = u32::try_from(round % 2).expect("small");
        let asked = match round % 5 {
            0 | 1 | 3 => log::Operation::Append { partition, value: client * 1_000_000 + round },
            2 => log::Operation::Poll { partition, offset: 0 },
            _ if round.is_multiple_of(2) => log::Operation::Commit { partition, offset: round },
            _ => log::Operation::Committed { partition },
        };
        (Span::millis(7), Operation::Log(asked))
    };
    (1..=count).map(|client| Script((0..rounds).map(|round| step(client, round)).collect())).collect()
}

fn world(seed: u64, config: Config, scripts: Vec<Script>) -> World<Node> {
    let invariants = invariants::all(&config);
    testing::world(seed, config.node_count, config, scripts, invariants)
}

fn assert_clients_are_right(world: &World<Node>, what: &str) {
    for checker in for_service(Service::Log) {
        let answer = checker.check(world.history(), DEFAULT_BUDGET);
        assert_eq!(answer, Answer::Pass, "{what}: {}", checker.about().name);
    }
}

fn all() -> Vec<NodeId> {
    (0..4).map(NodeId::new).collect()
}

/// Who leads the first partition.
fn leader(world: &World<Node>) -> Option<NodeId> {
    let leads = |(_, node): &(NodeId, &Node)| node.status().standing == Standing::Leader;
    world.nodes().running().find(leads).map(|(node, _)| node)
}

/// All copies are in sync, and the same.
fn assert_in_sync(world: &World<Node>, what: &str) {
    let nodes = world.nodes();
    assert_eq!(Node::disagreement(&nodes, &all()), None, "{what}");
    let mut seen = BTreeMap::new();
    for (node, broker) in nodes.running().filter_map(|(node, process)| Some((node, process.broker()?))) {
        for (id, copy) in broker.replicas().iter() {
            let (end, high_watermark) = (copy.log().end(), copy.high_watermark());
            let this = (end, copy.log().chain_below(end), high_watermark);
            assert_eq!(*seen.entry(id).or_insert(this), this, "{what}: {id} on {node}");
        }
    }
}

fn done(world: &World<Node>) -> usize {
    let operations = world.history().operations();
    operations
        .iter()
        .filter(|one| matches!(one.outcome, Outcome::Done | Outcome::Ticket(_) | Outcome::Values(_)))
        .count()
}

#[test]
fn what_is_appended_is_read_and_all_copies_are_the_same() {
    let mut world = world(7, config(4), scripts(3, 60));
    testing::run(&mut world, Span::secs(10));
    assert_clients_are_right(&world, "quiet");
    let count = done(&world);
    assert!(count >= 170, "{count} of 180 operations are done");
    assert_in_sync(&world, "in the end");
}

#[test]
fn each_broker_leads_where_it_is_first() {
    let mut world = world(3, Config { partitions: 2, ..config(4) }, Vec::new());
    testing::run(&mut world, Span::secs(3));
    for (node, process) in world.nodes().running() {
        let Some(broker) = process.broker() else { continue };
        let led: Vec<u32> = broker.led().into_iter().map(|id| id.0).collect();
        assert_eq!(led, [node.raw() - 1], "{node}");
    }
}

#[test]
fn another_broker_leads_when_the_leader_is_not_heard_of_and_nothing_is_lost() {
    let mut world = world(5, config(4), scripts(3, 100));
    testing::run(&mut world, Span::secs(1));
    let first = leader(&world).expect("somebody leads the first partition");
    world.apply(Command::Crash(first));
    testing::run(&mut world, Span::millis(1_600));
    let second = leader(&world).expect("somebody leads again");
    assert_ne!(first, second);
    world.apply(Command::Restart(first));
    testing::run(&mut world, Span::secs(20));
    assert_clients_are_right(&world, "after a crash");
    assert_eq!(leader(&world), Some(first), "it is the first of the replicas");
    assert_in_sync(&world, "in the end");
}

#[test]
fn under_random_faults_nothing_is_violated_and_in_the_end_all_copies_are_the_same() {
    for seed in 0..40 {
        let mut world = world(seed, config(4), scripts(3, 80));
        let mut stream = KeySource::new(seed).stream(Purpose::Faults, 0, 0);
        for _ in 0..60 {
            let fault = random_fault(&world, &mut stream, leader(&world));
            world.apply(fault);
            let pause = stream.span(Span::ZERO, Span::millis(120));
            testing::run(&mut world, pause);
        }
        world.apply(Command::Recover);
        let down: Vec<NodeId> = all().into_iter().filter(|node| world.process(*node).is_none()).collect();
        for node in down {
            world.apply(Command::Restart(node));
        }
        testing::run(&mut world, Span::secs(20));
        assert_clients_are_right(&world, &format!("seed {seed}"));
        assert_in_sync(&world, &format!("seed {seed}"));
    }
}

/// A controller, three brokers, three consumers and a store.
fn with_group(group: GroupProtocol, guarantee: Guarantee) -> Config {
    let mut config = Config {
        consumers: 3,
        partitions: 4,
        group,
        guarantee,
        commit_interval: Span::millis(100),
        group_heartbeat: Span::millis(50),
        group_session: Span::millis(250),
        rebalance_timeout: Span::millis(400),
        poll_interval: Span::millis(10),
        call_timeout: Span::millis(40),
        transaction_timeout: Span::millis(500),
        ..config(8)
    };
    (config.replication, config.min_insync) = (3, 2);
    config
}

/// Clients that append to four partitions.
fn producing(count: u64, rounds: u64) -> Vec<Script> {
    let step = |client: u64, round: u64| {
        let partition = u32::try_from(round % 4).expect("small");
        let append = log::Operation::Append { partition, value: client * 1_000_000 + round };
        (Span::millis(5), Operation::Log(append))
    };
    (1..=count).map(|client| Script((0..rounds).map(|round| step(client, round)).collect())).collect()
}

fn effects(world: &World<Node>) -> u64 {
    world.nodes().running().filter_map(|(_, node)| Some(node.store()?.effect_count())).sum()
}

const GROUPS: [GroupProtocol; 3] =
    [GroupProtocol::Eager, GroupProtocol::Cooperative, GroupProtocol::ServerSide];
const GUARANTEES: [Guarantee; 4] =
    [Guarantee::AtMostOnce, Guarantee::AtLeastOnce, Guarantee::EffectivelyOnce, Guarantee::Transactional];

#[test]
fn each_record_has_its_effect_and_everybody_works_whatever_the_protocol() {
    for group in GROUPS {
        for guarantee in GUARANTEES {
            let mut world = world(3, with_group(group, guarantee), producing(3, 100));
            testing::run(&mut world, Span::secs(12));
            assert_eq!(effects(&world), 300, "{group:?} {guarantee:?}");
            let mut shares: Vec<usize> = world
                .nodes()
                .running()
                .filter_map(|(_, node)| Some(node.consumer()?.shares().len()))
                .collect();
            shares.sort_unstable();
            assert_eq!(shares, [1, 1, 2], "{group:?} {guarantee:?}");
        }
    }
}

#[test]
fn a_group_under_random_faults_breaks_no_promise_and_goes_on() {
    for (seed, at) in (0..48).zip(0_usize..) {
        let (group, guarantee) = (GROUPS[at % 3], GUARANTEES[at / 3 % 4]);
        let membership = if at.is_multiple_of(2) { Membership::Dynamic } else { Membership::Static };
        let config = Config { membership, ..with_group(group, guarantee) };
        let mut world = world(seed, config, producing(3, 120));
        let mut stream = KeySource::new(seed).stream(Purpose::Faults, 0, 0);
        for _ in 0..60 {
            let favourite = NodeId::new(4 + u32::try_from(stream.below(4)).expect("small"));
            let fault = random_fault(&world, &mut stream, Some(favourite));
            world.apply(fault);
            let pause = stream.span(Span::ZERO, Span::millis(120));
            testing::run(&mut world, pause);
        }
        world.apply(Command::Recover);
        for node in (0..8).map(NodeId::new) {
            if world.process(node).is_none() {
                world.apply(Command::Restart(node));
            }
        }
        testing::run(&mut world, Span::secs(20));
        let what = format!("seed {seed}: {group:?} {guarantee:?} {membership:?}");
        let committed: u64 = (0..4).map(|id| committed_of(&world, PartitionId(id))).sum();
        let effects = effects(&world);
        match guarantee {
            Guarantee::AtMostOnce => assert!(effects <= committed, "{what}: {effects} of {committed}"),
            Guarantee::AtLeastOnce => assert!(effects >= committed, "{what}: {effects} of {committed}"),
            Guarantee::EffectivelyOnce | Guarantee::Transactional => assert_eq!(effects, committed, "{what}"),
        }
    }
}

fn committed_of(world: &World<Node>, id: PartitionId) -> u64 {
    let copies = world
        .nodes()
        .running()
        .filter_map(|(_, node)| Some(node.broker()?.replicas().get(id)?.high_watermark()));
    copies.collect::<Vec<_>>().into_iter().max().unwrap_or(0)
}

#[test]
fn a_copy_goes_on_as_the_original_does() {
    let mut world = world(8, config(4), scripts(2, 60));
    testing::run(&mut world, Span::millis(400));
    let mut copy = world.fork().expect("a log can be copied");
    testing::run(&mut world, Span::secs(2));
    testing::run(&mut copy, Span::secs(2));
    assert_eq!(world.digest(), copy.digest());
}
