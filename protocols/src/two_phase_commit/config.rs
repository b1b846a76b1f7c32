//! The parameters of two-phase commit, and which of them make no sense.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use sim_core::{ClientId, NodeId, Span};

use super::mutants::Mutant;
use super::types::{Change, Step};

/// How many accounts there may be.
pub const ACCOUNTS_MAX: u32 = 1_000_000;

/// What is presumed of a transaction that its coordinator knows nothing of, and so what need not be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Presumption {
    /// It was aborted: aborts are neither forced to disk nor acknowledged.
    #[default]
    Abort,
    /// Nothing: every decision is forced to disk, and acknowledged.
    Nothing,
}

/// Whom a participant in doubt asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Termination {
    /// The coordinator alone.
    Coordinator,
    /// The coordinator, and then the other participants as well: one that knows the decision tells it, and one that has
    /// not voted aborts.
    #[default]
    Cooperative,
}

/// What all nodes share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How many nodes there are.
    pub node_count: u32,
    /// How many of them coordinate, the first ones, at least 1; the others are participants, at least 1. Default 1.
    pub coordinators: u32,
    /// How many accounts there are, at least 1 and at most [`ACCOUNTS_MAX`]; the participants have them in turn. Default 8.
    pub accounts: u32,
    /// What is presumed. Default `Abort`.
    pub presumption: Presumption,
    /// Whom a participant in doubt asks. Default `Cooperative`.
    pub termination: Termination,
    /// How many participants each transfer has at least: further ones take an account of theirs, vote and write, and move
    /// nothing. At least 1, and at most as many as there are. Default 1: whoever has one of the accounts.
    pub participants_min: u32,
    /// How often a coordinator tries an operation whose accounts are taken, at least 1. Default 8.
    pub attempts: u32,
    /// How long a coordinator waits for votes before it aborts. Default 60 ms.
    pub vote_timeout: Span,
    /// From where a coordinator draws how long it waits before it tries again. Default 5 ms to 20 ms.
    pub backoff: RangeInclusive<Span>,
    /// How long a participant waits for the decision before it asks, and between two inquiries. Default 100 ms.
    pub inquire_after: Span,
    /// How long a coordinator waits for acknowledgements before it tells its decision again. Default 100 ms.
    pub resend_after: Span,
    /// The bug to have; default none.
    pub mutant: Option<Mutant>,
}

