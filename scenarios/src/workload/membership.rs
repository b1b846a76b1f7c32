//! `membership`: who is in the group, asked again and again.

use sim_core::service::{Operation, Service};

use super::{Asker, Generator, WorkloadAbout};

pub(super) const ABOUT: WorkloadAbout = WorkloadAbout {
    name: "Membership",
    service: Service::Membership,
    help: "who is in the group, as the asked node believes",
};

pub(super) struct Membership;

impl Generator for Membership {
    fn operation(&self, _asker: &Asker) -> Operation {
        Operation::Members
    }
}
