//! A node stops in the middle of a handler.

use super::command::Command;
use super::kind::{About, Fault, FaultKind, GeneratorContext, Rate, Severity};
use crate::Span;
use crate::random::Stream;

/// A node stops in the middle of a handler.
pub(super) struct CrashAfterEffect;

impl FaultKind for CrashAfterEffect {
    fn about(&self) -> About {
        About {
            name: "crash-after-effect",
            help: "A node crashes between two effects of one handler, and restarts.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(10)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        let node = context.draw_node(stream)?;
        let duration = context.draw_duration(stream);
        let effects = [0, 1, 2, 3, 4, 5];
        let effects = *stream.pick(&effects)?;
        Some(Fault::outage(node, duration, Command::CrashAfterEffect { node, effects }))
    }
}
