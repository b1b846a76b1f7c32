//! A crash catches the disk in the middle of a write.

use super::command::Command;
use super::kind::{About, Fault, FaultKind, GeneratorContext, Rate, Severity};
use crate::Span;
use crate::disk::CrashLoss;
use crate::random::Stream;

/// A crash catches the disk in the middle of a write.
pub(super) struct DiskTorn;

impl FaultKind for DiskTorn {
    fn about(&self) -> About {
        About {
            name: "disk-torn",
            help: "A node crashes with an un-synced write half on its disk, and restarts.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(10)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        let node = context.draw_node(stream)?;
        let duration = context.draw_duration(stream);
        let loss = CrashLoss::TornLast;
        Some(Fault::outage(node, duration, Command::CrashLosing { node, loss }))
    }
}
