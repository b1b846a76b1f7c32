//! Compaction: the last record of each key stays.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::beginning::{Cleanup, Key, key_of};
use super::super::entry::Body;
use super::super::replica::Replica;
use super::super::transaction::{End, TransactionalId, Written};
use super::super::{Config, Fact, Node, PartitionId};
use super::copies;

/// Below its base a compacted copy has the last committed record of each key.
#[derive(Clone, Debug)]
pub struct Compaction {
    config: Config,
    partitions: BTreeMap<PartitionId, Known>,
}

/// What is committed in a partition.
#[derive(Clone, Debug, Default)]
struct Known {
    /// Everything below has been looked at.
    upto: u64,
    /// Where the records of each key stand, rising; of offsets in transactions also where the marker does that makes them count.
    places: BTreeMap<Key, Vec<(u64, Option<u64>)>>,
    /// Offsets of transactions that have not ended.
    pending: BTreeMap<TransactionalId, u64>,
}

impl Known {
    fn add(&mut self, offset: u64, body: &Body) {
        self.upto = offset + 1;
        if let Some(key) = key_of(body) {
            self.places.entry(key).or_default().push((offset, None));
        }
        let Body::Transactional(written) = body else { return };
        if let Written::Offset { by, .. } = **written {
            self.pending.insert(by.id, offset);
        }
        if let Written::Marker(marker) = **written {
            let said = self.pending.remove(&marker.id).filter(|_| marker.end == End::Commit);
            let places = self.places.entry(Key::Group(marker.id.partition())).or_default();
            places.extend(said.map(|said| (said, Some(offset))));
        }
    }

    /// That a log that begins at `base` has what it needs; `has` says whether it has a record.
    fn check(&self, base: u64, has: impl Fn(u64) -> bool) -> Result<(), Breach> {
        ensure!(base <= self.upto, "it begins at {base}, and all below {} is committed", self.upto);
        for (key, places) in &self.places {
            let counts = places.iter().rev().find(|(said, marker)| marker.unwrap_or(*said) < base);
            let Some((said, marker)) = counts else { continue };
            ensure!(has(*said), "the last record of {key:?} below {base} stands at {said}, and is gone");
            let is_marked = marker.is_none_or(&has);
            ensure!(is_marked, "the marker of {key:?} at {said} stands at {marker:?}, and is gone");
        }
        Ok(())
    }
}

impl Compaction {
    /// Of the partitions that these parameters compact.
    pub fn new(config: &Config) -> Self {
        Self { config: config.clone(), partitions: BTreeMap::new() }
    }

    fn is_asked(&self, id: PartitionId) -> bool {
        self.config.cleanup_of(id) == Some(Cleanup::Compact)
    }

    fn check_copy(&self, node: NodeId, id: PartitionId, copy: &Replica) -> Result<(), Breach> {
        let (left, empty) = (&copy.log().beginning().kept, Known::default());
        let has = |offset| left.binary_search_by_key(&offset, |(at, _)| *at).is_ok();
        let known = self.partitions.get(&id).unwrap_or(&empty);
        known.check(copy.log().base(), has).map_err(|Breach(what)| Breach(format!("{id} on {node}: {what}")))
    }
}

fn copy_of<'a>(nodes: &Nodes<'a, Node>, node: NodeId, id: PartitionId) -> Option<&'a Replica> {
    nodes.process(node).and_then(|process| process.broker()?.replicas().get(id))
}

impl Invariant<Node> for Compaction {
    fn about(&self) -> &'static About {
        &About {
            name: "compaction",
            statement: "A copy of a compacted partition has, of what is committed below its base, the last record of each key, and \
                        the marker that makes it count.",
            source: "Kafka, Documentation §4.8: log compaction retains at least the last known value for each key; KIP-98",
            leaves_out: "that anything goes: a copy that compacts nothing is right",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Node>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        for fact in facts {
            if let Fact::Committed { partition: id, high_watermark, .. } = *fact
                && self.is_asked(id)
                && let Some(copy) = copy_of(nodes, node, id)
            {
                let known = self.partitions.entry(id).or_default();
                let news = copy.log().range(known.upto, high_watermark);
                news.for_each(|(offset, entry)| known.add(offset, &entry.body));
            }
            if let Fact::Began { partition: id, .. } = *fact
                && self.is_asked(id)
                && let Some(copy) = copy_of(nodes, node, id)
            {
                self.check_copy(node, id, copy)?;
            }
        }
        Ok(())
    }

    fn check_all(&self, nodes: &Nodes<'_, Node>) -> Result<(), Breach> {
        let mut asked = copies(nodes).filter(|(_, id, _)| self.is_asked(*id));
        asked.try_for_each(|(node, id, copy)| self.check_copy(node, id, copy))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::super::transaction::{Marker, ProducerEpoch, Stamp};
    use super::*;

    #[test]
    fn a_last_record_or_its_marker_that_is_gone_is_found() {
        let (partition, id, epoch) = (PartitionId(0), TransactionalId(0), ProducerEpoch(1));
        let commit = |offset| Body::Commit { partition, offset, by: None };
        let said = Written::Offset { by: Stamp { id, epoch, sequence: 1 }, offset: 9 };
        let ends = |end| Body::Transactional(Arc::new(Written::Marker(Marker { id, epoch, number: 1, end })));
        let said = || Body::Transactional(Arc::new(said.clone()));
        let all = [commit(1), said(), commit(2), ends(End::Commit), said(), ends(End::Abort)];
        let mut known = Known::default();
        (0..).zip(&all).for_each(|(offset, body)| known.add(offset, body));
        let check = |base, kept: &[u64]| known.check(base, |offset| kept.contains(&offset)).is_ok();
        assert!(check(6, &[1, 2, 3]), "what was aborted may go, and its marker");
        assert!(!check(6, &[1, 3]) && !check(6, &[2, 3]) && !check(6, &[1, 2]));
        assert!(check(1, &[0]) && !check(1, &[]) && check(0, &[]));
        assert!(check(3, &[2]), "it has not ended there");
        assert!(!check(7, &[1, 2, 3]), "that is not committed");
    }
}
