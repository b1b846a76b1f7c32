//! The last stable offset: as far as nothing is open, and no further than what is committed.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::replica::Replica;
use super::super::transaction::{TransactionalId, Written};
use super::super::{Fact, Node, PartitionId};
use super::copies;
use super::transactions::written;

/// A leader's last stable offset is not above its high watermark, no open transaction is below, and it does not fall.
#[derive(Clone, Debug, Default)]
pub struct LastStableOffset {
    /// By partition the highest high watermark, with the last stable offset that goes with it.
    highest: BTreeMap<PartitionId, (u64, u64)>,
}

impl LastStableOffset {
    fn on_committed(
        &mut self,
        node: NodeId,
        id: PartitionId,
        (committed, stable): (u64, u64),
    ) -> Result<(), Breach> {
        ensure!(
            stable <= committed,
            "{node} counts {id} stable below {stable}, and committed below {committed}"
        );
        let (highest, before) = self.highest.get(&id).copied().unwrap_or_default();
        if committed >= highest {
            ensure!(stable >= before, "{node} counts {id} stable below {stable}, and it was below {before}");
            self.highest.insert(id, (committed, stable));
        }
        Ok(())
    }
}

/// The last stable offset by its definition: the first committed record of a transaction without a committed marker.
fn by_hand(copy: &Replica) -> u64 {
    let committed = copy.high_watermark();
    let mut open: BTreeMap<TransactionalId, u64> = BTreeMap::new();
    for (offset, written) in written(copy, 0, committed) {
        if let Written::Marker(marker) = &*written {
            open.remove(&marker.id);
        } else if let Some(stamp) = written.stamp() {
            open.entry(stamp.id).or_insert(offset);
        }
    }
    open.into_values().fold(committed, u64::min)
}

impl Invariant<Node> for LastStableOffset {
    fn about(&self) -> &'static About {
        &About {
            name: "last-stable-offset",
            statement: "The last stable offset of a leader is at most its high watermark, and where as much or more is \
                        committed it is no lower.",
            source: "KIP-98: the last stable offset",
            leaves_out: "that it rises: an open transaction holds it back until it ends",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Node>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| {
            let Fact::Committed { partition: id, high_watermark, .. } = *fact else { return Ok(()) };
            let copy = nodes.process(node).and_then(|process| process.broker()?.replicas().get(id));
            copy.map_or(Ok(()), |copy| {
                self.on_committed(node, id, (high_watermark, copy.log().stable(high_watermark)))
            })
        })
    }

    /// Every copy has the last stable offset that its records say.
    fn check_all(&self, nodes: &Nodes<'_, Node>) -> Result<(), Breach> {
        copies(nodes).try_for_each(|(node, id, copy)| {
            let (stable, expected) = (copy.log().stable(copy.high_watermark()), by_hand(copy));
            ensure!(
                stable == expected,
                "{node} counts {id} stable below {stable}, and it is below {expected}"
            );
            Ok(())
        })
    }

    fn fork(&self) -> Box<dyn Invariant<Node>> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_falls_or_is_above_the_high_watermark_is_found() {
        let judge = |steps: &[(u64, u64)]| {
            let mut invariant = LastStableOffset::default();
            let mut all = steps.iter();
            all.all(|step| invariant.on_committed(NodeId::new(1), PartitionId(0), *step).is_ok())
        };
        assert!(judge(&[(3, 1), (5, 1), (6, 6)]));
        assert!(judge(&[(5, 4), (3, 1), (5, 4)]), "a leader that was replaced may know less");
        assert!(!judge(&[(3, 4)]), "above the high watermark");
        assert!(!judge(&[(5, 4), (6, 3)]), "it falls");
    }
}
