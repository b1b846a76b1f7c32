//! A zone or a rack that fails as a whole.

use super::command::{Command, Place};
use super::kind::{About, Fault, FaultKind, GeneratorContext, Part, Rate, Severity};
use crate::network::Direction;
use crate::random::Stream;
use crate::{NodeId, Span};

/// A zone or a rack that fails as a whole. Where nodes have no failure domains this makes no sense.
pub(super) struct DomainFailure;

impl FaultKind for DomainFailure {
    fn about(&self) -> About {
        About {
            name: "domain-failure",
            help: "All nodes of a zone or a rack lose power at once, or lose touch with all others.",
            severity: Severity::Benign,
            rate: Rate::NEVER,
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        let duration = context.draw_duration(stream);
        let nodes = stream.pick(&context.domains)?.clone();
        let has_power = stream.below(2) == 0;
        if has_power { cut_off(nodes, duration, context) } else { Some(without_power(nodes, duration)) }
    }
}

/// The nodes reach each other, and nobody else.
fn cut_off(nodes: Vec<NodeId>, duration: Span, context: &GeneratorContext) -> Option<Fault> {
    let others: Vec<NodeId> = context.nodes.iter().copied().filter(|node| !nodes.contains(node)).collect();
    if others.is_empty() {
        return None;
    }
    let places = |nodes: &[NodeId]| nodes.iter().copied().map(Place::Node).collect::<Vec<_>>();
    let (from, to, direction) = (places(&nodes), places(&others), Direction::BothWays);
    let begin = Command::Cut { from: from.clone(), to: to.clone(), direction };
    let end = Command::Mend { from, to, direction };
    Some(Fault::between(Part::Network, nodes, duration, begin, end))
}

fn without_power(nodes: Vec<NodeId>, duration: Span) -> Fault {
    let each = |act: fn(NodeId) -> Command| nodes.iter().copied().map(act).collect();
    let (begin, end) = (each(Command::Crash), each(Command::Restart));
    Fault { begin, end, is_down: true, ..Fault::new(Part::Host, nodes, duration) }
}
