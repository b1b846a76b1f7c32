//! `lock`: the lock is taken and given back.

use sim_core::random::Probability;
use sim_core::service::{LAST_TICKET, Operation, Service, lock};

use super::{Asker, Generator, WorkloadAbout};
use crate::format::Workload;

pub(super) const ABOUT: WorkloadAbout = WorkloadAbout {
    name: "Lock",
    service: Service::Lock,
    help: "the lock is taken, and given back by whoever took it, by turns; some keep it until its lease runs out",
};

/// The number of the draw that decides.
const IS_KEPT: u64 = 0;

/// The usual lock workload: what a file gets that says `Lock()`.
pub(super) fn usual() -> Workload {
    ron::from_str("Lock()").expect("every part of the lock workload has a default")
}

pub(super) struct Lock {
    pub(super) kept: Probability,
}

impl Generator for Lock {
    fn operation(&self, asker: &Asker) -> Operation {
        let is_turn_to_release = asker.ordinal % 2 == 1;
        Operation::Lock(if is_turn_to_release && !asker.chance(IS_KEPT, self.kept) {
            lock::Operation::Release { token: LAST_TICKET }
        } else {
            lock::Operation::Acquire
        })
    }
}
