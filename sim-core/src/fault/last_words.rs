//! A node whose messages are late as it tries to lead, and that crashes before they arrive.

use super::command::{Command, LinkFault, Place};
use super::condition::StatusEvent;
use super::kind::{About, Aimed, Fault, FaultKind, GeneratorContext, Part, Rate, Severity};
use super::target::Target;
use crate::Span;
use crate::network::Direction;
use crate::random::{Probability, Stream};

/// A node whose messages are late as it tries to lead, and that crashes before they arrive: its next life has forgotten
/// what it is about to be taken at its word for.
pub(super) struct LastWords;

/// How late its messages are at most; how long after its candidacy began it crashes, and how long it is down, at most.
const LATE_BY: Span = Span::millis(400);
const CRASH_AFTER: Span = Span::millis(20);
const DOWN_FOR: Span = Span::millis(5);

impl FaultKind for LastWords {
    fn about(&self) -> About {
        About {
            name: "last-words",
            help: "A follower speaks up to 400 ms late, and may not hear the leader, until it tries to lead and crashes.",
            severity: Severity::Benign,
            rate: Rate::NEVER,
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        context.has_peers().then_some(())?;
        let duration = context.draw_duration(stream);
        let count = context.nodes.len() as u64 - 1;
        let speaker = Target::Follower(1 + u32::try_from(stream.below(count)).expect("few nodes"));
        let mut aimed = late(&speaker, stream, context);
        if stream.below(2) == 0 {
            let (from, to) = (place(Target::Leader), place(speaker));
            let direction = *stream.pick(&[Direction::OneWay, Direction::BothWays])?;
            aimed.push(Aimed::at(Span::ZERO, Command::Cut { from, to, direction }));
        }
        let crash_at = context.draw_delay(stream, CRASH_AFTER);
        let back_at = crash_at + stream.span(Span::millis(1), DOWN_FOR);
        let after = |at, command| Aimed::after(StatusEvent::BecomesCandidate, 1, at, command);
        aimed.push(after(crash_at, Command::Crash(Target::Candidate)));
        aimed.extend(on_time().map(|command| after(crash_at, command)));
        aimed.push(after(back_at, Command::Restart(Target::AllDown)));
        aimed.extend(on_time().map(|command| Aimed::at(duration, command)));
        aimed.push(Aimed::at(duration, Command::Restart(Target::AllDown)));
        Some(Fault::aimed(Part::Host, duration, aimed, 1))
    }
}

fn place(target: Target) -> Vec<Place<Target>> {
    vec![Place::Node(target)]
}

/// Most of what the speaker says is late, to each by a time of its own: so that some hear it in the speaker's next life,
/// and others when nobody remembers.
fn late(speaker: &Target, stream: &mut Stream, context: &GeneratorContext) -> Vec<Aimed> {
    let to_one = |listener| {
        let extra = stream.span(Span::millis(1), LATE_BY);
        let probability = Probability::from_ratio(5 + stream.below(6), 10).ok();
        let (from, to) = (place(speaker.clone()), place(Target::Node(listener)));
        let fault = LinkFault::Reorder { probability, extra };
        Aimed::at(Span::ZERO, Command::Link { from, to, fault })
    };
    context.nodes.iter().copied().map(to_one).collect()
}

/// Everybody hears everybody, and at once.
fn on_time() -> [Command<Target>; 2] {
    let all = || place(Target::All);
    let reorder = LinkFault::Reorder { probability: None, extra: LATE_BY };
    [
        Command::Link { from: all(), to: all(), fault: reorder },
        Command::Mend { from: all(), to: all(), direction: Direction::BothWays },
    ]
}
