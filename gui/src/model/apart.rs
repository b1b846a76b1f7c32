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

/// What held for a while, and whom it concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Band {
    /// In words.
    pub(crate) told: String,
    pub(crate) from: SimTime,
    /// Until when; `None` where it still holds.
    pub(crate) until: Option<SimTime>,
    pub(crate) ends: Vec<Endpoint>,
}

/// A partition, a cut or a slow node, from when it holds.
struct Held {
    since: SimTime,
    command: Command,
}

/// What holds after all commands of a plan up to a time.
pub(crate) fn apart(plan: &Plan, now: SimTime) -> Apart {
    let mut holding = Vec::new();
    for (at, command) in applied(plan, now) {
        let _no_longer = hold(&mut holding, at, command);
    }
    let mut apart = Apart::default();
    for held in &holding {
        apart.take(&held.command);
    }
    apart
}

/// All that held at some moment up to a time, in the order in which it ended; what still holds comes last.
pub(crate) fn bands(plan: &Plan, now: SimTime) -> Vec<Band> {
    let (mut holding, mut bands) = (Vec::new(), Vec::new());
    for (at, command) in applied(plan, now) {
        bands.extend(hold(&mut holding, at, command).iter().map(|held| held.band(Some(at))));
    }
    bands.extend(holding.iter().map(|held| held.band(None)));
    bands
}

/// Takes in a command; gives back what holds no longer because of it.
fn hold(holding: &mut Vec<Held>, at: SimTime, command: Command) -> Vec<Held> {
    let over = holding.extract_if(.., |held| ends(&command, &held.command)).collect();
    let holds = match &command {
        Command::Partition { .. } | Command::Cut { .. } => true,
        Command::SlowDown { percent, .. } => *percent != 100,
        _ => false,
    };
    if holds {
        holding.push(Held { since: at, command });
    }
    over
}

/// Whether a command ends what another began.
fn ends(command: &Command, held: &Command) -> bool {
    match (command, held) {
        (
            Command::Partition { name, .. } | Command::HealPartition(name),
            Command::Partition { name: other, .. },
        ) => name == other,
        (
            Command::Mend { from, to, direction },
            Command::Cut { from: cut_from, to: cut_to, direction: cut },
        ) => (from, to, direction) == (cut_from, cut_to, cut),
        (Command::SlowDown { node, .. }, Command::SlowDown { node: other, .. }) => node == other,
        (Command::HealAll, held) => !matches!(held, Command::SlowDown { .. }),
        (Command::Recover, _) => true,
        _ => false,
    }
}

/// The commands that were applied up to a time, in order, and when.
fn applied(plan: &Plan, now: SimTime) -> Vec<(SimTime, Command)> {
    let was =
        plan.entries().iter().filter_map(|entry| entry.was.as_ref()).filter(|was| was.moment.time <= now);
    let mut was: Vec<_> = was.collect();
    was.sort_by_key(|was| (was.moment, was.place));
    was.into_iter()
        .flat_map(|was| was.commands.iter().map(|command| (was.moment.time, command.clone())))
        .collect()
}

impl Held {
    fn band(&self, until: Option<SimTime>) -> Band {
        let ends = match &self.command {
            Command::Partition { shape: Shape::Groups(groups), .. } => {
                groups.iter().flatten().map(end).collect()
            }
            Command::Partition { shape: Shape::Isolate(alone), .. } => alone.iter().map(end).collect(),
            Command::Cut { from, to, .. } => from.iter().chain(to).map(end).collect(),
            Command::SlowDown { node, .. } => vec![(*node).into()],
            _ => Vec::new(),
        };
        Band { told: self.command.to_string(), from: self.since, until, ends }
    }
}

impl Apart {
    fn take(&mut self, command: &Command) {
        if let Command::SlowDown { node, percent } = command {
            self.slow.insert(*node, *percent);
            return;
        }
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

    use sim_core::NodeId;
    use sim_core::network::PartitionId;

    use super::*;

    use crate::session::Session;
    use crate::testing;

    #[test]
    fn what_a_person_parts_is_apart_until_it_is_mended() {
        let mut session = testing::session("raft/steady", &[], 0);
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
        let began = session.simulation().now();
        let told = bands(session.simulation().plan(), began);
        let [Band { from, until, ends, .. }] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!((*from, *until, ends.len()), (began, Some(began), 2));
        session.undo();
        assert_eq!(now(&session), held);
        let told = bands(session.simulation().plan(), began);
        assert_eq!(told.iter().map(|band| (band.from, band.until)).collect::<Vec<_>>(), [(began, None)]);
    }

    #[test]
    fn a_slow_node_is_slow_until_it_is_not_and_a_mended_network_leaves_it_so() {
        let slow = |percent| Command::SlowDown { node: NodeId::new(1), percent };
        let (mut holding, mut over) = (Vec::new(), Vec::new());
        for (at, command) in [(1, slow(300)), (2, Command::HealAll), (3, slow(200)), (4, slow(100))] {
            over.extend(
                hold(&mut holding, SimTime::from_nanos(at), command).iter().map(|held| held.since.as_nanos()),
            );
        }
        assert_eq!((over, holding.len()), (vec![1, 3], 0));
    }
}
