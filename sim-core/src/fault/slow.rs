//! A node that limps.

use super::command::Command;
use super::kind::{About, Fault, FaultKind, GeneratorContext, Part, Rate, Severity};
use crate::Span;
use crate::random::Stream;

/// A node that limps.
pub(super) struct Slow;

impl FaultKind for Slow {
    fn about(&self) -> About {
        About {
            name: "slow",
            help: "A node takes 2 to 20 times as long to handle each input.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(10)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        let node = context.draw_node(stream)?;
        let duration = context.draw_duration(stream);
        let percent = *stream.pick(&[200, 500, 1_000, 2_000])?;
        let slow = |percent| Command::SlowDown { node, percent };
        Some(Fault::between(Part::Host, vec![node], duration, slow(percent), slow(100)))
    }
}
