//! Producer epochs: when a newer one has begun, an older one writes nothing.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::transaction::{ProducerEpoch, State, TransactionalId, Written};
use super::super::{Fact, Node, PartitionId};
use super::copies;
use super::transactions::{Seen, written};

/// What is committed after a producer epoch has begun is of that epoch or a later one.
#[derive(Clone, Debug, Default)]
pub struct ProducerFencing {
    seen: Seen,
    begun: BTreeMap<TransactionalId, ProducerEpoch>,
}

impl ProducerFencing {
    fn on_written(&mut self, id: PartitionId, offset: u64, written: &Written) -> Result<(), Breach> {
        match written {
            Written::State(image) => {
                // While it is decided how a transaction ends its producer may still write, until the marker comes.
                if !matches!(image.state, State::Prepared(_)) {
                    self.begun.insert(image.id, image.epoch);
                }
                Ok(())
            }
            Written::Result { .. } | Written::Offset { .. } => {
                let Some(stamp) = written.stamp() else { return Ok(()) };
                let begun = self.begun.get(&stamp.id).copied().unwrap_or_default();
                ensure!(
                    stamp.epoch >= begun,
                    "{id}@{offset} is of {stamp}, and {begun} had begun before it was committed"
                );
                Ok(())
            }
            Written::Marker(_) => Ok(()),
        }
    }
}

impl Invariant<Node> for ProducerFencing {
    fn about(&self) -> &'static About {
        &About {
            name: "producer-fencing",
            statement: "When a producer epoch has begun, nothing of an older one is written any more.",
            source: "KIP-98: InitProducerId fences older epochs",
            leaves_out: "what was on its way when the transaction was decided, and came before its marker",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Node>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        let news: Vec<_> = facts.iter().flat_map(|fact| self.seen.news(nodes, node, fact)).collect();
        news.iter().try_for_each(|(id, offset, written)| self.on_written(*id, *offset, written))
    }

    /// In no copy do the epochs of a producer go back.
    fn check_all(&self, nodes: &Nodes<'_, Node>) -> Result<(), Breach> {
        copies(nodes).try_for_each(|(node, id, copy)| {
            let mut last: BTreeMap<TransactionalId, ProducerEpoch> = BTreeMap::new();
            for (offset, written) in written(copy, 0, copy.high_watermark()) {
                let (of, epoch) = match (&*written, written.stamp()) {
                    (Written::Marker(marker), _) => (marker.id, marker.epoch),
                    (_, Some(stamp)) => (stamp.id, stamp.epoch),
                    (_, None) => continue,
                };
                let before = last.insert(of, epoch).unwrap_or_default();
                ensure!(epoch >= before, "{id}@{offset} on {node} is of {of} {epoch}, after {before}");
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::transactions::hand_made::{result, state};
    use super::*;
    use crate::log::transaction::End;

    #[test]
    fn a_record_of_an_epoch_that_is_over_is_found() {
        let judge = |records: &[Written]| {
            let mut invariant = ProducerFencing::default();
            let mut all = (0..).zip(records);
            all.all(|(offset, written)| invariant.on_written(PartitionId(1), offset, written).is_ok())
        };
        let begun = |epoch| state(epoch, 0, State::Empty);
        let aborting = || state(2, 1, State::Prepared(End::Abort));
        assert!(judge(&[begun(1), result(1, 0), aborting(), result(1, 1), begun(3), result(3, 0)]));
        assert!(!judge(&[begun(1), result(1, 0), aborting(), begun(3), result(1, 1)]));
    }
}
