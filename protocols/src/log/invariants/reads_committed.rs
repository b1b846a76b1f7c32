//! What clients are shown: committed, and so there for ever.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Fact, Node, PartitionId};
use super::copies;

/// No client is shown a record that is not committed.
#[derive(Clone, Debug, Default)]
pub struct ReadsCommitted {
    committed: BTreeMap<PartitionId, u64>,
}

impl ReadsCommitted {
    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        match *fact {
            Fact::Committed { partition, high_watermark, .. } => {
                let known = self.committed.entry(partition).or_default();
                *known = high_watermark.max(*known);
                Ok(())
            }
            Fact::Served { partition, upto } => {
                let known = self.known(partition);
                ensure!(
                    upto <= known,
                    "{node} shows {partition} below {upto}, and only what is below {known} is committed"
                );
                Ok(())
            }
            Fact::Changed { .. }
            | Fact::Led { .. }
            | Fact::Appended { .. }
            | Fact::Truncated { .. }
            | Fact::Began { .. }
            | Fact::Acknowledged { .. }
            | Fact::Recorded { .. }
            | Fact::Read { .. }
            | Fact::Effected { .. }
            | Fact::Stepped { .. }
            | Fact::Showed { .. }
            | Fact::Decided { .. }
            | Fact::Raft(_) => Ok(()),
        }
    }

    fn known(&self, id: PartitionId) -> u64 {
        self.committed.get(&id).copied().unwrap_or(0)
    }
}

impl Invariant<Node> for ReadsCommitted {
    fn about(&self) -> &'static About {
        &About {
            name: "reads-committed",
            statement: "A client is shown only records that some leader counted as committed.",
            source: "Kafka, Documentation §4.7: only committed messages are ever given out to the consumer",
            leaves_out: "whether it is shown the newest: leaders that were replaced are late",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Node>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, fact))
    }

    /// Nobody thinks more committed than some leader did.
    fn check_all(&self, nodes: &Nodes<'_, Node>) -> Result<(), Breach> {
        copies(nodes).try_for_each(|(node, id, copy)| {
            let (here, known) = (copy.high_watermark(), self.known(id));
            ensure!(
                here <= known,
                "{node} thinks {id} committed below {here}, and no leader said more than {known}"
            );
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Epoch;
    use crate::replicated::Chain;

    #[test]
    fn a_read_beyond_what_is_committed_is_found() {
        let (node, partition) = (NodeId::new(1), PartitionId(0));
        let mut invariant = ReadsCommitted::default();
        let committed =
            |high_watermark| Fact::Committed { partition, epoch: Epoch(1), high_watermark, chain: Chain(1) };
        let mut says = |fact| invariant.on_fact(node, &fact).is_ok();
        assert!(says(committed(5)) && says(committed(3)), "a new leader may know less");
        assert!(says(Fact::Served { partition, upto: 5 }));
        assert!(!says(Fact::Served { partition, upto: 6 }));
    }
}
