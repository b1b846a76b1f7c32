//! The log of one partition on one broker, and where each leader epoch begins in it.
//!
//! ```text
//!  offset   0   1   2   3   4   5
//!  epoch    1   1   1   3   3   4
//!  epochs   1 from 0, 3 from 3, 4 from 5
//! ```
//!
//! Where retention or compaction has been, it begins with a [`Beginning`] in place of records.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::beginning::Beginning;
use super::entry::Entry;
use super::producers::Producers;
use super::transaction::index::TransactionIndex;
use super::types::Epoch;
use crate::replicated::{Chain, ChainedLog, Index};

/// The records of a partition, by offset from 0.
#[derive(Clone, Debug, Default)]
pub struct PartitionLog {
    /// What is left of the records below its base.
    beginning: Arc<Beginning>,
    /// The record at offset o is the entry at index o + 1.
    entries: ChainedLog<Entry>,
    /// The epochs that have records, each with the offset of its first; rising.
    epochs: Vec<(Epoch, u64)>,
    producers: Producers,
    /// What it says about transactions; none as long as it says nothing.
    transactions: Option<Box<TransactionIndex>>,
}

impl PartitionLog {
    /// The log that begins so and has these records then.
    pub(super) fn of(beginning: Arc<Beginning>, entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut log = Self {
            entries: ChainedLog::starting_after(Index(beginning.base), beginning.chain),
            epochs: beginning.epochs.clone(),
            producers: beginning.producers.clone(),
            transactions: beginning.transactions.clone(),
            beginning,
        };
        for entry in entries {
            log.push(entry);
        }
        log
    }

    /// The offset that the next record gets.
    #[inline]
    pub const fn end(&self) -> u64 {
        self.entries.last_index().0
    }

    /// The first offset from which on all records are there.
    #[inline]
    pub const fn base(&self) -> u64 {
        self.entries.base().0
    }

    /// What is left of the records below its base.
    pub const fn beginning(&self) -> &Arc<Beginning> {
        &self.beginning
    }

    /// The epochs that have or had records, each with the offset of its first; rising.
    pub(super) fn epochs(&self) -> &[(Epoch, u64)] {
        &self.epochs
    }

    /// The record at `offset`; `None` below the base, too.
    pub fn get(&self, offset: u64) -> Option<&Entry> {
        self.entries.get(Index(offset + 1))
    }

    /// The records from `offset` on and below `end`, each with its offset: below the base there are gaps.
    pub fn range(&self, offset: u64, end: u64) -> impl Iterator<Item = (u64, &Entry)> {
        let left = &self.beginning.kept;
        let left = &left[left.partition_point(|(at, _)| *at < offset)..];
        let left = &left[..left.partition_point(|(at, _)| *at < end)];
        let from = offset.max(self.base());
        let all = self.entries.range(Index(from.saturating_add(1)), end.saturating_sub(from));
        left.iter().map(|(at, entry)| (*at, entry)).chain((from..).zip(all))
    }

    /// The chain of all records below `offset`; `None` below the base and beyond the end.
    pub fn chain_below(&self, offset: u64) -> Option<Chain> {
        self.entries.chain_at(Index(offset))
    }

    /// What producers sent last.
    pub const fn producers(&self) -> &Producers {
        &self.producers
    }

    /// What it says about transactions; `None` where there were none.
    pub fn transactions(&self) -> Option<&TransactionIndex> {
        self.transactions.as_deref()
    }

    /// The last stable offset, where everything below `high_watermark` is committed: below it no transaction is open.
    pub fn stable(&self, high_watermark: u64) -> u64 {
        self.transactions.as_ref().map_or(high_watermark, |index| index.stable(high_watermark))
    }

    /// The epoch of the last record; that before the first leader where there is none.
    pub fn last_epoch(&self) -> Epoch {
        self.epochs.last().map_or(Epoch::default(), |(epoch, _)| *epoch)
    }

    /// The epoch of the last record below `offset`.
    pub fn epoch_below(&self, offset: u64) -> Epoch {
        let last = self.epochs.iter().rev().find(|(_, start)| *start < offset);
        last.map_or(Epoch::default(), |(epoch, _)| *epoch)
    }

    /// The last epoch up to `epoch` that has records, and the offset at which it ends (KIP-101: the answer to
    /// `OffsetsForLeaderEpoch`). Epoch 0 ends at 0.
    pub fn end_of(&self, epoch: Epoch) -> (Epoch, u64) {
        let later = self.epochs.iter().position(|(known, _)| *known > epoch).unwrap_or(self.epochs.len());
        let end = self.epochs.get(later).map_or(self.end(), |(_, start)| *start);
        match later.checked_sub(1) {
            Some(at) => (self.epochs[at].0, end),
            None => (Epoch::default(), 0),
        }
    }

    /// Adds a record at the end.
    ///
    /// # Panics
    /// If its epoch is before that of the last record.
    pub(super) fn push(&mut self, entry: Entry) {
        let offset = self.end();
        let last = self.last_epoch();
        assert!(entry.epoch >= last, "a record of {} after one of {last}", entry.epoch);
        if entry.epoch > last {
            self.epochs.push((entry.epoch, offset));
        }
        self.producers.record_entry(&entry, offset);
        TransactionIndex::record_entry(&mut self.transactions, &entry, offset);
        self.entries.push(entry);
    }

    /// Begins so from now on: what is below the new base is gone, but for what is left there.
    ///
    /// # Panics
    /// If the log ends before.
    pub(super) fn clean(&mut self, beginning: Arc<Beginning>) {
        self.entries.compact_to(Index(beginning.base));
        if let Some(index) = &mut self.transactions {
            index.forget_ended_below(beginning.base);
        }
        self.beginning = beginning;
    }

