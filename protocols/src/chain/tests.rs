//! Chain replication in whole worlds, all invariants on.

use sim_core::fault::Command as Fault;
use sim_core::random::{KeySource, Purpose};
use sim_core::view::ViewRequest;
use sim_core::{NodeId, Process, Simulation, Span, World};

use super::*;
use crate::testing::clients::{assert_counted, assert_served, counting, mixed};
use crate::testing::faults::{isolate, isolate_from_nodes, random_cut, random_link_fault, random_node};
use crate::testing::{self, Script};

fn config(node_count: u32) -> Config {
    Config { history_kept: 20, ..Config::new((0..node_count).map(NodeId::new)) }
}

fn world_of(seed: u64, config: Config, scripts: Vec<Script>) -> World<ChainReplication> {
    let node_count = u32::try_from(config.members.len()).expect("few nodes");
    testing::world(seed, node_count, config, scripts, invariants::all())
}

fn chain(world: &World<ChainReplication>) -> Configuration {
    let master = world.process(MASTER).and_then(ChainReplication::master).expect("the master runs");
    Configuration::clone(master.configuration())
}

fn nodes_of(chain: &Configuration) -> Vec<u32> {
    chain.links().map(|member| member.node.raw()).collect()
}

fn counters(world: &World<ChainReplication>) -> std::collections::BTreeMap<String, u64> {
    let summary = world.metrics().summary(world.now());
    summary.counters.into_iter().map(|(name, count)| (name.to_string(), count)).collect()
}

#[test]
fn a_chain_of_any_length_serves_at_once_and_stays_as_it_is() {
    for node_count in [2, 3, 6] {
        for reads in [Reads::Tail, Reads::Apportioned] {
            let mut world =
                world_of(1, Config { reads, ..config(node_count) }, vec![counting(50), mixed(2, 50)]);
            testing::run(&mut world, Span::secs(5));
            assert_eq!(chain(&world), Configuration::first(config(node_count).servers()));
            assert_served(&world, Some(0), format!("{node_count} nodes, {reads:?}"));
        }
    }
}

/// With t servers an update takes t - 1 messages down, and as many up until the head knows.
#[test]
fn an_acknowledgement_takes_twice_the_way_through_the_chain() {
    for servers in 1..=5_u64 {
        let (delay, node_count) = (Span::millis(5), u32::try_from(servers + 1).expect("few"));
        let mut world = testing::steady_world(
            node_count,
            delay,
            config(node_count),
            vec![counting(50)],
            invariants::all(),
        );
        testing::run(&mut world, Span::secs(4));
        let latency = world.metrics().summary(world.now()).latencies["acknowledged"];
        let way = delay.times(2 * (servers - 1));
        assert_eq!((latency.count, latency.mean, latency.max), (51, way, way), "{servers} servers");
    }
}

#[test]
fn whoever_fails_is_removed_and_joins_again_at_the_tail() {
    for failed in 1..=3 {
        let mut world = world_of(7, config(4), vec![counting(200), mixed(2, 200)]);
        testing::run(&mut world, Span::millis(300));
        world.apply(Fault::Crash(NodeId::new(failed)));
        testing::run(&mut world, Span::secs(1));
        let left: Vec<u32> = (1..=3).filter(|node| *node != failed).collect();
        assert_eq!(nodes_of(&chain(&world)), left);
        world.apply(Fault::Restart(NodeId::new(failed)));
        testing::run(&mut world, Span::secs(9));
        assert_eq!(nodes_of(&chain(&world)), [left, vec![failed]].concat());
        assert_served(&world, Some(0), format!("n{} failed", failed + 1));
    }
}

#[test]
fn a_new_server_gets_the_whole_state_only_if_it_lacks_more_than_is_kept() {
    for (history_kept, transfers) in [(10_000, 0), (5, 1)] {
        let mut world = world_of(3, Config { history_kept, ..config(3) }, vec![counting(300)]);
        testing::run(&mut world, Span::millis(500));
        world.apply(Fault::Crash(NodeId::new(2)));
        testing::run(&mut world, Span::secs(1));
        world.apply(Fault::Restart(NodeId::new(2)));
        testing::run(&mut world, Span::secs(1));
        assert_eq!(nodes_of(&chain(&world)), [1, 2]);
        assert_eq!(counters(&world)["states-transferred"].min(1), transfers, "{history_kept} kept");
    }
}

