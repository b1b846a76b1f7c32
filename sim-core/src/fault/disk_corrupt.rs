//! A record that rots on its disk.

use super::command::Command;
use super::kind::{About, Fault, FaultKind, GeneratorContext, Part, Rate, Severity};
use crate::Span;
use crate::disk::{Corruption, DiskFault, SlotAddress};
use crate::random::Stream;

/// A record that rots on its disk.
pub(super) struct DiskCorrupt;

impl FaultKind for DiskCorrupt {
    fn about(&self) -> About {
        About {
            name: "disk-corrupt",
            help: "One durable record becomes unreadable, or reads as something else where the protocol says how.",
            severity: Severity::BeyondCrashFault,
            rate: Rate::new(1, Span::secs(20)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        let node = context.draw_node(stream)?;
        let duration = context.draw_duration(stream);
        let region = context.draw_region(stream)?;
        let at = SlotAddress { region, index: stream.below(RECORDS) };
        let mangling = Corruption::Undetected(stream.next_u64());
        let how = *stream.pick(&[Corruption::Detected, mangling])?;
        let begin = vec![Command::Disk { node, fault: DiskFault::Corrupt { at, how } }];
        Some(Fault { begin, ..Fault::new(Part::Disk, vec![node], duration) })
    }
}

/// Faults hit the first records, which exist in most runs.
const RECORDS: u64 = 32;
