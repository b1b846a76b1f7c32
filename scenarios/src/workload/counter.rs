//! `counter`: additions, subtractions and reads.

use sim_core::random::{Probability, below};
use sim_core::service::{Operation, Service, counter};

use super::{Asker, Generator, WorkloadAbout};
use crate::format::Workload;

pub(super) const ABOUT: WorkloadAbout = WorkloadAbout {
    name: "Counter",
    service: Service::Counter,
    help: "additions of 1 to 10, subtractions and reads of one counter",
};

/// One number a draw decides.
const IS_READ: u64 = 0;
const IS_SUBTRACTION: u64 = 1;
const AMOUNT: u64 = 2;

/// The usual counter workload: what a file gets that says `Counter()`.
pub(super) fn usual() -> Workload {
    ron::from_str("Counter()").expect("every part of the counter workload has a default")
}

pub(super) struct Counter {
    pub(super) reads: Probability,
    pub(super) subtractions: Probability,
}

impl Generator for Counter {
    fn operation(&self, asker: &Asker) -> Operation {
        if asker.chance(IS_READ, self.reads) {
            return Operation::Counter(counter::Operation::Read);
        }
        let amount = 1 + below(asker.draw(AMOUNT), 10).cast_signed();
        let falls = asker.chance(IS_SUBTRACTION, self.subtractions);
        Operation::Counter(counter::Operation::Add(if falls { -amount } else { amount }))
    }
}
