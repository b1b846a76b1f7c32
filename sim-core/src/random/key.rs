//! From one seed to independent keys, by ChaCha8.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What a draw is for. Draws of different purposes never shift one another.
///
/// The numbers are part of what a seed means: a new purpose takes a new number, and none is ever reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum Purpose {
    /// How long a message travels.
    Latency = 0,
    /// Whether a message is lost on its own.
    Loss = 1,
    /// Whether a link enters or leaves a burst of losses.
    Burst = 2,
    /// Whether a message is delivered twice.
    Duplicate = 3,
    /// How long the second copy of a message travels.
    DuplicateLatency = 4,
    /// Whether, and by how much, a message is overtaken.
    Reorder = 5,
    /// Whether, and where, a message is corrupted.
    Corrupt = 6,
    /// The order of events due at the same instant.
    Ties = 7,
    /// What a process draws itself, such as election timeouts.
    Process = 8,
    /// Disk latencies and disk faults.
    Disk = 9,
    /// How long a node takes to handle an input.
    Service = 10,
    /// A client's think times, retries and choice of node.
    Client = 11,
    /// Which operations are issued.
    Workload = 12,
    /// Which faults happen, and when.
    Faults = 13,
    /// Which kinds of fault a swarm run enables.
    Swarm = 14,
    /// Which node a role such as `any` stands for.
    Targets = 15,
    /// Parameters drawn once for a run.
    Configuration = 16,
    /// The edges of a random network.
    Topology = 17,
    /// Tests of the simulator itself.
    Test = 18,
    /// Which runs a search tries.
    Search = 19,
}

/// A key of [`squares64`](super::squares64), of the shape that Widynski's "Squares: A Fast Counter-Based RNG"
/// (2022, §4) asks for: in each half of the 16 hexadecimal digits all eight are distinct and non-zero, and the
/// lowest digit is odd. Irregular keys are what makes the generator's first multiplication mix well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(u64);

impl Key {
    /// The key as a number.
    pub const fn raw(self) -> u64 {
        self.0
    }

    #[cfg(test)]
    pub(super) const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    /// Draws a key; takes 16 draws of 32 bits, always.
    fn draw(random: &mut ChaCha8Rng) -> Self {
        // The odd digit comes first, so that no key is ever rejected.
        let lowest = 2 * digit_index(random, 8) + 1;
        let low = distinct_digits(random, &[lowest]) | u64::from(lowest);
        let high = distinct_digits(random, &[]);
        Self(high << 32 | low)
    }
}

/// Eight hexadecimal digits, distinct, non-zero and none of `taken`; the last `taken.len()` digits are left 0.
fn distinct_digits(random: &mut ChaCha8Rng, taken: &[u32]) -> u64 {
    let mut free: Vec<u32> = (1..16).filter(|digit| !taken.contains(digit)).collect();
    let mut digits = 0;
    for _ in taken.len()..8 {
        let index = digit_index(random, free.len());
        digits = digits << 4 | u64::from(free.swap_remove(index as usize));
    }
    digits << (4 * taken.len())
}

/// A uniform index below `count`.
fn digit_index(random: &mut ChaCha8Rng, count: usize) -> u32 {
    let scaled = u64::from(random.next_u32()) * count as u64;
    (scaled >> 32) as u32
}

/// Where all randomness of a run comes from: its seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySource {
    seed: u64,
}

impl KeySource {
    /// The source for `seed`; every number is a good seed.
    pub const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The seed this source expands.
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// The key for `purpose`, of `who` (a raw id; 0 where the purpose needs none), in `epoch` (an incarnation; 0
    /// where there is none). Equal arguments give equal keys; others give unrelated ones.
    pub fn key(&self, purpose: Purpose, who: u64, epoch: u32) -> Key {
        Key::draw(&mut self.expand(Domain::Key, purpose, who, epoch))
    }

    /// The stream of draws at [`KeySource::key`] of the same arguments, from its beginning.
    pub fn stream(&self, purpose: Purpose, who: u64, epoch: u32) -> super::Stream {
        super::Stream::new(self.key(purpose, who, epoch))
    }

    /// A generator for what is drawn before a run starts: plans, workloads, configuration. It shares nothing
    /// with the [`KeySource::key`] of the same arguments.
    pub fn chacha(&self, purpose: Purpose, who: u64, epoch: u32) -> ChaCha8Rng {
        self.expand(Domain::Generator, purpose, who, epoch)
    }

    fn expand(&self, domain: Domain, purpose: Purpose, who: u64, epoch: u32) -> ChaCha8Rng {
        let mut expanded = [0; 32];
        expanded[0..8].copy_from_slice(&self.seed.to_le_bytes());
        expanded[8..16].copy_from_slice(&who.to_le_bytes());
        expanded[16..20].copy_from_slice(&epoch.to_le_bytes());
        expanded[20..22].copy_from_slice(&(purpose as u16).to_le_bytes());
        expanded[22] = domain as u8;
        ChaCha8Rng::from_seed(expanded)
    }
}

/// Keeps keys and generators of the same address apart.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Domain {
    Key = 0,
    Generator = 1,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn digits(half: u64) -> BTreeSet<u64> {
        (0..8).map(|place| half >> (4 * place) & 0xf).collect()
    }

    proptest! {
        #[test]
        fn keys_have_widynskis_shape(seed: u64, who: u64, epoch: u32) {
            let key = KeySource::new(seed).key(Purpose::Test, who, epoch).raw();
            for half in [key >> 32, key & 0xffff_ffff] {
                prop_assert_eq!(digits(half).len(), 8, "digits repeat in {:#018x}", key);
                prop_assert!(!digits(half).contains(&0), "a zero digit in {:#018x}", key);
            }
            prop_assert_eq!(key % 2, 1, "{:#018x} is even", key);
        }
    }

    #[test]
    fn each_part_of_the_address_changes_the_key() {
        let base = KeySource::new(1);
        let keys = [
            base.key(Purpose::Latency, 1, 1),
            base.key(Purpose::Loss, 1, 1),
            base.key(Purpose::Latency, 2, 1),
            base.key(Purpose::Latency, 1, 2),
            KeySource::new(2).key(Purpose::Latency, 1, 1),
        ];
        assert_eq!(BTreeSet::from(keys).len(), keys.len(), "two addresses share a key: {keys:x?}");
        assert_eq!(keys[0], base.clone().key(Purpose::Latency, 1, 1));
    }

    /// Computed with a separate implementation of ChaCha8.
    #[test]
    fn a_seed_means_the_same_for_ever() {
        let source = KeySource::new(42);
        assert_eq!(source.key(Purpose::Latency, 7, 3).raw(), 0x93d5_ae61_a7ce_568b);
        assert_eq!(source.chacha(Purpose::Faults, 0, 0).next_u64(), 0x0b2c_fbf9_2f0d_02df);
    }
}
