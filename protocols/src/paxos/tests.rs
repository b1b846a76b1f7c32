//! Multi-Paxos in whole worlds, all invariants on.

use sim_core::disk::{CrashLoss, DiskFault};
use sim_core::fault::{Command as Fault, LinkFault};
use sim_core::random::{KeySource, Purpose};
use sim_core::service::{Admin, Key, Operation, Outcome, Refusal, kv};
use sim_core::view::{Content, ViewRequest};
use sim_core::{ClientId, Simulation, Span, World};

mod lost_disks;

use super::config::Reads;
use super::role::Preparation;
use super::*;
use crate::replicated::Quorums;
use crate::testing::clients::{assert_served, counting, mixed, outcomes};
use crate::testing::faults::{isolate, percent, random_fault};
use crate::testing::names::{assert_gauge, crash_at_points};
use crate::testing::{self, Script};

fn config(node_count: u32) -> Config {
    Config::new((0..node_count).map(NodeId::new))
}

fn world(seed: u64, node_count: u32, config: Config, scripts: Vec<Script>) -> World<Paxos> {
    assert_eq!(config.validate(), Ok(()));
    let invariants = invariants::all(&config);
    testing::world(seed, node_count, config, scripts, invariants)
}

/// The leader of the highest ballot that runs.
fn leader(world: &World<Paxos>) -> Option<NodeId> {
    let leaders = world.nodes().running().filter(|(_, paxos)| paxos.is_leader());
    leaders.max_by_key(|(_, paxos)| paxos.promised()).map(|(node, _)| node)
}

/// Everybody runs, and has executed the same.
fn assert_converged(world: &World<Paxos>) {
    let states: Vec<_> =
        world.nodes().running().map(|(_, paxos)| (paxos.log.last(), paxos.machine.chain())).collect();
    assert_eq!(states.len(), world.nodes().count(), "all run");
    assert!(states.iter().all(|state| *state == states[0]), "{states:?}");
}

#[test]
fn a_cluster_elects_a_leader_and_serves() {
    for node_count in [1, 2, 3, 5] {
        let mut world = world(1, node_count, config(node_count), vec![counting(50), mixed(2, 50)]);
        testing::run(&mut world, Span::secs(5));
        assert!(leader(&world).is_some(), "{node_count} nodes have a leader");
        assert_converged(&world);
        assert_served(&world, Some(0), "");
    }
}

#[test]
fn the_gauge_of_a_node_is_the_part_of_its_log_that_is_not_decided() {
    let mut world = world(2, 5, config(5), vec![counting(400)]);
    assert_gauge(&mut world, Level::Undecided as usize, 2_000, |paxos| {
        paxos.log.end().since(paxos.log.last())
    });
}

#[test]
fn a_leader_knows_a_slot_to_be_decided_after_two_delays() {
    let delay = Span::millis(5);
    let config = config(5);
    let invariants = invariants::all(&config);
    let mut world = testing::steady_world(5, delay, config, vec![counting(50)], invariants);
    testing::run(&mut world, Span::secs(3));
    let chosen = world.metrics().summary(world.now()).latencies["chosen"];
    assert_eq!((chosen.count, chosen.mean, chosen.max), (51, delay + delay, delay + delay));
}

#[test]
fn a_leader_that_hears_of_a_higher_ballot_counts_as_pre_empted_once() {
    let mut world = world(2, 3, config(3), vec![counting(400)]);
    testing::run(&mut world, Span::secs(1));
    let cut_off = leader(&world).expect("a leader after a second");
    world.apply(isolate(cut_off));
    testing::run(&mut world, Span::secs(1));
    let count = |world: &World<Paxos>, name| world.metrics().summary(world.now()).counters[name];
    let before = ["preemptions", "prepares"].map(|name| count(&world, name));
    world.apply(Fault::HealAll);
    testing::run(&mut world, Span::secs(1));
    assert_eq!(["preemptions", "prepares"].map(|name| count(&world, name)), [before[0] + 1, before[1]]);
    assert!(before[1] >= 4, "two leaders have asked two others each: {before:?}");
}

/// Leaders crash while half of their messages are lost, so that those after them find holes.
#[test]
fn the_slots_that_are_filled_are_counted() {
    let mut filled = 0;
    for seed in 0..20 {
        let mut world =
            world(seed, 3, config(3), vec![mixed(1, 300), mixed(2, 300), mixed(3, 300), mixed(4, 300)]);
        testing::run(&mut world, Span::millis(500));
        let first = leader(&world).expect("a leader");
        world.apply(Fault::AllLinks(LinkFault::Loss(Some(percent(50)))));
        testing::run(&mut world, Span::millis(30));
        world.apply(Fault::Crash(first));
        world.apply(Fault::AllLinks(LinkFault::Loss(None)));
        testing::run(&mut world, Span::secs(1));
        world.apply(Fault::Recover);
        testing::run(&mut world, Span::secs(5));
        let log = &world.process(first).expect("it runs").log;
        let noops = (1..=log.last().0).filter(|slot| log.decided_at(Index(*slot)) == Some(&Proposal::NOOP));
        let counted = world.metrics().summary(world.now()).counters["gap-slots"];
        assert_eq!(counted, noops.count() as u64, "seed {seed}");
        filled += counted;
    }
    assert!(filled > 0, "no leader found a hole");
}

