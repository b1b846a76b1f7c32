//! `kv`: reads, writes and compare-and-sets of keys.

use sim_core::random::{Probability, below};
use sim_core::service::{Key, Operation, Service, kv};

use super::{Asker, Generator, WorkloadAbout};
use crate::format::{Skew, Workload};

pub(super) const ABOUT: WorkloadAbout = WorkloadAbout {
    name: "Kv",
    service: Service::Kv,
    help: "reads, writes and compare-and-sets of keys; every value written is unique",
};

/// How far back a client looks for a value it wrote itself, to compare with.
const LOOK_BACK: u32 = 8;

/// One number a draw decides.
const KEY: u64 = 0;
const IS_READ: u64 = 1;
const IS_COMPARE: u64 = 2;

/// The usual kv workload: what a file gets that says `Kv()`.
pub(super) fn usual() -> Workload {
    ron::from_str("Kv()").expect("every part of the kv workload has a default")
}

/// Draws kv operations.
pub(super) struct Kv {
    reads: Probability,
    compare_and_set: Probability,
    keys: Keys,
}

impl Kv {
    pub(super) fn new(reads: Probability, compare_and_set: Probability, keys: u32, skew: Skew) -> Self {
        Self { reads, compare_and_set, keys: Keys::new(keys, skew) }
    }

    fn key(&self, asker: &Asker) -> Key {
        self.keys.choose(asker.draw(KEY))
    }

    /// What the client last wrote to `key`, as far as it remembers: the value most likely to be still there.
    fn last_written(&self, asker: &Asker, key: Key) -> Option<u64> {
        let earlier = (asker.ordinal.saturating_sub(LOOK_BACK)..asker.ordinal).rev().map(|at| asker.at(at));
        let mut writes = earlier.filter(|earlier| !earlier.chance(IS_READ, self.reads));
        writes.find(|earlier| self.key(earlier) == key).map(|earlier| earlier.unique_value())
    }
}

impl Generator for Kv {
    fn operation(&self, asker: &Asker) -> Operation {
        let key = self.key(asker);
        if asker.chance(IS_READ, self.reads) {
            return Operation::Kv(kv::Operation::Read(key));
        }
        let value = asker.unique_value();
        let wants_compare = asker.chance(IS_COMPARE, self.compare_and_set);
        Operation::Kv(match self.last_written(asker, key).filter(|_| wants_compare) {
            Some(expected) => kv::Operation::CompareAndSet { key, expected, value },
            None => kv::Operation::Write(key, value),
        })
    }
}

/// Chooses keys, in integers only.
enum Keys {
    Uniform(u32),
    /// The sums of the weights of the keys up to each one.
    Weighted(Vec<u64>),
}

impl Keys {
    fn new(count: u32, skew: Skew) -> Self {
        match skew {
            Skew::Uniform => Self::Uniform(count),
            Skew::Zipf => {
                let weights = (1..=u64::from(count)).map(|rank| (1 << 32) / rank);
                Self::Weighted(
                    weights
                        .scan(0, |sum, weight| {
                            *sum += weight;
                            Some(*sum)
                        })
                        .collect(),
                )
            }
        }
    }

    fn choose(&self, draw: u64) -> Key {
        match self {
            Self::Uniform(count) => {
                Key(u32::try_from(below(draw, u64::from(*count))).expect("below a 32-bit count"))
            }
            Self::Weighted(sums) => {
                let total = *sums.last().expect("there is at least one key");
                let at = below(draw, total);
                let index = sums.partition_point(|sum| *sum <= at);
                Key(u32::try_from(index).expect("at most a million keys"))
            }
        }
    }
}
