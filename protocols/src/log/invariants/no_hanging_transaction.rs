//! Transactions that have ended stay ended: no record opens one that nobody will end.

use std::collections::{BTreeMap, BTreeSet};

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::transaction::index::TransactionIndex;
use super::super::transaction::{State, TransactionalId, Written};
use super::super::{Fact, Node, PartitionId};
use super::transactions::{Seen, furthest};

/// Every committed record of a transaction belongs to one that the coordinator has open, in a partition that it knows of.
#[derive(Clone, Debug, Default)]
pub struct NoHangingTransaction {
    seen: Seen,
    /// The partitions of the open transaction, by transactional id.
    open: BTreeMap<TransactionalId, BTreeSet<PartitionId>>,
}

impl NoHangingTransaction {
    fn on_written(&mut self, id: PartitionId, offset: u64, written: &Written) -> Result<(), Breach> {
        match written {
            Written::State(image) => {
                match image.state {
                    State::Ongoing | State::Prepared(_) => {
                        self.open.insert(image.id, image.partitions.clone())
                    }
                    State::Empty | State::Completed(_) => self.open.remove(&image.id),
                };
                Ok(())
            }
            Written::Result { .. } | Written::Offset { .. } => {
                let Some(stamp) = written.stamp() else { return Ok(()) };
                ensure!(
                    self.knows(stamp.id, id),
                    "{id}@{offset} is of {stamp}, and no transaction of it is open there: nobody ends it"
                );
                Ok(())
            }
            Written::Marker(_) => Ok(()),
        }
    }

    fn knows(&self, producer: TransactionalId, id: PartitionId) -> bool {
        self.open.get(&producer).is_some_and(|partitions| partitions.contains(&id))
    }
}

impl Invariant<Node> for NoHangingTransaction {
    fn about(&self) -> &'static About {
        &About {
            name: "no-hanging-transaction",
            statement: "A record of a transaction is committed while its coordinator has the transaction open, and in a \
                        partition that the coordinator knows of.",
            source: "KIP-890: transactions server-side defense",
            leaves_out: "how long a transaction is open: `transaction_timeout`",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Node>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        let news: Vec<_> = facts.iter().flat_map(|fact| self.seen.news(nodes, node, fact)).collect();
        news.iter().try_for_each(|(id, offset, written)| self.on_written(*id, *offset, written))
    }

    /// What is open in a partition is open at the coordinator.
    fn check_all(&self, nodes: &Nodes<'_, Node>) -> Result<(), Breach> {
        for (id, (node, copy)) in furthest(nodes) {
            let committed = copy.high_watermark();
            let index = copy.log().transactions().filter(|_| committed >= self.seen.upto(id));
            let open = index.into_iter().flat_map(TransactionIndex::open);
            for (producer, first) in open.filter(|(_, first)| *first < committed) {
                ensure!(
                    self.knows(producer, id),
                    "{node} has {id}@{first} of {producer} open, and nobody ends it"
                );
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::transactions::hand_made::{marker, result, state};
    use super::*;
    use crate::log::transaction::End;

    #[test]
    fn a_record_after_the_end_of_its_transaction_is_found() {
        let judge = |records: &[Written]| {
            let mut invariant = NoHangingTransaction::default();
            let mut all = (0..).zip(records);
            all.all(|(offset, written)| invariant.on_written(PartitionId(1), offset, written).is_ok())
        };
        let ongoing = || state(1, 0, State::Ongoing);
        let (aborting, abort) = (|| state(2, 1, State::Prepared(End::Abort)), || marker(2, 1, End::Abort));
        let aborted = || state(2, 1, State::Completed(End::Abort));
        assert!(judge(&[ongoing(), result(1, 0), aborting(), result(1, 1), abort(), aborted()]));
        assert!(!judge(&[ongoing(), result(1, 0), aborting(), abort(), aborted(), result(1, 1)]));
        assert!(!judge(&[result(1, 0)]), "it was never opened");
    }
}
