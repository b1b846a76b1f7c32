//! All nodes lose power at once.

use super::command::Command;
use super::kind::{About, Fault, FaultKind, GeneratorContext, Part, Rate, Severity};
use crate::random::Stream;
use crate::{NodeId, Span};

/// All nodes lose power at once, and come back one by one. Where a scenario keeps a majority up this never fits.
pub(super) struct PowerFailure;

impl FaultKind for PowerFailure {
    fn about(&self) -> About {
        About {
            name: "power-failure",
            help: "All nodes crash at once and restart one by one; only where that many may be down.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(10)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        let duration = context.draw_duration(stream);
        let nodes = context.draw_subset(stream, context.nodes.len()).filter(|nodes| nodes.len() > 1)?;
        let (last, others) = nodes.split_last()?;
        let mut back: Vec<(Span, NodeId)> =
            others.iter().map(|node| (stream.span(Span::ZERO, duration), *node)).collect();
        back.sort_unstable();
        let mut fault = Fault { is_down: true, ..Fault::new(Part::Host, nodes.clone(), duration) };
        fault.begin = nodes.iter().map(|node| Command::Crash(*node)).collect();
        fault.during = back.into_iter().map(|(at, node)| (at, Command::Restart(node))).collect();
        fault.end = vec![Command::Restart(*last)];
        Some(fault)
    }
}
