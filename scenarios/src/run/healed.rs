//! Of whom what may be expected after the heal, by what the plan says and did.

use std::collections::BTreeSet;

use sim_core::NodeId;
use sim_core::fault::{Command, Place, Plan, Shape};
use sim_core::service::{Admin, Operation};

use crate::format::{Heal, Scenario};
use crate::plan::heal;

/// The nodes that were healed; `None` for all. To be asked when the heal is done.
pub(super) fn core(scenario: &Scenario, plan: &Plan) -> Option<Vec<NodeId>> {
    let Heal::Core { .. } = scenario.phases.heal else { return None };
    let parts = heal::entries(scenario);
    let at_heal = parts.iter().filter(|part| part.moment() == parts[0].moment());
    let done = at_heal.filter_map(|part| {
        let is_part =
            |entry: &&sim_core::fault::Entry| entry.trigger == part.trigger && entry.command == part.command;
        plan.entries().iter().find(is_part)?.was.as_ref()
    });
    let outside: BTreeSet<NodeId> = done.flat_map(|was| &was.commands).flat_map(taken_away).collect();
    Some(scenario.members().into_iter().filter(|node| !outside.contains(node)).collect())
}

fn taken_away(command: &Command) -> Vec<NodeId> {
    let node = |place: &Place| match place {
        Place::Node(node) => Some(*node),
        Place::Client(_) => None,
    };
    match command {
        Command::Crash(node) => vec![*node],
        Command::Partition { shape: Shape::Isolate(alone), .. } => alone.iter().filter_map(node).collect(),
        _ => Vec::new(),
    }
}

/// Nodes that may have been made members, or none any more: spares, and those that an administrator names.
pub(super) fn in_doubt(scenario: &Scenario, plan: &Plan) -> Vec<NodeId> {
    let issued = plan.entries().iter().filter_map(|entry| match &entry.command {
        Command::Issue { operation, .. } => Some(operation),
        _ => None,
    });
    let scripted = plan.clients().iter().flat_map(|script| &script.steps).map(|step| &step.operation);
    let moved = issued.chain(scripted).flat_map(|operation| match operation {
        Operation::Admin(Admin::AddNode(node) | Admin::RemoveNode(node) | Admin::AddLearner(node)) => {
            vec![*node]
        }
        Operation::Admin(Admin::AddNodes(one, other)) => vec![*one, *other],
        Operation::Admin(Admin::ReplaceNode { remove, add }) => vec![*remove, *add],
        _ => Vec::new(),
    });
    let all: BTreeSet<NodeId> = moved.chain(scenario.spares.nodes().iter().copied()).collect();
    all.into_iter().collect()
}
