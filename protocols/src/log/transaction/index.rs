//! What the log of a partition says about transactions: a function of its records, so that every replica knows it and the
//! next leader too.
//!
//! ```text
//!  offset    0    1    2    3    4    5    6    7        high watermark 7
//!  producer  t0   t1   t0   t1   t1   t0   t1   t0
//!  is        r    r    r    abort r    r    commit r      t0 is open from 0 on: last stable offset 0
//! ```

use std::collections::BTreeMap;

use super::super::entry::{Body, Entry};
use super::super::producers::{Memory, Window};
use super::{End, Marker, ProducerEpoch, Stamp, TransactionalId, Written};

/// What a log says about transactions.
#[derive(Clone, Debug, Default)]
pub struct TransactionIndex {
    producers: BTreeMap<TransactionalId, Producer>,
    /// By the offset of their markers, rising.
    ended: Vec<Ended>,
}

/// What it says about a producer.
#[derive(Clone, Debug, Default)]
struct Producer {
    /// The last epoch: of a record or of a marker.
    epoch: ProducerEpoch,
    /// What it wrote in it.
    window: Window,
    /// Where its open transaction begins.
    open: Option<u64>,
    /// The number of its last marker, and where that stands.
    marker: Option<(u64, u64)>,
}

/// A transaction that has ended here.
#[derive(Clone, Copy, Debug)]
struct Ended {
    id: TransactionalId,
    first: u64,
    marker: u64,
    end: End,
}

impl TransactionIndex {
    /// A record stands at `offset`, above all before.
    pub(in super::super) fn record(&mut self, written: &Written, offset: u64) {
        if let Written::Marker(marker) = written {
            self.close(*marker, offset);
        } else if let Some(stamp) = written.stamp() {
            let producer = self.producers.entry(stamp.id).or_default();
            producer.advance(stamp.epoch);
            producer.window.record(stamp.sequence, offset);
            producer.open.get_or_insert(offset);
        }
    }

    /// The same of any record; there is an index from the first record of a transaction on.
    pub(in super::super) fn record_entry(index: &mut Option<Box<Self>>, entry: &Entry, offset: u64) {
        if let Body::Transactional(written) = &entry.body {
            index.get_or_insert_default().record(written, offset);
        }
    }

    /// Size on disk and on the wire in bytes.
    pub(in super::super) fn size(&self) -> u64 {
        let producers = self.producers.values().map(|producer| 32 + producer.window.size());
        producers.sum::<u64>() + 24 * self.ended.len() as u64
    }

    /// Nobody asks any more how transactions ended whose markers are below `base`.
    pub(in super::super) fn forget_ended_below(&mut self, base: u64) {
        let over = self.ended.partition_point(|ended| ended.marker < base);
        self.ended.drain(..over);
    }

    fn close(&mut self, marker: Marker, offset: u64) {
        let Marker { id, epoch, number, end } = marker;
        let producer = self.producers.entry(id).or_default();
        producer.advance(epoch);
        producer.marker = Some((number, offset));
        if let Some(first) = producer.open.take() {
            self.ended.push(Ended { id, first, marker: offset, end });
        }
    }

    /// The last epoch of a producer.
    pub fn epoch(&self, id: TransactionalId) -> ProducerEpoch {
        self.producers.get(&id).map_or(ProducerEpoch::default(), |producer| producer.epoch)
    }

    /// What is known of a write, perhaps for the second time.
    pub fn recall(&self, stamp: Stamp) -> Memory {
        let known = self.producers.get(&stamp.id).filter(|producer| producer.epoch == stamp.epoch);
        known.map_or(Memory::New, |producer| producer.window.recall(stamp.sequence))
    }

    /// The number of the last marker of a producer, and where it stands.
    pub fn marker(&self, id: TransactionalId) -> Option<(u64, u64)> {
        self.producers.get(&id)?.marker
    }

    /// The transactions that have no marker, and where they begin.
    pub fn open(&self) -> impl Iterator<Item = (TransactionalId, u64)> {
        self.producers.iter().filter_map(|(id, producer)| Some((*id, producer.open?)))
    }

    /// The last stable offset, where everything below `high_watermark` is committed: all transactions with a record below it
    /// have a committed marker.
    pub fn stable(&self, high_watermark: u64) -> u64 {
        let open = self.open().map(|(_, first)| first);
        let unsure = self.ended.iter().rev().take_while(|ended| ended.marker >= high_watermark);
        open.chain(unsure.map(|ended| ended.first)).fold(high_watermark, u64::min)
    }

