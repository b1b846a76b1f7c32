//! Ghost state: what of transactions is committed in each partition, in order.

use std::collections::BTreeMap;
use std::sync::Arc;

use sim_core::NodeId;
use sim_core::check::Nodes;

use super::super::entry::Body;
use super::super::replica::Replica;
use super::super::transaction::Written;
use super::super::{Fact, Node, PartitionId};
use super::copies;

/// How far each partition has been looked at: leaders state again what others have stated.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen(BTreeMap<PartitionId, u64>);

/// A committed record of a transaction: its partition, its offset, and what it says.
pub(super) type Record = (PartitionId, u64, Arc<Written>);

impl Seen {
    /// What a fact says to be committed, and no fact before has.
    pub(super) fn news(&mut self, nodes: &Nodes<'_, Node>, node: NodeId, fact: &Fact) -> Vec<Record> {
        let Fact::Committed { partition: id, high_watermark, .. } = *fact else { return Vec::new() };
        let upto = self.0.entry(id).or_default();
        let copy = nodes.process(node).and_then(|process| process.broker()?.replicas().get(id));
        let Some(copy) = copy.filter(|_| high_watermark > *upto) else { return Vec::new() };
        let from = std::mem::replace(upto, high_watermark);
        written(copy, from, high_watermark).map(|(offset, written)| (id, offset, written)).collect()
    }

    /// Below where records of a partition have been looked at.
    pub(super) fn upto(&self, id: PartitionId) -> u64 {
        self.0.get(&id).copied().unwrap_or(0)
    }
}

/// The records of transactions of a copy in a range of offsets.
pub(super) fn written(
    copy: &Replica,
    from: u64,
    upto: u64,
) -> impl Iterator<Item = (u64, Arc<Written>)> + '_ {
    copy.log().range(from, upto).filter_map(|(offset, entry)| match &entry.body {
        Body::Transactional(written) => Some((offset, Arc::clone(written))),
        Body::Value(_) | Body::Commit { .. } | Body::Group(_) => None,
    })
}

/// Of each partition a copy of a running broker that knows most to be committed.
pub(super) fn furthest<'a>(nodes: &Nodes<'a, Node>) -> BTreeMap<PartitionId, (NodeId, &'a Replica)> {
    let mut furthest: BTreeMap<PartitionId, (NodeId, &Replica)> = BTreeMap::new();
    for (node, id, copy) in copies(nodes) {
        let known = furthest.entry(id).or_insert((node, copy));
        if copy.high_watermark() > known.1.high_watermark() {
            *known = (node, copy);
        }
    }
    furthest
}

#[cfg(test)]
pub(super) mod hand_made {
    use std::collections::BTreeSet;

    use sim_core::NodeId;

    use super::super::super::PartitionId;
    use super::super::super::group::Generation;
    use super::super::super::group::message::Effect;
    use super::super::super::transaction::{
        End, Marker, ProducerEpoch, Stamp, State, TransactionImage, TransactionalId, Written,
    };

    /// The transactional id of the first partition, and an epoch.
    pub(in super::super) const ID: TransactionalId = TransactionalId(0);

    /// Its state with an epoch, after so many transactions, with partitions p1 and p2.
    pub(in super::super) fn state(epoch: u32, number: u64, state: State) -> Written {
        let partitions = [1, 2].map(PartitionId).into();
        let partitions =
            if matches!(state, State::Ongoing | State::Prepared(_)) { partitions } else { BTreeSet::new() };
        let (owner, epoch) = ((NodeId::new(5), 1, 1), ProducerEpoch(epoch));
        Written::State(TransactionImage { id: ID, owner, epoch, number, state, partitions, last: None })
    }

    pub(in super::super) fn result(epoch: u32, offset: u64) -> Written {
        let (partition, generation) = (PartitionId(0), Generation(1));
        let effect = Effect { partition, offset, value: offset, generation, attempt: offset };
        Written::Result { epoch: ProducerEpoch(epoch), effect }
    }

    pub(in super::super) fn offset(epoch: u32, offset: u64) -> Written {
        Written::Offset { by: Stamp { id: ID, epoch: ProducerEpoch(epoch), sequence: 99 }, offset }
    }

    pub(in super::super) fn marker(epoch: u32, number: u64, end: End) -> Written {
        Written::Marker(Marker { id: ID, epoch: ProducerEpoch(epoch), number, end })
    }
}
