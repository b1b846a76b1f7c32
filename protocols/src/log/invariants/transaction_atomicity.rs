//! Transactions: all partitions hear the same end, and it is the one that was decided.

use std::collections::{BTreeMap, BTreeSet};

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::transaction::{End, Marker, State, TransactionImage, TransactionalId, Written};
use super::super::{Fact, Node, PartitionId};
use super::transactions::{Seen, furthest, written};

/// Markers say what was decided, and when a transaction is over all its partitions have one.
#[derive(Clone, Debug, Default)]
pub struct TransactionAtomicity {
    seen: Seen,
    decided: BTreeMap<(TransactionalId, u64), Decision>,
}

/// How a transaction ends.
#[derive(Clone, Debug)]
struct Decision {
    end: End,
    partitions: BTreeSet<PartitionId>,
    marked: BTreeSet<PartitionId>,
}

impl TransactionAtomicity {
    fn on_written(&mut self, id: PartitionId, offset: u64, written: &Written) -> Result<(), Breach> {
        match written {
            Written::Marker(marker) => self.on_marker(id, offset, *marker),
            Written::State(image) => self.on_state(image),
            Written::Result { .. } | Written::Offset { .. } => Ok(()),
        }
    }

    fn on_state(&mut self, image: &TransactionImage) -> Result<(), Breach> {
        let key = (image.id, image.number);
        match image.state {
            State::Empty | State::Ongoing => Ok(()),
            State::Prepared(end) => {
                let (partitions, marked) = (image.partitions.clone(), BTreeSet::new());
                let before = self.decided.insert(key, Decision { end, partitions, marked });
                ensure!(before.is_none(), "it is decided twice how {} #{} ends", image.id, image.number);
                Ok(())
            }
            State::Completed(end) => {
                let decision = self.decided.remove(&key);
                let is_over = decision.is_some_and(|one| one.end == end && one.marked == one.partitions);
                ensure!(
                    is_over,
                    "{} #{} is over, and not all partitions have the marker",
                    image.id,
                    image.number
                );
                Ok(())
            }
        }
    }

    fn on_marker(&mut self, id: PartitionId, offset: u64, marker: Marker) -> Result<(), Breach> {
        let decision = self.decided.get_mut(&(marker.id, marker.number));
        let Some(decision) = decision else {
            return Err(Breach(format!("{id}@{offset} ends {marker}, and that is not decided")));
        };
        ensure!(
            decision.end == marker.end && decision.partitions.contains(&id),
            "{id}@{offset} ends {marker}, and it was decided to {} in {:?}",
            decision.end,
            decision.partitions
        );
        decision.marked.insert(id);
        Ok(())
    }
}

impl Invariant<Node> for TransactionAtomicity {
    fn about(&self) -> &'static About {
        &About {
            name: "transaction-atomicity",
            statement: "A transaction ends in each of its partitions as it was decided, after that, and in all of them before \
                        it is over.",
            source: "KIP-98: the transaction coordinator and transaction log",
            leaves_out: "that readers see all partitions at one moment: a marker comes after the other",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Node>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        let news: Vec<_> = facts.iter().flat_map(|fact| self.seen.news(nodes, node, fact)).collect();
        news.iter().try_for_each(|(id, offset, written)| self.on_written(*id, *offset, written))
    }

    /// In no two partitions does a transaction end differently.
    fn check_all(&self, nodes: &Nodes<'_, Node>) -> Result<(), Breach> {
        let mut ends = BTreeMap::new();
        for (id, (node, copy)) in furthest(nodes) {
            for (offset, written) in written(copy, 0, copy.high_watermark()) {
                let Written::Marker(marker) = &*written else { continue };
                let end = *ends.entry((marker.id, marker.number)).or_insert(marker.end);
                ensure!(end == marker.end, "{id}@{offset} on {node} ends {marker}, elsewhere it is {end}");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::transactions::hand_made::{marker, state};
    use super::*;

    fn judge(records: &[(u32, Written)]) -> bool {
        let mut invariant = TransactionAtomicity::default();
        let mut all = (0..).zip(records);
        all.all(|(offset, (id, written))| invariant.on_written(PartitionId(*id), offset, written).is_ok())
    }

    #[test]
    fn an_end_that_was_not_decided_or_is_not_everywhere_is_found() {
        let prepared = || (9, state(2, 1, State::Prepared(End::Commit)));
        let completed = || (9, state(2, 1, State::Completed(End::Commit)));
        let commit = |id| (id, marker(2, 1, End::Commit));
        assert!(judge(&[prepared(), commit(1), commit(2), completed()]));
        assert!(!judge(&[commit(1), prepared()]), "before it is decided");
        assert!(!judge(&[prepared(), (1, marker(2, 1, End::Abort))]), "the other end");
        assert!(!judge(&[prepared(), commit(3)]), "a partition that has nothing to do with it");
        assert!(!judge(&[prepared(), commit(1), completed()]), "one has no marker");
    }
}
