//! `unique-ids`: numbers that nobody else gets.

use sim_core::service::{Operation, Service};

use super::{Asker, Generator, WorkloadAbout};

pub(super) const ABOUT: WorkloadAbout =
    WorkloadAbout { name: "UniqueIds", service: Service::UniqueIds, help: "numbers that nobody else gets" };

pub(super) struct UniqueIds;

impl Generator for UniqueIds {
    fn operation(&self, _asker: &Asker) -> Operation {
        Operation::UniqueId
    }
}
