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
            help: "1 to 3 changes: members removed or replaced, spares added, also right after elections, and back.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(5)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        context.has_peers().then_some(())?;
        let duration = context.draw_duration(stream);
        let changes = 1 + u32::try_from(stream.below(3)).expect("below 3");
        let mut movers = Movers::of(stream, context);
        let mut aimed = Vec::new();
        for nth in 1..=changes {
            let admin = context.draw_admin(stream)?;
            let Some(change) = movers.change(stream) else { break };
            for spare in change.comes {
                aimed.push(Aimed::at(Span::ZERO, Command::Restart(Target::Node(spare))));
            }
            aimed.push(at_some_time(stream, context, duration, nth, ask(admin, change.there)));
            aimed.extend(change.back.into_iter().map(|back| Aimed::at(duration, ask(admin, back))));
        }
        Some(Fault::aimed(Part::Network, duration, aimed, 0))
    }
}

/// Those who are still to move, in random order.
struct Movers {
    members: Vec<NodeId>,
    spares: Vec<NodeId>,
}

/// One change, and what takes it back.
struct Change {
    comes: Vec<NodeId>,
    there: Admin,
    back: Vec<Admin>,
}

impl Movers {
    fn of(stream: &mut Stream, context: &GeneratorContext) -> Self {
        let (mut members, mut spares) = (context.nodes.clone(), context.spares.clone());
        stream.shuffle(&mut members);
        stream.shuffle(&mut spares);
        Self { members, spares }
    }

    /// The next change; nobody moves twice.
    fn change(&mut self, stream: &mut Stream) -> Option<Change> {
        let kind = if self.spares.is_empty() { 0 } else { stream.below(5) };
        match kind {
            0 | 1 => {
                let node = self.members.pop()?;
                let (there, back) = (Admin::RemoveNode(node), vec![Admin::AddNode(node)]);
                Some(Change { comes: Vec::new(), there, back })
            }
            2 if self.spares.len() > 1 => {
                let (one, other) = (self.spares.pop()?, self.spares.pop()?);
                let back = vec![Admin::RemoveNode(one), Admin::RemoveNode(other)];
                Some(Change { comes: vec![one, other], there: Admin::AddNodes(one, other), back })
            }
            3 => {
                let (add, remove) = (self.spares.pop()?, self.members.pop()?);
                let there = Admin::ReplaceNode { remove, add };
                let back = vec![Admin::ReplaceNode { remove: add, add: remove }];
                Some(Change { comes: vec![add], there, back })
            }
            _ => {
                let spare = self.spares.pop()?;
                let is_learner = stream.below(3) == 0;
                let there = if is_learner { Admin::AddLearner(spare) } else { Admin::AddNode(spare) };
                Some(Change { comes: vec![spare], there, back: vec![Admin::RemoveNode(spare)] })
            }
        }
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
