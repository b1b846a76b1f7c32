//! A disk that is full.

use super::command::Command;
use super::kind::{About, Fault, FaultKind, GeneratorContext, Part, Rate, Severity};
use crate::Span;
use crate::disk::DiskFault;
use crate::random::Stream;

/// A disk that is full.
pub(super) struct DiskFull;

impl FaultKind for DiskFull {
    fn about(&self) -> About {
        About {
            name: "disk-full",
            help: "A disk refuses writes beyond a few KiB for a while.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(20)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        let node = context.draw_node(stream)?;
        let duration = context.draw_duration(stream);
        let bytes = *stream.pick(&[0, 1 << 10, 1 << 14])?;
        let disk = |fault| Command::Disk { node, fault };
        let (begin, end) = (disk(DiskFault::Capacity(Some(bytes))), disk(DiskFault::Capacity(None)));
        Some(Fault::between(Part::Disk, vec![node], duration, begin, end))
    }
}
