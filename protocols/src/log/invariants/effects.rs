//! Ghost state: which records have had an effect. And what the store's disk says of that.

use std::collections::{BTreeMap, BTreeSet};

use sim_core::check::Nodes;

use super::super::durable::{EFFECTS, Record};
use super::super::group::message::Effect;
use super::super::{Node, PartitionId};

/// The records that have had an effect, by partition.
#[derive(Clone, Debug, Default)]
pub(super) struct Effects {
    /// The store states after a restart again what it had stated: effects before this place in its log are known.
    next: u64,
    by_partition: BTreeMap<PartitionId, Handled>,
}

/// The records of a partition that have had an effect.
#[derive(Clone, Debug, Default)]
pub(super) struct Handled {
    /// All below.
    pub(super) upto: u64,
    /// Some above.
    above: BTreeSet<u64>,
    /// The highest of them, plus one.
    pub(super) end: u64,
}

/// Which effect of its record an effect is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// It was stated before.
    Known,
    /// The first, and no record after it has had one.
    First,
    /// The first, and a record after it has had one.
    Late,
    /// Another one.
    Repeated,
}

impl Effects {
    /// The store has an effect at a place in its log.
    pub(super) fn add(&mut self, index: u64, effect: &Effect) -> Which {
        if index < self.next {
            return Which::Known;
        }
        self.next = index + 1;
        self.by_partition.entry(effect.partition).or_default().add(effect.offset)
    }

    /// Below where all records have had an effect.
    pub(super) fn upto(&self, partition: PartitionId) -> u64 {
        self.by_partition.get(&partition).map_or(0, |handled| handled.upto)
    }
}

impl Handled {
    fn add(&mut self, offset: u64) -> Which {
        if offset < self.upto || !self.above.insert(offset) {
            return Which::Repeated;
        }
        let is_late = offset < self.end;
        self.end = self.end.max(offset + 1);
        while self.above.remove(&self.upto) {
            self.upto += 1;
        }
        if is_late { Which::Late } else { Which::First }
    }
}

/// The effects on the disk of a store that runs, with their places in its log, in order.
pub(super) fn on_disk<'a>(nodes: &Nodes<'a, Node>) -> impl Iterator<Item = (u64, &'a Effect)> + use<'a> {
    let store = nodes.running().find(|(_, process)| process.store().is_some());
    let log = store.and_then(|(node, _)| nodes.disk(node)?.durable_log(EFFECTS));
    let slots = log.into_iter().flat_map(|log| (log.first_index()..).zip(log.iter()));
    slots.filter_map(|(index, slot)| match slot.intact()? {
        Record::Effect(effect) | Record::Result { effect, .. } => Some((index, effect)),
        Record::Image(_) | Record::Entry(_) | Record::Beginning { .. } | Record::Raft(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::Which::{First, Late, Repeated};
    use super::*;

    #[test]
    fn effects_are_told_apart() {
        let mut handled = Handled::default();
        let all = [0, 2, 1, 1, 0, 3].map(|offset| handled.add(offset));
        assert_eq!(all, [First, First, Late, Repeated, Repeated, First]);
        assert_eq!((handled.upto, handled.end), (4, 4));
    }
}
