//! Viewstamped Replication in whole worlds, all invariants on.

use sim_core::fault::{Command as Fault, LinkFault};
use sim_core::metrics::Counter;
use sim_core::random::{KeySource, Purpose, Stream};
use sim_core::service::{Key, Operation, Outcome, Refusal, kv};
use sim_core::status::Standing;
use sim_core::view::{Content, ViewRequest};
use sim_core::{Simulation, Span, World};

use super::*;
use crate::testing::clients::{COUNTER, assert_linearizable, assert_served, counting, mixed, op, outcomes};
use crate::testing::faults::{
    isolate, isolate_from_nodes, percent, random_cut, random_link_fault, random_node,
};
use crate::testing::names::{assert_gauge, crash_at_points};
use crate::testing::{self, Script};

mod reconfiguration;

/// A group whose logs are short, so that checkpoints travel.
fn config(node_count: u32) -> Config {
    Config { checkpoint_interval: 20, ..Config::new((0..node_count).map(NodeId::new)) }
}

fn world_of(seed: u64, config: Config, scripts: Vec<Script>) -> World<Vrr> {
    let node_count = u32::try_from(config.members.len()).expect("few nodes");
    testing::world(seed, node_count, config, scripts, invariants::all())
}

fn world(seed: u64, node_count: u32, scripts: Vec<Script>) -> World<Vrr> {
    world_of(seed, config(node_count), scripts)
}

/// The primary of the latest view that runs.
fn primary(world: &World<Vrr>) -> Option<NodeId> {
    let primaries = world.nodes().running().filter(|(_, vrr)| vrr.is_primary());
    primaries.max_by_key(|(_, vrr)| vrr.view_number()).map(|(node, _)| node)
}

fn view_of(world: &World<Vrr>, node: NodeId) -> View {
    world.process(node).expect("runs").view_number()
}

fn recovering(world: &World<Vrr>) -> usize {
    world.nodes().running().filter(|(_, vrr)| vrr.is_recovering()).count()
}

/// The members that are down or without memory.
fn empty(world: &World<Vrr>) -> usize {
    world.nodes().count() - world.nodes().running().filter(|(_, vrr)| !vrr.is_recovering()).count()
}

/// Everybody runs and remembers, has the same log, and has executed all of it.
fn assert_converged(world: &World<Vrr>, what: &str) {
    assert_eq!(recovering(world), 0, "{what}: nobody recovers any more");
    let states: Vec<_> = world
        .nodes()
        .running()
        .map(|(_, vrr)| (vrr.view, vrr.log.op_number(), vrr.machine.applied(), vrr.machine.chain()))
        .collect();
    assert_eq!(states.len(), world.nodes().count(), "{what}: all run");
    assert!(states.iter().all(|state| *state == states[0]), "{what}: {states:?}");
    assert_eq!(states[0].1, states[0].2, "{what}: all is executed");
}

#[test]
fn the_gauge_of_a_replica_is_the_part_of_its_log_that_is_not_committed() {
    let mut world = world(2, 5, vec![counting(400)]);
    assert_gauge(&mut world, UNCOMMITTED, 2_000, |vrr| vrr.log.op_number().since(vrr.log.commit_number()));
}

#[test]
fn a_primary_commits_after_two_delays() {
    let delay = Span::millis(5);
    let mut world = testing::steady_world(5, delay, config(5), vec![counting(50)], invariants::all());
    testing::run(&mut world, Span::secs(3));
    let commit = world.metrics().summary(world.now()).latencies["commit"];
    assert_eq!((commit.count, commit.mean, commit.max), (51, delay + delay, delay + delay));
}

