//! A write that lands somewhere else.

use super::command::Command;
use super::kind::{About, Fault, FaultKind, GeneratorContext, Rate, Severity};
use crate::Span;
use crate::disk::{DiskFault, SlotAddress};
use crate::random::Stream;

/// A write that lands somewhere else.
pub(super) struct DiskMisdirect;

impl FaultKind for DiskMisdirect {
    fn about(&self) -> About {
        About {
            name: "disk-misdirect",
            help: "The next write of a region overwrites another record; the node then crashes, and restarts.",
            severity: Severity::BeyondCrashFault,
            rate: Rate::new(1, Span::secs(20)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        let node = context.draw_node(stream)?;
        let duration = context.draw_duration(stream);
        let region = context.draw_region(stream)?;
        let onto = SlotAddress { region: context.draw_region(stream)?, index: stream.below(RECORDS) };
        let half = Span::nanos(duration.as_nanos() / 2);
        let begin = Command::Disk { node, fault: DiskFault::Misdirect { from: region, onto } };
        Some(Fault { during: vec![(half, Command::Crash(node))], ..Fault::outage(node, duration, begin) })
    }
}

/// Faults hit the first records, which exist in most runs.
const RECORDS: u64 = 32;
