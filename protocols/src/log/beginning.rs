//! What a log has in place of the records that it begins with: those that retention removes are gone, and of those that
//! compaction removes the last one of each key is left.
//!
//! ```text
//!  offset      0   1   2   3   4   5   6   7        base 5
//!              a   b   a   c   a │ b   a   b
//!  compacted       b       c   a │ b   a   b        offsets stay what they are
//!  retained                      │ b   a   b        the log begins at 5
//! ```
//!
//! Whatever else follows from the records below the base is kept beside them, as Kafka does in files of their own: epochs,
//! what producers sent last, how transactions ended. So a follower that is behind the base can begin there.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::entry::{Body, Entry};
use super::partition_log::PartitionLog;
use super::producers::Producers;
use super::transaction::index::TransactionIndex;
use super::transaction::{End, TransactionalId, Written};
use super::types::{Epoch, PartitionId};
use crate::replicated::Chain;

/// What is left of the records below an offset.
#[derive(Clone, Debug, Default)]
pub struct Beginning {
    /// Below which.
    pub(super) base: u64,
    /// The chain of all records that stood there.
    pub(super) chain: Chain,
    /// The epochs that had records there, each with the offset of its first; rising.
    pub(super) epochs: Vec<(Epoch, u64)>,
    /// What producers had sent.
    pub(super) producers: Producers,
    /// What was said about transactions; none where nothing was.
    pub(super) transactions: Option<Box<TransactionIndex>>,
    /// The records that are left, by offset.
    pub(super) kept: Vec<(u64, Entry)>,
}

/// What the last record is asked for, in partitions that are compacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// How far clients have come in a partition.
    Clients(PartitionId),
    /// How far the group has come in a partition.
    Group(PartitionId),
    /// Who is in the group.
    Members,
    /// Where a transactional id is.
    Transaction(TransactionalId),
}

/// What happens to records below the base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cleanup {
    /// They go (`cleanup.policy=delete`).
    Delete,
    /// The last one of each key stays (`cleanup.policy=compact`).
    Compact,
}

impl Beginning {
    /// Size on disk and on the wire in bytes.
    pub fn size(&self) -> u64 {
        let epochs = 12 * self.epochs.len() as u64;
        let transactions = self.transactions.as_ref().map_or(0, |index| index.size());
        32 + epochs + self.producers.size() + transactions + Entry::SIZE * self.kept.len() as u64
    }

    /// Below which offset it stands for what was there.
    pub const fn base(&self) -> u64 {
        self.base
    }

    /// The beginning of the same log with a base further on. All records below it are committed, and no transaction is open there.
    pub(super) fn advanced(log: &PartitionLog, base: u64, cleanup: Cleanup) -> Self {
        let before = log.beginning();
        let (mut producers, mut transactions) = (before.producers.clone(), before.transactions.clone());
        for (offset, entry) in log.range(before.base, base) {
            producers.record_entry(entry, offset);
            TransactionIndex::record_entry(&mut transactions, entry, offset);
        }
        let kept = match cleanup {
            Cleanup::Delete => Vec::new(),
            Cleanup::Compact => last_of_each_key(log, base),
        };
        if let Some(index) = &mut transactions {
            index.forget_ended_below(base);
        }
        let chain = log.chain_below(base).expect("what is removed is there");
        let epochs = log.epochs().iter().copied().take_while(|(_, start)| *start < base).collect();
        Self { base, chain, epochs, producers, transactions, kept }
    }

    /// Leaves no markers. For a mutant.
    pub(super) fn forget_markers(&mut self) {
        let is_marker = |body: &Body| matches!(body, Body::Transactional(written) if matches!(**written, Written::Marker(_)));
        self.kept.retain(|(_, entry)| !is_marker(&entry.body));
    }
}

/// Of the records below `base` the last one of each key, by offset. An offset in a transaction counts if that was committed, and
/// its marker is needed to know so; where the marker is at the base or above, it is not known yet.
fn last_of_each_key(log: &PartitionLog, base: u64) -> Vec<(u64, Entry)> {
    let mut last: BTreeMap<Key, (u64, &Entry)> = BTreeMap::new();
    let mut pending: BTreeMap<TransactionalId, (u64, &Entry)> = BTreeMap::new();
    let mut markers: BTreeMap<u64, (u64, &Entry)> = BTreeMap::new();
    for (offset, entry) in log.range(0, base) {
        if let Some(key) = key_of(&entry.body) {
            last.insert(key, (offset, entry));
        } else if let Body::Transactional(written) = &entry.body {
            match &**written {
                Written::Offset { by, .. } => _ = pending.insert(by.id, (offset, entry)),
                Written::Marker(marker) => {
                    let said = pending.remove(&marker.id).filter(|_| marker.end == End::Commit);
                    if let Some((said, offsets)) = said {
                        last.insert(Key::Group(marker.id.partition()), (said, offsets));
                        markers.insert(said, (offset, entry));
                    }
                }
                Written::Result { .. } | Written::State(_) => {}
            }
        }
    }
    let needed = last.values().filter_map(|(offset, _)| markers.get(offset).copied());
    let mut kept: Vec<_> = last.values().copied().chain(needed).chain(pending.into_values()).collect();
    kept.sort_unstable_by_key(|(offset, _)| *offset);
    kept.into_iter().map(|(offset, entry)| (offset, entry.clone())).collect()
}

/// The key of a record that counts by itself.
pub(super) fn key_of(body: &Body) -> Option<Key> {
    match body {
        Body::Commit { partition, by: None, .. } => Some(Key::Clients(*partition)),
        Body::Commit { partition, by: Some(_), .. } => Some(Key::Group(*partition)),
        Body::Group(_) => Some(Key::Members),
        Body::Transactional(written) => match &**written {
            Written::State(image) => Some(Key::Transaction(image.id)),
            Written::Offset { .. } | Written::Marker(_) | Written::Result { .. } => None,
        },
        Body::Value(_) => None,
    }
}

/// The chain stands for the records; which of them are left follows from where the log was cleaned.
impl Serialize for Beginning {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.base, self.chain, &self.kept).serialize(serializer)
    }
}

impl PartialEq for Beginning {
    fn eq(&self, other: &Self) -> bool {
        (self.base, self.chain, &self.kept) == (other.base, other.chain, &other.kept)
    }
}

impl Eq for Beginning {}
