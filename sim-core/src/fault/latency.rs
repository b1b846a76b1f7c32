//! A link that is slow.

use super::command::{Command, LinkFault};
use super::kind::{About, Fault, FaultKind, GeneratorContext, Part, Rate, Severity, nodes_of};
use crate::Span;
use crate::random::Stream;

/// A link that is slow.
pub(super) struct Latency;

impl FaultKind for Latency {
    fn about(&self) -> About {
        About {
            name: "latency",
            help: "One link takes 2 to 50 times as long, one way.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(5)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        let (from, to) = context.draw_link(stream)?;
        let duration = context.draw_duration(stream);
        let link = |fault| Command::Link { from: vec![from.clone()], to: vec![to.clone()], fault };
        let percent = *stream.pick(&[200, 500, 1_000, 5_000])?;
        let nodes = nodes_of(&[&from, &to]);
        Some(Fault::between(
            Part::Network,
            nodes,
            duration,
            link(LinkFault::LatencyPercent(percent)),
            link(LinkFault::LatencyPercent(100)),
        ))
    }
}
