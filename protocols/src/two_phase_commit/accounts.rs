//! Accounts and who has them: strict two-phase locking, in which whoever comes second is turned away.

use std::collections::BTreeMap;

use serde::Serialize;
use sim_core::service::transfer::OPENING_BALANCE;

use super::types::{Change, Hold, Step, Told, Txn, Vote};

/// The accounts of one participant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Accounts {
    accounts: BTreeMap<u32, Account>,
    /// Reads that want all of them as they are, each with its hold.
    holds: BTreeMap<Txn, Hold>,
}

/// One account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    /// What is in it, without transactions whose decision is not known.
    pub balance: u64,
    /// The transfer that has it.
    pub taken_by: Option<Txn>,
}

impl Accounts {
    /// These accounts, as they are at the beginning.
    pub(super) fn new(accounts: impl Iterator<Item = u32>) -> Self {
        let account = Account { balance: OPENING_BALANCE, taken_by: None };
        Self { accounts: accounts.map(|number| (number, account)).collect(), holds: BTreeMap::new() }
    }

    /// Whether a transfer can be done: its accounts are nobody's, and no balance goes below 0.
    pub(super) fn judge(&self, changes: &[Change]) -> Vote {
        let is_taken = |change: &Change| self.account(change.account).taken_by.is_some();
        if !self.holds.is_empty() || changes.iter().any(is_taken) {
            return Vote::Busy;
        }
        let is_covered = |change: &Change| match change.step {
            Step::Debit(amount) => self.account(change.account).balance >= amount,
            Step::Credit(_) => true,
        };
        if changes.iter().all(is_covered) { Vote::Yes } else { Vote::Short }
    }

    /// A transfer has these accounts from now on.
    pub(super) fn take(&mut self, txn: Txn, changes: &[Change]) {
        for change in changes {
            let taken_by = &mut self.account_mut(change.account).taken_by;
            // One that moves money within an account has two changes of it.
            let other = taken_by.filter(|other| *other != txn);
            assert_eq!(other, None, "{txn} takes a{}, which another has", change.account);
            *taken_by = Some(txn);
        }
    }

    /// A read has all accounts from now on, with other reads, unless a transfer has one of them. One that has them already goes on
    /// with its hold.
    pub(super) fn share(&mut self, txn: Txn, name: impl FnOnce() -> Hold) -> Option<Told> {
        if self.accounts.values().any(|account| account.taken_by.is_some()) {
            return None;
        }
        let hold = *self.holds.entry(txn).or_insert_with(name);
        Some(Told { balances: self.accounts.values().map(|account| account.balance).collect(), hold })
    }

    /// The hold with which a read has the accounts.
    pub(super) fn hold(&self, txn: Txn) -> Option<Hold> {
        self.holds.get(&txn).copied()
    }

    /// Lets go of what a transaction has.
    pub(super) fn release(&mut self, txn: Txn) {
        self.holds.remove(&txn);
        for account in self.accounts.values_mut().filter(|account| account.taken_by == Some(txn)) {
            account.taken_by = None;
        }
    }

    /// Does what was committed.
    pub(super) fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            let account = self.account_mut(change.account);
            account.balance = match change.step {
                Step::Debit(amount) => account.balance.checked_sub(amount).unwrap_or_else(|| {
                    panic!("a{} has {} and cannot give {amount}", change.account, account.balance)
                }),
                Step::Credit(amount) => account.balance + amount,
            };
        }
    }

    /// All of them, by number.
    pub const fn all(&self) -> &BTreeMap<u32, Account> {
        &self.accounts
    }

    /// The reads that have them, each with its hold.
    pub const fn holds(&self) -> &BTreeMap<Txn, Hold> {
        &self.holds
    }

    /// The money in them.
    pub fn total(&self) -> i128 {
        self.accounts.values().map(|account| i128::from(account.balance)).sum()
    }

    fn account(&self, number: u32) -> &Account {
        self.accounts.get(&number).expect("a coordinator asks for accounts that are here")
    }

    fn account_mut(&mut self, number: u32) -> &mut Account {
        self.accounts.get_mut(&number).expect("a coordinator asks for accounts that are here")
    }
}

#[cfg(test)]
mod tests {
    use sim_core::NodeId;

    use super::*;

    fn txn(number: u64) -> Txn {
        Txn { coordinator: NodeId::new(0), epoch: 1, number }
    }

    fn debit(account: u32, amount: u64) -> Change {
        Change { account, step: Step::Debit(amount) }
    }

    #[test]
    fn whoever_comes_second_is_turned_away() {
        let mut accounts = Accounts::new([0, 2].into_iter());
        assert_eq!(accounts.judge(&[debit(0, 100)]), Vote::Yes);
        assert_eq!(accounts.judge(&[debit(0, 101)]), Vote::Short);
        accounts.take(txn(1), &[debit(0, 10)]);
        assert_eq!(accounts.judge(&[debit(0, 10)]), Vote::Busy);
        assert_eq!(accounts.judge(&[debit(2, 10)]), Vote::Yes, "another account");
        assert_eq!(accounts.share(txn(2), || unreachable!("there is no hold")), None);
        accounts.apply(&[debit(0, 10)]);
        accounts.release(txn(1));
        let told = |draw| Some(Told { balances: [90, 100].into(), hold: Hold::new(draw) });
        assert_eq!(accounts.share(txn(2), || Hold::new(7)), told(7));
        assert_eq!(accounts.share(txn(3), || Hold::new(8)), told(8), "reads share");
        assert_eq!(accounts.share(txn(2), || unreachable!("it goes on with its hold")), told(7));
        assert_eq!(accounts.judge(&[debit(2, 10)]), Vote::Busy);
        accounts.release(txn(2));
        accounts.release(txn(3));
        assert_eq!(accounts.judge(&[debit(2, 10)]), Vote::Yes);
    }

    #[test]
    fn a_read_that_shares_anew_has_another_hold() {
        let mut accounts = Accounts::new([0].into_iter());
        assert_eq!(accounts.hold(txn(1)), None);
        assert!(accounts.share(txn(1), || Hold::new(7)).is_some());
        assert_eq!(accounts.hold(txn(1)), Some(Hold::new(7)));
        accounts.release(txn(1));
        assert_eq!(accounts.hold(txn(1)), None);
        assert!(accounts.share(txn(1), || Hold::new(8)).is_some());
        assert_eq!(accounts.hold(txn(1)), Some(Hold::new(8)));
    }
}
