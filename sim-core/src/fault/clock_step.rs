//! A wall clock that jumps.

use super::command::Command;
use super::kind::{About, Fault, FaultKind, GeneratorContext, Part, Rate, Severity};
use crate::Span;
use crate::clock::ClockFault;
use crate::random::Stream;

/// A wall clock that jumps.
pub(super) struct ClockStep;

impl FaultKind for ClockStep {
    fn about(&self) -> About {
        About {
            name: "clock-step",
            help: "A node's wall clock jumps by 10 ms to an hour either way, and is then set right.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(10)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        let node = context.draw_node(stream)?;
        let duration = context.draw_duration(stream);
        let nanos = *stream.pick(&STEPS)?;
        let nanos = *stream.pick(&[nanos, -nanos])?;
        let clock = |fault| Command::Clock { node, fault };
        let (begin, end) = (clock(ClockFault::Step(nanos)), clock(ClockFault::Heal));
        Some(Fault::between(Part::Clock, vec![node], duration, begin, end))
    }
}

/// 10 ms, 200 ms, 5 s, an hour: within a round trip, about an election timeout, beyond a lease, a wrong time zone.
const STEPS: [i64; 4] = [10_000_000, 200_000_000, 5_000_000_000, 3_600_000_000_000];
