//! `set`: additions to a set that grows, and reads of all of it.

use sim_core::random::Probability;
use sim_core::service::{Operation, Service, set};

use super::{Asker, Generator, WorkloadAbout};
use crate::format::Workload;

pub(super) const ABOUT: WorkloadAbout = WorkloadAbout {
    name: "Set",
    service: Service::Set,
    help: "additions to a set that grows, and reads of all of it; every value added is unique",
};

/// The number of the draw that decides.
const IS_READ: u64 = 0;

/// The usual set workload: what a file gets that says `Set()`.
pub(super) fn usual() -> Workload {
    ron::from_str("Set()").expect("every part of the set workload has a default")
}

pub(super) struct Set {
    pub(super) reads: Probability,
}

impl Generator for Set {
    fn operation(&self, asker: &Asker) -> Operation {
        Operation::Set(if asker.chance(IS_READ, self.reads) {
            set::Operation::Read
        } else {
            set::Operation::Add(asker.unique_value())
        })
    }
}
