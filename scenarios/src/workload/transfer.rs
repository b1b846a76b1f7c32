//! `transfer`: money moves between accounts, and balances are read.

use sim_core::random::{Probability, below};
use sim_core::service::{Operation, Service, transfer};

use super::{Asker, Generator, WorkloadAbout};
use crate::format::Workload;

pub(super) const ABOUT: WorkloadAbout = WorkloadAbout {
    name: "Transfer",
    service: Service::Transfer,
    help: "money moves between two accounts, more of it at times than is there, and all balances are read",
};

/// One number a draw decides.
const IS_READ: u64 = 0;
const FROM: u64 = 1;
const TO: u64 = 2;
const AMOUNT: u64 = 3;

/// The usual transfer workload: what a file gets that says `Transfer()`.
pub(super) fn usual() -> Workload {
    ron::from_str("Transfer()").expect("every part of the transfer workload has a default")
}

pub(super) struct Transfer {
    pub(super) reads: Probability,
    pub(super) accounts: u32,
    pub(super) amount_max: u64,
}

impl Generator for Transfer {
    fn operation(&self, asker: &Asker) -> Operation {
        if asker.chance(IS_READ, self.reads) {
            return Operation::Transfer(transfer::Operation::Balances);
        }
        let account = |number| {
            let drawn = below(asker.draw(number), self.accounts.into());
            u32::try_from(drawn).expect("below a 32-bit count")
        };
        let amount = 1 + below(asker.draw(AMOUNT), self.amount_max);
        Operation::Transfer(transfer::Operation::Move { from: account(FROM), to: account(TO), amount })
    }
}
