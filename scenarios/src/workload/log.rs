//! `log`: records that are appended and read, and offsets that are kept.

use sim_core::random::{Probability, below};
use sim_core::service::{Operation, Service, log};

use super::{Asker, Generator, WorkloadAbout};
use crate::format::Workload;

pub(super) const ABOUT: WorkloadAbout = WorkloadAbout {
    name: "Log",
    service: Service::Log,
    help: "records appended to partitions, polls from some offset on, of results too, and offsets of consumers; every value appended is unique",
};

/// The numbers of the draws that decide.
const IS_POLL: u64 = 0;
const IS_OFFSET: u64 = 1;
const IS_COMMIT: u64 = 2;
const PARTITION: u64 = 3;
const OFFSET: u64 = 4;
const IS_RESULTS: u64 = 5;

/// The usual log workload: what a file gets that says `Log()`.
pub(super) fn usual() -> Workload {
    ron::from_str("Log()").expect("every part of the log workload has a default")
}

pub(super) struct Log {
    pub(super) polls: Probability,
    pub(super) offsets: Probability,
    pub(super) partitions: u32,
    pub(super) results: Probability,
}

impl Generator for Log {
    /// Offsets are drawn from where the partitions may end by now.
    fn operation(&self, asker: &Asker) -> Operation {
        let partition = below(asker.draw(PARTITION), self.partitions.into());
        let partition = u32::try_from(partition).expect("it is below a `u32`");
        let offset = below(asker.draw(OFFSET), u64::from(asker.ordinal) + 1);
        Operation::Log(if asker.chance(IS_POLL, self.polls) {
            if asker.chance(IS_RESULTS, self.results) {
                return Operation::Log(log::Operation::Results { partition, offset });
            }
            log::Operation::Poll { partition, offset }
        } else if !asker.chance(IS_OFFSET, self.offsets) {
            log::Operation::Append { partition, value: asker.unique_value() }
        } else if below(asker.draw(IS_COMMIT), 2) == 0 {
            log::Operation::Commit { partition, offset: offset + 1 }
        } else {
            log::Operation::Committed { partition }
        })
    }
}
