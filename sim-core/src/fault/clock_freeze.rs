//! Clocks that stand still.

use super::command::Command;
use super::kind::{About, Fault, FaultKind, GeneratorContext, Part, Rate, Severity};
use crate::Span;
use crate::clock::ClockFault;
use crate::random::Stream;

/// Clocks that stand still.
pub(super) struct ClockFreeze;

impl FaultKind for ClockFreeze {
    fn about(&self) -> About {
        About {
            name: "clock-freeze",
            help: "A node's clocks stand still, and are then set right.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(20)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        let node = context.draw_node(stream)?;
        let duration = context.draw_duration(stream);
        let clock = |fault| Command::Clock { node, fault };
        let (begin, end) = (clock(ClockFault::Freeze), clock(ClockFault::Heal));
        Some(Fault::between(Part::Clock, vec![node], duration, begin, end))
    }
}
