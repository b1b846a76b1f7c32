//! Raft in whole worlds, all invariants on.

use std::collections::BTreeMap;

use sim_core::disk::DiskFault;
use sim_core::fault::{Command as Fault, LinkFault};
use sim_core::history::HistoryOperation;
use sim_core::metrics::Latency;
use sim_core::random::{KeySource, Purpose, Stream};
use sim_core::service::{Key, Operation, Outcome, Refusal, kv};
use sim_core::status::Status;
use sim_core::view::{Content, ViewRequest};
use sim_core::{Process, SimTime, Simulation, Span, World};

mod features;

use super::*;
use crate::testing::clients::{
    COUNTER, assert_counted, assert_linearizable, assert_served, counting, mixed, op, outcomes,
};
use crate::testing::faults::{isolate_from_nodes, percent, random_fault};
use crate::testing::{self, Script};

fn world(seed: u64, node_count: u32, scripts: Vec<Script>) -> World<Raft> {
    let config = Config::new((0..node_count).map(NodeId::new));
    testing::world(seed, node_count, config, scripts, invariants::all())
}

/// The leader of the highest term that runs.
fn leader(world: &World<Raft>) -> Option<NodeId> {
    let leaders = world.nodes().running().filter(|(_, raft)| raft.is_leader());
    leaders.max_by_key(|(_, raft)| raft.term()).map(|(node, _)| node)
}

/// Everybody is healed, has the same log, and has executed all of it.
fn assert_converged(world: &World<Raft>) {
    let states: Vec<_> =
        world.nodes().running().map(|(_, raft)| (raft.log.last_index(), raft.machine.chain())).collect();
    assert_eq!(states.len(), world.nodes().count(), "all run");
    assert!(states.iter().all(|state| *state == states[0]), "{states:?}");
    assert_eq!(states[0].1, world.process(NodeId::new(0)).expect("runs").log.last_chain(), "all is executed");
}

#[test]
fn a_cluster_elects_a_leader_and_serves() {
    for node_count in [1, 2, 3, 5] {
        let mut world = world(1, node_count, vec![counting(50), mixed(2, 50)]);
        testing::run(&mut world, Span::secs(5));
        assert!(leader(&world).is_some(), "{node_count} nodes have a leader");
        assert_converged(&world);
        assert_eq!(world.history().open_count(), 0, "{node_count} nodes answer everything");
        assert!(!outcomes(&world).contains(&Outcome::Rejected));
        assert_linearizable(world.history(), "");
    }
}

#[test]
fn the_gauge_of_a_node_is_the_part_of_its_log_that_is_not_committed() {
    let mut world = world(2, 5, vec![counting(100)]);
    for round in 1..400 {
        world.run(SimTime::ZERO + Span::millis(7 * round), u64::MAX);
        if round == 150 {
            world.apply(Fault::Crash(leader(&world).expect("a leader after a second")));
        }
        let summary = world.metrics().summary(world.now());
        for (node, gauge) in &summary.process_gauges["uncommitted"] {
            let raft = world.process(*node);
            let own = raft.map(|raft| raft.log.last_index().since(raft.log.commit()));
            assert_eq!(gauge.last, own, "{node} at {}", world.now());
        }
    }
    let summary = world.metrics().summary(world.now());
    let gauges = &summary.process_gauges["uncommitted"];
    assert!(gauges.len() == 5 && gauges.values().all(|gauge| gauge.max > 0), "{gauges:?}");
}

#[test]
fn a_leader_measures_from_append_to_commit_what_a_look_after_every_event_sees() {
    let mut world = world(4, 5, vec![counting(300)]);
    let (mut since, mut longest, mut count) = (BTreeMap::new(), Span::ZERO, 0);
    let (mut leading, mut crashed) = (None, None);
    while world.now() < SimTime::ZERO + Span::secs(3) {
        world.run(SimTime::MAX, 1);
        if let (150, None, Some(leader)) = (count, crashed, leading) {
            crashed = Some(leader);
            world.apply(Fault::Crash(leader));
        }
        let now = leader(&world);
        if now != leading {
            (leading, since) = (now, BTreeMap::new());
        }
        let Some(raft) = now.and_then(|node| world.process(node)) else { continue };
        let own = |index: &Index| raft.log.term_at(*index) == Some(raft.term());
        for index in (raft.log.commit().0 + 1..=raft.log.last_index().0).map(Index).filter(own) {
            since.entry(index).or_insert(world.now());
        }
        while let Some(first) = since.first_entry().filter(|first| *first.key() <= raft.log.commit()) {
            (longest, count) = (longest.max(world.now().since(first.remove())), count + 1);
        }
    }
    let measured = world.metrics().summary(world.now()).latencies["commit"];
    assert!(count > 200, "{count}");
    assert_eq!((measured.count, measured.max), (count, longest));
}

