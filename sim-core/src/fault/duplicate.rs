//! A link that delivers twice.

use super::command::{Command, LinkFault};
use super::kind::{About, Fault, FaultKind, GeneratorContext, Part, Rate, Severity, nodes_of};
use crate::Span;
use crate::random::{Probability, Stream};

/// A link that delivers twice.
pub(super) struct Duplicate;

impl FaultKind for Duplicate {
    fn about(&self) -> About {
        About {
            name: "duplicate",
            help: "One link delivers 10 to 90 percent of its messages twice, one way.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(10)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        let (from, to) = context.draw_link(stream)?;
        let duration = context.draw_duration(stream);
        let link = |fault| Command::Link { from: vec![from.clone()], to: vec![to.clone()], fault };
        let likely = Probability::from_ratio(1 + stream.below(9), 10).ok();
        let nodes = nodes_of(&[&from, &to]);
        Some(Fault::between(
            Part::Network,
            nodes,
            duration,
            link(LinkFault::Duplicate(likely)),
            link(LinkFault::Duplicate(None)),
        ))
    }
}
