//! What ends the fault phase, as commands.

use sim_core::SimTime;
use sim_core::fault::{Command, Entry, Place, Shape, Target};
use sim_core::network::PartitionId;

use crate::format::{Core, Heal, Others, Scenario};

/// The partition that keeps those outside the core apart; scenarios number theirs from 0, generators from 2²⁰.
const APART: PartitionId = PartitionId::new(1 << 19);

/// The commands of the heal, and of the return of those who were left out.
///
/// A core is healed by healing everything and taking the others away in the same instant.
pub(crate) fn entries(scenario: &Scenario) -> Vec<Entry> {
    let phases = &scenario.phases;
    let at = phases.heal_at();
    let recover = |at: SimTime| Entry::at(at, Command::<Target>::Recover);
    match &phases.heal {
        Heal::Nothing => Vec::new(),
        Heal::Everything => vec![recover(at)],
        Heal::Core { nodes, others } => {
            let mut entries = vec![recover(at)];
            let outside = outside(scenario, nodes);
            entries.extend(take_away(outside, *others).into_iter().map(|command| Entry::at(at, command)));
            entries.extend(phases.rejoin_at().map(recover));
            entries
        }
    }
}

/// Who is not in the core.
fn outside(scenario: &Scenario, core: &Core) -> Vec<Target> {
    match core {
        Core::Majority => vec![Target::Minority],
        Core::MajorityWithoutLeader => vec![Target::MinorityWithLeader],
        Core::Nodes(core) => {
            let members = scenario.members().into_iter();
            members.filter(|node| !core.nodes().contains(node)).map(Target::Node).collect()
        }
    }
}

fn take_away(outside: Vec<Target>, others: Others) -> Vec<Command<Target>> {
    match others {
        Others::Down => outside.into_iter().map(Command::Crash).collect(),
        Others::CutOff if outside.is_empty() => Vec::new(),
        Others::CutOff => {
            let shape = Shape::Isolate(outside.into_iter().map(Place::Node).collect());
            vec![Command::Partition { name: APART, shape }]
        }
    }
}
