//! Leaders whose clocks run wrong.

use super::command::Command;
use super::condition::StatusEvent;
use super::kind::{About, Aimed, Fault, FaultKind, GeneratorContext, Part, Rate, Severity};
use super::target::Target;
use crate::Span;
use crate::clock::ClockFault;
use crate::random::Stream;

/// Leaders whose clocks run wrong: what they believe to hold for some time holds for another. Only the clocks of whoever
/// leads do, or led a moment ago: whoever is deposed and does not know it goes on in the wrong time for a while.
pub(super) struct LeaderClock;

/// How long after an election the old leader's clocks are set right and the new one's go wrong.
const NEXT_AFTER: (Span, Span) = (Span::millis(100), Span::millis(400));

impl FaultKind for LeaderClock {
    fn about(&self) -> About {
        About {
            name: "leader-clock",
            help: "The clocks of the leader and the next 1 to 4 run 1 to 30 percent fast or slow, and are then set right.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(10)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        context.has_peers().then_some(())?;
        let duration = context.draw_duration(stream);
        let ppm = *stream.pick(&[10_000, 100_000, 300_000])?;
        let ppm = *stream.pick(&[ppm, -ppm])?;
        let leaders = 1 + u32::try_from(stream.below(4)).expect("below 4");
        let mut aimed = vec![Aimed::at(Span::ZERO, drift(ppm))];
        for nth in 1..=leaders {
            let next_at = stream.span(NEXT_AFTER.0, NEXT_AFTER.1);
            let mut then =
                |command| aimed.push(Aimed::after(StatusEvent::BecomesLeader, nth, next_at, command));
            then(set_right());
            then(drift(ppm));
        }
        aimed.push(Aimed::at(duration, set_right()));
        Some(Fault::aimed(Part::Clock, duration, aimed, 0))
    }
}

fn drift(ppm: i32) -> Command<Target> {
    Command::Clock { node: Target::Leader, fault: ClockFault::Drift(ppm) }
}

fn set_right() -> Command<Target> {
    Command::Clock { node: Target::All, fault: ClockFault::Heal }
}
