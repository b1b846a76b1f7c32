//! What processes have and tell each other.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use sim_core::NodeId;

/// The name of a snapshot. No two have the same: numbers are on disk before anybody hears of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SnapshotId {
    /// Who began it, and gets its parts.
    pub initiator: NodeId,
    /// Its how-manieth, from 1.
    pub number: u64,
}

impl SnapshotId {
    /// A number that tells it from others that a process knows at the time.
    pub(super) fn key(self) -> u64 {
        self.number.wrapping_mul(1 << 16).wrapping_add(self.initiator.raw().into())
    }
}

impl fmt::Display for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.initiator, self.number)
    }
}

/// Money on its way from one account to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Payment {
    /// The account that has given it.
    pub from: u32,
    /// The account that gets it.
    pub to: u32,
    /// How much.
    pub amount: u64,
}

impl fmt::Display for Payment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a{}->a{} {}", self.from, self.to, self.amount)
    }
}

/// What a channel carries, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Item {
    /// A message of the computation that snapshots are of.
    Payment(Payment),
    /// All that was sent before belongs to the state of the channel, and all after does not.
    Marker(SnapshotId),
    /// What one process has recorded, for the initiator.
    Part(Arc<Part>),
    /// The initiator has given up.
    Abandon(SnapshotId),
}

impl Item {
    /// The money in it.
    pub const fn amount(&self) -> u64 {
        match self {
            Self::Payment(payment) => payment.amount,
            Self::Marker(_) | Self::Part(_) | Self::Abandon(_) => 0,
        }
    }

    /// The payment, if it is one.
    pub const fn payment(&self) -> Option<Payment> {
        if let Self::Payment(payment) = self { Some(*payment) } else { None }
    }
}

/// The state of one process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct State {
    /// What is in its accounts.
    pub balances: BTreeMap<u32, u64>,
    /// The number of the last message that it has sent to each other process; 0 before the first.
    pub sent: BTreeMap<NodeId, u64>,
    /// The highest number of a payment that it has got from each; 0 before the first.
    pub received: BTreeMap<NodeId, u64>,
}

impl State {
    /// The money in its accounts.
    pub fn total(&self) -> u128 {
        self.balances.values().map(|balance| u128::from(*balance)).sum()
    }
}

/// What one process has recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Of which snapshot.
    pub snapshot: SnapshotId,
    /// Who has.
    pub process: NodeId,
    /// Its state.
    pub state: State,
    /// The states of its incoming channels, by who sends: payments in the order in which they came.
    pub channels: BTreeMap<NodeId, Vec<Payment>>,
}

impl Part {
    /// The money in its channels.
    pub fn in_channels(&self) -> u128 {
        self.channels.values().flatten().map(|payment| u128::from(payment.amount)).sum()
    }

    /// How many payments its channels have.
    pub fn payment_count(&self) -> u64 {
        self.channels.values().map(|channel| channel.len() as u64).sum()
    }

    pub(super) fn size(&self) -> u64 {
        let (accounts, peers) = (self.state.balances.len() as u64, self.channels.len() as u64);
        16 + 12 * accounts + 20 * peers + 16 * self.payment_count()
    }
}

/// A snapshot of the whole: the parts of all processes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cut {
    /// Which one.
    pub snapshot: SnapshotId,
    /// By process.
    pub parts: BTreeMap<NodeId, Arc<Part>>,
}

impl Cut {
    /// All money in it.
    pub fn total(&self) -> u128 {
        self.parts.values().map(|part| part.state.total() + part.in_channels()).sum()
    }

    /// What will be in each account, in order, when all that was on its way has arrived.
    pub(super) fn settled(&self) -> Arc<[u64]> {
        let mut balances = BTreeMap::new();
        for part in self.parts.values() {
            for (account, balance) in &part.state.balances {
                *balances.entry(*account).or_insert(0) += balance;
            }
            for payment in part.channels.values().flatten() {
                *balances.entry(payment.to).or_insert(0) += payment.amount;
            }
        }
        balances.into_values().collect()
    }
}
