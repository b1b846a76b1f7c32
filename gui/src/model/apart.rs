//! Who is apart from whom and who is slow at a moment, told by the commands that were applied.

use std::collections::BTreeMap;

use sim_core::fault::{Command, Place, Plan, Shape};
use sim_core::{Endpoint, NodeId, SimTime};

/// Partitions and cuts that hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Apart {
    /// In words, in the order in which they began.
    pub(crate) told: Vec<String>,
    /// Of endpoints that somebody is apart from: the number of their group. Those of no group share one.
    pub(crate) groups: BTreeMap<Endpoint, usize>,
    /// Links that carry nothing, one way.
    pub(crate) cuts: Vec<(Endpoint, Endpoint)>,
    /// Nodes that take longer than they should, and for how many percent of what is usual.
    pub(crate) slow: BTreeMap<NodeId, u32>,
}

/// What holds after all commands of a plan up to a time.
pub(crate) fn apart(plan: &Plan, now: SimTime) -> Apart {
    let mut holding: Vec<Command> = Vec::new();
    let mut slow = BTreeMap::new();
    for command in applied(plan, now) {
        match &command {
            Command::SlowDown { node, percent: 100 } => {
                slow.remove(node);
            }
            Command::SlowDown { node, percent } => {
                slow.insert(*node, *percent);
            }
            Command::Partition { name, .. } => {
                holding
                    .retain(|held| !matches!(held, Command::Partition { name: other, .. } if other == name));
                holding.push(command);
            }
            Command::Cut { .. } => holding.push(command),
            Command::HealPartition(name) => {
                holding
                    .retain(|held| !matches!(held, Command::Partition { name: other, .. } if other == name));
            }
            Command::Mend { from, to, direction } => holding.retain(|held| {
                let Command::Cut { from: cut_from, to: cut_to, direction: cut } = held else { return true };
                (cut_from, cut_to, cut) != (from, to, direction)
            }),
            Command::HealAll => holding.clear(),
            Command::Recover => {
                holding.clear();
                slow.clear();
            }
            _ => {}
        }
    }
    let mut apart = Apart { slow, ..Apart::default() };
    for command in &holding {
        apart.take(command);
    }
    apart
}

/// The commands that were applied up to a time, in order.
fn applied(plan: &Plan, now: SimTime) -> Vec<Command> {
    let was =
        plan.entries().iter().filter_map(|entry| entry.was.as_ref()).filter(|was| was.moment.time <= now);
    let mut was: Vec<_> = was.collect();
    was.sort_by_key(|was| (was.moment, was.place));
    was.into_iter().flat_map(|was| was.commands.iter().cloned()).collect()
}

impl Apart {
    fn take(&mut self, command: &Command) {
        self.told.push(command.to_string());
        let taken = self.groups.values().copied().max().unwrap_or(0);
        match command {
            Command::Partition { shape: Shape::Groups(groups), .. } => {
                for (number, group) in groups.iter().enumerate() {
                    self.groups.extend(group.iter().map(|place| (end(place), taken + number + 1)));
                }
            }
            Command::Partition { shape: Shape::Isolate(alone), .. } => {
                self.groups
                    .extend(alone.iter().enumerate().map(|(number, place)| (end(place), taken + number + 1)));
            }
            Command::Cut { from, to, direction } => {
                let pairs = from.iter().flat_map(|from| to.iter().map(move |to| (end(from), end(to))));
                for (from, to) in pairs {
                    self.cuts.push((from, to));
                    if *direction == sim_core::network::Direction::BothWays {
                        self.cuts.push((to, from));
                    }
                }
            }
            _ => {}
        }
    }
}

fn end(place: &Place) -> Endpoint {
    place.clone().into()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use scenarios::ProtocolTable;
    use sim_core::NodeId;
    use sim_core::network::PartitionId;

    use super::*;
    use crate::open::{self, Opened};
    use crate::session::Session;

    #[test]
    fn what_a_person_parts_is_apart_until_it_is_mended() {
        let table = Arc::new(ProtocolTable::builtin());
        let Opened { loaded, .. } = open::open("raft/steady", &[], &table).expect("the library has it");
        let mut session = Session::new(loaded, table, 0);
        session.seek_events(500);
        let now = |session: &Session| {
            let simulation = session.simulation();
            apart(simulation.plan(), simulation.now())
        };
        assert_eq!(now(&session), Apart::default());
        let group = vec![Place::Node(NodeId::new(0)), Place::Node(NodeId::new(1))];
        let shape = Shape::Groups(vec![group]);
        session
            .apply(Command::Partition { name: PartitionId::new(7), shape })
            .expect("a world takes commands");
        let held = now(&session);
        assert_eq!(held.groups.keys().map(ToString::to_string).collect::<Vec<_>>(), ["n1", "n2"]);
        assert_eq!(held.told.len(), 1);
        session.apply(Command::HealAll).expect("a world takes commands");
        assert_eq!(now(&session), Apart::default());
        session.undo();
        assert_eq!(now(&session), held);
    }
}
