//! Something happens to a node just before a timer of it fires.

use super::command::{Command, Place};
use super::kind::{About, Aimed, Fault, FaultKind, GeneratorContext, Part, Rate, Severity};
use super::target::Target;
use crate::NodeId;
use crate::Span;
use crate::network::Direction;
use crate::random::Stream;

/// Something happens to a node just before a timer of it fires: what it waited for comes too late, or while it acts on not
/// having heard of it.
pub(super) struct Timeouts;

/// How long before, at most.
const SPAN_MAX: Span = Span::millis(10);

impl FaultKind for Timeouts {
    fn about(&self) -> About {
        About {
            name: "timeouts",
            help: "Up to 10 ms before a timer of a node fires, it pauses, crashes, hears nobody, or the leader crashes.",
            severity: Severity::Benign,
            rate: Rate::NEVER,
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        context.has_peers().then_some(())?;
        let duration = context.draw_duration(stream);
        let node = context.draw_node(stream)?;
        let timer = context.draw_timer(stream)?;
        let span = context.draw_delay(stream, SPAN_MAX);
        let (part, down, [begin, end]) = acts(node, stream);
        let aimed = vec![Aimed::before(node, timer, span, begin), Aimed::at(duration, end)];
        Some(Fault { nodes: vec![node], ..Fault::aimed(part, duration, aimed, down) })
    }
}

/// What it concerns, how many nodes it takes down, and what begins and ends it.
fn acts(node: NodeId, stream: &mut Stream) -> (Part, u32, [Command<Target>; 2]) {
    let me = Target::Node(node);
    match stream.below(4) {
        0 => (Part::Host, 0, [Command::Pause(me.clone()), Command::Resume(me)]),
        1 => (Part::Host, 1, [Command::Crash(me.clone()), Command::Restart(me)]),
        2 => (Part::Host, 1, [Command::Crash(Target::Leader), Command::Restart(Target::AllDown)]),
        _ => {
            let all = || vec![Place::Node(Target::All)];
            let (to, direction) = (vec![Place::Node(me)], Direction::OneWay);
            let cut = Command::Cut { from: all(), to: to.clone(), direction };
            (Part::Network, 0, [cut, Command::Mend { from: all(), to, direction }])
        }
    }
}
