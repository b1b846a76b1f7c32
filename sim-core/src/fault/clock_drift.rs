//! Clocks that run fast or slow.

use super::command::Command;
use super::kind::{About, Fault, FaultKind, GeneratorContext, Part, Rate, Severity};
use crate::Span;
use crate::clock::ClockFault;
use crate::random::Stream;

/// Clocks that run fast or slow.
pub(super) struct ClockDrift;

impl FaultKind for ClockDrift {
    fn about(&self) -> About {
        About {
            name: "clock-drift",
            help: "A node's clocks run 0.01 to 30 percent fast or slow, and are then set right.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(10)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        let node = context.draw_node(stream)?;
        let duration = context.draw_duration(stream);
        let ppm = *stream.pick(&[100, 1_000, 50_000, 300_000])?;
        let ppm = *stream.pick(&[ppm, -ppm])?;
        let clock = |fault| Command::Clock { node, fault };
        let (begin, end) = (clock(ClockFault::Drift(ppm)), clock(ClockFault::Heal));
        Some(Fault::between(Part::Clock, vec![node], duration, begin, end))
    }
}
