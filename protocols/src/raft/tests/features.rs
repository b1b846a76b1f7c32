//! All features at once, drawn by seed, under random faults.

use sim_core::clock::ClockFault;
use sim_core::service::Admin;

use super::*;

const FIRST: u64 = 0;
const COUNT: u64 = 100;

/// A cluster whose parameters are drawn: every switch either way, and limits so small that they are met.
fn drawn_config(stream: &mut Stream, member_count: u32) -> Config {
    let is_on = |stream: &mut Stream| stream.below(2) == 0;
    let check_quorum = is_on(stream);
    let stickiness = check_quorum && is_on(stream);
    let reads = match stream.below(4) {
        0 => ReadMode::Log,
        1 => ReadMode::ReadIndex,
        2 => ReadMode::Follower,
        _ if stickiness => ReadMode::Lease,
        _ => ReadMode::ReadIndex,
    };
    let transition = match stream.below(4) {
        0 | 1 => Transition::Auto,
        2 => Transition::JointImplicit,
        _ => Transition::JointExplicit,
    };
    let takes_effect = if is_on(stream) { TakesEffect::OnAppend } else { TakesEffect::OnApply };
    Config {
        pre_vote: is_on(stream),
        check_quorum,
        stickiness,
        reads,
        transition,
        takes_effect,
        catch_up_rounds: stream.below(4),
        snapshot_every: 1 + stream.below(60),
        snapshot_trail: stream.below(20),
        snapshot_chunk: 1 + stream.below(200),
        sessions: if is_on(stream) { SessionPolicy::AtMost(6) } else { SessionPolicy::KeepAll },
        append_entries_max: 1 + stream.below(8),
        in_flight_max: 1 + stream.below(8),
        in_flight_bytes_max: 1 + stream.below(2_000),
        apply_bytes_max: is_on(stream).then(|| 1 + stream.below(400)),
        apply_delay: Span::micros(stream.below(2) * stream.below(5_000)),
        syncs_max: 1 + stream.below(4),
        overlap_own_vote: is_on(stream),
        ..Config::new((0..member_count).map(NodeId::new))
    }
}

/// A client that administers: members come and go, leadership moves, snapshots are taken.
fn administrator(stream: &mut Stream, node_count: u32, steps: u64) -> Script {
    let mut node =
        |stream: &mut Stream| NodeId::new(u32::try_from(stream.below(u64::from(node_count))).expect("small"));
    let step = |stream: &mut Stream, node: &mut dyn FnMut(&mut Stream) -> NodeId| match stream.below(10) {
        0 | 1 => Admin::AddNode(node(stream)),
        2 => Admin::RemoveNode(node(stream)),
        3 => Admin::AddLearner(node(stream)),
        4 => Admin::AddNodes(node(stream), node(stream)),
        5 => Admin::ReplaceNode { remove: node(stream), add: node(stream) },
        6 => Admin::LeaveJoint,
        7 => Admin::Snapshot,
        _ => Admin::TransferLeadership(node(stream)),
    };
    let steps = (0..steps).map(|_| {
        let wait = Span::millis(20 + stream.below(200));
        (wait, Operation::Admin(step(stream, &mut node)))
    });
    Script(steps.collect())
}

/// All nodes, one a line, for a failure.
fn described(world: &World<Raft>) -> String {
    let line = |(node, raft): (NodeId, &Raft)| {
        let (term, vote, log) = (raft.term(), raft.vote(), raft.log());
        let (commit, last, members) = (log.commit(), log.last_index(), raft.members());
        let role = sim_core::Process::status(raft).role;
        format!(
            "{node} {role} {term} vote {vote:?} commit {commit} last {last} {} members {members}\n",
            log.last_term()
        )
    };
    world.nodes().running().map(line).collect()
}

/// Whether the members of the leader's log have the same log, and have executed all of it.
fn has_converged(world: &World<Raft>) -> bool {
    let Some(leader) = leader(world).and_then(|node| world.process(node)) else { return false };
    let end = leader.log.last_chain();
    leader.log.membership().1.all().iter().all(|node| {
        let raft = world.process(node).expect("all run");
        (raft.log.last_chain(), raft.machine.chain()) == (end, end)
    })
}

/// Goes on until the members have converged. A node that was removed and does not know it disrupts the others for ever
/// where nothing keeps it from that, so there need not be one moment that stays.
fn assert_converges(world: &mut World<Raft>, seed: u64) {
    let start = world.now();
    for step in 1..=500 {
        world.run(start + Span::millis(10 * step), u64::MAX);
        assert_eq!(world.violations(), [], "seed {seed}");
        if has_converged(world) {
            return;
        }
    }
    panic!("seed {seed} has not converged\n{}", described(world));
}

fn explore(seed: u64) {
    let mut stream = KeySource::new(seed).stream(Purpose::Faults, 7, 0);
    let node_count = 3 + u32::try_from(stream.below(4)).expect("small");
    let member_count = 1 + u32::try_from(stream.below(u64::from(node_count))).expect("small");
    let config = drawn_config(&mut stream, member_count);
    config.validate().expect("what is drawn is possible");
    let leaving = Script(vec![(Span::millis(400), Operation::Admin(Admin::LeaveJoint)); 60]);
    let admin = administrator(&mut stream, node_count, 60);
    let scripts = vec![mixed(1, 300), mixed(2, 300), counting(200), admin, leaving];
    let mut world = testing::world(seed, node_count, config, scripts, invariants::all());
    for _ in 0..50 {
        testing::run(&mut world, Span::millis(stream.below(300)));
        let fault = match stream.below(8) {
            0 => drift(&mut stream, node_count),
            _ => random_fault(&world, &mut stream, leader(&world)),
        };
        world.apply(fault);
    }
    world.apply(Fault::Recover);
    testing::run(&mut world, Span::secs(15));
    assert_converges(&mut world, seed);
    assert_counted(world.history(), Some(2), format_args!("seed {seed}"));
    let operations = world.history().operations();
    let is_open =
        |operation: &&HistoryOperation| operation.completed.is_none() && operation.op.client.raw() < 4;
    let open: Vec<_> = operations.iter().filter(is_open).collect();
    assert!(open.is_empty(), "seed {seed}: {open:?}\n{}", described(&world));
}

/// A clock that runs fast or slow, so that no two differ by more than a lease allows.
fn drift(stream: &mut Stream, node_count: u32) -> Fault {
    let node = NodeId::new(u32::try_from(stream.below(u64::from(node_count))).expect("small"));
    let ppm = i32::try_from(stream.below(40_000)).expect("small") - 20_000;
    Fault::Clock { node, fault: ClockFault::Drift(ppm) }
}

#[test]
fn all_features_together_break_nothing_under_random_faults() {
    for seed in FIRST..FIRST + COUNT {
        explore(seed);
    }
}
