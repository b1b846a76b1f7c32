//! `echo`: nodes say back what they are told.

use sim_core::service::{Operation, Service};

use super::{Asker, Generator, WorkloadAbout};

pub(super) const ABOUT: WorkloadAbout = WorkloadAbout {
    name: "Echo",
    service: Service::Echo,
    help: "a node says back what it is told; every value is unique",
};

pub(super) struct Echo;

impl Generator for Echo {
    fn operation(&self, asker: &Asker) -> Operation {
        Operation::Echo(asker.unique_value())
    }
}
