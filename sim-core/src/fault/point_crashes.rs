//! A node that crashes inside of handlers, at places that the protocol has named.

use super::command::Command;
use super::kind::{About, Fault, FaultKind, GeneratorContext, Rate, Severity};
use crate::random::Stream;
use crate::{NodeId, Span};

/// A node that crashes inside of handlers, at places that the protocol has named: between writing and sending, before what
/// is decided is executed, while a snapshot or a change of members is half done.
pub(super) struct PointCrashes;

/// It reaches a point so often before it crashes there, at most.
const NTH_MAX: u64 = 8;

impl FaultKind for PointCrashes {
    fn about(&self) -> About {
        About {
            name: "point-crashes",
            help: "1 to 4 times in a row a node crashes where it reaches a fault point of the protocol, and comes back.",
            severity: Severity::Benign,
            rate: Rate::NEVER,
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        let duration = context.draw_duration(stream);
        let node = context.draw_node(stream)?;
        let more = stream.below(4);
        let mut fault = Fault::outage(node, duration, crash(node, stream, context)?);
        for nth in 1..=more {
            let at = Span::nanos(duration.as_nanos() / (more + 1) * nth);
            // It is up again, or what is armed is called off.
            fault.during.push((at, Command::Restart(node)));
            fault.during.push((at, crash(node, stream, context)?));
        }
        Some(fault)
    }
}

fn crash(node: NodeId, stream: &mut Stream, context: &GeneratorContext) -> Option<Command> {
    let point = context.draw_point(stream)?;
    let nth = 1 + u32::try_from(stream.below(NTH_MAX)).expect("below 8");
    Some(Command::CrashAtPoint { node, point, nth })
}
