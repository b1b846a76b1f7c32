//! Nodes that lose their disks, in whole worlds.

use sim_core::disk::{Corruption, DamageKind, DiskFault, SlotAddress};

use super::super::durable::{BALLOT, JOURNAL, LIFE, SNAPSHOT};
use super::*;
use crate::testing::faults::random_node;

/// Comes back on an empty disk.
fn wipe(world: &mut World<Paxos>, node: NodeId) {
    world.apply(Fault::Wipe(node));
    world.apply(Fault::Restart(node));
}

/// Comes back, and cannot read one record of a region.
fn rot(world: &mut World<Paxos>, node: NodeId, region: sim_core::disk::RegionId) {
    world.apply(Fault::Crash(node));
    let disk = world.nodes().disk(node).expect("it wrote");
    let index = if region == JOURNAL { disk.log_bounds(JOURNAL).start } else { 0 };
    let fault = DiskFault::Corrupt { at: SlotAddress { region, index }, how: Corruption::Detected };
    world.apply(Fault::Disk { node, fault });
    world.apply(Fault::Restart(node));
}

fn is_non_voting(world: &World<Paxos>, node: NodeId) -> bool {
    world.process(node).expect("it runs").is_non_voting()
}

#[test]
fn a_follower_and_a_leader_that_lose_their_disks_are_readmitted_and_needed_again() {
    for is_leader in [false, true] {
        let config = Config { window: 8, snapshot_every: Some(50), ..config(3) };
        let mut world = world(2, 3, config, vec![counting(400), mixed(2, 100)]);
        testing::run(&mut world, Span::secs(1));
        let first = leader(&world).expect("a leader");
        let node = if is_leader { first } else { NodeId::new((first.raw() + 1) % 3) };
        wipe(&mut world, node);
        assert!(is_non_voting(&world, node));
        testing::run(&mut world, Span::secs(2));
        assert!(!is_non_voting(&world, node));
        world.apply(Fault::Crash(NodeId::new((node.raw() + 1) % 3)));
        testing::run(&mut world, Span::secs(2));
        assert!(leader(&world).is_some(), "the two that are left lead");
        world.apply(Fault::Recover);
        testing::run(&mut world, Span::secs(6));
        assert_converged(&world);
        assert_served(&world, Some(0), "");
        assert_eq!(Simulation::beyond_promise(&world), []);
    }
}

#[test]
fn a_record_of_any_region_that_cannot_be_read_makes_a_non_voter() {
    let config = Config { window: 8, snapshot_every: Some(20), ..config(3) };
    let mut world = world(3, 3, config, vec![counting(1_500), mixed(2, 300)]);
    testing::run(&mut world, Span::secs(1));
    for region in [BALLOT, JOURNAL, SNAPSHOT, LIFE] {
        let node = NodeId::new((leader(&world).expect("a leader").raw() + 1) % 3);
        let node = if region == LIFE { NodeId::new(1) } else { node };
        if region == LIFE {
            wipe(&mut world, node);
            testing::run(&mut world, Span::secs(2));
        }
        rot(&mut world, node, region);
        assert!(is_non_voting(&world, node), "{region:?}");
        testing::run(&mut world, Span::secs(2));
        assert!(!is_non_voting(&world, node), "{region:?}");
    }
    testing::run(&mut world, Span::secs(10));
    assert_converged(&world);
    assert_served(&world, Some(0), "");
}

#[test]
fn quorums_of_all_kinds_bear_a_lost_disk() {
    let systems = [
        (4, Quorums::Sizes { phase1: 3, phase2: 2 }),
        (6, Quorums::Grid { rows: 2, columns: 3 }),
        (3, Quorums::Weights { weights: [3, 1, 1].into(), phase1: 3, phase2: 3 }),
    ];
    for (node_count, quorums) in systems {
        let config = Config { quorums, window: 8, ..config(node_count) };
        let mut world = world(7, node_count, config, vec![counting(200), mixed(2, 50)]);
        testing::run(&mut world, Span::secs(1));
        wipe(&mut world, NodeId::new(1));
        testing::run(&mut world, Span::secs(5));
        assert!(!is_non_voting(&world, NodeId::new(1)), "{node_count}");
        assert_served(&world, Some(0), "");
        assert_converged(&world);
    }
}

#[test]
fn a_majority_of_lost_disks_stops_the_cluster_and_is_beyond_the_promise() {
    let mut world = world(4, 3, config(3), vec![counting(300)]);
    testing::run(&mut world, Span::secs(1));
    for node in [0, 1].map(NodeId::new) {
        wipe(&mut world, node);
    }
    testing::run(&mut world, Span::millis(200));
    let decided = |world: &World<Paxos>| world.nodes().running().map(|(_, paxos)| paxos.log.last()).max();
    let before = decided(&world);
    testing::run(&mut world, Span::secs(3));
    assert_eq!(decided(&world), before, "nobody decides");
    let lost = [0, 1].map(|node| (NodeId::new(node), DamageKind::LostMemory));
    assert_eq!(Simulation::beyond_promise(&world), lost);
}

