//! A link that loses much.

use super::command::{Command, LinkFault};
use super::kind::{About, Fault, FaultKind, GeneratorContext, Part, Rate, Severity, nodes_of};
use crate::Span;
use crate::random::{Probability, Stream};

/// A link that loses much.
pub(super) struct LossBurst;

impl FaultKind for LossBurst {
    fn about(&self) -> About {
        About {
            name: "loss-burst",
            help: "One link loses 10 to 90 percent of its messages, one way.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(5)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        let (from, to) = context.draw_link(stream)?;
        let duration = context.draw_duration(stream);
        let link = |fault| Command::Link { from: vec![from.clone()], to: vec![to.clone()], fault };
        let loss = Probability::from_ratio(1 + stream.below(9), 10).ok();
        let nodes = nodes_of(&[&from, &to]);
        Some(Fault::between(
            Part::Network,
            nodes,
            duration,
            link(LinkFault::Loss(loss)),
            link(LinkFault::Loss(None)),
        ))
    }
}
