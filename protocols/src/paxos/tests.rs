//! Multi-Paxos in whole worlds, all invariants on.

use std::collections::BTreeMap;

use sim_core::disk::CrashLoss;
use sim_core::fault::{Command as Fault, LinkFault, Place, Shape};
use sim_core::history::HistoryOperation;
use sim_core::network::PartitionId;
use sim_core::random::{KeySource, Probability, Purpose, Stream};
use sim_core::service::{Admin, Key, Operation, Outcome, Refusal, Value, kv};
use sim_core::view::ViewRequest;
use sim_core::{ClientId, SimTime, Simulation, Span, World};

use super::config::Reads;
use super::*;
use crate::replicated::Quorums;
use crate::testing::{self, Script};

fn config(node_count: u32) -> Config {
    Config::new((0..node_count).map(NodeId::new))
}

fn world(seed: u64, node_count: u32, config: Config, scripts: Vec<Script>) -> World<Paxos> {
    assert_eq!(config.validate(), Ok(()));
    let invariants = invariants::all(&config);
    testing::world(seed, node_count, config, scripts, invariants)
}

fn op(wait: u64, operation: kv::Operation) -> (Span, Operation) {
    (Span::millis(wait), Operation::Kv(operation))
}

/// The register that [`counting`] clients count in, which no other client touches.
const COUNTER: Key = Key(9);

/// A client that counts with compare-and-set: an increment that took effect twice is rejected the second time, and so is
/// the next one after an increment that was lost.
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

fn outcomes(world: &World<Paxos>) -> Vec<Outcome> {
    world.history().operations().into_iter().map(|operation| operation.outcome).collect()
}

/// The leader of the highest ballot that runs.
fn leader(world: &World<Paxos>) -> Option<NodeId> {
    let leaders = world.nodes().running().filter(|(_, paxos)| paxos.is_leader());
    leaders.max_by_key(|(_, paxos)| paxos.promised()).map(|(node, _)| node)
}

fn percent(percent: u64) -> Probability {
    Probability::from_ratio(percent, 100).expect("a valid ratio")
}

