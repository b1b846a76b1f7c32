//! In which order events of the same instant happen.
//!
//! With constant latencies many events are due at once, and always in the order in which they were scheduled: races
//! between them stay hidden. Shuffled ties give every order a chance, still by the seed alone.

use super::{SEQUENCE_BITS, SEQUENCE_MASK};
use crate::random::{Key, squares64};

const HALF_BITS: u32 = SEQUENCE_BITS / 2;
const HALF_MASK: u64 = (1 << HALF_BITS) - 1;
/// Four rounds make a Feistel network a pseudorandom permutation, also for who sees both directions (Luby and
/// Rackoff, "How to Construct Pseudorandom Permutations from Pseudorandom Functions", 1988).
const ROUNDS: u64 = 4;

/// How events due at the same time are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ties {
    /// First scheduled, first handled.
    Fifo,
    /// In a random order that the key determines.
    Shuffled(Key),
}

impl Ties {
    /// The place of the `sequence`-th scheduled event among those of its instant: the sequence number that its
    /// [`EventKey`](super::EventKey) carries. A permutation of the 40-bit numbers, so two events never share a place.
    ///
    /// # Panics
    ///
    /// If `sequence` needs more than 40 bits.
    #[inline(always)]
    pub fn order(&self, sequence: u64) -> u64 {
        assert!(sequence <= SEQUENCE_MASK, "sequence number {sequence} has more than 40 bits");
        match self {
            Self::Fifo => sequence,
            Self::Shuffled(key) => shuffle(sequence, *key),
        }
    }

    /// The sequence number whose place is `order`: the inverse of [`Ties::order`].
    ///
    /// # Panics
    ///
    /// If `order` needs more than 40 bits.
    pub fn sequence(&self, order: u64) -> u64 {
        assert!(order <= SEQUENCE_MASK, "place {order} has more than 40 bits");
        match self {
            Self::Fifo => order,
            Self::Shuffled(key) => unshuffle(order, *key),
        }
    }
}

/// A Feistel network on two halves of 20 bits. Whatever the round function, each round can be undone.
#[cold]
#[inline(never)]
fn shuffle(sequence: u64, key: Key) -> u64 {
    let halves = (sequence >> HALF_BITS, sequence & HALF_MASK);
    let (left, right) =
        (0..ROUNDS).fold(halves, |(left, right), round| (right, left ^ scramble(round, right, key)));
    left << HALF_BITS | right
}

fn unshuffle(order: u64, key: Key) -> u64 {
    let halves = (order >> HALF_BITS, order & HALF_MASK);
    let (left, right) =
        (0..ROUNDS).rev().fold(halves, |(left, right), round| (right ^ scramble(round, left, key), left));
    left << HALF_BITS | right
}

/// Twenty bits that depend on all of `half`.
fn scramble(round: u64, half: u64, key: Key) -> u64 {
    squares64(round << HALF_BITS | half, key) >> (u64::BITS - HALF_BITS)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::random::{KeySource, Purpose};

    fn shuffled(seed: u64) -> Ties {
        Ties::Shuffled(KeySource::new(seed).key(Purpose::Ties, 0, 0))
    }

    proptest! {
        #[test]
        fn every_order_leads_back_to_its_sequence(seed: u64, sequence in 0..=SEQUENCE_MASK) {
            for ties in [Ties::Fifo, shuffled(seed)] {
                let order = ties.order(sequence);
                prop_assert!(order <= SEQUENCE_MASK, "{} has more than 40 bits", order);
                prop_assert_eq!(ties.sequence(order), sequence);
                prop_assert_eq!(ties.order(ties.sequence(sequence)), sequence);
            }
        }
    }

    #[test]
    fn no_two_events_share_a_place() {
        let places: BTreeSet<u64> = (0..50_000).map(|sequence| shuffled(1).order(sequence)).collect();
        assert_eq!(places.len(), 50_000);
    }

    #[test]
    fn first_in_first_out_keeps_sequence_numbers() {
        assert!((0..1_000).all(|sequence| Ties::Fifo.order(sequence) == sequence));
    }

    #[test]
    fn neighbours_swap_half_of_the_time() {
        let ties = shuffled(1);
        let swapped = (0..10_000).filter(|sequence| ties.order(*sequence) > ties.order(sequence + 1)).count();
        assert!((4_700..5_300).contains(&swapped), "{swapped} of 10000 neighbours swapped");
    }

    #[test]
    #[should_panic(expected = "has more than 40 bits")]
    fn a_sequence_beyond_40_bits_is_refused() {
        Ties::Fifo.order(SEQUENCE_MASK + 1);
    }
}
