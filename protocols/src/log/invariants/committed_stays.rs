//! What is committed: there for ever, at its offset.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Epoch, Fact, Node, PartitionId};
use super::leaders;
use crate::replicated::Chain;

/// Every leader has in its log all that leaders of earlier epochs have committed.
#[derive(Clone, Debug, Default)]
pub struct CommittedStays {
    /// How far each leader has committed, and the chain of all below.
    committed: BTreeMap<(PartitionId, Epoch), (u64, Chain)>,
}

impl CommittedStays {
    /// That the log of a leader of `epoch` has what was committed before; `chain_below` is what it has below an offset from its
    /// base on.
    fn check(
        &self,
        node: NodeId,
        (id, epoch): (PartitionId, Epoch),
        base: u64,
        chain_below: impl Fn(u64) -> Option<Chain>,
    ) -> Result<(), Breach> {
        let before = self.committed.range((id, Epoch::default())..(id, epoch)).next_back();
        let Some(((_, by), (offset, chain))) = before.filter(|(_, (offset, _))| *offset >= base) else {
            return Ok(());
        };
        let there = chain_below(*offset);
        ensure!(
            there == Some(*chain),
            "{node} leads {id} in {epoch}, all below {offset} was committed in {by}, and {}",
            if there.is_none() { "its log ends before that" } else { "it has something else there" }
        );
        Ok(())
    }

    fn check_copy(
        &self,
        nodes: &Nodes<'_, Node>,
        node: NodeId,
        at: (PartitionId, Epoch),
    ) -> Result<(), Breach> {
        let copy = nodes.process(node).and_then(|process| process.broker()?.replicas().get(at.0));
        copy.map_or(Ok(()), |copy| {
            self.check(node, at, copy.log().base(), |offset| copy.log().chain_below(offset))
        })
    }

    fn on_committed(&mut self, at: (PartitionId, Epoch), upto: u64, chain: Chain) {
        self.committed.insert(at, (upto, chain));
    }
}

impl Invariant<Node> for CommittedStays {
    fn about(&self) -> &'static About {
        &About {
            name: "committed-stays",
            statement: "Every leader of a partition has all that was committed in earlier epochs, at the same offsets.",
            source: "Kafka, Documentation §4.7: a committed message is not lost as long as one in-sync replica lives",
            leaves_out: "unclean elections: with them it does not hold",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Node>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| match *fact {
            Fact::Led { partition, epoch, .. } => self.check_copy(nodes, node, (partition, epoch)),
            Fact::Committed { partition, epoch, high_watermark, chain } => {
                self.on_committed((partition, epoch), high_watermark, chain);
                self.check_copy(nodes, node, (partition, epoch))
            }
            Fact::Changed { .. }
            | Fact::Appended { .. }
            | Fact::Truncated { .. }
            | Fact::Began { .. }
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
        leaders(nodes).try_for_each(|(node, id, copy, leading)| {
            let log = copy.log();
            self.check(node, (id, leading.epoch()), log.base(), |offset| log.chain_below(offset))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leader_without_what_was_committed_before_is_found() {
        let (node, id) = (NodeId::new(1), PartitionId(0));
        let mut invariant = CommittedStays::default();
        invariant.on_committed((id, Epoch(1)), 2, Chain(20));
        invariant.on_committed((id, Epoch(2)), 3, Chain(30));
        let check = |id, epoch, there: Option<Chain>| {
            let below = |offset| if offset == 3 { there } else { Some(Chain(offset * 10)) };
            invariant.check(node, (id, Epoch(epoch)), 0, below).is_ok()
        };
        assert!(check(id, 3, Some(Chain(30))));
        assert!(!check(id, 3, Some(Chain(31))) && !check(id, 3, None));
        assert!(check(id, 2, None) && check(id, 1, None), "it was committed by a later leader, or by itself");
        assert!(check(PartitionId(1), 3, None), "nothing is committed there");
    }
}