#[test]
fn what_is_fetched_is_counted() {
    let mut world = world(3, 3, vec![counting(400)]);
    testing::run(&mut world, Span::millis(500));
    let counters = |world: &World<Vrr>| {
        let counters = world.metrics().summary(world.now()).counters;
        ["state-transfers", "checkpoints-installed"].map(|name| counters[name])
    };
    assert_eq!(counters(&world), [0, 0]);
    world.apply(isolate(NodeId::new(2)));
    testing::run(&mut world, Span::millis(40));
    world.apply(Fault::HealAll);
    testing::run(&mut world, Span::millis(500));
    let [transfers, checkpoints] = counters(&world);
    assert!(transfers > 0 && checkpoints == 0, "{transfers} transfers, {checkpoints} checkpoints");
    world.apply(isolate(NodeId::new(2)));
    testing::run(&mut world, Span::secs(1));
    world.apply(Fault::HealAll);
    testing::run(&mut world, Span::secs(1));
    assert!(counters(&world)[1] > 0, "what it lacked was forgotten by then");
}

#[test]
fn a_group_survives_a_crash_at_each_fault_point_of_one_epoch() {
    let mut world = world(4, 5, vec![counting(100_000)]);
    testing::run(&mut world, Span::secs(1));
    let struck = crash_at_points(&mut world, &FAULT_POINTS[..FaultPoint::EpochLeft as usize]);
    assert!(struck.values().all(|count| *count > 0), "{struck:?}");
}

#[test]
fn a_group_serves_at_once_and_stays_in_its_first_view() {
    for node_count in [1, 2, 3, 5] {
        for reads in [ReadMode::Confirm, ReadMode::Log] {
            let config = Config { reads, ..config(node_count) };
            let mut world = world_of(1, config, vec![counting(50), mixed(2, 50)]);
            testing::run(&mut world, Span::secs(5));
            assert_eq!(
                (primary(&world), view_of(&world, NodeId::new(0))),
                (Some(NodeId::new(0)), View::first(0))
            );
            assert_converged(&world, "healthy");
            assert_eq!(world.history().open_count(), 0, "{node_count} replicas answer everything");
            assert!(!outcomes(&world).contains(&Outcome::Rejected));
            assert_linearizable(world.history(), "");
        }
    }
}

#[test]
fn a_primary_that_crashes_is_replaced_and_comes_back_with_its_memory() {
    let mut world = world(2, 5, vec![counting(200)]);
    testing::run(&mut world, Span::millis(500));
    let first = primary(&world).expect("the first view needs no election");
    world.apply(Fault::Crash(first));
    testing::run(&mut world, Span::secs(1));
    let second = primary(&world).expect("another primary after a second");
    assert_eq!(second, NodeId::new(1), "it is the turn of the next");
    world.apply(Fault::Restart(first));
    assert!(world.process(first).expect("runs").is_recovering());
    assert_eq!(world.process(first).expect("runs").log.op_number(), Index(0), "it has forgotten everything");
    testing::run(&mut world, Span::secs(5));
    assert_converged(&world, "after the recovery");
    assert!(outcomes(&world).iter().all(|outcome| *outcome == Outcome::Done), "{:?}", outcomes(&world));
}

#[test]
fn a_primary_that_restarts_before_anybody_misses_it_does_not_lead_its_view_again() {
    let mut world = world(2, 3, vec![counting(200)]);
    testing::run(&mut world, Span::millis(500));
    world.apply(Fault::Crash(NodeId::new(0)));
    world.apply(Fault::Restart(NodeId::new(0)));
    testing::run(&mut world, Span::secs(2));
    assert_eq!(primary(&world), Some(NodeId::new(1)));
    assert_converged(&world, "after the recovery");
}

#[test]
fn a_wiped_disk_does_not_matter() {
    let mut world = world(2, 3, vec![counting(200)]);
    testing::run(&mut world, Span::millis(500));
    world.apply(Fault::Crash(NodeId::new(2)));
    world.apply(Fault::Wipe(NodeId::new(2)));
    world.apply(Fault::Restart(NodeId::new(2)));
    testing::run(&mut world, Span::secs(4));
    assert_converged(&world, "after the recovery");
    assert_eq!(Simulation::beyond_promise(&world), []);
}

