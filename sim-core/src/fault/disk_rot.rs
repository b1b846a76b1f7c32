//! A record that can no longer be read when its node comes back.

use super::command::Command;
use super::kind::{About, Fault, FaultKind, GeneratorContext, Rate, Severity};
use crate::Span;
use crate::disk::{Corruption, DiskFault, SlotAddress};
use crate::random::Stream;

/// A record that can no longer be read when its node comes back.
pub(super) struct DiskRot;

impl FaultKind for DiskRot {
    fn about(&self) -> About {
        About {
            name: "disk-rot",
            help: "A node restarts, and one record of its disk cannot be read.",
            severity: Severity::BeyondCrashFault,
            rate: Rate::new(1, Span::secs(20)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        let node = context.draw_node(stream)?;
        let duration = context.draw_duration(stream);
        let region = context.draw_region(stream)?;
        // Cells have one record only, and blobs few.
        let index = if stream.below(2) == 0 { 0 } else { stream.below(RECORDS) };
        let fault = DiskFault::Corrupt { at: SlotAddress { region, index }, how: Corruption::Detected };
        let mut outage = Fault::outage(node, duration, Command::Crash(node));
        outage.begin.push(Command::Disk { node, fault });
        Some(outage)
    }
}

/// Faults hit the first records, which exist in most runs.
const RECORDS: u64 = 128;