#[test]
fn what_diverged_is_counted_where_it_is_removed() {
    let mut world = world(1, 3, vec![counting(400)]);
    testing::run(&mut world, Span::secs(1));
    let cut_off = leader(&world).expect("a leader after a second");
    world.apply(isolate_from_nodes(&world, cut_off));
    testing::run(&mut world, Span::secs(1));
    let log = |node| &world.process(node).expect("it runs").log;
    let (old, new) = (log(cut_off), log(leader(&world).expect("the others have one")));
    let differs = |index: &Index| old.term_at(*index) != new.term_at(*index);
    let deep = (1..=old.last_index().0).map(Index).filter(differs).count() as u64;
    let before = world.metrics().summary(world.now());
    assert!(deep > 0, "it took requests that it could not commit");
    world.apply(Fault::Recover);
    testing::run(&mut world, Span::secs(1));
    let after = world.metrics().summary(world.now());
    assert_eq!((before.counters["truncations"], after.counters["truncations"]), (0, 1));
    assert_eq!(after.counters["entries-truncated"], deep);
    assert_eq!(after.process_gauges["diverged"][&cut_off].max, deep);
}

/// What a look at all nodes after every event sees of a leader's loss.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    heard: Option<Span>,
    decided: Option<Span>,
}

#[test]
fn the_loss_of_a_leader_is_measured_as_a_look_after_every_event_sees_it() {
    for seed in 0..8 {
        let mut world = world(seed, 5, vec![counting(400)]);
        testing::run(&mut world, Span::secs(1));
        let first = leader(&world).expect("a leader after a second");
        let statuses = |world: &World<Raft>| -> Vec<_> {
            world.nodes().running().map(|(node, raft)| (node, raft.status())).collect()
        };
        let highest = |world: &World<Raft>| statuses(world).iter().map(|(_, status)| status.commit).max();
        let (before, mut seen) = (highest(&world), Seen::default());
        world.apply(Fault::Crash(first));
        let lost = world.now();
        while world.now() < lost + Span::secs(2) {
            world.run(SimTime::MAX, 1);
            let since = world.now().since(lost);
            let follows = |(node, status): &(NodeId, Status)| {
                status.leader.is_some_and(|leader| {
                    let leads = world
                        .process(leader)
                        .is_some_and(|raft| raft.is_leader() && raft.term().0 == status.epoch);
                    leader != *node && leads
                })
            };
            if seen.heard.is_none() && statuses(&world).iter().any(follows) {
                seen.heard = Some(since);
            }
            if seen.decided.is_none() && leader(&world).is_some() && highest(&world) > before {
                seen.decided = Some(since);
            }
        }
        let metrics = world.metrics();
        let only = |latency| {
            let summary = metrics.latency(latency);
            (summary.count == 1).then_some(summary.max)
        };
        let measured = Seen { heard: only(Latency::NewLeader), decided: only(Latency::Outage) };
        assert!(seen.heard.is_some() && seen.decided.is_some(), "seed {seed}: {seen:?}");
        assert_eq!(measured, seen, "seed {seed}: left is what was measured");
    }
}

#[test]
fn a_leader_that_crashes_is_replaced_and_comes_back_as_a_follower() {
    let mut world = world(2, 5, vec![counting(200)]);
    testing::run(&mut world, Span::secs(1));
    let first = leader(&world).expect("a leader after a second");
    let term = world.process(first).expect("runs").term();
    world.apply(Fault::Crash(first));
    testing::run(&mut world, Span::secs(1));
    let second = leader(&world).expect("another leader after a second");
    assert_ne!(first, second);
    assert!(world.process(second).expect("runs").term() > term);
    world.apply(Fault::Restart(first));
    testing::run(&mut world, Span::secs(5));
    assert_converged(&world);
    assert!(outcomes(&world).iter().all(|outcome| *outcome == Outcome::Done), "{:?}", outcomes(&world));
}

#[test]
fn a_cluster_survives_a_crash_after_each_effect_of_its_leader() {
    crash_after_each_effect(|world| leader(world).expect("a leader"));
}

