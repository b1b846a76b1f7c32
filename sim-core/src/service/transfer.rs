//! `transfer`: accounts and transfers between them.

use serde::{Deserialize, Serialize};

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
