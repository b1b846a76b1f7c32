//! Leaders that are not scheduled for longer than their followers wait.

use super::command::Command;
use super::condition::StatusEvent;
use super::kind::{About, Aimed, Fault, FaultKind, GeneratorContext, Part, Rate, Severity};
use super::target::Target;
use crate::Span;
use crate::random::Stream;

/// Leaders that are not scheduled for longer than their followers wait: they wake up and believe that they lead.
pub(super) struct LeaderPauses;

impl FaultKind for LeaderPauses {
    fn about(&self) -> About {
        About {
            name: "leader-pauses",
            help: "The leader and the next 1 to 3 are paused for 100 ms to 1.5 s, one after the other.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(5)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        context.has_peers().then_some(())?;
        let duration = context.draw_duration(stream);
        let leaders = 1 + u32::try_from(stream.below(3)).expect("below 3");
        let mut aimed = vec![Aimed::at(Span::ZERO, Command::Pause(Target::Leader))];
        for nth in 1..=leaders {
            let pause_at = context.draw_delay(stream, Span::millis(500));
            let resume_at = pause_at + stream.span(Span::millis(100), Span::millis(1_500));
            let mut then =
                |at, command| aimed.push(Aimed::after(StatusEvent::BecomesLeader, nth, at, command));
            then(pause_at, Command::Pause(Target::Leader));
            then(resume_at, Command::Resume(Target::All));
        }
        aimed.push(Aimed::at(duration, Command::Resume(Target::All)));
        Some(Fault::aimed(Part::Host, duration, aimed, 0))
    }
}