#[test]
fn a_cluster_survives_a_crash_after_each_effect_of_a_follower() {
    crash_after_each_effect(|world| {
        let leader = leader(world).expect("a leader");
        NodeId::new((leader.raw() + 1) % 3)
    });
}

fn crash_after_each_effect(victim: impl Fn(&World<Raft>) -> NodeId) {
    for effects in 0..12 {
        for delay in 0..4 {
            let mut world = world(effects, 3, vec![counting(100)]);
            testing::run(&mut world, Span::micros(600_000 + 700 * delay));
            for _ in 0..3 {
                let node = victim(&world);
                world
                    .apply(Fault::CrashAfterEffect { node, effects: u32::try_from(effects).expect("small") });
                testing::run(&mut world, Span::millis(400));
                if world.process(node).is_none() {
                    world.apply(Fault::Restart(node));
                }
                testing::run(&mut world, Span::millis(600));
            }
            world.apply(Fault::Recover);
            testing::run(&mut world, Span::secs(4));
            assert_converged(&world);
            assert!(
                outcomes(&world).iter().all(|outcome| *outcome == Outcome::Done),
                "{:?}",
                outcomes(&world)
            );
        }
    }
}

#[test]
fn a_retried_command_takes_effect_once_on_a_network_that_loses_doubles_and_reorders() {
    for seed in 0..5 {
        let mut world = world(seed, 3, vec![counting(100)]);
        world.apply(Fault::AllLinks(LinkFault::Loss(Some(percent(20)))));
        world.apply(Fault::AllLinks(LinkFault::Duplicate(Some(percent(20)))));
        world.apply(Fault::AllLinks(LinkFault::Reorder {
            probability: Some(percent(20)),
            extra: Span::millis(30),
        }));
        testing::run(&mut world, Span::secs(60));
        world.apply(Fault::HealAll);
        testing::run(&mut world, Span::secs(20));
        assert_eq!(outcomes(&world), vec![Outcome::Done; 101], "seed {seed}");
        assert_converged(&world);
        let raft = world.process(NodeId::new(0)).expect("runs");
        assert_eq!(raft.machine.read(COUNTER), Some(100));
    }
}

#[test]
fn a_deposed_leader_answers_no_read() {
    let write = |value| op(0, kv::Operation::Write(Key(1), value));
    let reads = |wait| Script(vec![write(1), op(wait, kv::Operation::Read(Key(1)))]);
    for seed in 0..10 {
        // Who reads during the partition may reach the old leader, and must see the second write or wait.
        let writer = Script(vec![write(1), op(1_400, kv::Operation::Write(Key(1), 2))]);
        let mut world = world(seed, 5, vec![writer, reads(1_900), reads(1_950), reads(2_000)]);
        testing::run(&mut world, Span::secs(1));
        let old = leader(&world).expect("a leader");
        world.apply(isolate_from_nodes(&world, old));
        testing::run(&mut world, Span::secs(2));
        assert!(world.process(old).expect("runs").is_leader(), "the old leader still believes to lead");
        assert_ne!(leader(&world), Some(old));
        world.apply(Fault::HealAll);
        testing::run(&mut world, Span::secs(3));
        assert_eq!(world.history().open_count(), 0);
        assert_linearizable(world.history(), "");
        assert_converged(&world);
    }
}

#[test]
fn what_was_not_agreed_on_is_replaced() {
    let mut world = world(3, 3, vec![counting(300), mixed(4, 100)]);
    testing::run(&mut world, Span::secs(1));
    let old = leader(&world).expect("a leader");
    world.apply(isolate_from_nodes(&world, old));
    testing::run(&mut world, Span::secs(2));
    let before = world.process(old).expect("runs").log.clone();
    assert!(before.last_index() > before.commit(), "it took commands that it cannot commit");
    world.apply(Fault::HealAll);
    testing::run(&mut world, Span::secs(10));
    let after = &world.process(old).expect("runs").log;
    assert_eq!(after.chain_at(before.commit()), before.chain_at(before.commit()));
    assert_ne!(after.chain_at(before.last_index()), Some(before.last_chain()));
    assert_converged(&world);
}

#[test]
fn operations_that_are_not_kv_are_refused() {
    let script = Script(vec![(Span::ZERO, Operation::UniqueId), (Span::ZERO, Operation::Echo(1))]);
    let mut world = world(1, 3, vec![script]);
    testing::run(&mut world, Span::secs(1));
    assert_eq!(outcomes(&world), vec![Outcome::Refused(Refusal::Unsupported); 2]);
}

