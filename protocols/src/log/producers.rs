//! Idempotent producers (KIP-98): what a producer sent last, so that a retry is known.
//!
//! A leader knows it from its log alone, as every replica does: so the next leader knows it too.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;
use sim_core::{ClientId, OpId};

use super::entry::Entry;

/// How many records of a producer a partition remembers (Kafka: 5 batches). A member of the group has written fewer since it
/// began with the oldest that is under way.
pub(super) const WINDOW: usize = 64;

/// Where a producer's last records stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Window {
    /// Sequence number and offset, by offset.
    known: VecDeque<(u64, u64)>,
    /// The highest sequence number that is remembered no more.
    forgotten: Option<u64>,
}

impl Window {
    /// What is known of a record with this sequence number.
    pub(super) fn recall(&self, sequence: u64) -> Memory {
        match self.known.iter().find(|(known, _)| *known == sequence) {
            Some((_, offset)) => Memory::At(*offset),
            None if self.forgotten.is_some_and(|newest| sequence <= newest) => Memory::TooOld,
            None => Memory::New,
        }
    }

    /// A record stands at `offset`, above all before.
    pub(super) fn record(&mut self, sequence: u64, offset: u64) {
        self.known.push_back((sequence, offset));
        if self.known.len() > WINDOW
            && let Some((sequence, _)) = self.known.pop_front()
        {
            self.forgotten = self.forgotten.max(Some(sequence));
        }
    }

    /// Size on disk and on the wire in bytes.
    pub(super) fn size(&self) -> u64 {
        8 + 16 * self.known.len() as u64
    }

    /// Nothing stands from `end` on any more.
    fn truncate(&mut self, end: u64) {
        while self.known.pop_back_if(|(_, offset)| *offset >= end).is_some() {}
    }
}

/// What producers sent to a partition last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Producers(BTreeMap<ClientId, Window>);

/// What is known of a record that comes, perhaps for the second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// It is new.
    New,
    /// It stands here already.
    At(u64),
    /// It is so old that it may have stood here.
    TooOld,
}

impl Producers {
    /// What is known of a record.
    pub fn recall(&self, op: OpId) -> Memory {
        self.0.get(&op.client).map_or(Memory::New, |window| window.recall(op.ordinal.into()))
    }

    /// Size on disk and on the wire in bytes.
    pub(super) fn size(&self) -> u64 {
        self.0.values().map(|window| 4 + window.size()).sum()
    }

    /// A record stands at `offset`, above all before.
    pub(super) fn record(&mut self, op: OpId, offset: u64) {
        self.0.entry(op.client).or_default().record(op.ordinal.into(), offset);
    }

    /// The same of a record that a producer may have sent.
    pub(super) fn record_entry(&mut self, entry: &Entry, offset: u64) {
        if let Some(op) = entry.op {
            self.record(op, offset);
        }
    }

    /// Nothing stands from `end` on any more.
    pub(super) fn truncate(&mut self, end: u64) {
        self.0.values_mut().for_each(|window| window.truncate(end));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn op(client: u32, ordinal: u32) -> OpId {
        OpId { client: ClientId::new(client), ordinal }
    }

    #[test]
    fn a_retry_is_known_until_it_is_cut_off_or_old() {
        let mut producers = Producers::default();
        producers.record(op(0, 7), 0);
        producers.record(op(1, 7), 1);
        producers.record(op(0, 3), 2);
        let recall = |producers: &Producers, client, ordinal| producers.recall(op(client, ordinal));
        assert_eq!(recall(&producers, 0, 7), Memory::At(0));
        assert_eq!(recall(&producers, 1, 7), Memory::At(1));
        assert_eq!(recall(&producers, 0, 3), Memory::At(2), "they may come in any order");
        assert_eq!(recall(&producers, 2, 0), Memory::New);
        producers.truncate(1);
        assert_eq!(recall(&producers, 0, 3), Memory::New);
        assert_eq!(recall(&producers, 0, 7), Memory::At(0));
        for sequence in 8..80 {
            producers.record(op(0, sequence), u64::from(sequence));
        }
        assert_eq!(recall(&producers, 0, 7), Memory::TooOld);
        assert_eq!(recall(&producers, 0, 79), Memory::At(79));
    }
}
