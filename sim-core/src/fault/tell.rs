//! Commands as a run tells them to people, where they need to know what came before.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::Command;
use crate::network::PartitionId;

/// Tells the commands of a run, one after the other. Partitions have numbers that say nothing to a person, so here each
/// is called by who is apart from whom, also when it heals.
#[derive(Clone, Debug, Default)]
pub struct Teller {
    /// Who is apart in the partitions that hold.
    parted: BTreeMap<PartitionId, String>,
}

impl Teller {
    /// The next command in a line: `partition {n1,n2 | n3}`, `heal partition {n1,n2 | n3}`, `crash n3`.
    pub fn tell(&mut self, command: &Command) -> String {
        if let Command::HealPartition(name) = command {
            return self.tell_heal(*name);
        }
        if let Command::Partition { name, shape } = command {
            self.parted.insert(*name, shape.to_string());
        }
        if matches!(command, Command::HealAll | Command::Recover) {
            self.parted.clear();
        }
        command.telling()
    }

    fn tell_heal(&mut self, name: PartitionId) -> String {
        match self.parted.remove(&name) {
            Some(shape) => format!("heal partition {{{shape}}}"),
            None => "heal a partition that is over".to_owned(),
        }
    }
}

impl<N: Display> Command<N> {
    /// The command in a line, without the numbers of partitions.
    pub fn telling(&self) -> String {
        if let Self::Partition { shape, .. } = self {
            return format!("partition {{{shape}}}");
        }
        if matches!(self, Self::HealPartition(_)) { "heal a partition".to_owned() } else { self.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NodeId;
    use crate::fault::{Place, Shape};

    fn part(number: u32, node: u32) -> Command {
        let shape = Shape::Isolate(vec![Place::Node(NodeId::new(node))]);
        Command::Partition { name: PartitionId::new(number), shape }
    }

    fn heal(number: u32) -> Command {
        Command::HealPartition(PartitionId::new(number))
    }

    fn told(commands: &[Command]) -> Vec<String> {
        let mut teller = Teller::default();
        commands.iter().map(|command| teller.tell(command)).collect()
    }

    #[test]
    fn a_partition_is_called_by_who_is_apart_when_it_begins_and_when_it_heals() {
        let commands = [part(1 << 20, 0), part(7, 1), heal(1 << 20), heal(7)];
        let lines = told(&commands);
        assert_eq!(lines[..2], ["partition {n1 alone}", "partition {n2 alone}"]);
        assert_eq!(lines[2..], ["heal partition {n1 alone}", "heal partition {n2 alone}"]);
    }

    #[test]
    fn a_partition_that_was_replaced_or_is_over_heals_as_what_it_is_now() {
        let lines = told(&[part(7, 0), part(7, 1), heal(7), heal(7)]);
        assert_eq!(lines[2..], ["heal partition {n2 alone}", "heal a partition that is over"]);
        for all in [Command::HealAll, Command::Recover] {
            let lines = told(&[part(7, 0), all, heal(7)]);
            assert_eq!(lines[2], "heal a partition that is over");
        }
    }

    #[test]
    fn a_node_that_two_targets_turned_out_to_be_is_named_once() {
        let one = Place::Node(NodeId::new(1));
        let shape = Shape::Groups(vec![vec![one.clone(), one]]);
        let lines = told(&[Command::Partition { name: PartitionId::new(1), shape }]);
        assert_eq!(lines, ["partition {n2}"]);
    }

    #[test]
    fn other_commands_are_told_as_they_are() {
        let crash = Command::Crash(NodeId::new(2));
        assert_eq!(told(std::slice::from_ref(&crash)), [crash.to_string()]);
    }
}
