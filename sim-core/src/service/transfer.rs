//! `transfer`: accounts and transfers between them.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Model, Outcome};

/// What is in each account at the beginning, whoever serves it.
pub const OPENING_BALANCE: u64 = 100;

/// What can be asked of a `transfer` service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// Move money: `Done`, or `Rejected` where the balance does not suffice.
    Move {
        /// The account that gives.
        from: u32,
        /// The account that gets.
        to: u32,
        /// How much.
        amount: u64,
    },
    /// All balances in order of account: `Values`.
    Balances,
}

impl Operation {
    /// Whether it leaves the state as it is whatever happens.
    pub const fn is_read(self) -> bool {
        matches!(self, Self::Balances)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Move { from, to, amount } => write!(f, "move a{from}->a{to} {amount}"),
            Self::Balances => f.write_str("balances"),
        }
    }
}

/// The sequential meaning of `transfer`: money moves, none is made or lost, and no balance is below 0.
/// A transfer from or to an account that does not exist has no answer but a refusal.
#[derive(Clone, Debug)]
pub struct TransferModel {
    balances: Arc<[u64]>,
}

impl TransferModel {
    /// Accounts with these balances at the start.
    ///
    /// # Panics
    /// If their sum does not fit 64 bits.
    pub fn new(balances: Arc<[u64]>) -> Self {
        let total = balances.iter().try_fold(0_u64, |sum, &balance| sum.checked_add(balance));
        assert!(total.is_some(), "all money together fits 64 bits, but not {balances:?}");
        Self { balances }
    }
}

impl Model for TransferModel {
    /// The balances by account.
    type State = Vec<u64>;

    fn initial(&self) -> Vec<u64> {
        self.balances.to_vec()
    }

    fn step(&self, state: &Vec<u64>, operation: &super::Operation, outcome: &Outcome) -> Option<Vec<u64>> {
        let super::Operation::Transfer(operation) = operation else { return None };
        let mut next = state.clone();
        let legal = match *operation {
            Operation::Move { from, to, amount } => match transfer(&mut next, from, to, amount) {
                Some(answer) => outcome.may_be(&answer),
                None => *outcome == Outcome::Unknown,
            },
            Operation::Balances => match outcome.values() {
                Some(values) => values == state.as_slice(),
                None => *outcome == Outcome::Unknown,
            },
        };
        legal.then_some(next)
    }
}

/// Moves money and returns the answer; `None` where an account does not exist.
fn transfer(balances: &mut [u64], from: u32, to: u32, amount: u64) -> Option<Outcome> {
    let (from, to) = (usize::try_from(from).ok()?, usize::try_from(to).ok()?);
    balances.get(to)?;
    let giver = balances.get_mut(from)?;
    let Some(rest) = giver.checked_sub(amount) else { return Some(Outcome::Rejected) };
    *giver = rest;
    balances[to] += amount;
    Some(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn step(state: &[u64], operation: Operation, outcome: &Outcome) -> Option<Vec<u64>> {
        let model = TransferModel::new([].into());
        model.step(&state.to_vec(), &super::super::Operation::Transfer(operation), outcome)
    }

    fn moved(from: u32, to: u32, amount: u64) -> Operation {
        Operation::Move { from, to, amount }
    }

    #[test]
    fn money_moves_if_there_is_enough() {
        assert_eq!(step(&[5, 0], moved(0, 1, 5), &Outcome::Done), Some(vec![0, 5]));
        assert_eq!(step(&[5, 0], moved(0, 1, 6), &Outcome::Rejected), Some(vec![5, 0]));
        assert_eq!(step(&[5, 0], moved(0, 1, 6), &Outcome::Done), None);
        assert_eq!(step(&[5, 0], moved(0, 1, 5), &Outcome::Rejected), None);
        assert_eq!(step(&[5, 0], moved(0, 0, 5), &Outcome::Done), Some(vec![5, 0]));
    }

    #[test]
    fn an_account_that_does_not_exist_gives_and_gets_nothing() {
        for operation in [moved(0, 2, 1), moved(2, 0, 1)] {
            assert_eq!(step(&[5, 0], operation, &Outcome::Done), None);
            assert_eq!(step(&[5, 0], operation, &Outcome::Unknown), Some(vec![5, 0]));
        }
    }

    #[test]
    fn balances_are_those_of_one_moment() {
        let read =
            |values: &[u64]| step(&[5, 0], Operation::Balances, &Outcome::Values(values.into())).is_some();
        assert!(read(&[5, 0]));
        assert!(!read(&[0, 0]) && !read(&[5]) && !read(&[5, 5]));
    }

    #[test]
    #[should_panic(expected = "fits 64 bits")]
    fn more_money_than_64_bits_is_refused() {
        TransferModel::new([u64::MAX, 1].into());
    }

    proptest! {
        #[test]
        fn no_money_is_made_or_lost(moves in prop::collection::vec((0_u32..5, 0_u32..5, 0_u64..40), 0..50)) {
            let mut state = vec![10, 20, 30, 40];
            for (from, to, amount) in moves {
                state = step(&state, moved(from, to, amount), &Outcome::Unknown).expect("may happen");
                prop_assert_eq!(state.iter().sum::<u64>(), 100);
            }
        }
    }
}
