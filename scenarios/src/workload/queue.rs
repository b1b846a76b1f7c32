//! `queue`: messages that are sent, and clients that take some themselves.

use sim_core::random::Probability;
use sim_core::service::{Operation, Service, queue};

use super::{Asker, Generator, WorkloadAbout};
use crate::format::Workload;

pub(super) const ABOUT: WorkloadAbout = WorkloadAbout {
    name: "Queue",
    service: Service::Queue,
    help: "messages that are sent, and taken by the clients themselves if wanted; every value sent is unique",
};

/// The number of the draw that decides.
const IS_DEQUEUE: u64 = 0;

/// The usual queue workload: what a file gets that says `Queue()`.
pub(super) fn usual() -> Workload {
    ron::from_str("Queue()").expect("every part of the queue workload has a default")
}

/// What a client takes it cannot acknowledge: an operation is drawn before the outcome of the one before is known.
pub(super) struct Queue {
    pub(super) dequeues: Probability,
}

impl Generator for Queue {
    fn operation(&self, asker: &Asker) -> Operation {
        Operation::Queue(if asker.chance(IS_DEQUEUE, self.dequeues) {
            queue::Operation::Dequeue
        } else {
            queue::Operation::Enqueue(asker.unique_value())
        })
    }
}
