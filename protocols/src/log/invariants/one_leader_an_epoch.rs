//! Leaders: one in each epoch of a partition.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Epoch, Fact, Node, PartitionId};
use super::leaders;

/// No two brokers lead a partition in one epoch, and none leads in it in two lives.
#[derive(Clone, Debug, Default)]
pub struct OneLeaderAnEpoch {
    leaders: BTreeMap<(PartitionId, Epoch), NodeId>,
}

impl OneLeaderAnEpoch {
    fn on_led(&mut self, node: NodeId, id: PartitionId, epoch: Epoch) -> Result<(), Breach> {
        let before = self.leaders.insert((id, epoch), node);
        ensure!(
            before.is_none(),
            "{node} begins to lead {id} in {epoch}, in which {} has led it",
            before.unwrap_or(node)
        );
        Ok(())
    }
}

impl Invariant<Node> for OneLeaderAnEpoch {
    fn about(&self) -> &'static About {
        &About {
            name: "one-leader-an-epoch",
            statement: "A partition has at most one leader in an epoch, and that begins once.",
            source: "KIP-101, Alter Replication Protocol to use Leader Epoch: the epoch rises with each leader",
            leaves_out: "that there is a leader",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Node>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| match *fact {
            Fact::Led { partition, epoch, .. } => self.on_led(node, partition, epoch),
            Fact::Changed { .. }
            | Fact::Appended { .. }
            | Fact::Truncated { .. }
            | Fact::Began { .. }
            | Fact::Committed { .. }
            | Fact::Acknowledged { .. }
            | Fact::Served { .. }
            | Fact::Recorded { .. }
            | Fact::Read { .. }
            | Fact::Effected { .. }
            | Fact::Stepped { .. }
            | Fact::Showed { .. }
            | Fact::Decided { .. }
            | Fact::Raft(_) => Ok(()),
        })
    }

    fn check_all(&self, nodes: &Nodes<'_, Node>) -> Result<(), Breach> {
        let mut seen = BTreeMap::new();
        for (node, id, _, leading) in leaders(nodes) {
            if let Some(other) = seen.insert((id, leading.epoch()), node) {
                return Err(Breach(format!("{other} and {node} both lead {id} in {}", leading.epoch())));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_leader_of_an_epoch_is_found() {
        let [one, two] = [1, 2].map(NodeId::new);
        let mut invariant = OneLeaderAnEpoch::default();
        let mut led = |node, id, epoch| invariant.on_led(node, PartitionId(id), Epoch(epoch)).is_ok();
        assert!(led(one, 0, 1) && led(two, 0, 2) && led(two, 1, 1));
        assert!(!led(two, 0, 1) && !led(one, 1, 1));
    }
}
