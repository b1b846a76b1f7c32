//! Tests of what a protocol names: its gauges and its fault points.

use std::collections::BTreeMap;

use sim_core::fault::Command as Fault;
use sim_core::status::Standing;
use sim_core::{NodeId, Process, SimTime, Span, World};

use super::run;

/// Checks every millisecond, for `millis` of them, that a gauge is what its process holds; somewhere it must be above zero.
/// After a third of the time node 0 crashes, and at half time it restarts.
pub(crate) fn assert_gauge<P: Process>(
    world: &mut World<P>,
    gauge: usize,
    millis: u64,
    held: impl Fn(&P) -> u64,
) {
    let (mut highest, none) = (0, BTreeMap::new());
    for round in 1..millis {
        world.run(SimTime::ZERO + Span::millis(round), u64::MAX);
        if round == millis / 3 {
            world.apply(Fault::Crash(NodeId::new(0)));
        } else if round == millis / 2 {
            world.apply(Fault::Restart(NodeId::new(0)));
        }
        let summary = world.metrics().summary(world.now());
        let told = summary.process_gauges.get(P::GAUGES[gauge]).unwrap_or(&none);
        assert_eq!(told.len(), world.nodes().count(), "all tell it from their start on");
        for (node, gauge) in told {
            assert_eq!(gauge.last, world.process(*node).map(&held), "{node} at {}", world.now());
            highest = highest.max(gauge.max);
        }
    }
    assert!(highest > 0, "`{}` was never above zero", P::GAUGES[gauge]);
}

/// Has nodes crash at each of these fault points, from the one whose turn to lead is next to the leader itself: each has just come back
/// from a crash and had time to recover when the leader goes. Counts how often each point struck.
pub(crate) fn crash_at_points<P: Process>(
    world: &mut World<P>,
    points: &[&'static str],
) -> BTreeMap<&'static str, u32> {
    let node_count = world.nodes().count();
    let mut struck = BTreeMap::new();
    for (point, turn) in points.iter().flat_map(|point| (1..=node_count).map(move |turn| (*point, turn))) {
        let last = leader(world).map_or(0, NodeId::index);
        let node = NodeId::new(u32::try_from((last + turn) % node_count).expect("few nodes"));
        *struck.entry(point).or_default() += u32::from(is_struck(world, node, point));
    }
    struck
}

/// Whether `node` crashes at `point` within a second in which it comes back and the leader goes. In the end all run again.
fn is_struck<P: Process>(world: &mut World<P>, node: NodeId, point: &str) -> bool {
    world.apply(Fault::Crash(node));
    run(world, Span::millis(100));
    world.apply(Fault::Restart(node));
    world.apply(Fault::CrashAtPoint { node, point: point.parse().expect("a name"), nth: 1 });
    run(world, Span::millis(300));
    let leader = leader(world).filter(|leader| *leader != node);
    if let Some(leader) = leader {
        world.apply(Fault::Crash(leader));
    }
    run(world, Span::millis(700));
    let is_struck = world.process(node).is_none();
    // Where it did not strike, this calls it off.
    world.apply(Fault::Crash(node));
    run(world, Span::millis(50));
    for node in [Some(node), leader].into_iter().flatten() {
        world.apply(Fault::Restart(node));
    }
    run(world, Span::millis(700));
    is_struck
}

/// Who leads the latest epoch, of those that run.
fn leader<P: Process>(world: &World<P>) -> Option<NodeId> {
    let statuses = world.nodes().running().map(|(node, process)| (node, process.status()));
    let leaders = statuses.filter(|(_, status)| status.standing == Standing::Leader);
    leaders.max_by_key(|(_, status)| status.epoch).map(|(node, _)| node)
}
