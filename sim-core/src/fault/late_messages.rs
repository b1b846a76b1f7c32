//! Messages of a leader that arrive after the next one was elected.

use super::command::{Command, Place};
use super::condition::StatusEvent;
use super::kind::{About, Aimed, Fault, FaultKind, GeneratorContext, Part, Rate, Severity};
use super::target::Target;
use crate::Span;
use crate::random::Stream;

/// Messages of a leader, or to it, that arrive after the next one was elected.
pub(super) struct LateMessages;

impl FaultKind for LateMessages {
    fn about(&self) -> About {
        About {
            name: "late-messages",
            help: "The leader's messages, or those to it, wait until the next leaders are elected.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(5)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        context.has_peers().then_some(())?;
        let duration = context.draw_duration(stream);
        let elections = 1 + u32::try_from(stream.below(3)).expect("below 3");
        let mut aimed = vec![Aimed::at(Span::ZERO, hold(stream))];
        for nth in 1..=elections {
            let release_at = context.draw_delay(stream, Span::millis(300));
            let hold_at = release_at + context.draw_delay(stream, Span::millis(300));
            let mut then =
                |at, command| aimed.push(Aimed::after(StatusEvent::BecomesLeader, nth, at, command));
            then(release_at, release());
            then(hold_at, hold(stream));
        }
        aimed.push(Aimed::at(duration, release()));
        Some(Fault::aimed(Part::Network, duration, aimed, 0))
    }
}

fn place(target: Target) -> Vec<Place<Target>> {
    vec![Place::Node(target)]
}

fn hold(stream: &mut Stream) -> Command<Target> {
    let (leader, others) = (place(Target::Leader), place(Target::All));
    match stream.below(3) {
        0 | 1 => Command::Hold { from: leader, to: others },
        _ => Command::Hold { from: others, to: leader },
    }
}

fn release() -> Command<Target> {
    Command::Release { from: place(Target::All), to: place(Target::All) }
}
