//! The parameters of a chain, and which of them make no sense.

use std::sync::Arc;

use sim_core::{NodeId, Span};

use super::mutants::Mutant;
use crate::lease::{self, DRIFT_LIMIT};
use crate::swim;

/// The node that issues configurations.
pub const MASTER: NodeId = NodeId::new(0);

/// Who answers queries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reads {
    /// The tail alone: chain replication.
    #[default]
    Tail,
    /// Any server: CRAQ's apportioned queries. Of a key with versions that the tail may not have, it asks the tail for the
    /// number of the last one.
    Apportioned,
}

/// When a server that is silent is taken to have failed.
#[derive(Clone, Debug, Default)]
pub enum Detector {
    /// As soon as the last lease that it can have is over.
    #[default]
    Lease,
    /// When the lease is over and the group of all nodes, by SWIM, has it down as dead, or it has lost its memory: who is only cut off
    /// from the master stays.
    Swim(Arc<swim::Config>),
}

/// What all nodes share.
#[derive(Clone, Debug)]
pub struct Config {
    /// The master, which must be the first node, and the servers of the first chain from the head on. Other nodes join
    /// when they are started.
    pub members: Arc<[NodeId]>,
    /// Who answers queries. Default: the tail.
    pub reads: Reads,
    /// When a silent server is removed. Default: when its lease is over.
    pub detector: Detector,
    /// How often a server shows the master that it lives, and how often that looks who does not; shorter than the lease. Default
    /// 50 ms.
    pub heartbeat: Span,
    /// How long a server may answer queries after it has shown the master that it lives; who does not for as long is removed. Default
    /// 300 ms.
    pub lease: Span,
    /// ρ in parts per million: clocks run at between 1 / (1 + ρ) and 1 + ρ times the speed of true time, so up to ρ faster and up to
    /// ρ / (1 + ρ) slower ([`lease::slower_at_most`]). Default 200.
    pub drift_max: u32,
    /// How long a server waits for an acknowledgement before it sends again. Default 50 ms.
    pub resend: Span,
    /// Updates of one message at most, at least 1. Default 64.
    pub batch_max: u64,
    /// Updates that a head has taken and the tail may not have, at most, at least 1; beyond it clients are refused. Default 1,000.
    pub in_process_max: u64,
    /// How many acknowledged updates a server keeps besides its state: who joins and lacks no more of them gets them, and not the
    /// whole state. Default 1,000.
    pub history_kept: u64,
    /// The bug to have; default none.
    pub mutant: Option<Mutant>,
}

/// Why a [`Config`] is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The first node is a spare.
    #[error("the first node is the master, and it is a spare")]
    NoMaster,
    /// Nobody has the data.
    #[error("there is a master and no server")]
    NoServer,
    /// Something would be done endlessly in one instant.
    #[error("`{0}` must be longer than 0")]
    NoTime(&'static str),
    /// Servers that are well would be removed.
    #[error(
        "`heartbeat` of {heartbeat} is not shorter than the lease {lease} by the clock of a server: it would run out \
         before it is renewed"
    )]
    HeartbeatTooLong {
        /// How often servers show that they live.
        heartbeat: Span,
        /// For how long a server may count on a lease.
        lease: Span,
    },
    /// A clock that is off by half of its speed measures nothing.
    #[error("`drift_max` is {0} ppm, and a clock that is off by half of its speed or more measures no lease")]
    TooMuchDrift(u32),
    /// SWIM's own parameters make no sense.
    #[error("of the detector, {0}")]
    Swim(swim::ConfigError),
    /// A limit of 0 stops everything.
    #[error("`{0}` must be at least 1, else no update is ever taken")]
    ZeroLimit(&'static str),
}