#[test]
fn f_replicas_that_forget_at_once_get_everything_back() {
    let mut world = world(3, 5, vec![counting(300), mixed(2, 100)]);
    testing::run(&mut world, Span::millis(700));
    for node in [0, 1].map(NodeId::new) {
        world.apply(Fault::Crash(node));
        world.apply(Fault::Restart(node));
    }
    assert_eq!((recovering(&world), Simulation::beyond_promise(&world)), (2, vec![]));
    testing::run(&mut world, Span::secs(8));
    assert_converged(&world, "after the recovery");
    assert_eq!(world.history().open_count(), 0);
    assert!(!outcomes(&world).contains(&Outcome::Rejected));
}

#[test]
fn more_than_f_replicas_that_forget_at_once_are_beyond_the_promise() {
    let mut world = world(3, 5, vec![counting(300)]);
    testing::run(&mut world, Span::millis(700));
    let lost = [0, 1, 4].map(NodeId::new);
    for node in lost {
        world.apply(Fault::Crash(node));
        world.apply(Fault::Restart(node));
    }
    testing::run(&mut world, Span::secs(5));
    let expected = lost.map(|node| (node, sim_core::disk::DamageKind::LostMemory));
    assert_eq!(Simulation::beyond_promise(&world), expected);
    assert_eq!(primary(&world), None, "and nothing wrong is answered by those who know too little");
}

#[test]
fn a_group_survives_a_crash_after_each_effect_of_its_primary() {
    crash_after_each_effect(|world| primary(world).expect("a primary"));
}

#[test]
fn a_group_survives_a_crash_after_each_effect_of_a_backup() {
    crash_after_each_effect(|world| {
        let primary = primary(world).expect("a primary");
        NodeId::new((primary.raw() + 1) % 3)
    });
}

fn crash_after_each_effect(victim: impl Fn(&World<Vrr>) -> NodeId) {
    for effects in 0..12 {
        for delay in 0..4 {
            let mut world = world(effects, 3, vec![counting(100)]);
            testing::run(&mut world, Span::micros(300_000 + 700 * delay));
            for _ in 0..3 {
                let node = victim(&world);
                world
                    .apply(Fault::CrashAfterEffect { node, effects: u32::try_from(effects).expect("small") });
                testing::run(&mut world, Span::millis(400));
                if world.process(node).is_none() {
                    world.apply(Fault::Restart(node));
                }
                testing::run(&mut world, Span::secs(1));
            }
            world.apply(Fault::Recover);
            testing::run(&mut world, Span::secs(4));
            assert_converged(&world, &format!("cut after {effects}"));
            assert!(
                outcomes(&world).iter().all(|outcome| *outcome == Outcome::Done),
                "{:?}",
                outcomes(&world)
            );
        }
    }
}

#[test]
fn a_retried_request_takes_effect_once_on_a_network_that_loses_doubles_and_reorders() {
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
        assert_converged(&world, "healed");
        let vrr = world.process(NodeId::new(0)).expect("runs");
        assert_eq!(vrr.machine.read(COUNTER), Some(100));
    }
}

#[test]
fn a_deposed_primary_answers_no_read() {
    let write = |value| op(0, kv::Operation::Write(Key(1), value));
    let reads = |wait| Script(vec![write(1), op(wait, kv::Operation::Read(Key(1)))]);
    for seed in 0..10 {
        // Who reads during the partition may reach the old primary, and must see the second write or wait.
        let writer = Script(vec![write(1), op(1_400, kv::Operation::Write(Key(1), 2))]);
        let mut world = world(seed, 5, vec![writer, reads(1_900), reads(1_950), reads(2_000)]);
        testing::run(&mut world, Span::secs(1));
        let old = primary(&world).expect("a primary");
        world.apply(isolate_from_nodes(&world, old));
        testing::run(&mut world, Span::secs(2));
        assert!(world.process(old).expect("runs").is_primary(), "the old primary still believes to be one");
        assert_ne!(primary(&world), Some(old));
        world.apply(Fault::HealAll);
        testing::run(&mut world, Span::secs(3));
        assert_eq!(world.history().open_count(), 0);
        assert_linearizable(world.history(), "");
        assert_converged(&world, "healed");
    }
}

