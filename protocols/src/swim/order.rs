//! In which order a node probes the others (SWIM §4.3): all of them in each round, each round in another order.
//!
//! The paper keeps a shuffled list, and puts new members into it at a random place. Here a round is a random permutation of
//! the numbers of all nodes, walked from its beginning, and nodes that are no members are passed over. Who joins
//! meanwhile is at a random place, too, ahead or behind. The permutation is a function of a key, a Feistel network, so it takes
//! 16 bytes however many members there are.

use serde::Serialize;

use super::member::scramble;

/// Rounds of the Feistel network. Four make a permutation look random (Luby and Rackoff 1988); small domains want more.
const ROUNDS: u64 = 8;

/// Where a node is in a round of probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct ProbeRound {
    key: u64,
    /// How many places were passed.
    passed: u32,
}

impl ProbeRound {
    /// A round in the order of `key`.
    pub(super) const fn new(key: u64) -> Self {
        Self { key, passed: 0 }
    }

    /// The node at the next place, among so many; `None` at the end of the round.
    pub(super) fn next(&mut self, count: u32) -> Option<u32> {
        if self.passed >= count {
            return None;
        }
        self.passed += 1;
        Some(place(self.key, self.passed - 1, count))
    }

    /// How many places were passed.
    pub(super) const fn passed(self) -> u32 {
        self.passed
    }
}

/// Which of `count` numbers is at `index`: the network is walked until it gives one of them.
fn place(key: u64, index: u32, count: u32) -> u32 {
    let bits = (u32::BITS - count.saturating_sub(1).leading_zeros()).max(2);
    let half = bits.div_ceil(2);
    let mut number = u64::from(index);
    loop {
        number = feistel(key, number, half);
        if number < u64::from(count) {
            return u32::try_from(number).expect("below a 32-bit count");
        }
    }
}

/// A permutation of the numbers of two halves of `half` bits each.
fn feistel(key: u64, number: u64, half: u32) -> u64 {
    let mask = (1 << half) - 1;
    let (mut left, mut right) = (number >> half, number & mask);
    for round in 0..ROUNDS {
        let mixed = scramble(key ^ (round << 56) ^ right) >> (u64::BITS - half);
        (left, right) = (right, left ^ mixed);
    }
    left << half | right
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_has_every_node_once() {
        for count in [1, 2, 3, 8, 100, 1_000] {
            for key in 0..20 {
                let mut round = ProbeRound::new(scramble(key));
                let mut all: Vec<u32> = std::iter::from_fn(|| round.next(count)).collect();
                all.sort_unstable();
                assert_eq!(all, (0..count).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn each_node_is_at_each_place_equally_often() {
        let mut counts = [[0_u32; 8]; 8];
        for key in 0..8_000 {
            let mut round = ProbeRound::new(scramble(key));
            for counts in &mut counts {
                counts[round.next(8).expect("eight places") as usize] += 1;
            }
        }
        let all = counts.iter().flatten();
        assert!(all.clone().all(|count| (850..1_150).contains(count)), "{counts:?}");
    }
}