/// The tail hears clients and the other servers, and not the master. When it is removed, its lease has run out.
#[test]
fn a_tail_that_only_the_master_cannot_reach_answers_no_query_once_it_is_removed() {
    for reads in [Reads::Tail, Reads::Apportioned] {
        let mut world =
            world_of(5, Config { reads, ..config(4) }, vec![mixed(1, 400), mixed(2, 400), counting(200)]);
        testing::run(&mut world, Span::millis(300));
        world.apply(isolate_from_nodes(&world, NodeId::new(3)));
        testing::run(&mut world, Span::secs(1));
        assert_eq!(nodes_of(&chain(&world)), [1, 2]);
        world.apply(Fault::HealAll);
        testing::run(&mut world, Span::secs(9));
        assert_eq!(nodes_of(&chain(&world)), [1, 2, 3], "it has heard, and has joined anew");
        assert_served(&world, Some(2), format!("{reads:?}"));
    }
}

#[test]
fn without_its_master_a_chain_takes_updates_and_answers_no_queries() {
    let mut world = world_of(2, config(3), vec![counting(10_000), mixed(2, 10_000)]);
    testing::run(&mut world, Span::millis(500));
    world.apply(Fault::Crash(MASTER));
    testing::run(&mut world, Span::secs(1));
    let count = |world: &World<ChainReplication>| {
        let tail = world.process(NodeId::new(2)).and_then(ChainReplication::server).expect("runs");
        (tail.last(), counters(world)["queries-at-tail"])
    };
    let (updates, queries) = count(&world);
    testing::run(&mut world, Span::secs(1));
    assert!(count(&world).0 > updates, "updates go on");
    assert_eq!(count(&world).1, queries, "leases are over");
    world.apply(Fault::Restart(MASTER));
    testing::run(&mut world, Span::secs(1));
    assert!(count(&world).1 > queries, "queries go on");
    assert_eq!(chain(&world).epoch, Epoch(1), "nobody was removed");
}

#[test]
fn apportioned_queries_are_answered_where_they_come_in_and_dirty_ones_ask_the_tail() {
    let mut world = world_of(
        4,
        Config { reads: Reads::Apportioned, ..config(4) },
        (1..=6).map(|client| mixed(client, 150)).collect(),
    );
    testing::run(&mut world, Span::secs(6));
    let counters = counters(&world);
    // The clients stay with the head, which took their updates.
    for name in ["queries-clean", "queries-dirty"] {
        assert!(counters[name] > 0, "{name}: {counters:?}");
    }
    assert_served(&world, None, "apportioned");
}

#[test]
fn a_chain_of_which_all_servers_have_lost_their_memory_is_dead_and_says_so() {
    let mut world = world_of(2, config(3), vec![counting(20)]);
    testing::run(&mut world, Span::millis(300));
    assert_eq!(ChainReplication::forgotten(&world.nodes()), []);
    world.apply(Fault::Crash(NodeId::new(1)));
    world.apply(Fault::Crash(NodeId::new(2)));
    world.apply(Fault::Restart(NodeId::new(1)));
    world.apply(Fault::Restart(NodeId::new(2)));
    testing::run(&mut world, Span::secs(2));
    assert_eq!(ChainReplication::forgotten(&world.nodes()), [1, 2].map(NodeId::new));
}

/// One server at a time fails in some way, and another one only when that has joined again.
#[test]
fn under_faults_at_one_server_at_a_time_nothing_is_lost_and_all_is_served_in_the_end() {
    for seed in 0..24 {
        let reads = if seed % 2 == 0 { Reads::Tail } else { Reads::Apportioned };
        let history_kept = if seed % 3 == 0 { 1_000 } else { 5 };
        let config = Config { reads, history_kept, ..config(5) };
        let mut world = world_of(seed, config, vec![counting(400), mixed(2, 300), mixed(3, 300)]);
        let mut stream = KeySource::new(seed).stream(Purpose::Faults, 0, 0);
        for round in 0..8_u64 {
            let node = random_node(&world, &mut stream, Some(MASTER));
            let fault = match (round + seed) % 4 {
                0 => Fault::Crash(node),
                1 => isolate(node),
                2 => random_cut(&mut stream, node),
                _ => random_link_fault(&mut stream),
            };
            world.apply(fault);
            testing::run(&mut world, stream.span(Span::millis(100), Span::millis(900)));
            world.apply(Fault::Recover);
            testing::run(&mut world, Span::secs(2));
        }
        testing::run(&mut world, Span::secs(5));
        let everybody: Vec<NodeId> = (0..5).map(NodeId::new).collect();
        assert_eq!(ChainReplication::disagreement(&world.nodes(), &everybody), None, "seed {seed}");
        assert_served(&world, Some(0), format!("seed {seed}"));
    }
}

