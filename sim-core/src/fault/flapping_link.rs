//! A link that comes and goes.

use super::command::{Command, Shape};
use super::kind::{About, Fault, FaultKind, GeneratorContext, Part, Rate, Severity};
use crate::Span;
use crate::random::Stream;

/// A link that comes and goes.
pub(super) struct FlappingLink;

impl FaultKind for FlappingLink {
    fn about(&self) -> About {
        About {
            name: "flapping-link",
            help: "Two nodes lose and find each other 2 to 10 times.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(10)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        let pair = context.draw_subset(stream, 2)?;
        let duration = context.draw_duration(stream);
        let name = context.partition_name(1);
        // From both to both parts them from each other and from nobody else.
        let shape = Shape::OneWay { from: pair.clone(), to: pair.clone() };
        let cut = || Command::Partition { name, shape: shape.clone() };
        let periods = 2 + stream.below(9);
        let at = |half_period| Span::nanos(duration.as_nanos() / (2 * periods) * half_period);
        let during = (1..2 * periods - 1)
            .map(|half| (at(half), if half % 2 == 0 { cut() } else { Command::HealPartition(name) }));
        let mut fault = Fault::new(Part::Network, pair.clone(), at(2 * periods - 1));
        (fault.begin, fault.during) = (vec![cut()], during.collect());
        fault.end.push(Command::HealPartition(name));
        Some(fault)
    }
}
