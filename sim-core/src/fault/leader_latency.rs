//! Leaders whose messages, or the answers to them, take long.

use super::command::{Command, LinkFault, Place};
use super::condition::StatusEvent;
use super::kind::{About, Aimed, Fault, FaultKind, GeneratorContext, Part, Rate, Severity};
use super::target::Target;
use crate::Span;
use crate::random::Stream;

/// Leaders whose messages, or the answers to them, take long: what arrives is about a time that is over. One way only, so
/// that the other way goes on as it did.
pub(super) struct LeaderLatency;

impl FaultKind for LeaderLatency {
    fn about(&self) -> About {
        About {
            name: "leader-latency",
            help: "Messages from the leader and the next 1 to 4, or to it, take 5 to 500 times as long.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(5)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        context.has_peers().then_some(())?;
        let duration = context.draw_duration(stream);
        let leaders = 1 + u32::try_from(stream.below(4)).expect("below 4");
        let mut aimed = vec![Aimed::at(Span::ZERO, slow(stream)?)];
        for nth in 1..=leaders {
            let slow_at = context.draw_delay(stream, Span::millis(300));
            let mut then =
                |command| aimed.push(Aimed::after(StatusEvent::BecomesLeader, nth, slow_at, command));
            then(usual());
            then(slow(stream)?);
        }
        aimed.push(Aimed::at(duration, usual()));
        Some(Fault::aimed(Part::Network, duration, aimed, 0))
    }
}

fn link(from: Target, to: Target, percent: u32) -> Command<Target> {
    let (from, to) = (vec![Place::Node(from)], vec![Place::Node(to)]);
    Command::Link { from, to, fault: LinkFault::LatencyPercent(percent) }
}

fn slow(stream: &mut Stream) -> Option<Command<Target>> {
    let percent = *stream.pick(&[500, 5_000, 50_000])?;
    Some(match stream.below(2) {
        0 => link(Target::Leader, Target::All, percent),
        _ => link(Target::All, Target::Leader, percent),
    })
}

fn usual() -> Command<Target> {
    link(Target::All, Target::All, 100)
}