#[test]
fn snapshots_are_counted_with_their_sizes_where_they_are_taken_and_taken_over() {
    let config = Config { snapshot_every: Some(100), window: 20, ..config(3) };
    let mut world = world(5, 3, config, vec![counting(500)]);
    testing::run(&mut world, Span::secs(1));
    let lagging = NodeId::new((leader(&world).expect("a leader").raw() + 1) % 3);
    world.apply(Fault::Crash(lagging));
    testing::run(&mut world, Span::secs(3));
    world.apply(Fault::Restart(lagging));
    testing::run(&mut world, Span::secs(5));
    let counters = world.metrics().summary(world.now()).counters;
    assert!(counters["snapshots-taken"] >= 10 && counters["snapshots-installed"] == 1, "{counters:?}");
    let size = world.process(lagging).expect("it runs").snapshot.as_ref().expect("taken").size();
    assert_eq!(counters["snapshot-bytes"], size * counters["snapshots-taken"], "all are of the same size");
}

#[test]
fn the_gap_is_what_nobody_reported_before_the_last_slot_that_somebody_did() {
    let mut preparation = Preparation::new(Index(4), (Index(3), NodeId::new(0)));
    assert_eq!(preparation.gap(Index(4)), 0, "nobody reported anything");
    let report = |slot| Pvalue { slot: Index(slot), ballot: Ballot::ZERO, proposal: Proposal::NOOP };
    preparation.add((NodeId::new(1), Life::FIRST), Index(3), &[report(5), report(8)]);
    preparation.add((NodeId::new(2), Life::FIRST), Index(3), &[report(5), report(6)]);
    assert_eq!(preparation.gap(Index(4)), 2, "slots 4 and 7");
    assert_eq!(preparation.gap(Index(6)), 1, "slot 7");
    let holes = [(4, 1), (4, 3), (4, 4), (4, 9), (5, 2), (7, 1), (8, 5), (9, 1)];
    let counted = holes.map(|(first, count)| preparation.holes(Index(first), count));
    assert_eq!(counted, [1, 1, 2, 2, 0, 1, 0, 0]);
}

#[test]
fn a_cluster_survives_a_crash_at_each_fault_point_of_its_everyday_work() {
    let config = Config { snapshot_every: Some(20), ..config(5) };
    let mut world = world(4, 5, config, vec![counting(100_000)]);
    testing::run(&mut world, Span::secs(1));
    let struck = crash_at_points(&mut world, &FAULT_POINTS[..FaultPoint::BeforeForgetting as usize]);
    assert!(struck.values().all(|count| *count > 0), "{struck:?}");
}

#[test]
fn the_view_of_a_node_shows_how_far_its_slots_are_decided_executed_and_on_disk() {
    let mut world = world(5, 3, config(3), vec![counting(20)]);
    testing::run(&mut world, Span::secs(2));
    let marks = |world: &World<Paxos>, node| {
        let parts = Simulation::view(world, node, &ViewRequest::default());
        let slots = parts.into_iter().find(|part| part.name == "slots").expect("it is there");
        let Content::Strip(strip) = slots.content else { panic!("a strip") };
        strip.marks
    };
    let node = leader(&world).expect("a leader");
    assert_eq!(marks(&world, node), [("decided", 21), ("executed", 21), ("durable", 21)]);
    world.apply(Fault::Disk { node, fault: DiskFault::Stall });
    let op = Operation::Kv(kv::Operation::Write(Key(1), 7));
    world.apply(Fault::Issue { client: ClientId::new(0), operation: op });
    testing::run(&mut world, Span::millis(50));
    assert_eq!(
        marks(&world, node),
        [("decided", 22), ("executed", 22), ("durable", 21)],
        "by the others' votes"
    );
}

#[test]
fn each_invariant_alone_brings_the_ghost_state_that_it_reads() {
    for index in 0..invariants::all(&config(3)).len() {
        let alone = invariants::all(&config(3)).swap_remove(index);
        let name = alone.about().name;
        let mut world = testing::world(1, 3, config(3), vec![counting(20)], vec![alone]);
        testing::run(&mut world, Span::secs(2));
        let mut copy = world.fork().expect("nodes can be copied");
        testing::run(&mut copy, Span::secs(1));
        testing::run(&mut world, Span::secs(1));
        assert_served(&world, Some(0), name);
        assert_eq!(world.digest(), copy.digest(), "{name}");
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
        world.apply(isolate(old));
        testing::run(&mut world, Span::secs(1));
        world.apply(Fault::Recover);
        testing::run(&mut world, Span::secs(8));
        assert_served(&world, None, "");
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
        assert_served(&world, Some(0), "");
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
    assert_served(&world, Some(0), "");
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
            assert_served(&world, Some(0), "");
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
    assert_served(&world, Some(0), "");
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
    assert_served(&world, Some(0), "");
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
    assert_served(&world, Some(0), "");
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
        let fault = random_fault(&world, &mut stream, leader(&world));
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
        assert_served(&world, Some(2), "");
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
