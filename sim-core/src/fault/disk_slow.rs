//! A disk that is slow.

use super::command::Command;
use super::kind::{About, Fault, FaultKind, GeneratorContext, Part, Rate, Severity};
use crate::Span;
use crate::disk::{DiskFault, SlowFactor};
use crate::random::Stream;

/// A disk that is slow.
pub(super) struct DiskSlow;

impl FaultKind for DiskSlow {
    fn about(&self) -> About {
        About {
            name: "disk-slow",
            help: "A disk takes 2 to 100 times as long to sync.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(10)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        let node = context.draw_node(stream)?;
        let duration = context.draw_duration(stream);
        let factor = *stream.pick(&[2, 10, 100])?;
        let slow = |factor| DiskFault::Slow(factor);
        let disk = |fault| Command::Disk { node, fault };
        let (begin, end) = (disk(slow(SlowFactor::times(factor))), disk(slow(SlowFactor::NORMAL)));
        Some(Fault::between(Part::Disk, vec![node], duration, begin, end))
    }
}
