//! A link that stalls and then delivers everything at once.

use super::command::Command;
use super::kind::{About, Fault, FaultKind, GeneratorContext, Part, Rate, Severity, nodes_of};
use crate::Span;
use crate::random::Stream;

/// A link that stalls and then delivers everything at once.
pub(super) struct Hold;

impl FaultKind for Hold {
    fn about(&self) -> About {
        About {
            name: "hold",
            help: "One link keeps its messages for a while and delivers them in a burst.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(10)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        let (from, to) = context.draw_link(stream)?;
        let duration = context.draw_duration(stream);
        let nodes = nodes_of(&[&from, &to]);
        let (from, to) = (vec![from], vec![to]);
        let begin = Command::Hold { from: from.clone(), to: to.clone() };
        Some(Fault::between(Part::Network, nodes, duration, begin, Command::Release { from, to }))
    }
}
