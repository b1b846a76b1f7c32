//! A disk that says it has synced and has not.

use super::command::Command;
use super::kind::{About, Fault, FaultKind, GeneratorContext, Rate, Severity};
use crate::Span;
use crate::disk::{DiskFault, SyncHonesty};
use crate::random::Stream;

/// A disk that says it has synced and has not.
pub(super) struct DiskLie;

impl FaultKind for DiskLie {
    fn about(&self) -> About {
        About {
            name: "disk-lie",
            help: "A disk's syncs make nothing durable; the node then crashes, and restarts.",
            severity: Severity::BeyondCrashFault,
            rate: Rate::new(1, Span::secs(20)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        let node = context.draw_node(stream)?;
        let duration = context.draw_duration(stream);
        let disk = |honesty| Command::Disk { node, fault: DiskFault::Sync(honesty) };
        let half = Span::nanos(duration.as_nanos() / 2);
        Some(Fault {
            during: vec![(half, Command::Crash(node))],
            end: vec![disk(SyncHonesty::Honest), Command::Restart(node)],
            ..Fault::outage(node, duration, disk(SyncHonesty::Lying))
        })
    }
}
