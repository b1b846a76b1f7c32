//! From commands that name nodes one way to commands that name them another: roles become ids.

use super::{Command, Place, Shape, Target};
use crate::NodeId;

impl Command<Target> {
    /// What the command means now, `resolve` saying whom a target stands for. A command on one node becomes one for
    /// each node found; sets take in all that are found. Empty if a target that the command needs finds nobody.
    pub fn resolve(&self, resolve: &mut dyn FnMut(&Target) -> Vec<NodeId>) -> Vec<Command> {
        self.expand(resolve)
    }

    /// The same command by ids, if all its targets are ids.
    pub fn concrete(&self) -> Option<Command> {
        let mut are_ids = true;
        let mut commands = self.resolve(&mut |target| {
            let node = target.node();
            are_ids &= node.is_some();
            node.into_iter().collect()
        });
        if are_ids { commands.pop() } else { None }
    }
}

/// Every id is a target.
impl From<&Command> for Command<Target> {
    fn from(command: &Command) -> Self {
        let mut commands = command.expand(&mut |node| vec![Target::Node(*node)]);
        let (Some(only), None) = (commands.pop(), commands.pop()) else {
            panic!("a command whose ids each stand for one node stands for one command, unlike {command:?}")
        };
        only
    }
}

impl<N> Command<N> {
    pub(super) fn expand<M>(&self, names: &mut dyn FnMut(&N) -> Vec<M>) -> Vec<Command<M>> {
        use Command as C;
        match self {
            Self::Crash(node) => each(names(node), C::Crash),
            &Self::CrashLosing { ref node, loss } => each(names(node), |node| C::CrashLosing { node, loss }),
            &Self::CrashAfterEffect { ref node, effects } => {
                each(names(node), |node| C::CrashAfterEffect { node, effects })
            }
            &Self::CrashAtPoint { ref node, point, nth } => {
                each(names(node), |node| C::CrashAtPoint { node, point, nth })
            }
            &Self::FireTimer { ref node, timer } => each(names(node), |node| C::FireTimer { node, timer }),
            Self::Restart(node) => each(names(node), C::Restart),
            Self::Pause(node) => each(names(node), C::Pause),
            Self::Resume(node) => each(names(node), C::Resume),
            &Self::SlowDown { ref node, percent } => each(names(node), |node| C::SlowDown { node, percent }),
            Self::Wipe(node) => each(names(node), C::Wipe),
            Self::Clock { node, fault } => each(names(node), |node| C::Clock { node, fault: *fault }),
            Self::Disk { node, fault } => each(names(node), |node| C::Disk { node, fault: *fault }),
            &Self::Cut { ref from, ref to, direction } => {
                pair(from, to, names, |from, to| C::Cut { from, to, direction })
            }
            &Self::Mend { ref from, ref to, direction } => {
                pair(from, to, names, |from, to| C::Mend { from, to, direction })
            }
            Self::Partition { name, shape } => {
                each(shape.expand(names), |shape| C::Partition { name: *name, shape })
            }
            Self::HealPartition(name) => vec![C::HealPartition(*name)],
            Self::HealAll => vec![C::HealAll],
            &Self::Link { ref from, ref to, fault } => {
                pair(from, to, names, |from, to| C::Link { from, to, fault })
            }
            Self::AllLinks(fault) => vec![C::AllLinks(*fault)],
            Self::Hold { from, to } => pair(from, to, names, |from, to| C::Hold { from, to }),
            Self::Release { from, to } => pair(from, to, names, |from, to| C::Release { from, to }),
            Self::Recover => vec![C::Recover],
            &Self::Message { id, act } => vec![C::Message { id, act }],
            Self::Issue { client, operation } => {
                vec![C::Issue { client: *client, operation: operation.clone() }]
            }
        }
    }
}

impl<N> Command<N> {
    /// All places of its sets.
    pub(super) fn places(&self) -> Vec<&Place<N>> {
        match self {
            Self::Cut { from, to, .. }
            | Self::Mend { from, to, .. }
            | Self::Link { from, to, .. }
            | Self::Hold { from, to }
            | Self::Release { from, to } => from.iter().chain(to).collect(),
            Self::Partition { shape: Shape::Groups(groups), .. } => groups.iter().flatten().collect(),
            Self::Partition { shape: Shape::Isolate(alone), .. } => alone.iter().collect(),
            Self::Partition {
                shape: Shape::RingOfMajorities | Shape::Bridge(_) | Shape::OneWay { .. },
                ..
            }
            | Self::Crash(_)
            | Self::CrashLosing { .. }
            | Self::CrashAfterEffect { .. }
            | Self::CrashAtPoint { .. }
            | Self::FireTimer { .. }
            | Self::Restart(_)
            | Self::Pause(_)
            | Self::Resume(_)
            | Self::SlowDown { .. }
            | Self::Wipe(_)
            | Self::Clock { .. }
            | Self::Disk { .. }
            | Self::HealPartition(_)
            | Self::HealAll
            | Self::AllLinks(_)
            | Self::Recover
            | Self::Message { .. }
            | Self::Issue { .. } => Vec::new(),
        }
    }
}

