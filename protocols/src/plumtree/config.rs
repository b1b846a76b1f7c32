//! The parameters of Plumtree and HyParView, and which of them make no sense.

use serde::Serialize;
use sim_core::Span;

use super::mutants::Mutant;
use crate::detector::{Rule, RuleError};
use crate::switch::Switch;

/// What all nodes share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Config {
    /// How many nodes there are at the start, at least 2. Later ones join.
    pub node_count: u32,
    /// How many neighbours a node has at most, at least 2: the fan-out and one. Default 5.
    pub active_view: u32,
    /// How many others it knows besides, at least 1. Default 30.
    pub passive_view: u32,
    /// How many hops a walk for one who joins makes at most, at least 1: ARWL. Default 6.
    pub active_walk: u32,
    /// How many hops before its end the walk leaves the newcomer in a passive view: PRWL, no more than ARWL. Default 3.
    pub passive_walk: u32,
    /// How often a node exchanges parts of its views. Default 10 s.
    pub shuffle_interval: Span,
    /// How many of its neighbours it tells then: ka, no more than `active_view`. Default 3.
    pub shuffle_active: u32,
    /// How many others: kp, no more than `passive_view`. Default 4.
    pub shuffle_passive: u32,
    /// How often it tells its neighbours that it is there. Default 500 ms.
    pub keep_alive: Span,
    /// How much silence of a neighbour is a failure. Default: 2 s.
    pub detector: Rule,
    /// How long it waits for an answer of one whom it wants as a neighbour. Default 500 ms.
    pub connect_timeout: Span,
    /// How often it asks one whom it has lost, or anybody while it has room; `None`: never, as in the paper. Default 5 s.
    pub reconnect_interval: Option<Span>,
    /// How long it waits for a value that was announced before it asks for it: timeout1. Default 200 ms.
    pub graft_timeout: Span,
    /// And then before it asks the next one: timeout2, no longer than timeout1. Default 100 ms.
    pub graft_retry: Span,
    /// How often announcements are sent, all that there are in one message; `None`: each at once. Default `None`.
    pub announce_interval: Option<Span>,
    /// By how many hops a way must be shorter to be taken into the tree, at least 1; `None`: the tree stays. Default 3.
    pub optimisation: Option<u32>,
    /// Whether keep-alives announce what the neighbour has not confirmed. Default on.
    pub catch_up: Switch,
    /// The bug to have; default none.
    #[serde(skip)]
    pub mutant: Option<Mutant>,
}

/// Why a [`Config`] is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Nobody could be a neighbour.
    #[error("a broadcast needs at least two nodes, and there are {0}")]
    NoPeers(u32),
    /// Nothing would be passed on: who it came from is one of the neighbours.
    #[error("with an `active_view` of {0} a node passes nothing on: one neighbour is where it comes from")]
    NoFanOut(u32),
    /// A count that must not be 0 is.
    #[error("`{0}` must be 1 or more")]
    NoCount(&'static str),
    /// A time that must not be 0 is.
    #[error("`{0}` must be longer than 0, else a node acts endlessly in one instant")]
    NoTime(&'static str),
    /// The walk would be over before it leaves anything in a passive view.
    #[error(
        "`passive_walk` is {passive}, and a walk has only {active} hops: no passive view would get to know who joins"
    )]
    WalkTooShort {
        /// PRWL.
        passive: u32,
        /// ARWL.
        active: u32,
    },
    /// More would be told than there is.
    #[error("`{name}` is {count}, and its view has only {view} places")]
    ShuffleTooLarge {
        /// Which.
        name: &'static str,
        /// How many were asked for.
        count: u32,
        /// How many there are.
        view: u32,
    },
    /// The second wait would be longer than the first.
    #[error("`graft_retry` is {retry}, and must be no longer than `graft_timeout`, {timeout}")]
    RetryTooLong {
        /// timeout2.
        retry: Span,
        /// timeout1.
        timeout: Span,
    },
    /// Everybody would be suspected, or nobody could be.
    #[error(transparent)]
    Detector(#[from] RuleError),
}

impl Config {
    /// So many nodes with the default parameters.
    pub const fn new(node_count: u32) -> Self {
        Self {
            node_count,
            active_view: 5,
            passive_view: 30,
            active_walk: 6,
            passive_walk: 3,
            shuffle_interval: Span::secs(10),
            shuffle_active: 3,
            shuffle_passive: 4,
            keep_alive: Span::millis(500),
            detector: Rule::Timeout(Span::secs(2)),
            connect_timeout: Span::millis(500),
            reconnect_interval: Some(Span::secs(5)),
            graft_timeout: Span::millis(200),
            graft_retry: Span::millis(100),
            announce_interval: None,
            optimisation: Some(3),
            catch_up: Switch::On,
            mutant: None,
        }
    }

    /// Checks what the types allow and makes no sense.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.node_count < 2 {
            return Err(ConfigError::NoPeers(self.node_count));
        }
        self.validate_views()?;
        self.validate_times()?;
        Ok(self.detector.validate(self.keep_alive)?)
    }

    fn validate_views(&self) -> Result<(), ConfigError> {
        if self.active_view < 2 {
            return Err(ConfigError::NoFanOut(self.active_view));
        }
        let counts = [
            ("passive_view", self.passive_view),
            ("active_walk", self.active_walk),
            ("optimisation", self.optimisation.unwrap_or(1)),
        ];
        if let Some((name, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return Err(ConfigError::NoCount(name));
        }
        if self.passive_walk > self.active_walk {
            return Err(ConfigError::WalkTooShort { passive: self.passive_walk, active: self.active_walk });
        }
        let shares = [
            ("shuffle_active", self.shuffle_active, self.active_view),
            ("shuffle_passive", self.shuffle_passive, self.passive_view),
        ];
        let large = shares.into_iter().find(|(_, count, view)| count > view);
        large.map_or(Ok(()), |(name, count, view)| Err(ConfigError::ShuffleTooLarge { name, count, view }))
    }

    fn validate_times(&self) -> Result<(), ConfigError> {
        let times = [
            ("shuffle_interval", Some(self.shuffle_interval)),
            ("keep_alive", Some(self.keep_alive)),
            ("connect_timeout", Some(self.connect_timeout)),
            ("reconnect_interval", self.reconnect_interval),
            ("graft_timeout", Some(self.graft_timeout)),
            ("graft_retry", Some(self.graft_retry)),
            ("announce_interval", self.announce_interval),
        ];
        if let Some((name, _)) = times.iter().find(|(_, time)| *time == Some(Span::ZERO)) {
            return Err(ConfigError::NoTime(name));
        }
        if self.graft_retry > self.graft_timeout {
            let (retry, timeout) = (self.graft_retry, self.graft_timeout);
            return Err(ConfigError::RetryTooLong { retry, timeout });
        }
        Ok(())
    }

    /// Whether nodes have this bug.
    pub(super) fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }
}
