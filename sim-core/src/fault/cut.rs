//! A link that carries nothing.

use super::command::Command;
use super::kind::{About, Fault, FaultKind, GeneratorContext, Part, Rate, Severity, nodes_of};
use crate::Span;
use crate::network::Direction;
use crate::random::Stream;

/// A link that carries nothing.
pub(super) struct Cut;

impl FaultKind for Cut {
    fn about(&self) -> About {
        About {
            name: "cut",
            help: "One link, of nodes or of a client, drops everything one way or both ways.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(5)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        let (from, to) = context.draw_link(stream)?;
        let duration = context.draw_duration(stream);
        let direction = *stream.pick(&[Direction::OneWay, Direction::BothWays])?;
        let nodes = nodes_of(&[&from, &to]);
        let (from, to) = (vec![from], vec![to]);
        let begin = Command::Cut { from: from.clone(), to: to.clone(), direction };
        Some(Fault::between(Part::Network, nodes, duration, begin, Command::Mend { from, to, direction }))
    }
}
