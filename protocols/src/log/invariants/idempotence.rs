//! Retries: what a producer sends again stands there once.

use std::collections::{BTreeMap, BTreeSet};

use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::{NodeId, OpId, ensure};

use super::super::replica::Replica;
use super::super::{Fact, Node, PartitionId};
use super::copies;

/// No record of a producer is committed twice.
#[derive(Clone, Debug, Default)]
pub struct Idempotent {
    partitions: BTreeMap<PartitionId, Committed>,
}

/// What is committed in a partition.
#[derive(Clone, Debug, Default)]
struct Committed {
    upto: u64,
    ops: BTreeSet<OpId>,
}

impl Committed {
    fn add(&mut self, id: PartitionId, ops: impl Iterator<Item = (u64, Option<OpId>)>) -> Result<(), Breach> {
        for (offset, op) in ops {
            if let Some(op) = op {
                ensure!(self.ops.insert(op), "{op} is committed twice in {id}, again at {offset}");
            }
            self.upto = offset + 1;
        }
        Ok(())
    }
}

fn ops(copy: &Replica, from: u64) -> impl Iterator<Item = (u64, Option<OpId>)> + '_ {
    copy.log().range(from, copy.high_watermark()).map(|(offset, entry)| (offset, entry.op))
}

impl Invariant<Node> for Idempotent {
    fn about(&self) -> &'static About {
        &About {
            name: "idempotence",
            statement: "A record that a producer sends again is committed once in its partition.",
            source: "KIP-98, Exactly Once Delivery: idempotent producers",
            leaves_out: "producers that send again what is older than their last 64 records",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Node>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| match *fact {
            Fact::Committed { partition: id, .. } => {
                let copy = nodes.process(node).and_then(|process| process.broker()?.replicas().get(id));
                let known = self.partitions.entry(id).or_default();
                copy.map_or(Ok(()), |copy| known.add(id, ops(copy, known.upto)))
            }
            Fact::Changed { .. }
            | Fact::Led { .. }
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
        copies(nodes).try_for_each(|(_, id, copy)| Committed::default().add(id, ops(copy, 0)))
    }
}

#[cfg(test)]
mod tests {
    use sim_core::ClientId;

    use super::*;

    #[test]
    fn a_record_that_stands_there_twice_is_found() {
        let op = |ordinal| Some(OpId { client: ClientId::new(0), ordinal });
        let mut committed = Committed::default();
        assert!(committed.add(PartitionId(0), [(0, op(1)), (1, op(0))].into_iter()).is_ok());
        assert!(committed.add(PartitionId(0), [(2, op(2)), (3, op(1))].into_iter()).is_err());
    }
}
