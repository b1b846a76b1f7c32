//! A node that crashes again and again.

use super::command::Command;
use super::kind::{About, Fault, FaultKind, GeneratorContext, Part, Rate, Severity};
use crate::Span;
use crate::random::Stream;

/// A node that crashes again and again, as under a supervisor that restarts it: what was meant for one of its lives
/// reaches the next.
pub(super) struct CrashLoop;

/// How long each life lasts, and how long the node is down between two, at most.
const UP_FOR: Span = Span::millis(200);
const DOWN_FOR: Span = Span::millis(20);

impl FaultKind for CrashLoop {
    fn about(&self) -> About {
        About {
            name: "crash-loop",
            help: "A node crashes 2 to 6 times in a row, up for at most 200 ms and down for at most 20 ms between.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(10)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        let node = context.draw_node(stream)?;
        let longest = context.draw_duration(stream);
        let crashes = 2 + stream.below(5);
        let mut during = Vec::new();
        let mut at = Span::ZERO;
        for _ in 1..crashes {
            let back_at = at + stream.span(Span::millis(1), DOWN_FOR);
            let next = back_at + context.draw_delay(stream, UP_FOR);
            if next >= longest {
                break;
            }
            during.extend([(back_at, Command::Restart(node)), (next, Command::Crash(node))]);
            at = next;
        }
        let end = (at + stream.span(Span::millis(1), DOWN_FOR)).min(longest.max(at));
        let mut fault = Fault::new(Part::Host, vec![node], end);
        fault.is_down = true;
        fault.begin = vec![Command::Crash(node)];
        fault.during = during;
        fault.end = vec![Command::Restart(node)];
        Some(fault)
    }
}