/// Everybody runs, and has executed the same.
fn assert_converged(world: &World<Paxos>) {
    let states: Vec<_> =
        world.nodes().running().map(|(_, paxos)| (paxos.log.last(), paxos.machine.chain())).collect();
    assert_eq!(states.len(), world.nodes().count(), "all run");
    assert!(states.iter().all(|state| *state == states[0]), "{states:?}");
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

/// Everything is answered as one machine would have answered it.
fn assert_served(world: &World<Paxos>, counting: Option<u32>) {
    let operations = world.history().operations();
    assert_eq!(world.history().open_count(), 0);
    assert_no_stale_reads(&operations);
    let counted = operations.iter().filter(|one| Some(one.op.client) == counting.map(ClientId::new));
    assert!(counted.clone().all(|one| one.outcome == Outcome::Done), "{:?}", counted.collect::<Vec<_>>());
}

#[test]
fn a_cluster_elects_a_leader_and_serves() {
    for node_count in [1, 2, 3, 5] {
        let mut world = world(1, node_count, config(node_count), vec![counting(50), mixed(2, 50)]);
        testing::run(&mut world, Span::secs(5));
        assert!(leader(&world).is_some(), "{node_count} nodes have a leader");
        assert_converged(&world);
        assert_served(&world, Some(0));
    }
}

#[test]
fn all_ways_to_read_are_linearizable() {
    let lease = Reads::Lease(Lease { length: Span::millis(120), drift_ppm: 1_000 });
    for reads in [Reads::Quorum, Reads::Slot, lease] {
        let config = Config { reads, ..config(3) };
        let mut world = world(3, 3, config, vec![mixed(1, 100), mixed(2, 100), mixed(3, 100)]);
        testing::run(&mut world, Span::secs(1));
        let old = leader(&world).expect("a leader");
        world.apply(Fault::Partition {
            name: PartitionId::new(0),
            shape: Shape::Isolate(vec![Place::Node(old)]),
        });
        testing::run(&mut world, Span::secs(1));
        world.apply(Fault::Recover);
        testing::run(&mut world, Span::secs(8));
        assert_served(&world, None);
        assert_converged(&world);
    }
}

#[test]
fn flexible_quorums_serve_too() {
    let systems = [
        (4, Quorums::Sizes { phase1: 3, phase2: 2 }),
        (5, Quorums::Sizes { phase1: 4, phase2: 2 }),
        (6, Quorums::Grid { rows: 2, columns: 3 }),
        (3, Quorums::Weights { weights: [3, 1, 1].into(), phase1: 3, phase2: 3 }),
    ];
    for (node_count, quorums) in systems {
        let config = Config { quorums, ..config(node_count) };
        let mut world = world(7, node_count, config, vec![counting(50), mixed(2, 50)]);
        testing::run(&mut world, Span::secs(5));
        assert_served(&world, Some(0));
        assert_converged(&world);
    }
}

#[test]
fn a_leader_that_crashes_is_replaced_and_comes_back_as_a_follower() {
    let mut world = world(2, 5, config(5), vec![counting(200)]);
    testing::run(&mut world, Span::secs(1));
    let first = leader(&world).expect("a leader after a second");
    world.apply(Fault::Crash(first));
    testing::run(&mut world, Span::secs(1));
    let second = leader(&world).expect("another leader after a second");
    assert_ne!(first, second);
    world.apply(Fault::Restart(first));
    testing::run(&mut world, Span::secs(5));
    assert_converged(&world);
    assert_served(&world, Some(0));
}

#[test]
fn a_cluster_survives_a_crash_after_each_effect_of_its_leader_and_of_a_follower() {
    for effects in 0..10 {
        for is_leader in [false, true] {
            let mut world = world(effects, 3, config(3), vec![counting(100)]);
            testing::run(&mut world, Span::micros(600_000 + 700 * effects));
            for _ in 0..3 {
                let leader = leader(&world).expect("a leader");
                let node = if is_leader { leader } else { NodeId::new((leader.raw() + 1) % 3) };
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
            assert_served(&world, Some(0));
        }
    }
}

#[test]
fn all_nodes_may_crash_at_once_and_find_on_disk_what_was_decided() {
    let mut world = world(4, 3, config(3), vec![counting(300)]);
    for _ in 0..3 {
        testing::run(&mut world, Span::secs(1));
        for node in 0..3 {
            world.apply(Fault::CrashLosing { node: NodeId::new(node), loss: CrashLoss::TornLast });
        }
        world.apply(Fault::Recover);
    }
    testing::run(&mut world, Span::secs(6));
    assert_converged(&world);
    assert_served(&world, Some(0));
}

#[test]
fn a_node_that_lags_far_behind_gets_a_snapshot() {
    let config = Config { snapshot_every: Some(40), window: 8, ..config(3) };
    let mut world = world(5, 3, config, vec![counting(400), mixed(2, 100)]);
    testing::run(&mut world, Span::secs(1));
    let lagging = NodeId::new((leader(&world).expect("a leader").raw() + 1) % 3);
    world.apply(Fault::Crash(lagging));
    testing::run(&mut world, Span::secs(2));
    world.apply(Fault::Restart(lagging));
    testing::run(&mut world, Span::secs(6));
    assert_converged(&world);
    assert_served(&world, Some(0));
    let base = world.process(lagging).expect("runs").log.base();
    assert!(base > Index(100), "it forgot what is before a snapshot: {base}");
    let records = world.nodes().disk(lagging).expect("it wrote").bytes();
    assert!(records < 20_000, "the journal is short: {records} bytes");
}

#[test]
fn acceptors_come_and_go_while_clients_are_served() {
    let admin = |wait, admin| (Span::millis(wait), Operation::Admin(admin));
    let changes = Script(vec![
        admin(700, Admin::AddNode(NodeId::new(3))),
        admin(300, Admin::AddNode(NodeId::new(4))),
        admin(300, Admin::RemoveNode(NodeId::new(0))),
        admin(300, Admin::RemoveNode(NodeId::new(1))),
        admin(300, Admin::RemoveNode(NodeId::new(1))),
    ]);
    let config = Config { window: 10, ..config(3) };
    let mut world = world(6, 5, config, vec![counting(400), mixed(2, 200), changes]);
    testing::run(&mut world, Span::secs(12));
    assert_served(&world, Some(0));
    let members = |node| world.process(NodeId::new(node)).expect("runs").membership.latest().to_string();
    assert_eq!(members(4), "n3,n4,n5");
    let leader = leader(&world).expect("a leader");
    assert!(leader.raw() >= 2, "{leader} leads, and is no acceptor");
}

#[test]
fn operations_that_are_not_offered_are_refused() {
    let admin = |admin| (Span::millis(600), Operation::Admin(admin));
    let script = Script(vec![
        (Span::ZERO, Operation::UniqueId),
        admin(Admin::TransferLeadership(NodeId::new(1))),
        admin(Admin::AddNode(NodeId::new(9))),
        admin(Admin::AddNode(NodeId::new(1))),
        admin(Admin::Snapshot),
    ]);
    let mut world = world(1, 3, config(3), vec![script]);
    testing::run(&mut world, Span::secs(5));
    let expected = [
        Outcome::Refused(Refusal::Unsupported),
        Outcome::Refused(Refusal::Unsupported),
        Outcome::Refused(Refusal::NotFound),
        Outcome::Done,
        Outcome::Done,
    ];
    assert_eq!(outcomes(&world), expected);
}

#[test]
fn a_copy_goes_on_as_the_original_does() {
    let mut world = world(5, 5, config(5), vec![counting(100), mixed(5, 100)]);
    testing::run(&mut world, Span::millis(700));
    let mut copy = world.fork().expect("Multi-Paxos can be copied");
    testing::run(&mut world, Span::secs(1));
    testing::run(&mut copy, Span::secs(1));
    assert_eq!(world.digest(), copy.digest());
}

#[test]
fn the_view_of_a_leader_shows_acceptor_slots_and_commanders() {
    let world = &mut world(5, 3, config(3), vec![counting(20)]);
    testing::run(world, Span::secs(2));
    let node = leader(world).expect("a leader");
    let parts = Simulation::view(world, node, &ViewRequest::default());
    let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
    assert_eq!(names, ["acceptor", "slots", "replica", "leader"]);
}

/// One random fault.
fn random_fault(world: &World<Paxos>, stream: &mut Stream, node_count: u32) -> Fault {
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
        4 => Fault::Partition { name: PartitionId::new(0), shape: Shape::Isolate(vec![Place::Node(node)]) },
        5 => Fault::AllLinks(LinkFault::Loss(Some(percent(stream.below(30))))),
        6 => Fault::AllLinks(LinkFault::Duplicate(Some(percent(stream.below(50))))),
        7 => Fault::AllLinks(LinkFault::Reorder {
            probability: Some(percent(30)),
            extra: Span::millis(stream.below(200)),
        }),
        _ => Fault::Recover,
    }
}

fn under_random_faults(seed: u64, config: Config, steps: u64, gap_ms: u64) -> World<Paxos> {
    let node_count = u32::try_from(config.members.len()).expect("few");
    let mut world = world(seed, node_count, config, vec![mixed(1, 300), mixed(2, 300), counting(200)]);
    let mut stream = KeySource::new(seed).stream(Purpose::Faults, 0, 0);
    for _ in 0..steps {
        let until = world.now() + Span::millis(stream.below(gap_ms));
        world.run(until, u64::MAX);
        if !world.violations().is_empty() {
            break;
        }
        let fault = random_fault(&world, &mut stream, node_count);
        world.apply(fault);
    }
    world
}

#[test]
fn random_faults_break_nothing_and_everything_heals() {
    for seed in 0..60 {
        let node_count = [3, 4, 5][usize::try_from(seed % 3).expect("small")];
        let reads = match seed % 4 {
            0 => Reads::Slot,
            1 => Reads::Lease(Lease { length: Span::millis(120), drift_ppm: 1_000 }),
            _ => Reads::Quorum,
        };
        let snapshot_every = (seed % 2 == 0).then_some(30);
        let config = Config { reads, snapshot_every, window: 16, batch_max: 5, ..config(node_count) };
        let mut world = under_random_faults(seed, config, 40, 300);
        assert_eq!(world.violations(), [], "seed {seed}");
        world.apply(Fault::Recover);
        testing::run(&mut world, Span::secs(10));
        assert_converged(&world);
        assert_served(&world, Some(2));
    }
}

/// How many of `seeds` find a mutant by an invariant.
fn caught(mutant: Mutant, seeds: std::ops::Range<u64>) -> usize {
    let finds = |seed: &u64| {
        let config = Config { mutant: Some(mutant), window: 16, snapshot_every: Some(30), ..config(3) };
        let world = under_random_faults(*seed, config, 40, 120);
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
    let common = [Mutant::OwnValue, Mutant::AmnesiaAccept, Mutant::DisjointQuorums, Mutant::AnswerEmpty];
    let rates = common.map(|mutant| (mutant, caught(mutant, 0..40)));
    assert!(rates.iter().all(|(_, count)| *count > 0), "{rates:?}");
}
