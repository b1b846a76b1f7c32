//! The last stable offset: as far as nothing is open, and no further than what is committed.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::replica::Replica;
use super::super::transaction::{TransactionalId, Written};
use super::super::{Fact, Node, PartitionId};
use super::copies;
use super::transactions::{Seen, written};

/// A leader's last stable offset is where the first transaction begins that is open in what is committed, or where that ends.
#[derive(Clone, Debug, Default)]
pub struct LastStableOffset {
    seen: Seen,
    /// What is open in each partition.
    open: BTreeMap<PartitionId, Open>,
}

/// Where transactions begin that have not ended.
#[derive(Clone, Debug, Default)]
struct Open(BTreeMap<TransactionalId, u64>);

impl Open {
    /// This is committed next.
    fn add(&mut self, offset: u64, written: &Written) {
        if let Written::Marker(marker) = written {
            self.0.remove(&marker.id);
        } else if let Some(stamp) = written.stamp() {
            self.0.entry(stamp.id).or_insert(offset);
        }
    }

    /// The last stable offset by its definition.
    fn stable(&self, committed: u64) -> u64 {
        self.0.values().copied().fold(committed, u64::min)
    }

    fn check(&self, (node, id): (NodeId, PartitionId), committed: u64, stable: u64) -> Result<(), Breach> {
        let expected = self.stable(committed);
        ensure!(stable == expected, "{node} counts {id} stable below {stable}, and it is below {expected}");
        Ok(())
    }
}

impl LastStableOffset {
    /// A leader has committed all below, and has this last stable offset. One that was replaced may know less than others have
    /// stated: then nothing is said of it.
    fn on_committed(&mut self, nodes: &Nodes<'_, Node>, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        for (id, offset, written) in self.seen.news(nodes, node, fact) {
            self.open.entry(id).or_default().add(offset, &written);
        }
        let Fact::Committed { partition: id, high_watermark, .. } = *fact else { return Ok(()) };
        let copy = nodes.process(node).and_then(|process| process.broker()?.replicas().get(id));
        let Some(copy) = copy.filter(|_| high_watermark == self.seen.upto(id)) else { return Ok(()) };
        let stable = copy.log().stable(high_watermark);
        self.open.entry(id).or_default().check((node, id), high_watermark, stable)
    }
}

/// The same of a copy, from its beginning.
fn open_in(copy: &Replica) -> Open {
    let mut open = Open::default();
    for (offset, written) in written(copy, 0, copy.high_watermark()) {
        open.add(offset, &written);
    }
    open
}

impl Invariant<Node> for LastStableOffset {
    fn about(&self) -> &'static About {
        &About {
            name: "last-stable-offset",
            statement: "The last stable offset of a leader is where the first transaction begins that is open in what is \
                        committed, and its high watermark where none is open: so it does not fall.",
            source: "KIP-98: the last stable offset",
            leaves_out: "that it rises: an open transaction holds it back until it ends; leaders that know less to be committed \
                         than others have",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Node>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_committed(nodes, node, fact))
    }

    /// Every copy has the last stable offset that its records say.
    fn check_all(&self, nodes: &Nodes<'_, Node>) -> Result<(), Breach> {
        copies(nodes).try_for_each(|(node, id, copy)| {
            let committed = copy.high_watermark();
            open_in(copy).check((node, id), committed, copy.log().stable(committed))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::transactions::hand_made::{marker, result};
    use super::*;
    use crate::log::transaction::End;

    #[test]
    fn one_above_an_open_transaction_and_one_below_what_has_ended_are_found() {
        let judge = |records: &[(u64, Written)], (committed, stable)| {
            let mut open = Open::default();
            for (offset, written) in records {
                open.add(*offset, written);
            }
            open.check((NodeId::new(1), PartitionId(1)), committed, stable).is_ok()
        };
        let begun = [(2, result(1, 0)), (4, result(1, 1))];
        assert!(judge(&begun, (5, 2)));
        assert!(!judge(&begun, (5, 3)), "an open transaction is below it");
        assert!(!judge(&begun, (5, 5)), "an open transaction is below it");
        let ended = [begun.as_slice(), &[(5, marker(2, 1, End::Abort))]].concat();
        assert!(judge(&ended, (6, 6)));
        assert!(!judge(&ended, (6, 2)), "nothing is open");
        assert!(!judge(&[], (3, 4)), "above the high watermark");
    }
}
