//! Snapshots that are asked for at any moment.

use super::kind::{About, Fault, FaultKind, GeneratorContext, Part, Rate, Severity};
use super::membership_change::{ask, at_some_time};
use crate::Span;
use crate::random::Stream;
use crate::service::Admin;

/// Snapshots that are asked for at any moment, so that whoever lags behind needs one.
pub(super) struct Snapshot;

impl FaultKind for Snapshot {
    fn about(&self) -> About {
        About {
            name: "snapshot",
            help: "The leader is asked 1 to 4 times to take a snapshot and compact its log.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(5)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        context.has_peers().then_some(())?;
        let duration = context.draw_duration(stream);
        let mut aimed = Vec::new();
        for nth in 1..=1 + u32::try_from(stream.below(4)).expect("below 4") {
            let command = ask(context.draw_admin(stream)?, Admin::Snapshot);
            aimed.push(at_some_time(stream, context, duration, nth, command));
        }
        Some(Fault::aimed(Part::Network, duration, aimed, 0))
    }
}
