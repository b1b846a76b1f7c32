//! Channels: order and exactly once, made from a network that has neither.
//!
//! The sender numbers what it sends and keeps it until it is acknowledged. The receiver takes each number once, and in
//! order: what comes too early waits, in memory. It acknowledges what is on its disk, all up to a number.
//! No acknowledgement is on disk anywhere: after a restart the sender has everything again, and one answer tells it what it may forget.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::Serialize;

use super::config::Channels;
use super::types::Item;

/// The end of a channel at which things go in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outgoing {
    /// How many have been acknowledged; the first that has not is one more.
    acknowledged: u64,
    kept: VecDeque<Item>,
}

impl Outgoing {
    /// Puts in one more, and gives its number.
    pub(super) fn push(&mut self, item: Item) -> u64 {
        self.kept.push_back(item);
        self.last()
    }

    /// Forgets all up to this one.
    pub(super) fn acknowledge(&mut self, upto: u64) {
        while self.acknowledged < upto {
            let forgotten = self.kept.pop_front();
            assert!(forgotten.is_some(), "#{upto} was acknowledged, and #{} is the last", self.acknowledged);
            self.acknowledged += 1;
        }
    }

    /// The number of the last one; 0 before the first.
    pub fn last(&self) -> u64 {
        self.acknowledged + self.kept.len() as u64
    }

    /// What has this number, unless it was acknowledged.
    pub fn get(&self, sequence: u64) -> Option<&Item> {
        let index = sequence.checked_sub(self.acknowledged + 1)?;
        self.kept.get(usize::try_from(index).ok()?)
    }

    /// What has not been acknowledged, by number.
    pub fn unacknowledged(&self) -> impl Iterator<Item = (u64, &Item)> {
        (self.acknowledged + 1..).zip(&self.kept)
    }

    /// How much that is.
    pub fn len(&self) -> u64 {
        self.kept.len() as u64
    }

    /// Whether everything has been acknowledged.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}

/// The end of a channel at which things come out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Incoming {
    /// All up to this one have come out.
    upto: u64,
    /// Of a channel without order: those after it that have, too.
    beyond: BTreeSet<u64>,
    /// In memory alone: what came too early.
    ahead: BTreeMap<u64, Item>,
    /// The highest number of a payment that came out.
    last_payment: u64,
}

impl Incoming {
    /// Whether this one has come out already.
    pub fn has(&self, sequence: u64) -> bool {
        sequence <= self.upto || self.beyond.contains(&sequence)
    }

    /// Whether this one can come out now.
    pub(super) fn is_next(&self, sequence: u64, channels: Channels) -> bool {
        match channels {
            Channels::Fifo => sequence == self.upto + 1,
            Channels::Unordered => !self.has(sequence),
        }
    }

    /// This one comes out.
    pub(super) fn take(&mut self, sequence: u64, item: &Item) {
        self.ahead.remove(&sequence);
        self.beyond.insert(sequence);
        while self.beyond.remove(&(self.upto + 1)) {
            self.upto += 1;
        }
        if item.payment().is_some() {
            self.last_payment = self.last_payment.max(sequence);
        }
    }

    /// This one came too early.
    pub(super) fn keep(&mut self, sequence: u64, item: Item) {
        self.ahead.insert(sequence, item);
    }

    /// What came too early and is the next one now.
    pub(super) fn next_kept(&self) -> Option<(u64, Item)> {
        self.ahead.get_key_value(&(self.upto + 1)).map(|(sequence, item)| (*sequence, item.clone()))
    }

    /// All up to this one have come out.
    pub const fn upto(&self) -> u64 {
        self.upto
    }

    /// The highest number of a payment that has come out; 0 before the first.
    pub const fn last_payment(&self) -> u64 {
        self.last_payment
    }

    /// How many came too early and wait.
    pub fn waiting(&self) -> u64 {
        self.ahead.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshots::types::Payment;

    fn item(amount: u64) -> Item {
        Item::Payment(Payment { from: 0, to: 1, amount })
    }

    #[test]
    fn what_is_acknowledged_is_forgotten_and_numbers_go_on() {
        let mut outgoing = Outgoing::default();
        assert_eq!((outgoing.push(item(1)), outgoing.push(item(2)), outgoing.push(item(3))), (1, 2, 3));
        outgoing.acknowledge(2);
        outgoing.acknowledge(1);
        assert_eq!(outgoing.unacknowledged().collect::<Vec<_>>(), [(3, &item(3))]);
        assert_eq!((outgoing.get(2), outgoing.get(3), outgoing.get(4)), (None, Some(&item(3)), None));
        assert_eq!(outgoing.push(item(4)), 4);
    }

    #[test]
    fn a_channel_with_order_lets_the_next_one_out() {
        let (mut incoming, fifo) = (Incoming::default(), Channels::Fifo);
        assert!(!incoming.is_next(2, fifo));
        incoming.keep(2, item(2));
        assert_eq!(incoming.next_kept(), None);
        assert!(incoming.is_next(1, fifo));
        incoming.take(1, &item(1));
        assert_eq!(incoming.next_kept(), Some((2, item(2))));
        incoming.take(2, &item(2));
        assert_eq!((incoming.next_kept(), incoming.waiting(), incoming.upto()), (None, 0, 2));
        assert!(!incoming.is_next(2, fifo) && incoming.is_next(3, fifo));
    }

    #[test]
    fn a_channel_without_order_lets_each_out_once() {
        let (mut incoming, unordered) = (Incoming::default(), Channels::Unordered);
        incoming.take(3, &item(3));
        assert_eq!((incoming.upto(), incoming.has(3), incoming.has(1)), (0, true, false));
        assert!(incoming.is_next(1, unordered) && !incoming.is_next(3, unordered));
        incoming.take(1, &item(1));
        incoming.take(
            2,
            &Item::Marker(crate::snapshots::SnapshotId { initiator: sim_core::NodeId::new(0), number: 1 }),
        );
        assert_eq!((incoming.upto(), incoming.last_payment()), (3, 3));
    }
}