#[test]
fn a_crash_before_anything_is_on_disk_loses_nothing() {
    let mut world = world(5, 3, config(3), vec![counting(50)]);
    for node in 0..3 {
        world.apply(Fault::Wipe(NodeId::new(node)));
    }
    world.apply(Fault::Recover);
    assert!(world.nodes().running().all(|(_, paxos)| !paxos.is_non_voting()));
    testing::run(&mut world, Span::secs(3));
    assert_served(&world, Some(0), "");
}

#[test]
fn a_crash_on_the_way_back_to_voting_is_only_a_delay() {
    for point in &FAULT_POINTS[FaultPoint::BeforeForgetting as usize..] {
        for region in [None, Some(JOURNAL), Some(SNAPSHOT)] {
            let config = Config { window: 8, snapshot_every: Some(20), ..config(3) };
            let mut world = world(2, 3, config, vec![counting(400), mixed(2, 100)]);
            testing::run(&mut world, Span::secs(1));
            let node = NodeId::new((leader(&world).expect("a leader").raw() + 1) % 3);
            match region {
                Some(region) => rot(&mut world, node, region),
                None => wipe(&mut world, node),
            }
            let point = point.parse().expect("a name");
            world.apply(Fault::CrashAtPoint { node, point, nth: 1 });
            testing::run(&mut world, Span::secs(2));
            assert!(world.process(node).is_none(), "{node} has crashed at {point}, {region:?}");
            world.apply(Fault::Restart(node));
            testing::run(&mut world, Span::secs(4));
            assert!(!is_non_voting(&world, node), "{point}, {region:?}");
            testing::run(&mut world, Span::secs(6));
            assert_converged(&world);
            assert_served(&world, Some(0), "");
        }
    }
}

#[test]
fn a_full_disk_delays_the_new_life() {
    let mut world = world(6, 3, config(3), vec![counting(200)]);
    testing::run(&mut world, Span::secs(1));
    let node = NodeId::new(2);
    world.apply(Fault::Disk { node, fault: DiskFault::Capacity(Some(1)) });
    wipe(&mut world, node);
    testing::run(&mut world, Span::secs(1));
    assert_eq!(world.process(node).expect("it runs").birth, Birth::Refused);
    world.apply(Fault::Recover);
    testing::run(&mut world, Span::secs(3));
    assert!(!is_non_voting(&world, node));
    assert_served(&world, Some(0), "");
}

/// Whether everybody runs, votes for the next slot, and would after a restart.
fn is_whole(world: &World<Paxos>) -> bool {
    let all = world.nodes().running();
    let whole = all.filter(|(_, paxos)| {
        let votes = paxos.is_acceptor_at(paxos.log.last().next());
        votes && paxos.seal.is_none() && !paxos.log.is_dirty() && paxos.outbox.flushes_under_way() == 0
    });
    whole.count() == world.nodes().count()
}

#[test]
fn one_lost_disk_at_a_time_breaks_nothing_whatever_else_happens() {
    let mut losses = 0;
    for seed in 0..60 {
        let node_count = [3, 4, 5][usize::try_from(seed % 3).expect("small")];
        let snapshot_every = (seed % 2 == 0).then_some(30);
        let lease = Reads::Lease(Lease { length: Span::millis(120), drift_ppm: 1_000 });
        let reads = if seed % 4 == 1 { lease } else { Reads::Quorum };
        let config = Config { reads, snapshot_every, window: 6, batch_max: 5, ..config(node_count) };
        let mut world = world(seed, node_count, config, vec![mixed(1, 300), mixed(2, 300), counting(200)]);
        let mut stream = KeySource::new(seed).stream(Purpose::Faults, 1, 0);
        for _ in 0..60 {
            let until = world.now() + Span::millis(stream.below(250));
            world.run(until, u64::MAX);
            assert_eq!(world.violations(), [], "seed {seed}");
            let favourite = leader(&world);
            if is_whole(&world) && stream.below(2) == 0 {
                losses += 1;
                let node = random_node(&world, &mut stream, favourite);
                let regions = [BALLOT, JOURNAL, SNAPSHOT];
                match stream.pick(&regions) {
                    Some(region) if stream.below(2) == 0 => rot(&mut world, node, *region),
                    Some(_) | None => wipe(&mut world, node),
                }
            } else {
                let fault = random_fault(&world, &mut stream, favourite);
                world.apply(fault);
            }
        }
        world.apply(Fault::Recover);
        testing::run(&mut world, Span::secs(10));
        assert_converged(&world);
        assert_served(&world, Some(2), seed);
        assert_eq!(Simulation::beyond_promise(&world), [], "seed {seed}");
    }
    assert!(losses > 200, "{losses}");
}