    /// Removes all records from `end` on, which is not below the base.
    pub(super) fn truncate(&mut self, end: u64) {
        self.entries.truncate_from(Index(end + 1));
        self.epochs.retain(|(_, start)| *start < end);
        self.producers.truncate(end);
        if self.transactions.is_some() {
            self.index_transactions();
        }
    }

    /// Reads again what the log says about transactions: what a marker that is cut off had ended is open again.
    fn index_transactions(&mut self) {
        let mut index = self.beginning.transactions.clone();
        for (offset, entry) in self.range(self.base(), self.end()) {
            TransactionIndex::record_entry(&mut index, entry, offset);
        }
        self.transactions = Some(index.unwrap_or_default());
    }

    /// Forgets what producers sent. For a mutant.
    pub(super) fn forget_producers(&mut self) {
        self.producers = Producers::default();
    }
}

/// The chain stands for the records, and what is known of them follows.
impl Serialize for PartitionLog {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.end(), self.entries.last_chain()).serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use sim_core::{ClientId, OpId};

    use super::super::entry::Body;
    use super::super::producers::Memory;
    use super::super::transaction::{End, Marker, ProducerEpoch, Stamp, TransactionalId, Written};
    use super::*;

    fn entry(epoch: u32, ordinal: u32) -> Entry {
        let op = OpId { client: ClientId::new(0), ordinal };
        Entry { epoch: Epoch(epoch), op: Some(op), body: Body::Value(u64::from(ordinal)) }
    }

    fn log(epochs: &[u32]) -> PartitionLog {
        PartitionLog::of(Arc::default(), (0..).zip(epochs).map(|(ordinal, epoch)| entry(*epoch, ordinal)))
    }

    #[test]
    fn an_epoch_ends_where_the_next_one_begins() {
        let log = log(&[1, 1, 1, 3, 3, 4]);
        let ends: Vec<(u32, u64)> =
            (0..6).map(|epoch| log.end_of(Epoch(epoch))).map(|(epoch, end)| (epoch.0, end)).collect();
        assert_eq!(ends, [(0, 0), (1, 3), (1, 3), (3, 5), (4, 6), (4, 6)]);
    }

    #[test]
    #[should_panic(expected = "a record of e1 after one of e2")]
    fn epochs_do_not_go_back() {
        log(&[2, 1]);
    }

    #[test]
    fn what_a_marker_had_ended_that_is_cut_off_is_open_again() {
        let (number, epoch) = (1, ProducerEpoch(1));
        let [first, second] = [TransactionalId(0), TransactionalId(1)];
        let write = |id| Written::Offset { by: Stamp { id, epoch, sequence: 1 }, offset: 0 };
        let ends = |id, end| Written::Marker(Marker { id, epoch, number, end });
        let all = [write(first), write(second), ends(first, End::Commit), ends(second, End::Abort)];
        let entry =
            |written| Entry { epoch: Epoch(1), op: None, body: Body::Transactional(Arc::new(written)) };
        let mut log = PartitionLog::of(Arc::default(), all.map(entry));
        assert_eq!(log.stable(4), 4);
        log.truncate(3);
        assert_eq!(log.stable(3), 1, "the second is open");
        let index = log.transactions().expect("there are transactions");
        assert_eq!((index.end_of(first, 0), index.end_of(second, 1)), (Some(End::Commit), None));
        assert_eq!((index.marker(first), index.marker(second)), (Some((number, 2)), None));
        log.truncate(2);
        assert_eq!(log.stable(2), 0, "both are");
    }

    proptest! {
        /// Where two logs part, the shorter history of epochs tells: what a follower keeps is what the leader has.
        #[test]
        fn a_follower_keeps_no_more_than_the_leader_has(
            shared in 0_usize..8, mine in prop::collection::vec(2_u32..4, 0..6), theirs in prop::collection::vec(4_u32..6, 0..6),
        ) {
            let sorted = |mut tail: Vec<u32>| { tail.sort_unstable(); tail };
            let build = |tail: Vec<u32>| log(&[vec![1; shared], tail].concat());
            let (leader, mut follower) = (build(sorted(theirs)), build(sorted(mine)));
            let mut rounds = 0;
            while follower.last_epoch() != leader.epoch_below(follower.end()) || follower.end() > leader.end() {
                let (epoch, end) = leader.end_of(follower.last_epoch());
                let (_, own) = follower.end_of(epoch);
                follower.truncate(end.min(own));
                rounds += 1;
                prop_assert!(rounds <= 3, "it comes to an end");
            }
            prop_assert_eq!(follower.chain_below(follower.end()), leader.chain_below(follower.end()));
            prop_assert!(follower.end() >= shared as u64, "nothing is cut off that both have");
        }

        #[test]
        fn a_truncated_log_is_the_shorter_log(epochs in prop::collection::vec(1_u32..5, 0..20), end in 0_usize..20) {
            let mut epochs = epochs;
            epochs.sort_unstable();
            let end = end.min(epochs.len());
            let mut cut = log(&epochs);
            cut.truncate(end as u64);
            let short = log(&epochs[..end]);
            prop_assert_eq!((cut.end(), cut.last_epoch()), (short.end(), short.last_epoch()));
            prop_assert_eq!(cut.chain_below(cut.end()), short.chain_below(short.end()));
            for ordinal in 0..20 {
                let op = entry(1, ordinal).op.expect("a client produced it");
                let expected = if (ordinal as usize) < end { Memory::At(ordinal.into()) } else { Memory::New };
                prop_assert_eq!(cut.producers().recall(op), expected);
            }
        }
    }
}