impl Config {
    /// A master and its servers, with the default parameters.
    pub fn new(members: impl IntoIterator<Item = NodeId>) -> Self {
        Self {
            members: members.into_iter().collect(),
            reads: Reads::default(),
            detector: Detector::default(),
            heartbeat: Span::millis(50),
            lease: Span::millis(300),
            drift_max: 200,
            resend: Span::millis(50),
            batch_max: 64,
            in_process_max: 1_000,
            history_kept: 1_000,
            mutant: None,
        }
    }

    /// Checks what the types allow and makes no sense.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.members.first() != Some(&MASTER) {
            return Err(ConfigError::NoMaster);
        }
        if self.servers().is_empty() {
            return Err(ConfigError::NoServer);
        }
        if self.drift_max >= DRIFT_LIMIT {
            return Err(ConfigError::TooMuchDrift(self.drift_max));
        }
        let times = [("heartbeat", self.heartbeat), ("resend", self.resend)];
        if let Some((name, _)) = times.into_iter().find(|(_, time)| time.is_zero()) {
            return Err(ConfigError::NoTime(name));
        }
        let (heartbeat, lease) = (self.heartbeat, self.server_lease());
        if heartbeat >= lease {
            return Err(ConfigError::HeartbeatTooLong { heartbeat, lease });
        }
        let limits = [("batch_max", self.batch_max), ("in_process_max", self.in_process_max)];
        match limits.into_iter().find(|(_, limit)| *limit == 0) {
            Some((name, _)) => Err(ConfigError::ZeroLimit(name)),
            None => self.swim().map_or(Ok(()), |swim| swim.validate().map_err(ConfigError::Swim)),
        }
    }

    /// The parameters of the detector, if that is SWIM.
    pub const fn swim(&self) -> Option<&Arc<swim::Config>> {
        if let Detector::Swim(config) = &self.detector { Some(config) } else { None }
    }

    /// The servers of the first chain.
    pub fn servers(&self) -> &[NodeId] {
        self.members.get(1..).unwrap_or_default()
    }

    /// How long a server counts on its lease, by its clock and from when it asked for it.
    pub fn server_lease(&self) -> Span {
        lease::holder_counts_on(self.lease, self.allowed_drift())
    }

    /// How long the master keeps to a lease, by its clock and from when it granted it.
    pub fn master_lease(&self) -> Span {
        let whole = lease::granter_waits(self.lease, self.allowed_drift());
        if self.has(Mutant::RemovedWithinLease) { Span::nanos(whole.as_nanos() / 3) } else { whole }
    }

    fn allowed_drift(&self) -> u32 {
        if self.has(Mutant::NoDriftBound) { 0 } else { self.drift_max }
    }

    /// Whether nodes have this bug.
    #[inline]
    pub(super) fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(members: &[u32]) -> Config {
        Config::new(members.iter().copied().map(NodeId::new))
    }

    #[test]
    fn a_master_and_one_server_are_enough_and_less_is_refused() {
        assert_eq!(config(&[0, 1]).validate(), Ok(()));
        assert_eq!(config(&[0]).validate(), Err(ConfigError::NoServer));
        assert_eq!(config(&[1, 2]).validate(), Err(ConfigError::NoMaster));
        assert_eq!(config(&[]).validate(), Err(ConfigError::NoMaster));
    }

    #[test]
    fn impossible_parameters_are_refused() {
        let usual = config(&[0, 1, 2]);
        let (heartbeat, lease) = (Span::millis(300), usual.server_lease());
        let slow = Config { heartbeat, ..usual.clone() };
        assert_eq!(slow.validate(), Err(ConfigError::HeartbeatTooLong { heartbeat, lease }));
        let wild = Config { drift_max: 500_000, ..usual.clone() };
        assert_eq!(wild.validate(), Err(ConfigError::TooMuchDrift(500_000)));
        let none = Config { resend: Span::ZERO, ..usual.clone() };
        assert_eq!(none.validate(), Err(ConfigError::NoTime("resend")));
        let full = Config { in_process_max: 0, ..usual };
        assert_eq!(full.validate(), Err(ConfigError::ZeroLimit("in_process_max")));
    }
}
