//! Readers of what is committed: they are shown the results of committed transactions, and no others.

use std::collections::{BTreeMap, BTreeSet};

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::transaction::{End, TransactionalId, Written};
use super::super::{Fact, Node, PartitionId};
use super::copies;
use super::transactions::{Seen, written};

/// What a reader of what is committed is shown belongs to a transaction that has a commit marker.
#[derive(Clone, Debug, Default)]
pub struct AbortedUnread {
    seen: Seen,
    partitions: BTreeMap<PartitionId, Results>,
}

/// The results of a partition.
#[derive(Clone, Debug, Default)]
struct Results {
    open: BTreeMap<TransactionalId, Vec<u64>>,
    /// Those that count.
    committed: BTreeSet<u64>,
}

impl AbortedUnread {
    fn on_written(&mut self, id: PartitionId, offset: u64, written: &Written) {
        let results = self.partitions.entry(id).or_default();
        match written {
            Written::Result { effect, .. } => {
                results.open.entry(TransactionalId::of(effect.partition)).or_default().push(offset);
            }
            Written::Marker(marker) => {
                let ended = results.open.remove(&marker.id).unwrap_or_default();
                if marker.end == End::Commit {
                    results.committed.extend(ended);
                }
            }
            Written::Offset { .. } | Written::State(_) => {}
        }
    }

    fn on_showed(&self, node: NodeId, id: PartitionId, offsets: &[u64]) -> Result<(), Breach> {
        let unread = offsets.iter().find(|offset| !self.is_committed(id, **offset));
        if let Some(offset) = unread {
            return Err(Breach(format!(
                "{node} shows {id}@{offset}, of a transaction that is not committed"
            )));
        }
        Ok(())
    }

    fn is_committed(&self, id: PartitionId, offset: u64) -> bool {
        self.partitions.get(&id).is_some_and(|results| results.committed.contains(&offset))
    }
}

impl Invariant<Node> for AbortedUnread {
    fn about(&self) -> &'static About {
        &About {
            name: "aborted-unread",
            statement: "A reader of what is committed is shown only results of transactions that have a commit marker.",
            source: "KIP-98: read committed; Jepsen: Redpanda 21.10.1 (2022), aborted reads",
            leaves_out: "readers that want what is not committed, too",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Node>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        for fact in facts {
            for (id, offset, written) in self.seen.news(nodes, node, fact) {
                self.on_written(id, offset, &written);
            }
            if let Fact::Showed { partition, offsets } = fact {
                self.on_showed(node, *partition, offsets)?;
            }
        }
        Ok(())
    }

    /// What any copy says about the results below its last stable offset is what their markers say.
    fn check_all(&self, nodes: &Nodes<'_, Node>) -> Result<(), Breach> {
        for (node, id, copy) in copies(nodes) {
            let Some(index) = copy.log().transactions() else { continue };
            for (offset, written) in written(copy, 0, index.stable(copy.high_watermark())) {
                let Written::Result { effect, .. } = &*written else { continue };
                let counts = index.end_of(TransactionalId::of(effect.partition), offset) == Some(End::Commit);
                let is_committed = self.is_committed(id, offset);
                ensure!(
                    counts == is_committed,
                    "{node} thinks of {id}@{offset}: {counts}; its marker says {is_committed}"
                );
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::transactions::hand_made::{marker, result};
    use super::*;

    #[test]
    fn results_that_are_open_or_aborted_must_not_be_shown() {
        let (node, id) = (NodeId::new(1), PartitionId(1));
        let mut invariant = AbortedUnread::default();
        let records =
            [result(1, 0), marker(2, 1, End::Abort), result(2, 0), marker(3, 2, End::Commit), result(3, 1)];
        for (offset, written) in (0..).zip(&records) {
            invariant.on_written(id, offset, written);
        }
        assert!(invariant.on_showed(node, id, &[2]).is_ok());
        assert!(invariant.on_showed(node, id, &[0]).is_err(), "aborted");
        assert!(invariant.on_showed(node, id, &[2, 4]).is_err(), "open");
    }
}
