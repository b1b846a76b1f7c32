//! Nodes that crash while an election is under way, and are back before it is over.

use super::command::Command;
use super::condition::StatusEvent;
use super::kind::{About, Aimed, Fault, FaultKind, GeneratorContext, Part, Rate, Severity};
use super::target::Target;
use crate::Span;
use crate::random::Stream;

/// Nodes that crash while an election is under way, and are back before it is over: what they promised must still
/// bind them.
pub(super) struct VoteCrashes;

/// How long after a candidacy began somebody crashes, and how long that one is down, at most.
const CRASH_AFTER: Span = Span::millis(40);
const DOWN_FOR: Span = Span::millis(40);

impl FaultKind for VoteCrashes {
    fn about(&self) -> About {
        About {
            name: "vote-crashes",
            help: "In the next 2 to 8 candidacies a node crashes, between effects or not, for up to 40 ms.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(5)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        context.has_peers().then_some(())?;
        let duration = context.draw_duration(stream);
        let candidacies = 2 + u32::try_from(stream.below(7)).expect("below 7");
        let event = *stream.pick(&[StatusEvent::BecomesCandidate, StatusEvent::EpochRises])?;
        let mut aimed = Vec::new();
        for nth in 1..=candidacies {
            let crash_at = context.draw_delay(stream, CRASH_AFTER);
            let back_at = crash_at + stream.span(Span::millis(1), DOWN_FOR);
            // Whoever was down before is up again first, so that one at most is down.
            aimed.push(Aimed::after(event, nth, crash_at, Command::Restart(Target::AllDown)));
            aimed.push(Aimed::after(event, nth, crash_at, crash(stream)));
            aimed.push(Aimed::after(event, nth, back_at, Command::Restart(Target::AllDown)));
        }
        aimed.push(Aimed::at(duration, Command::Restart(Target::AllDown)));
        Some(Fault::aimed(Part::Host, duration, aimed, 1))
    }
}

fn crash(stream: &mut Stream) -> Command<Target> {
    let effects = u32::try_from(stream.below(8)).expect("below 8");
    match effects {
        0..4 => Command::CrashAfterEffect { node: Target::Any, effects },
        4.. => Command::Crash(Target::Any),
    }
}
