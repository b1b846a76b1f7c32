//! A wall clock that flips between two times.

use super::command::Command;
use super::kind::{About, Fault, FaultKind, GeneratorContext, Part, Rate, Severity};
use crate::Span;
use crate::clock::ClockFault;
use crate::random::Stream;

/// A wall clock that flips between two times.
pub(super) struct ClockStrobe;

impl FaultKind for ClockStrobe {
    fn about(&self) -> About {
        About {
            name: "clock-strobe",
            help: "A node's wall clock flips by up to 200 ms every few milliseconds (Jepsen's strobe).",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(20)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        let node = context.draw_node(stream)?;
        let duration = context.draw_duration(stream);
        let amplitude = stream.span(Span::millis(1), Span::millis(200));
        let period = stream.span(Span::millis(1), Span::millis(20));
        let clock = |fault| Command::Clock { node, fault };
        let (begin, end) = (clock(ClockFault::Strobe { amplitude, period }), clock(ClockFault::Heal));
        Some(Fault::between(Part::Clock, vec![node], duration, begin, end))
    }
}
