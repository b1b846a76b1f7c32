//! Members that are removed and added while the group works.

use super::command::Command;
use super::condition::StatusEvent;
use super::kind::{About, Aimed, Fault, FaultKind, GeneratorContext, Part, Rate, Severity};
use super::target::Target;
use crate::random::Stream;
use crate::service::{Admin, Operation};
use crate::{ClientId, NodeId, Span};

/// Members that are removed and added while the group works, one change close behind another, and close to elections.
pub(super) struct MembershipChange;

impl FaultKind for MembershipChange {
    fn about(&self) -> About {
        About {
            name: "membership-change",
            help: "1 to 3 members are removed, or spares added, also right after elections, and back.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(5)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        context.has_peers().then_some(())?;
        let duration = context.draw_duration(stream);
        let changes = 1 + stream.below(3);
        let mut movers = context.nodes.clone();
        movers.extend(&context.spares);
        stream.shuffle(&mut movers);
        let mut aimed = Vec::new();
        for (node, nth) in movers.into_iter().zip(1..).take(usize::try_from(changes).expect("at most 3")) {
            let admin = context.draw_admin(stream)?;
            let is_spare = context.spares.contains(&node);
            if is_spare {
                aimed.push(Aimed::at(Span::ZERO, Command::Restart(Target::Node(node))));
            }
            let (change, back) = if is_spare { (add(node), remove(node)) } else { (remove(node), add(node)) };
            aimed.push(at_some_time(stream, context, duration, nth, ask(admin, change)));
            aimed.push(Aimed::at(duration, ask(admin, back)));
        }
        Some(Fault::aimed(Part::Network, duration, aimed, 0))
    }
}

/// In the first half of the fault, or right after one of the next elections.
pub(super) fn at_some_time(
    stream: &mut Stream,
    context: &GeneratorContext,
    duration: Span,
    nth: u32,
    command: Command<Target>,
) -> Aimed {
    let delay = context.draw_delay(stream, Span::millis(100));
    let offset = stream.span(Span::ZERO, Span::nanos(duration.as_nanos() / 2));
    match stream.below(2) {
        0 => Aimed::at(offset, command),
        _ => Aimed::after(StatusEvent::BecomesLeader, nth.div_ceil(2), delay, command),
    }
}

pub(super) fn ask(client: ClientId, admin: Admin) -> Command<Target> {
    Command::Issue { client, operation: Operation::Admin(admin) }
}

const fn add(node: NodeId) -> Admin {
    Admin::AddNode(node)
}

const fn remove(node: NodeId) -> Admin {
    Admin::RemoveNode(node)
}
