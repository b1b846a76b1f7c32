//! A node that crashes while it tries to lead, and is soon back.

use super::command::Command;
use super::condition::StatusEvent;
use super::kind::{About, Aimed, Fault, FaultKind, GeneratorContext, Part, Rate, Severity};
use super::target::Target;
use crate::Span;
use crate::random::Stream;

/// A node that crashes while it tries to lead, and is soon back: what it has told the others outlives what it knows.
///
/// Only one in each fault, so that the `gap` between faults keeps two such crashes apart. Where many in a row are
/// wanted, and by whomever, there is [`VoteCrashes`](super::vote_crashes::VoteCrashes).
pub(super) struct CandidateCrash;

/// How long after its candidacy began the node crashes, and how long it is down, at most.
const CRASH_AFTER: Span = Span::millis(20);
const DOWN_FOR: Span = Span::millis(20);

impl FaultKind for CandidateCrash {
    fn about(&self) -> About {
        About {
            name: "candidate-crash",
            help: "The next node that tries to lead crashes within 20 ms, and is back within 20 ms more.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(5)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        context.has_peers().then_some(())?;
        let duration = context.draw_duration(stream);
        let crash_at = context.draw_delay(stream, CRASH_AFTER);
        let back_at = crash_at + stream.span(Span::millis(1), DOWN_FOR);
        let then = |at, command| Aimed::after(StatusEvent::BecomesCandidate, 1, at, command);
        let aimed = vec![
            then(crash_at, crash(stream)),
            then(back_at, Command::Restart(Target::AllDown)),
            Aimed::at(duration, Command::Restart(Target::AllDown)),
        ];
        Some(Fault::aimed(Part::Host, duration, aimed, 1))
    }
}

/// Three in four at once, the others in the middle of the next handler.
fn crash(stream: &mut Stream) -> Command<Target> {
    let node = Target::Candidate;
    match stream.below(4) {
        0 => Command::CrashAfterEffect { node, effects: 1 },
        _ => Command::Crash(node),
    }
}
