//! A network that delivers messages again, long after they were sent.

use super::command::{Command, LinkFault};
use super::kind::{About, Fault, FaultKind, GeneratorContext, Part, Rate, Severity};
use crate::Span;
use crate::random::{Probability, Stream};

/// A network that delivers messages again, long after they were sent.
pub(super) struct LateDuplicates;

impl FaultKind for LateDuplicates {
    fn about(&self) -> About {
        About {
            name: "late-duplicates",
            help: "All links deliver 10 to 50 percent twice, and hold as many back, by 20 ms to 2 s.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(5)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        context.has_peers().then_some(())?;
        let duration = context.draw_duration(stream);
        let likely = |stream: &mut Stream| Probability::from_ratio(1 + stream.below(5), 10).ok();
        let (twice, late) = (likely(stream), likely(stream));
        let extra = *stream.pick(&[20, 100, 500, 2_000].map(Span::millis))?;
        let reorder = |probability| Command::AllLinks(LinkFault::Reorder { probability, extra });
        let mut fault = Fault::new(Part::Network, context.nodes.clone(), duration);
        fault.begin = vec![Command::AllLinks(LinkFault::Duplicate(twice)), reorder(late)];
        fault.end = vec![Command::AllLinks(LinkFault::Duplicate(None)), reorder(None)];
        Some(fault)
    }
}
