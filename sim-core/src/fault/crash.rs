//! A node stops and starts again later.

use super::command::Command;
use super::kind::{About, Fault, FaultKind, GeneratorContext, Rate, Severity};
use crate::Span;
use crate::random::Stream;

/// A node stops and starts again later.
pub(super) struct Crash;

impl FaultKind for Crash {
    fn about(&self) -> About {
        About {
            name: "crash",
            help: "A node stops, losing un-synced writes, and restarts.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(5)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        let node = context.draw_node(stream)?;
        let duration = context.draw_duration(stream);
        Some(Fault::outage(node, duration, Command::Crash(node)))
    }
}