#[test]
fn a_full_disk_stops_writes_until_there_is_room() {
    let mut world = world(1, 1, vec![counting(300)]);
    testing::run(&mut world, Span::secs(1));
    let node = NodeId::new(0);
    let last_index = |world: &World<Raft>| world.process(node).expect("runs").log.last_index();
    let before = last_index(&world);
    world.apply(Fault::Disk { node, fault: DiskFault::Capacity(Some(1)) });
    testing::run(&mut world, Span::secs(1));
    assert_eq!(last_index(&world), before, "nothing is appended");
    world.apply(Fault::Disk { node, fault: DiskFault::Capacity(None) });
    testing::run(&mut world, Span::secs(10));
    assert_eq!(outcomes(&world), vec![Outcome::Done; 301]);
}

#[test]
fn a_copy_goes_on_as_the_original_does() {
    let mut world = world(5, 5, vec![counting(100), mixed(5, 100)]);
    testing::run(&mut world, Span::millis(700));
    let mut copy = world.fork().expect("raft can be copied");
    testing::run(&mut world, Span::secs(1));
    testing::run(&mut copy, Span::secs(1));
    assert_eq!(world.digest(), copy.digest());
}

#[test]
fn the_view_of_a_leader_shows_its_log_and_followers() {
    let world = &mut world(5, 3, vec![counting(20)]);
    testing::run(world, Span::secs(2));
    let node = leader(world).expect("a leader");
    let parts = Simulation::view(world, node, &ViewRequest::default());
    let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
    assert_eq!(names, ["persistent", "log", "members", "volatile", "snapshot", "state machine", "leader"]);
    let Content::Strip(strip) = &parts[1].content else { panic!("{:?}", parts[1]) };
    assert_eq!((strip.cells[0].label.as_str(), strip.cells[1].label.as_str()), ("noop", "write k9=0"));
    assert_eq!(strip.marks, [("commit", 22), ("applied", 22), ("durable", 22)]);
}

/// Goes on until some node leads; `None` if something is violated before, or nobody leads for 20 s.
fn next_leader(world: &mut World<Raft>) -> Option<NodeId> {
    for _ in 0..10_000 {
        if let Some(node) = leader(world) {
            return Some(node);
        }
        let until = world.now() + Span::millis(2);
        world.run(until, u64::MAX);
        if !world.violations().is_empty() {
            return None;
        }
    }
    None
}

/// Figure 8: entries of older terms that reach a majority and are replaced all the same, because leaders live for
/// a few milliseconds and go with what they had sent to some followers only. One entry a message, so that an old
/// entry may reach a majority before the no-op after it does.
#[test]
fn leaders_that_live_for_milliseconds_lose_nothing() {
    for seed in 0..20 {
        let config = Config { append_entries_max: 1, ..Config::new((0..5).map(NodeId::new)) };
        let mut world =
            testing::world(seed, 5, config, vec![mixed(1, 500), counting(300)], invariants::all());
        let mut stream = KeySource::new(seed).stream(Purpose::Faults, 1, 0);
        let mut down = Vec::new();
        for _ in 0..40 {
            let Some(node) = next_leader(&mut world) else { break };
            let until = world.now() + Span::micros(stream.below(5_000));
            world.run(until, u64::MAX);
            world.apply(Fault::Crash(node));
            down.push(node);
            if down.len() > 2 || stream.below(2) == 0 {
                let at = usize::try_from(stream.below(down.len() as u64)).expect("small");
                world.apply(Fault::Restart(down.swap_remove(at)));
            }
        }
        world.apply(Fault::Recover);
        testing::run(&mut world, Span::secs(10));
        assert_converged(&world);
        assert_linearizable(world.history(), "");
    }
}

#[test]
fn random_faults_break_nothing_and_everything_heals() {
    for seed in 0..40 {
        let node_count = [3, 4, 5][usize::try_from(seed % 3).expect("small")];
        let scripts = vec![mixed(1, 300), mixed(2, 300), counting(200)];
        let mut world = world(seed, node_count, scripts);
        let mut stream = KeySource::new(seed).stream(Purpose::Faults, 0, 0);
        for _ in 0..40 {
            testing::run(&mut world, Span::millis(stream.below(300)));
            let fault = random_fault(&world, &mut stream, leader(&world));
            world.apply(fault);
        }
        world.apply(Fault::Recover);
        testing::run(&mut world, Span::secs(10));
        assert_converged(&world);
        assert_served(&world, Some(2), format_args!("seed {seed}"));
    }
}
