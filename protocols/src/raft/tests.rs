//! Raft in whole worlds, all invariants on.

use std::collections::BTreeMap;

use sim_core::disk::{CrashLoss, DiskFault};
use sim_core::fault::{Command as Fault, LinkFault, Place, Shape};
use sim_core::history::HistoryOperation;
use sim_core::network::PartitionId;
use sim_core::random::{KeySource, Probability, Purpose, Stream};
use sim_core::service::{Key, Operation, Outcome, Refusal, Value, kv};
use sim_core::view::{Content, ViewRequest};
use sim_core::{ClientId, SimTime, Simulation, Span, World};

mod features;

use super::*;
use crate::testing::{self, Script};

fn world(seed: u64, node_count: u32, scripts: Vec<Script>) -> World<Raft> {
    let config = Config::new((0..node_count).map(NodeId::new));
    testing::world(seed, node_count, config, scripts, invariants::all())
}

fn op(wait: u64, operation: kv::Operation) -> (Span, Operation) {
    (Span::millis(wait), Operation::Kv(operation))
}

/// The register that [`counting`] clients count in, which no other client touches.
const COUNTER: Key = Key(9);

/// A client that counts with compare-and-set: an increment that took effect twice is rejected the
/// second time, and so is the next one after an increment that was lost.
fn counting(steps: u64) -> Script {
    let first = op(0, kv::Operation::Write(COUNTER, 0));
    let increment =
        |value| op(5, kv::Operation::CompareAndSet { key: COUNTER, expected: value, value: value + 1 });
    Script(std::iter::once(first).chain((0..steps).map(increment)).collect())
}

/// Clients that write values nobody else writes, and read, under three keys.
fn mixed(client: u64, steps: u64) -> Script {
    let mut stream = KeySource::new(client).stream(Purpose::Workload, client, 0);
    let step = |ordinal| {
        let key = Key(u32::try_from(stream.below(3)).expect("small"));
        let wait = stream.below(10);
        match stream.below(2) {
            0 => op(wait, kv::Operation::Read(key)),
            _ => op(wait, kv::Operation::Write(key, client * 1_000_000 + ordinal)),
        }
    };
    Script((1..=steps).map(step).collect())
}

fn outcomes(world: &World<Raft>) -> Vec<Outcome> {
    world.history().operations().into_iter().map(|operation| operation.outcome).collect()
}

/// The leader of the highest term that runs.
fn leader(world: &World<Raft>) -> Option<NodeId> {
    let leaders = world.nodes().running().filter(|(_, raft)| raft.is_leader());
    leaders.max_by_key(|(_, raft)| raft.term()).map(|(node, _)| node)
}

fn isolate(node: NodeId) -> Fault {
    Fault::Partition { name: PartitionId::new(0), shape: Shape::Isolate(vec![Place::Node(node)]) }
}

fn percent(percent: u64) -> Probability {
    Probability::from_ratio(percent, 100).expect("a valid ratio")
}

/// Everybody is healed, has the same log, and has executed all of it.
fn assert_converged(world: &World<Raft>) {
    let states: Vec<_> =
        world.nodes().running().map(|(_, raft)| (raft.log.last_index(), raft.machine.chain())).collect();
    assert_eq!(states.len(), world.nodes().count(), "all run");
    assert!(states.iter().all(|state| *state == states[0]), "{states:?}");
    assert_eq!(states[0].1, world.process(NodeId::new(0)).expect("runs").log.last_chain(), "all is executed");
}

/// No read gives a value that was replaced before the read began, or that was written after it ended.
fn assert_no_stale_reads(history: &[HistoryOperation]) {
    let mut writes: BTreeMap<Key, Vec<(Value, &HistoryOperation)>> = BTreeMap::new();
    for operation in history {
        if let Operation::Kv(kv::Operation::Write(key, value)) = operation.operation {
            writes.entry(key).or_default().push((value, operation));
        }
    }
    for read in history {
        let Operation::Kv(kv::Operation::Read(key)) = read.operation else { continue };
        let Outcome::Value(seen) = read.outcome else { continue };
        let writes = writes.get(&key).map_or(&[][..], Vec::as_slice);
        let source =
            seen.map(|seen| writes.iter().find(|(value, _)| *value == seen).expect("somebody wrote it").1);
        let visible_since = source.map_or(Some(SimTime::ZERO), |write| write.completed);
        assert!(source.is_none_or(|write| Some(write.invoked) <= read.completed), "{read:?} sees the future");
        let replaced = writes.iter().find(|(_, other)| {
            let begins_after = visible_since.is_some_and(|since| since < other.invoked);
            begins_after && other.completed.is_some_and(|done| done < read.invoked)
        });
        assert_eq!(replaced, None, "{read:?} is stale");
    }
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
        assert_no_stale_reads(&world.history().operations());
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
        assert_no_stale_reads(&world.history().operations());
        assert_converged(&world);
    }
}

/// The other nodes do not reach `node`, nor it them; clients do.
fn isolate_from_nodes(world: &World<Raft>, node: NodeId) -> Fault {
    let others = world
        .nodes()
        .running()
        .map(|(other, _)| other)
        .filter(|other| *other != node)
        .map(Place::Node)
        .collect();
    Fault::Cut {
        from: vec![Place::Node(node)],
        to: others,
        direction: sim_core::network::Direction::BothWays,
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

/// One random fault.
fn random_fault(world: &World<Raft>, stream: &mut Stream, node_count: u32) -> Fault {
    let node = NodeId::new(u32::try_from(stream.below(u64::from(node_count))).expect("small"));
    let node = if stream.below(3) == 0 { leader(world).unwrap_or(node) } else { node };
    let is_up = world.process(node).is_some();
    let loss = if stream.below(2) == 0 { CrashLoss::Prefix } else { CrashLoss::TornLast };
    match stream.below(9) {
        0 | 1 if is_up => Fault::CrashLosing { node, loss },
        2 if is_up => {
            Fault::CrashAfterEffect { node, effects: u32::try_from(stream.below(8)).expect("small") }
        }
        0..=3 if !is_up => Fault::Restart(node),
        4 => isolate(node),
        5 => Fault::AllLinks(LinkFault::Loss(Some(percent(stream.below(30))))),
        6 => Fault::AllLinks(LinkFault::Duplicate(Some(percent(stream.below(50))))),
        7 => Fault::AllLinks(LinkFault::Reorder {
            probability: Some(percent(30)),
            extra: Span::millis(stream.below(200)),
        }),
        _ => Fault::Recover,
    }
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
        assert_no_stale_reads(&world.history().operations());
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
            let fault = random_fault(&world, &mut stream, node_count);
            world.apply(fault);
        }
        world.apply(Fault::Recover);
        testing::run(&mut world, Span::secs(10));
        assert_converged(&world);
        assert_eq!(world.history().open_count(), 0, "seed {seed}");
        let operations = world.history().operations();
        assert_no_stale_reads(&operations);
        let counted = operations.iter().filter(|operation| operation.op.client == ClientId::new(2));
        assert!(counted.clone().all(|operation| operation.outcome == Outcome::Done), "seed {seed}");
    }
}