#[test]
fn what_was_not_committed_is_replaced() {
    let config = Config { checkpoint_interval: 1_000, ..config(3) };
    let mut world = world_of(3, config, vec![counting(300), mixed(4, 100)]);
    testing::run(&mut world, Span::secs(1));
    let old = primary(&world).expect("a primary");
    world.apply(isolate_from_nodes(&world, old));
    testing::run(&mut world, Span::secs(2));
    let before = world.process(old).expect("runs").log.clone();
    assert!(before.op_number() > before.commit_number(), "it took requests that it cannot commit");
    world.apply(Fault::HealAll);
    testing::run(&mut world, Span::secs(10));
    let after = &world.process(old).expect("runs").log;
    assert_eq!(after.chain_at(before.commit_number()), before.chain_at(before.commit_number()));
    assert_ne!(after.chain_at(before.op_number()), Some(before.last_chain()));
    assert_converged(&world, "healed");
}

#[test]
fn a_backup_that_missed_more_than_the_log_keeps_goes_on_from_a_checkpoint() {
    let mut world = world(4, 3, vec![counting(200)]);
    let behind = NodeId::new(2);
    testing::run(&mut world, Span::millis(200));
    world.apply(isolate(behind));
    testing::run(&mut world, Span::secs(3));
    let missing = world.process(behind).expect("runs").log.op_number();
    assert!(world.process(NodeId::new(0)).expect("runs").log.base() > missing, "what it lacks is compacted");
    world.apply(Fault::HealAll);
    testing::run(&mut world, Span::secs(3));
    assert_converged(&world, "healed");
    let vrr = world.process(behind).expect("runs");
    assert_eq!(vrr.machine.read(COUNTER), Some(200));
}

#[test]
fn a_log_keeps_between_one_and_two_intervals() {
    let mut world = world(4, 3, vec![counting(200)]);
    testing::run(&mut world, Span::secs(5));
    for (node, vrr) in world.nodes().running() {
        let kept = vrr.log.op_number().since(vrr.log.base());
        assert!((20..=40).contains(&kept), "{node} keeps {kept} entries");
    }
}

#[test]
fn requests_share_a_message_while_backups_are_behind() {
    let write = |client, ordinal| op(0, kv::Operation::Write(Key(client), u64::from(ordinal)));
    let script = |client| Script((0_u32..60).map(|ordinal| write(client, ordinal)).collect());
    let messages = |in_flight_max| {
        let config = Config { in_flight_max, ..config(3) };
        let mut world = world_of(6, config, (0..8).map(script).collect());
        testing::run(&mut world, Span::secs(5));
        assert_eq!(outcomes(&world), vec![Outcome::Done; 480]);
        assert_converged(&world, "served");
        world.metrics().counter(Counter::MessagesSent)
    };
    let (one_by_one, batched) = (messages(1_024), messages(1));
    assert!(2 * batched < one_by_one, "{batched} messages with batches, {one_by_one} without");
}

#[test]
fn operations_that_are_not_kv_are_refused() {
    let script = Script(vec![(Span::ZERO, Operation::UniqueId), (Span::ZERO, Operation::Echo(1))]);
    let mut world = world(1, 3, vec![script]);
    testing::run(&mut world, Span::secs(1));
    assert_eq!(outcomes(&world), vec![Outcome::Refused(Refusal::Unsupported); 2]);
}

