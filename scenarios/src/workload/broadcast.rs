//! `broadcast`: values that are to reach every node, and reads of what the asked node has.

use sim_core::random::Probability;
use sim_core::service::{Operation, Service, broadcast};

use super::{Asker, Generator, WorkloadAbout};
use crate::format::Workload;

pub(super) const ABOUT: WorkloadAbout = WorkloadAbout {
    name: "Broadcast",
    service: Service::Broadcast,
    help: "values that are to reach every node, and reads of what the asked node has; every value sent is unique",
};

/// The number of the draw that decides.
const IS_READ: u64 = 0;

/// The usual broadcast workload: what a file gets that says `Broadcast()`.
pub(super) fn usual() -> Workload {
    ron::from_str("Broadcast()").expect("every part of the broadcast workload has a default")
}

pub(super) struct Broadcast {
    pub(super) reads: Probability,
}

impl Generator for Broadcast {
    fn operation(&self, asker: &Asker) -> Operation {
        Operation::Broadcast(if asker.chance(IS_READ, self.reads) {
            broadcast::Operation::Read
        } else {
            broadcast::Operation::Send(asker.unique_value())
        })
    }
}
