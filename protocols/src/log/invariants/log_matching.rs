//! Copies: the same up to where they have a record of one epoch.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Epoch, Fact, Node, PartitionId};
use super::copies;
use crate::replicated::Chain;

/// If two copies of a partition have a record of one epoch at one offset, they are the same up to it.
#[derive(Clone, Debug, Default)]
pub struct LogMatching {
    chains: BTreeMap<(PartitionId, Epoch, u64), Chain>,
}

impl LogMatching {
    fn on_appended(
        &mut self,
        at: (PartitionId, Epoch, u64),
        chain: Chain,
        node: NodeId,
    ) -> Result<(), Breach> {
        let known = *self.chains.entry(at).or_insert(chain);
        let (id, epoch, offset) = at;
        ensure!(
            known == chain,
            "{node} has another record of {epoch} at {id}@{offset}, or before, than another broker: {chain}, not {known}"
        );
        Ok(())
    }
}

impl Invariant<Node> for LogMatching {
    fn about(&self) -> &'static About {
        &About {
            name: "log-matching",
            statement: "If two copies of a partition have at one offset a record of the same leader epoch, they are the same up to it.",
            source: "KIP-101 and KIP-279; after Ongaro (2014) §3.5, Log Matching",
            leaves_out: "records that damaged disks give back",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Node>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| match *fact {
            Fact::Appended { partition, offset, epoch, chain } => {
                self.on_appended((partition, epoch, offset), chain, node)
            }
            Fact::Changed { .. }
            | Fact::Led { .. }
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
        let mut seen: BTreeMap<(PartitionId, Epoch, u64), (Chain, NodeId)> = BTreeMap::new();
        for (node, id, copy) in copies(nodes) {
            for (offset, entry) in copy.log().range(copy.log().base(), copy.log().end()) {
                let chain = copy.log().chain_below(offset + 1).unwrap_or_default();
                let (known, other) = *seen.entry((id, entry.epoch, offset)).or_insert((chain, node));
                ensure!(
                    known == chain,
                    "{other} and {node} differ at {id}@{offset} or before, in {}",
                    entry.epoch
                );
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_record_of_the_same_epoch_is_found() {
        let [one, two] = [1, 2].map(NodeId::new);
        let mut invariant = LogMatching::default();
        let mut has = |node, epoch, offset, chain| {
            invariant.on_appended((PartitionId(0), Epoch(epoch), offset), Chain(chain), node).is_ok()
        };
        assert!(has(one, 1, 0, 10) && has(two, 1, 0, 10), "the same");
        assert!(has(two, 2, 1, 20) && has(one, 1, 1, 30), "another epoch");
        assert!(!has(one, 2, 1, 21));
    }
}