impl<N> Shape<N> {
    /// `None` if targets were named and nobody is left.
    fn expand<M>(&self, names: &mut dyn FnMut(&N) -> Vec<M>) -> Option<Shape<M>> {
        match self {
            Self::Groups(groups) => list(groups, |group| places(group, names)).map(Shape::Groups),
            Self::Isolate(alone) => places(alone, names).map(Shape::Isolate),
            Self::RingOfMajorities => Some(Shape::RingOfMajorities),
            Self::Bridge(bridge) => names(bridge).into_iter().next().map(Shape::Bridge),
            Self::OneWay { from, to } => {
                let from = list(from, |name| names(name))?;
                Some(Shape::OneWay { from, to: list(to, |name| names(name))? })
            }
        }
    }
}

fn each<M, T>(found: impl IntoIterator<Item = M>, make: impl FnMut(M) -> T) -> Vec<T> {
    found.into_iter().map(make).collect()
}

fn pair<N, M>(
    from: &[Place<N>],
    to: &[Place<N>],
    names: &mut dyn FnMut(&N) -> Vec<M>,
    make: impl FnOnce(Vec<Place<M>>, Vec<Place<M>>) -> Command<M>,
) -> Vec<Command<M>> {
    let (from, to) = (places(from, names), places(to, names));
    from.zip(to).map(|(from, to)| make(from, to)).into_iter().collect()
}

fn places<N, M>(places: &[Place<N>], names: &mut dyn FnMut(&N) -> Vec<M>) -> Option<Vec<Place<M>>> {
    list(places, |place| match place {
        Place::Node(name) => each(names(name), Place::Node),
        Place::Client(client) => vec![Place::Client(*client)],
    })
}

/// Everything found for the `asked`, in order; `None` where something was asked and nothing found.
fn list<A, T, I: IntoIterator<Item = T>>(asked: &[A], find: impl FnMut(&A) -> I) -> Option<Vec<T>> {
    let found: Vec<T> = asked.iter().flat_map(find).collect();
    (asked.is_empty() || !found.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ClientId;
    use crate::network::{Direction, PartitionId};

    fn target(text: &str) -> Target {
        text.parse().expect("a target")
    }

    fn at(text: &str) -> Place<Target> {
        Place::Node(target(text))
    }

    /// n1 leads, n2 and n3 follow, nobody else exists.
    fn resolved(command: &Command<Target>) -> Vec<String> {
        let commands = command.resolve(&mut |target| match target {
            Target::Leader => vec![NodeId::new(0)],
            Target::All => (0..3).map(NodeId::new).collect(),
            Target::Node(node) => vec![*node],
            _ => Vec::new(),
        });
        commands.iter().map(Command::to_string).collect()
    }

    #[test]
    fn a_command_on_one_node_becomes_one_for_each_node_found() {
        assert_eq!(resolved(&Command::Crash(target("all"))), ["crash n1", "crash n2", "crash n3"]);
        assert_eq!(resolved(&Command::Pause(target("leader"))), ["pause n1"]);
        assert_eq!(resolved(&Command::Wipe(target("any-down"))), [""; 0]);
    }

    #[test]
    fn sets_take_in_all_that_are_found_and_need_somebody() {
        let client = Place::Client(ClientId::new(0));
        let cut =
            |to| Command::Cut { from: vec![client.clone(), at("leader")], to, direction: Direction::OneWay };
        assert_eq!(resolved(&cut(vec![at("all"), at("any")])), ["cut c1,n1->n1,n2,n3"]);
        assert_eq!(resolved(&cut(vec![at("any")])), [""; 0]);
    }

    #[test]
    fn shapes_are_resolved_place_by_place() {
        let part = |shape| resolved(&Command::Partition { name: PartitionId::new(1), shape });
        let groups = vec![vec![at("leader"), at("any")], vec![at("n2")]];
        assert_eq!(part(Shape::Groups(groups)), ["partition p1 {n1 | n2}"]);
        assert_eq!(part(Shape::Isolate(vec![at("all")])), ["partition p1 {n1 alone, n2 alone, n3 alone}"]);
        assert_eq!(part(Shape::Bridge(target("all"))), ["partition p1 {two halves, n1 between}"]);
        assert_eq!(part(Shape::Bridge(target("any"))), [""; 0]);
        let one_way = |to| Shape::OneWay { from: vec![target("leader")], to };
        assert_eq!(part(one_way(vec![target("n3")])), ["partition p1 {n1 not to n3}"]);
        assert_eq!(part(one_way(vec![target("any")])), [""; 0]);
    }

    #[test]
    fn commands_on_nobody_in_particular_stay_as_they_are() {
        assert_eq!(resolved(&Command::HealAll), ["heal the network"]);
        assert_eq!(resolved(&Command::Recover), ["recover everything"]);
    }

    #[test]
    fn ids_become_targets_and_ids_again() {
        let alone = Command::Partition { name: PartitionId::new(1), shape: Shape::Isolate(Vec::new()) };
        let hold = Command::Hold { from: vec![Place::Node(NodeId::new(3))], to: Vec::new() };
        for command in [Command::Crash(NodeId::new(1)), alone, hold, Command::HealAll] {
            assert_eq!(Command::<Target>::from(&command).concrete(), Some(command));
        }
        assert_eq!(Command::Crash(Target::Leader).concrete(), None);
    }
}
