//! A node that comes back with an empty disk.

use super::command::Command;
use super::kind::{About, Fault, FaultKind, GeneratorContext, Rate, Severity};
use crate::Span;
use crate::random::Stream;

/// A node that comes back with an empty disk.
pub(super) struct Wipe;

impl FaultKind for Wipe {
    fn about(&self) -> About {
        About {
            name: "wipe",
            help: "A node crashes, and restarts with an empty disk.",
            severity: Severity::BeyondCrashFault,
            rate: Rate::new(1, Span::secs(30)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        let node = context.draw_node(stream)?;
        let duration = context.draw_duration(stream);
        let mut fault = Fault::outage(node, duration, Command::Crash(node));
        fault.begin.push(Command::Wipe(node));
        Some(fault)
    }
}
