//! `queue`: messages that are sent, and clients that take some themselves.

use sim_core::random::Probability;
use sim_core::service::{LAST_TICKET, Operation, Service, queue};

use super::{Asker, Generator, WorkloadAbout};
use crate::format::Workload;

pub(super) const ABOUT: WorkloadAbout = WorkloadAbout {
    name: "Queue",
    service: Service::Queue,
    help: "messages that are sent, and taken and acknowledged by the clients themselves if wanted; every value sent is unique",
};

/// The number of the draw that decides.
const IS_DEQUEUE: u64 = 0;

/// The usual queue workload: what a file gets that says `Queue()`.
pub(super) fn usual() -> Workload {
    ron::from_str("Queue()").expect("every part of the queue workload has a default")
}

/// A client that has asked for a message acknowledges it next, with the receipt that it got last.
pub(super) struct Queue {
    pub(super) dequeues: Probability,
}

impl Queue {
    /// Operations come in pairs, and the first one of a pair may take a message.
    fn takes(&self, first: &Asker) -> bool {
        first.chance(IS_DEQUEUE, self.dequeues)
    }
}

impl Generator for Queue {
    fn operation(&self, asker: &Asker) -> Operation {
        let (first, is_first) = (asker.at(asker.ordinal & !1), asker.ordinal.is_multiple_of(2));
        Operation::Queue(match (self.takes(&first), is_first) {
            (true, true) => queue::Operation::Dequeue,
            (true, false) => queue::Operation::Acknowledge { receipt: LAST_TICKET },
            (false, _) => queue::Operation::Enqueue(asker.unique_value()),
        })
    }
}
