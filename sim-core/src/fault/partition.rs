//! A network that falls apart.

use super::command::{Command, Place, Shape};
use super::kind::{About, Fault, FaultKind, GeneratorContext, Part, Rate, Severity};
use crate::random::Stream;
use crate::{NodeId, Span};

/// A network that falls apart.
pub(super) struct Partition;

impl FaultKind for Partition {
    fn about(&self) -> About {
        About {
            name: "partition",
            help: "The network splits: groups, one alone, a ring of majorities, a bridge, or one way only.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(5)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        let duration = context.draw_duration(stream);
        let name = context.partition_name(0);
        let begin = Command::Partition { name, shape: shape(stream, context)? };
        let nodes = context.nodes.clone();
        Some(Fault::between(Part::Network, nodes, duration, begin, Command::HealPartition(name)))
    }
}

/// Each shape is equally likely; sides are drawn anew, so that minorities of all sizes come up.
fn shape(stream: &mut Stream, context: &GeneratorContext) -> Option<Shape> {
    let count = context.nodes.len();
    let kind = stream.below(5);
    let size =
        1 + usize::try_from(stream.below((count as u64).checked_sub(1).filter(|most| *most > 0)?)).ok()?;
    let members = context.draw_subset(stream, size)?;
    let others: Vec<NodeId> = context.nodes.iter().copied().filter(|node| !members.contains(node)).collect();
    Some(match kind {
        0 => {
            Shape::Groups([members, others].map(|group| group.into_iter().map(Place::Node).collect()).into())
        }
        1 => Shape::Isolate(vec![Place::Node(members[0])]),
        2 => Shape::RingOfMajorities,
        3 => Shape::Bridge(members[0]),
        _ => Shape::OneWay { from: members, to: others },
    })
}