#[test]
fn a_copy_goes_on_as_the_original_does() {
    let mut world = world(5, 5, vec![counting(100), mixed(5, 100)]);
    testing::run(&mut world, Span::millis(700));
    let mut copy = world.fork().expect("replicas can be copied");
    testing::run(&mut world, Span::secs(1));
    testing::run(&mut copy, Span::secs(1));
    assert_eq!(world.digest(), copy.digest());
}

#[test]
fn the_view_of_a_primary_shows_its_log_and_backups() {
    let world = &mut world(5, 3, vec![counting(20)]);
    testing::run(world, Span::secs(2));
    let parts = Simulation::view(world, NodeId::new(0), &ViewRequest::default());
    let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
    assert_eq!(names, ["replica", "log", "state machine", "primary"]);
    let Content::Strip(strip) = &parts[1].content else { panic!("{:?}", parts[1]) };
    assert_eq!(strip.cells[0].label, "write k9=0");
    assert_eq!(strip.marks, [("compacted", 0), ("commit", 21), ("executed", 21)]);
}

/// One random fault. A group bears f replicas down or without memory, so no more are crashed.
fn bearable_fault(world: &World<Vrr>, stream: &mut Stream) -> Fault {
    let node = random_node(world, stream, primary(world));
    let is_up = world.process(node).is_some();
    let config = config(u32::try_from(world.nodes().count()).expect("few nodes"));
    let may_crash = is_up && (empty(world) < config.first_group().failures_max() || is_empty(world, node));
    match stream.below(10) {
        0 | 1 if may_crash => Fault::Crash(node),
        2 if may_crash => random_cut(stream, node),
        0..=4 if !is_up => Fault::Restart(node),
        5 => isolate(node),
        6..=8 => random_link_fault(stream),
        _ => Fault::HealAll,
    }
}

fn is_empty(world: &World<Vrr>, node: NodeId) -> bool {
    world.process(node).is_none_or(Vrr::is_recovering)
}

#[test]
fn random_faults_break_nothing_and_everything_heals() {
    for seed in 0..40 {
        survive_random_faults(seed);
    }
}

fn survive_random_faults(seed: u64) {
    let node_count = [3, 4, 5][usize::try_from(seed % 3).expect("small")];
    let scripts = vec![mixed(1, 300), mixed(2, 300), counting(200)];
    let mut world = world(seed, node_count, scripts);
    let mut stream = KeySource::new(seed).stream(Purpose::Faults, 0, 0);
    let mut armed = false;
    for _ in 0..60 {
        testing::run(&mut world, Span::millis(stream.below(300)));
        let fault = bearable_fault(&world, &mut stream);
        // A crash that is armed may come when another replica is empty already.
        if armed && matches!(fault, Fault::Crash(_) | Fault::CrashAfterEffect { .. }) {
            continue;
        }
        armed |= matches!(fault, Fault::CrashAfterEffect { .. });
        armed &= !matches!(fault, Fault::Restart(_));
        world.apply(fault);
    }
    world.apply(Fault::Recover);
    testing::run(&mut world, Span::secs(10));
    assert_eq!(Simulation::beyond_promise(&world), [], "seed {seed}");
    assert_converged(&world, &format!("seed {seed}"));
    assert_served(&world, Some(2), format_args!("seed {seed}"));
}

#[test]
fn a_status_is_told_in_the_papers_words() {
    let mut world = world(2, 3, vec![]);
    testing::run(&mut world, Span::millis(100));
    let glance =
        |world: &World<Vrr>, node| sim_core::Process::status(world.process(NodeId::new(node)).expect("runs"));
    let (first, second) = (glance(&world, 0), glance(&world, 1));
    assert_eq!((first.role, first.standing), ("primary", Standing::Leader));
    assert_eq!(
        (second.role, second.standing, second.leader),
        ("backup", Standing::Follower, Some(NodeId::new(0)))
    );
    world.apply(Fault::Crash(NodeId::new(1)));
    world.apply(Fault::Restart(NodeId::new(1)));
    assert_eq!(glance(&world, 1).role, "recovering");
}
