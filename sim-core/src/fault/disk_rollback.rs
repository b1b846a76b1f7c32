//! A disk that comes back older than it was: a restored snapshot, a replica promoted too early.

use super::command::Command;
use super::kind::{About, Fault, FaultKind, GeneratorContext, Rate, Severity};
use crate::Span;
use crate::disk::DiskFault;
use crate::random::Stream;

/// A disk that comes back older than it was: a restored snapshot, a replica promoted too early.
pub(super) struct DiskRollback;

impl FaultKind for DiskRollback {
    fn about(&self) -> About {
        About {
            name: "disk-rollback",
            help: "A node crashes, and restarts on what one region held 1 to 8 syncs ago.",
            severity: Severity::BeyondCrashFault,
            rate: Rate::new(1, Span::secs(20)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        let node = context.draw_node(stream)?;
        let duration = context.draw_duration(stream);
        let region = context.draw_region(stream)?;
        let syncs = *stream.pick(&[1, 2, 4, 8])?;
        let mut fault = Fault::outage(node, duration, Command::Crash(node));
        fault.begin.push(Command::Disk { node, fault: DiskFault::RollBack { region, syncs } });
        Some(fault)
    }
}
