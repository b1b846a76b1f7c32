//! Leaders whose clocks run wrong.

use super::command::Command;
use super::kind::{About, Aimed, Fault, FaultKind, GeneratorContext, Part, Rate, Severity};
use super::target::Target;
use crate::Span;
use crate::clock::ClockFault;
use crate::random::Stream;

/// A leader whose clocks run wrong: what it believes to hold for some time holds for another.
pub(super) struct LeaderClock;

impl FaultKind for LeaderClock {
    fn about(&self) -> About {
        About {
            name: "leader-clock",
            help: "The leader's clocks run 0.1 to 30 percent fast or slow, and are then set right.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(10)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        context.has_peers().then_some(())?;
        let duration = context.draw_duration(stream);
        let ppm = *stream.pick(&[1_000, 50_000, 300_000])?;
        let ppm = *stream.pick(&[ppm, -ppm])?;
        let drift = Command::Clock { node: Target::Leader, fault: ClockFault::Drift(ppm) };
        let heal = Command::Clock { node: Target::All, fault: ClockFault::Heal };
        let aimed = vec![Aimed::at(Span::ZERO, drift), Aimed::at(duration, heal)];
        Some(Fault::aimed(Part::Clock, duration, aimed, 0))
    }
}
