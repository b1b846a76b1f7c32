//! Faults by hand and by chance.

use sim_core::disk::CrashLoss;
use sim_core::fault::{Command as Fault, LinkFault, Place, Shape};
use sim_core::network::{Direction, PartitionId};
use sim_core::random::{Probability, Stream};
use sim_core::{NodeId, Process, Span, World};

/// A probability in percent.
pub(crate) fn percent(percent: u64) -> Probability {
    Probability::from_ratio(percent, 100).expect("a valid ratio")
}

/// Nobody reaches `node`, nor it anybody.
pub(crate) fn isolate(node: NodeId) -> Fault {
    Fault::Partition { name: PartitionId::new(0), shape: Shape::Isolate(vec![Place::Node(node)]) }
}

/// The other nodes do not reach `node`, nor it them; clients do.
pub(crate) fn isolate_from_nodes<P: Process>(world: &World<P>, node: NodeId) -> Fault {
    let others = (0_u32..).take(world.nodes().count()).map(NodeId::new);
    let others = others.filter(|other| *other != node).map(Place::Node).collect();
    Fault::Cut { from: vec![Place::Node(node)], to: others, direction: Direction::BothWays }
}

/// A node by chance; a third of the time the one that matters most, if there is one.
pub(crate) fn random_node<P: Process>(
    world: &World<P>,
    stream: &mut Stream,
    favourite: Option<NodeId>,
) -> NodeId {
    let node = stream.below(world.nodes().count() as u64);
    let node = NodeId::new(u32::try_from(node).expect("few nodes"));
    if stream.below(3) == 0 { favourite.unwrap_or(node) } else { node }
}

/// A crash after one of the next effects of a node.
pub(crate) fn random_cut(stream: &mut Stream, node: NodeId) -> Fault {
    Fault::CrashAfterEffect { node, effects: u32::try_from(stream.below(8)).expect("small") }
}

/// Something that all links do to messages.
pub(crate) fn random_link_fault(stream: &mut Stream) -> Fault {
    Fault::AllLinks(match stream.below(3) {
        0 => LinkFault::Loss(Some(percent(stream.below(30)))),
        1 => LinkFault::Duplicate(Some(percent(stream.below(50)))),
        _ => LinkFault::Reorder { probability: Some(percent(30)), extra: Span::millis(stream.below(200)) },
    })
}

/// Anything that nodes with a disk must survive, often at `favourite`.
pub(crate) fn random_fault<P: Process>(
    world: &World<P>,
    stream: &mut Stream,
    favourite: Option<NodeId>,
) -> Fault {
    let node = random_node(world, stream, favourite);
    let is_up = world.process(node).is_some();
    let loss = if stream.below(2) == 0 { CrashLoss::Prefix } else { CrashLoss::TornLast };
    match stream.below(9) {
        0 | 1 if is_up => Fault::CrashLosing { node, loss },
        2 if is_up => random_cut(stream, node),
        0..=3 if !is_up => Fault::Restart(node),
        4 => isolate(node),
        5..=7 => random_link_fault(stream),
        _ => Fault::Recover,
    }
}
