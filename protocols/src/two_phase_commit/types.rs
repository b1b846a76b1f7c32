//! What coordinator and participants talk about.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use sim_core::NodeId;

/// The name of a transaction. No two have the same: each life of a coordinator has an epoch of its own, on disk before
/// its first transaction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Txn {
    /// Who decides.
    pub coordinator: NodeId,
    /// In which of its lives.
    pub epoch: u64,
    /// Its how-manieth in that life, from 1.
    pub number: u64,
}

impl Txn {
    /// A number that tells it from others that a node knows at the time.
    pub(super) fn key(self) -> u64 {
        self.number.wrapping_mul(1 << 16).wrapping_add(self.coordinator.raw().into())
    }
}

impl fmt::Display for Txn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}.{}", self.coordinator, self.epoch, self.number)
    }
}

/// The same: it stands in the names of timers.
impl fmt::Debug for Txn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The name of a hold: of one stretch of time in which a participant keeps its balances as they are for a read. Drawn, so that
/// no other hold has it, in a later life neither: nothing of a read is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Hold(u64);

impl Hold {
    /// A new one, of this draw.
    pub(super) const fn new(draw: u64) -> Self {
        Self(draw)
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// What a participant tells of its accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// The balances, in order of account.
    pub balances: Arc<[u64]>,
    /// For how long they stay: until this hold ends.
    pub hold: Hold,
}

/// What becomes of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Decision {
    /// All of it happens.
    Commit,
    /// None of it does.
    Abort,
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Commit => "commit",
            Self::Abort => "abort",
        })
    }
}

/// What a participant says to a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Vote {
    /// It can commit, whatever happens; from now on it waits for the decision. Of a read: the hold has not ended until now.
    Yes,
    /// It cannot now: somebody has one of the accounts.
    Busy,
    /// It cannot: the balance does not suffice.
    Short,
}

impl fmt::Display for Vote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Yes => "yes",
            Self::Busy => "no (busy)",
            Self::Short => "no (short)",
        })
    }
}

/// What a transaction does to one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Which account.
    pub account: u32,
    /// What is done to it.
    pub step: Step,
}

/// What is done to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Step {
    /// It gives this much.
    Debit(u64),
    /// It gets this much.
    Credit(u64),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            Step::Debit(amount) => write!(f, "a{}-{amount}", self.account),
            Step::Credit(amount) => write!(f, "a{}+{amount}", self.account),
        }
    }
}

/// How much more money there is by these changes.
pub(super) fn net(changes: &[Change]) -> i128 {
    let step = |change: &Change| match change.step {
        Step::Debit(amount) => -i128::from(amount),
        Step::Credit(amount) => i128::from(amount),
    };
    changes.iter().map(step).sum()
}

/// Changes in a line.
pub(super) fn in_words(changes: &[Change]) -> String {
    let texts: Vec<String> = changes.iter().map(Change::to_string).collect();
    if texts.is_empty() { "nothing".to_owned() } else { texts.join(" ") }
}
