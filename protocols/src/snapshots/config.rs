//! The parameters of snapshots, and which of them make no sense.

use std::ops::RangeInclusive;

use serde::Serialize;
use sim_core::{NodeId, Span};

use super::mutants::Mutant;

/// How many accounts there may be.
pub const ACCOUNTS_MAX: u32 = 1_000_000;

/// What channels promise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Channels {
    /// What was sent first comes out first, each once: what the algorithm needs.
    #[default]
    Fifo,
    /// Each comes out once, in any order.
    Unordered,
}

/// What all nodes share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How many nodes there are, at least 2.
    pub node_count: u32,
    /// How many accounts there are, at least one a node and at most [`ACCOUNTS_MAX`]; nodes have them in turn. Default 8.
    pub accounts: u32,
    /// What channels promise. Default `Fifo`.
    pub channels: Channels,
    /// How many nodes begin snapshots by themselves, the first ones; 0: only clients do, who want to know all balances. Default 1.
    pub initiators: u32,
    /// From where such a node draws how long it waits before it begins the next. Default 200 ms to 400 ms.
    pub snapshot_every: RangeInclusive<Span>,
    /// How long an initiator waits for all parts before it gives up. Default 1 s.
    pub patience: Span,
    /// From where a node draws how long it waits before it pays something by itself. Default 5 ms to 25 ms.
    pub pay_every: RangeInclusive<Span>,
    /// How much it pays at most; 0: nothing is paid but what clients ask for. Default 20.
    pub amount_max: u64,
    /// How long a sender waits for an acknowledgement before it sends again. Default 20 ms.
    pub resend_after: Span,
    /// The bug to have; default none.
    pub mutant: Option<Mutant>,
}

/// Why a [`Config`] is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// There are no channels.
    #[error("money moves between at least two nodes, and there are {0}")]
    TooFewNodes(u32),
    /// A node would have nothing.
    #[error("{nodes} nodes cannot share {accounts} accounts: each has at least one")]
    TooFewAccounts {
        /// How many nodes there are.
        nodes: u32,
        /// How many accounts.
        accounts: u32,
    },
    /// Each is in memory, and in each snapshot.
    #[error("{0} accounts are too many: there may be {ACCOUNTS_MAX}")]
    TooManyAccounts(u32),
    /// There are not so many.
    #[error("of {nodes} nodes {initiators} cannot begin snapshots")]
    TooManyInitiators {
        /// How many nodes there are.
        nodes: u32,
        /// How many begin snapshots.
        initiators: u32,
    },
    /// Something would be done endlessly in one instant, or given up before it begins.
    #[error("`{0}` must be longer than 0")]
    NoTime(&'static str),
    /// There is nothing to draw from.
    #[error("the range {low}..{high} of `{name}` ends before it begins")]
    EmptyRange {
        /// Of which parameter.
        name: &'static str,
        /// Its lower bound.
        low: Span,
        /// Its upper bound.
        high: Span,
    },
}

impl Config {
    /// So many nodes with the default parameters.
    pub const fn new(node_count: u32) -> Self {
        Self {
            node_count,
            accounts: 8,
            channels: Channels::Fifo,
            initiators: 1,
            snapshot_every: Span::millis(200)..=Span::millis(400),
            patience: Span::secs(1),
            pay_every: Span::millis(5)..=Span::millis(25),
            amount_max: 20,
            resend_after: Span::millis(20),
            mutant: None,
        }
    }

    /// Checks what the types allow and makes no sense.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let (nodes, accounts, initiators) = (self.node_count, self.accounts, self.initiators);
        if nodes < 2 {
            return Err(ConfigError::TooFewNodes(nodes));
        }
        if accounts < nodes {
            return Err(ConfigError::TooFewAccounts { nodes, accounts });
        }
        if accounts > ACCOUNTS_MAX {
            return Err(ConfigError::TooManyAccounts(accounts));
        }
        if initiators > nodes {
            return Err(ConfigError::TooManyInitiators { nodes, initiators });
        }
        let ranges = [("snapshot_every", &self.snapshot_every), ("pay_every", &self.pay_every)];
        for (name, range) in ranges {
            let (low, high) = (*range.start(), *range.end());
            if low > high {
                return Err(ConfigError::EmptyRange { name, low, high });
            }
        }
        let times = [
            ("snapshot_every", *self.snapshot_every.start()),
            ("patience", self.patience),
            ("pay_every", *self.pay_every.start()),
            ("resend_after", self.resend_after),
        ];
        match times.into_iter().find(|(_, time)| time.is_zero()) {
            Some((name, _)) => Err(ConfigError::NoTime(name)),
            None => Ok(()),
        }
    }

    /// All nodes, in order.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.node_count).map(NodeId::new)
    }

    /// All nodes but this one, in order.
    pub fn peers(&self, node: NodeId) -> impl Iterator<Item = NodeId> + use<> {
        self.nodes().filter(move |other| *other != node)
    }

    /// Who has an account.
    pub fn home(&self, account: u32) -> NodeId {
        NodeId::new(account % self.node_count)
    }

    /// The accounts of a node, in order.
    pub fn accounts_of(&self, node: NodeId) -> impl Iterator<Item = u32> + use<> {
        (node.raw()..self.accounts).step_by(self.node_count as usize)
    }

    /// Whether this node begins snapshots by itself.
    pub const fn is_initiator(&self, node: NodeId) -> bool {
        node.raw() < self.initiators
    }

    /// Whether it has this bug.
    pub(super) fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_spread_over_the_nodes() {
        let config = Config::new(3);
        let of = |node| config.accounts_of(NodeId::new(node)).collect::<Vec<_>>();
        assert_eq!((of(0), of(1), of(2)), (vec![0, 3, 6], vec![1, 4, 7], vec![2, 5]));
        assert!((0..8).all(|account| of(config.home(account).raw()).contains(&account)));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let refused = |config: Config| config.validate().expect_err("it makes no sense");
        let usual = Config::new(4);
        assert_eq!(usual.validate(), Ok(()));
        assert_eq!(refused(Config::new(1)), ConfigError::TooFewNodes(1));
        let few = refused(Config { accounts: 3, ..usual.clone() });
        assert_eq!(few, ConfigError::TooFewAccounts { nodes: 4, accounts: 3 });
        let accounts = ACCOUNTS_MAX + 1;
        let rich = refused(Config { accounts, ..usual.clone() });
        assert_eq!(rich, ConfigError::TooManyAccounts(accounts));
        let many = refused(Config { initiators: 5, ..usual.clone() });
        assert_eq!(many, ConfigError::TooManyInitiators { nodes: 4, initiators: 5 });
        let none = refused(Config { patience: Span::ZERO, ..usual.clone() });
        assert_eq!(none, ConfigError::NoTime("patience"));
        let (low, high) = (Span::millis(2), Span::millis(1));
        let name = "pay_every";
        assert_eq!(
            refused(Config { pay_every: low..=high, ..usual }),
            ConfigError::EmptyRange { name, low, high }
        );
    }
}
