//! Leaders that are asked to hand over.

use super::kind::{About, Fault, FaultKind, GeneratorContext, Part, Rate, Severity};
use super::membership_change::{ask, at_some_time};
use crate::Span;
use crate::random::Stream;
use crate::service::Admin;

/// Leaders that are asked to hand over to a node that was drawn.
pub(super) struct LeadershipTransfer;

impl FaultKind for LeadershipTransfer {
    fn about(&self) -> About {
        About {
            name: "leadership-transfer",
            help: "The leader is asked 1 to 4 times to let another node lead, also right after elections.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(5)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        context.has_peers().then_some(())?;
        let duration = context.draw_duration(stream);
        let mut aimed = Vec::new();
        for nth in 1..=1 + u32::try_from(stream.below(4)).expect("below 4") {
            let (admin, node) = (context.draw_admin(stream)?, context.draw_node(stream)?);
            let command = ask(admin, Admin::TransferLeadership(node));
            aimed.push(at_some_time(stream, context, duration, nth, command));
        }
        Some(Fault::aimed(Part::Network, duration, aimed, 0))
    }
}