/// Why a [`Config`] is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Nobody decides.
    #[error("there must be at least one coordinator")]
    NoCoordinator,
    /// Nobody has an account.
    #[error("of {nodes} nodes {coordinators} coordinate, and no participant is left")]
    NoParticipant {
        /// How many nodes there are.
        nodes: u32,
        /// How many coordinate.
        coordinators: u32,
    },
    /// There is nothing to move money between.
    #[error("there must be at least one account")]
    NoAccounts,
    /// Each is in memory.
    #[error("{0} accounts are too many: there may be {ACCOUNTS_MAX}")]
    TooManyAccounts(u32),
    /// There are not so many, or not so many that have an account.
    #[error("a transfer cannot have {wanted} participants: {there_are} have an account")]
    ParticipantCount {
        /// How many it is to have.
        wanted: u32,
        /// How many there are.
        there_are: u32,
    },
    /// Nothing would ever be tried.
    #[error("with 0 attempts no transaction is ever tried")]
    NoAttempts,
    /// Something would be done endlessly in one instant, or given up before it begins.
    #[error("`{0}` must be longer than 0")]
    NoTime(&'static str),
    /// There is nothing to draw from.
    #[error("the backoff range {low}..{high} ends before it begins")]
    EmptyBackoff {
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
            coordinators: 1,
            accounts: 8,
            presumption: Presumption::Abort,
            termination: Termination::Cooperative,
            participants_min: 1,
            attempts: 8,
            vote_timeout: Span::millis(60),
            backoff: Span::millis(5)..=Span::millis(20),
            inquire_after: Span::millis(100),
            resend_after: Span::millis(100),
            mutant: None,
        }
    }

    /// Checks what the types allow and makes no sense.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let (nodes, coordinators) = (self.node_count, self.coordinators);
        if coordinators == 0 {
            return Err(ConfigError::NoCoordinator);
        }
        if nodes <= coordinators {
            return Err(ConfigError::NoParticipant { nodes, coordinators });
        }
        if self.accounts == 0 {
            return Err(ConfigError::NoAccounts);
        }
        if self.accounts > ACCOUNTS_MAX {
            return Err(ConfigError::TooManyAccounts(self.accounts));
        }
        let (wanted, there_are) = (self.participants_min, (nodes - coordinators).min(self.accounts));
        if wanted == 0 || wanted > there_are {
            return Err(ConfigError::ParticipantCount { wanted, there_are });
        }
        if self.attempts == 0 {
            return Err(ConfigError::NoAttempts);
        }
        let times = [
            ("vote_timeout", self.vote_timeout),
            ("inquire_after", self.inquire_after),
            ("resend_after", self.resend_after),
        ];
        if let Some((name, _)) = times.into_iter().find(|(_, time)| time.is_zero()) {
            return Err(ConfigError::NoTime(name));
        }
        let (low, high) = (*self.backoff.start(), *self.backoff.end());
        if low > high { Err(ConfigError::EmptyBackoff { low, high }) } else { Ok(()) }
    }

    /// Whether this node coordinates.
    pub fn is_coordinator(&self, node: NodeId) -> bool {
        node.raw() < self.coordinators
    }

    /// The coordinator of a client: always the same, so that it knows what it has answered.
    pub fn coordinator_of(&self, client: ClientId) -> NodeId {
        NodeId::new(client.raw() % self.coordinators)
    }

    /// The participants, in order.
    pub fn participants(&self) -> impl Iterator<Item = NodeId> + use<> {
        (self.coordinators..self.node_count).map(NodeId::new)
    }

    /// Who has an account.
    pub fn home(&self, account: u32) -> NodeId {
        NodeId::new(self.coordinators + account % self.participant_count())
    }

    /// The accounts of a participant, in order.
    pub fn accounts_of(&self, node: NodeId) -> impl Iterator<Item = u32> + use<> {
        let first = node.raw().saturating_sub(self.coordinators);
        (first..self.accounts).step_by(self.participant_count() as usize)
    }

    /// What a transfer does: to the two accounts, and to one of each further participant that it is to have, of which only the lock is wanted.
    pub(super) fn changes(&self, from: u32, to: u32, amount: u64) -> Vec<Change> {
        let mut changes = vec![
            Change { account: from, step: Step::Debit(amount) },
            Change { account: to, step: Step::Credit(amount) },
        ];
        let mut homes: BTreeSet<NodeId> = [from, to].map(|account| self.home(account)).into();
        let mut others = 0..self.accounts;
        while homes.len() < self.participants_min as usize {
            let account = others.next().expect("so many participants have an account");
            if homes.insert(self.home(account)) {
                changes.push(Change { account, step: Step::Credit(0) });
            }
        }
        changes
    }

    /// At least one, in a configuration that is valid.
    const fn participant_count(&self) -> u32 {
        self.node_count - self.coordinators
    }

    /// Whether nodes have this bug.
    pub(super) fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_account_has_one_home() {
        let config = Config { coordinators: 2, accounts: 7, ..Config::new(5) };
        assert_eq!(config.participants().map(NodeId::raw).collect::<Vec<_>>(), [2, 3, 4]);
        let mut all = Vec::new();
        for node in config.participants() {
            for account in config.accounts_of(node) {
                assert_eq!(config.home(account), node);
                all.push(account);
            }
        }
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn impossible_parameters_are_refused() {
        let usual = Config::new(3);
        assert_eq!(usual.validate(), Ok(()));
        let refused = |config: Config| config.validate().expect_err("it makes no sense");
        assert_eq!(refused(Config { coordinators: 0, ..usual.clone() }), ConfigError::NoCoordinator);
        let (nodes, coordinators) = (3, 3);
        let none = refused(Config { coordinators, ..usual.clone() });
        assert_eq!(none, ConfigError::NoParticipant { nodes, coordinators });
        assert_eq!(refused(Config { accounts: 0, ..usual.clone() }), ConfigError::NoAccounts);
        let accounts = ACCOUNTS_MAX + 1;
        let rich = refused(Config { accounts, ..usual.clone() });
        assert_eq!(rich, ConfigError::TooManyAccounts(accounts));
        let many = refused(Config { participants_min: 4, ..usual.clone() });
        assert_eq!(many, ConfigError::ParticipantCount { wanted: 4, there_are: usual.node_count - 1 });
        assert_eq!(refused(Config { attempts: 0, ..usual.clone() }), ConfigError::NoAttempts);
        let hasty = refused(Config { inquire_after: Span::ZERO, ..usual.clone() });
        assert_eq!(hasty, ConfigError::NoTime("inquire_after"));
        let (low, high) = (Span::millis(2), Span::millis(1));
        assert_eq!(refused(Config { backoff: low..=high, ..usual }), ConfigError::EmptyBackoff { low, high });
    }
}
