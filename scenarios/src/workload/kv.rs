//! `kv`: reads, writes, compare-and-sets and deletions of keys.

use sim_core::random::{Probability, below, zipf_weights};
use sim_core::service::{Key, Operation, Service, kv};

use super::{Asker, Generator, WorkloadAbout};
use crate::format::{Skew, Workload};

pub(super) const ABOUT: WorkloadAbout = WorkloadAbout {
    name: "Kv",
    service: Service::Kv,
    help: "reads, writes, compare-and-sets and deletions of keys; every value written is unique",
};

/// How far back a client looks for a value it wrote itself, to compare with.
const LOOK_BACK: u32 = 8;

/// One number a draw decides.
const KEY: u64 = 0;
const IS_READ: u64 = 1;
const IS_COMPARE: u64 = 2;
const IS_DELETION: u64 = 3;

/// The usual kv workload: what a file gets that says `Kv()`.
pub(super) fn usual() -> Workload {
    ron::from_str("Kv()").expect("every part of the kv workload has a default")
}

/// Draws kv operations.
pub(super) struct Kv {
    mix: Mix,
    keys: Keys,
}

/// How likely which operations are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mix {
    pub(super) reads: Probability,
    pub(super) compare_and_set: Probability,
    pub(super) deletes: Probability,
}

impl Kv {
    pub(super) fn new(mix: Mix, keys: u32, skew: Skew) -> Self {
        Self { mix, keys: Keys::new(keys, skew) }
    }

    fn key(&self, asker: &Asker) -> Key {
        self.keys.choose(asker.draw(KEY))
    }

    /// What the client last wrote to `key`, as far as it remembers: the value most likely to be still there.
    fn last_written(&self, asker: &Asker, key: Key) -> Option<u64> {
        let earlier = (asker.ordinal.saturating_sub(LOOK_BACK)..asker.ordinal).rev().map(|at| asker.at(at));
        let mut writes = earlier.filter(|earlier| !earlier.chance(IS_READ, self.mix.reads));
        writes.find(|earlier| self.key(earlier) == key).map(|earlier| earlier.unique_value())
    }
}

impl Generator for Kv {
    fn operation(&self, asker: &Asker) -> Operation {
        let key = self.key(asker);
        if asker.chance(IS_READ, self.mix.reads) {
            return Operation::Kv(kv::Operation::Read(key));
        }
        let value = asker.unique_value();
        let wants_compare = asker.chance(IS_COMPARE, self.mix.compare_and_set);
        Operation::Kv(match self.last_written(asker, key).filter(|_| wants_compare) {
            Some(expected) => kv::Operation::CompareAndSet { key, expected, value },
            None if asker.chance(IS_DELETION, self.mix.deletes) => kv::Operation::Delete(key),
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
            Skew::Zipf { exponent } => {
                let weights = zipf_weights(count, exponent.thousandths()).into_iter();
                let sums = weights.scan(0, |sum, weight| {
                    *sum += weight;
                    Some(*sum)
                });
                Self::Weighted(sums.collect())
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