#[test]
fn a_chain_survives_a_crash_at_each_fault_point() {
    let mut world = world_of(4, config(5), vec![counting(100_000), mixed(2, 100_000)]);
    testing::run(&mut world, Span::secs(1));
    for point in FAULT_POINTS {
        for node in (0..5).map(NodeId::new) {
            let at = point.parse().expect("a name");
            world.apply(Fault::CrashAtPoint { node, point: at, nth: 1 });
            testing::run(&mut world, Span::millis(300));
            world.apply(Fault::Recover);
            // Whoever the point did not reach crashes here, and so calls it off.
            if world.process(node).is_some() {
                world.apply(Fault::Crash(node));
            }
            testing::run(&mut world, Span::secs(1));
            world.apply(Fault::Restart(node));
            testing::run(&mut world, Span::secs(1));
        }
    }
    assert_counted(world.history(), Some(0), "fault points");
}

#[test]
fn a_view_shows_the_chain_and_the_history() {
    let mut world = world_of(1, config(3), vec![counting(5)]);
    testing::run(&mut world, Span::secs(1));
    let view = Simulation::view(&world, NodeId::new(2), &ViewRequest::default());
    let text = format!("{view:?}");
    assert!(text.contains("Hist") && text.contains("e1 n2>n3"), "{text}");
}

/// With SWIM as the detector, in which periods are shorter than a lease.
fn with_swim(node_count: u32) -> Config {
    let usual = crate::swim::Config::new((0..node_count).map(NodeId::new));
    let swim = crate::swim::Config {
        probe_interval: Span::millis(100),
        probe_timeout: Span::millis(40),
        gossip_interval: Span::millis(20),
        ..usual
    };
    Config { detector: Detector::Swim(swim.into()), ..config(node_count) }
}

/// The epoch of the chain after the link between the master and the tail was cut for two seconds, and then the tail crashes for good.
fn epochs_of_a_bad_link_and_a_crash(config: Config) -> [u64; 2] {
    let (master, tail) = (MASTER, NodeId::new(4));
    let mut world = world_of(3, config, vec![counting(50)]);
    testing::run(&mut world, Span::secs(1));
    let [from, to] = [master, tail].map(|node| vec![sim_core::fault::Place::Node(node)]);
    world.apply(Fault::Cut { from, to, direction: sim_core::network::Direction::BothWays });
    testing::run(&mut world, Span::secs(2));
    let after_cut = chain(&world).epoch.0;
    world.apply(Fault::HealAll);
    world.apply(Fault::Crash(tail));
    testing::run(&mut world, Span::secs(10));
    assert!(!nodes_of(&chain(&world)).contains(&tail.raw()), "{}", chain(&world));
    [after_cut, chain(&world).epoch.0]
}

#[test]
fn with_swim_a_bad_link_removes_nobody_and_a_crash_does() {
    assert_eq!(epochs_of_a_bad_link_and_a_crash(with_swim(5)), [1, 2]);
    let [by_lease, _] = epochs_of_a_bad_link_and_a_crash(config(5));
    assert!(by_lease > 1, "by the lease alone it is removed");
}

/// The master looks once a heartbeat, and keeps to a lease from the last heartbeat that it has heard.
#[test]
fn a_crash_is_detected_when_a_lease_is_over_and_who_restarts_sooner_is_no_mistake() {
    let mut world = world_of(5, config(4), Vec::new());
    testing::run(&mut world, Span::secs(1));
    world.apply(Fault::Crash(NodeId::new(2)));
    testing::run(&mut world, Span::secs(1));
    world.apply(Fault::Crash(NodeId::new(3)));
    world.apply(Fault::Restart(NodeId::new(3)));
    testing::run(&mut world, Span::secs(1));
    let summary = world.metrics().summary(world.now());
    let detection = summary.latencies["detection"];
    assert_eq!((detection.count, summary.counters["detector-mistakes"]), (1, 0));
    let (lease, heartbeat) = (config(4).master_lease(), config(4).heartbeat);
    let bounds = lease.saturating_sub(heartbeat)..lease + heartbeat + Span::millis(5);
    assert!(bounds.contains(&detection.max), "{detection:?} is not within {bounds:?}");
}

#[test]
fn a_server_that_restarts_at_once_is_somebody_new_to_a_master_with_swim_too() {
    let mut world = world_of(4, with_swim(4), vec![counting(50)]);
    testing::run(&mut world, Span::secs(1));
    world.apply(Fault::Crash(NodeId::new(2)));
    world.apply(Fault::Restart(NodeId::new(2)));
    testing::run(&mut world, Span::secs(5));
    assert_eq!(nodes_of(&chain(&world)), [1, 3, 2], "it was removed, and has joined at the tail");
    assert_served(&world, None, "after a restart");
}
