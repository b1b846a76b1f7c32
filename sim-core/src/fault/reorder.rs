//! A link on which messages overtake each other.

use super::command::{Command, LinkFault};
use super::kind::{About, Fault, FaultKind, GeneratorContext, Part, Rate, Severity, nodes_of};
use crate::Span;
use crate::random::{Probability, Stream};

/// A link on which messages overtake each other.
pub(super) struct Reorder;

impl FaultKind for Reorder {
    fn about(&self) -> About {
        About {
            name: "reorder",
            help: "One link holds 10 to 90 percent of its messages back by up to 200 ms, one way.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(10)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        let (from, to) = context.draw_link(stream)?;
        let duration = context.draw_duration(stream);
        let link = |fault| Command::Link { from: vec![from.clone()], to: vec![to.clone()], fault };
        let likely = Probability::from_ratio(1 + stream.below(9), 10).ok();
        let extra = stream.span(Span::millis(1), Span::millis(200));
        let nodes = nodes_of(&[&from, &to]);
        Some(Fault::between(
            Part::Network,
            nodes,
            duration,
            link(LinkFault::Reorder { probability: likely, extra }),
            link(LinkFault::Reorder { probability: None, extra }),
        ))
    }
}
