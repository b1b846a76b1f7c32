//! A disk that hangs.

use super::command::Command;
use super::kind::{About, Fault, FaultKind, GeneratorContext, Part, Rate, Severity};
use crate::Span;
use crate::disk::DiskFault;
use crate::random::Stream;

/// A disk that hangs.
pub(super) struct DiskStall;

impl FaultKind for DiskStall {
    fn about(&self) -> About {
        About {
            name: "disk-stall",
            help: "A disk completes no sync for a while.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(10)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        let node = context.draw_node(stream)?;
        let duration = context.draw_duration(stream);
        let disk = |fault| Command::Disk { node, fault };
        let (begin, end) = (disk(DiskFault::Stall), disk(DiskFault::Unstall));
        Some(Fault::between(Part::Disk, vec![node], duration, begin, end))
    }
}
