//! Leaders that reach only a few nodes, and crash soon after they were elected.

use super::command::{Command, Place, Shape};
use super::condition::StatusEvent;
use super::kind::{About, Aimed, Fault, FaultKind, GeneratorContext, Part, Rate, Severity};
use super::target::Target;
use crate::Span;
use crate::network::PartitionId;
use crate::random::Stream;

/// Leaders that reach only a few nodes, and crash soon after they were elected.
///
/// A leader that hands its log on to some nodes and not to others, and the next one that has to make sense of it, are
/// what the hardest schedules of consensus are made of (Figure 8 of the Raft paper needs four such leaders in a row).
pub(super) struct ShortLivedLeaders;

/// How soon after its election a leader is cut off, and how soon after that it crashes, at the latest.
const CUT_AFTER: Span = Span::millis(50);
const CRASH_AFTER: Span = Span::millis(300);

impl FaultKind for ShortLivedLeaders {
    fn about(&self) -> About {
        About {
            name: "short-lived-leaders",
            help: "The next 2 to 8 leaders reach few nodes from their election on, crash soon, and restart.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(5)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        context.has_peers().then_some(())?;
        let duration = context.draw_duration(stream);
        let name = context.partition_name(2);
        let leaders = 2 + u32::try_from(stream.below(7)).expect("below 7");
        let mut aimed = Vec::new();
        for nth in 1..=leaders {
            life(nth, name, stream, context, &mut aimed);
        }
        aimed.push(Aimed::at(duration, Command::HealPartition(name)));
        aimed.push(Aimed::at(duration, Command::Restart(Target::AllDown)));
        Some(Fault::aimed(Part::Host, duration, aimed, 1))
    }
}

/// What becomes of the `nth` leader. Whoever went before it is up again by then, so that one at most is down.
fn life(
    nth: u32,
    name: PartitionId,
    stream: &mut Stream,
    context: &GeneratorContext,
    aimed: &mut Vec<Aimed>,
) {
    let cut_at = context.draw_delay(stream, CUT_AFTER);
    let crash_at = cut_at + context.draw_delay(stream, CRASH_AFTER);
    let back_at = crash_at + stream.span(Span::millis(1), Span::millis(500));
    let mend_at = crash_at + context.draw_delay(stream, CRASH_AFTER);
    let shape = few(stream);
    let (is_cut, crashes) = (stream.below(4) > 0, stream.below(4) > 0);
    let mut then = |at, command| aimed.push(Aimed::after(StatusEvent::BecomesLeader, nth, at, command));
    if nth > 1 {
        then(Span::ZERO, Command::Restart(Target::AllDown));
    }
    if is_cut {
        then(cut_at, Command::Partition { name, shape });
        then(mend_at, Command::HealPartition(name));
    }
    if crashes {
        then(crash_at, Command::Crash(Target::Leader));
        then(back_at, Command::Restart(Target::AnyDown));
    }
}

/// The leader with few others or none, or heard by some and not by others.
pub(super) fn few(stream: &mut Stream) -> Shape<Target> {
    let leader = || Place::Node(Target::Leader);
    let majority = || vec![Target::MajorityWithoutLeader];
    match stream.below(5) {
        0 => Shape::Isolate(vec![leader()]),
        1 => Shape::Groups(vec![vec![Place::Node(Target::MinorityWithLeader)]]),
        2 => Shape::Groups(vec![vec![leader(), Place::Node(Target::Any)]]),
        3 => Shape::OneWay { from: vec![Target::Leader], to: majority() },
        _ => Shape::OneWay { from: majority(), to: vec![Target::Leader] },
    }
}