    /// How the transaction ended to which the record of a producer at `offset` belongs; `None` while it is open.
    pub fn end_of(&self, id: TransactionalId, offset: u64) -> Option<End> {
        let after = self.ended.partition_point(|ended| ended.marker <= offset);
        let own = self.ended[after..].iter().find(|ended| ended.id == id)?;
        (own.first <= offset).then_some(own.end)
    }
}

impl Producer {
    /// In another epoch nothing has been written yet.
    fn advance(&mut self, epoch: ProducerEpoch) {
        if epoch > self.epoch {
            (self.epoch, self.window) = (epoch, Window::default());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn offset_of(id: u32, epoch: u32, sequence: u64) -> Written {
        let by = Stamp { id: TransactionalId(id), epoch: ProducerEpoch(epoch), sequence };
        Written::Offset { by, offset: 0 }
    }

    fn marker(id: u32, epoch: u32, number: u64, end: End) -> Written {
        Written::Marker(Marker { id: TransactionalId(id), epoch: ProducerEpoch(epoch), number, end })
    }

    fn index(records: &[Written]) -> TransactionIndex {
        let mut index = TransactionIndex::default();
        for (offset, written) in (0..).zip(records) {
            index.record(written, offset);
        }
        index
    }

    #[test]
    fn what_an_open_transaction_has_written_is_not_stable() {
        let all = [offset_of(0, 1, 1), offset_of(1, 1, 1), marker(1, 1, 1, End::Abort), offset_of(1, 1, 2)];
        let index = index(&all);
        assert_eq!([0, 1, 3, 4].map(|high_watermark| index.stable(high_watermark)), [0, 0, 0, 0]);
        assert_eq!(index.open().collect::<Vec<_>>(), [(TransactionalId(0), 0), (TransactionalId(1), 3)]);
    }

    #[test]
    fn a_transaction_has_ended_once_its_marker_is_committed() {
        let index = index(&[offset_of(0, 1, 1), offset_of(0, 1, 2), marker(0, 2, 1, End::Commit)]);
        assert_eq!([0, 1, 2, 3].map(|high_watermark| index.stable(high_watermark)), [0, 0, 0, 3]);
        assert_eq!(index.epoch(TransactionalId(0)), ProducerEpoch(2), "the marker has the next epoch");
        assert_eq!(index.end_of(TransactionalId(0), 1), Some(End::Commit));
        assert_eq!(index.end_of(TransactionalId(0), 3), None);
    }

    #[test]
    fn a_write_that_comes_again_is_known_in_its_epoch() {
        let index = index(&[offset_of(0, 1, 7), offset_of(0, 2, 3)]);
        let stamp = |epoch, sequence| Stamp { id: TransactionalId(0), epoch: ProducerEpoch(epoch), sequence };
        assert_eq!(index.recall(stamp(2, 3)), Memory::At(1));
        assert_eq!(index.recall(stamp(2, 7)), Memory::New);
        assert_eq!(index.recall(stamp(3, 3)), Memory::New, "another epoch counts anew");
    }

    /// What [`TransactionIndex::stable`] says, from the records alone.
    fn stable_by_hand(records: &[Written], high_watermark: usize) -> u64 {
        let committed = &records[..high_watermark];
        let is_open = |(at, written): (usize, &Written)| {
            let id = written.stamp()?.id;
            let ends = |later: &Written| matches!(later, Written::Marker(marker) if marker.id == id);
            (!committed[at..].iter().any(ends)).then_some(at as u64)
        };
        committed.iter().enumerate().find_map(is_open).unwrap_or(high_watermark as u64)
    }

    proptest! {
        #[test]
        fn the_last_stable_offset_is_that_of_the_records_and_never_falls(
            draws in prop::collection::vec((0_u32..3, 0_u32..4), 0..30),
        ) {
            let records: Vec<Written> = (0..).zip(&draws).map(|(at, (id, kind))| match kind {
                0 => marker(*id, 1, at, End::Commit),
                1 => marker(*id, 1, at, End::Abort),
                _ => offset_of(*id, 1, at),
            }).collect();
            let index = index(&records);
            let all: Vec<u64> = (0..=records.len() as u64).map(|high_watermark| index.stable(high_watermark)).collect();
            let by_hand: Vec<u64> = (0..=records.len()).map(|count| stable_by_hand(&records, count)).collect();
            prop_assert!(all.is_sorted());
            prop_assert_eq!(all, by_hand);
        }
    }
}
