//! The parameters of a cluster, and which of them make no sense together.

use std::ops::Range;
use std::sync::Arc;

use sim_core::{NodeId, Span};

use super::mutants::Mutant;
use crate::replicated::{MembersError, NodeSet, Phase, Quorums, QuorumsError, check_member_set};

/// How clients' reads are answered. All of them are linearizable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reads {
    /// The leader makes sure with a round of heartbeats to a phase 1 quorum that it was not pre-empted before the read
    /// arrived, and answers from its state machine.
    #[default]
    Quorum,
    /// A read takes a slot, like a write.
    Slot,
    /// The leader holds a lease and answers at once while it lasts; while it does not, as with `Quorum`.
    Lease(Lease),
}

/// A master lease (Paxos Made Live §5.2): acceptors that grant it promise nothing to others until it has run out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// How long it lasts after the heartbeat that asks for it. Longer than a heartbeat interval.
    pub length: Span,
    /// How far clocks may drift from true time, in millionths; below 500,000. The holder counts it shorter by this, the
    /// granter longer.
    pub drift_ppm: u32,
}

impl Lease {
    /// How long the holder counts on it, by its own clock.
    pub fn held(self) -> Span {
        scale(self.length, 1_000_000 - u64::from(self.drift_ppm))
    }

    /// How long a granter honours it, by its own clock.
    pub fn granted(self) -> Span {
        scale(self.length, 1_000_000 + u64::from(self.drift_ppm))
    }
}

fn scale(span: Span, millionths: u64) -> Span {
    let nanos = u128::from(span.as_nanos()) * u128::from(millionths) / 1_000_000;
    Span::nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// What all nodes of a cluster share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The first acceptors, ascending, 1 to [`MEMBERS_MAX`](crate::replicated::MEMBERS_MAX). Other nodes stand by, send
    /// clients elsewhere, and may be added.
    pub members: Arc<[NodeId]>,
    /// Which sets of acceptors are enough. Default: majorities.
    pub quorums: Quorums,
    /// How often a leader shows that it lives. Default 50 ms.
    pub heartbeat: Span,
    /// From where election timeouts are drawn, uniformly, anew at every reset. Default 150 ms up to, not including,
    /// 300 ms.
    pub election_timeout: Range<Span>,
    /// α: how many slots may be proposed beyond the last one executed, at least 1. Default 256.
    pub window: u64,
    /// Proposals of one message at most, at least 1. Default 64.
    pub batch_max: u64,
    /// Clients that wait for a slot at most, at least 1; beyond it they are refused. Default 10,000.
    pub queue_max: u64,
    /// How many slots are executed between two snapshots, at least 1; `None` for no snapshots. Default 10,000.
    pub snapshot_every: Option<u64>,
    /// How reads are answered. Default [`Reads::Quorum`].
    pub reads: Reads,
    /// The bug to have; default none.
    pub mutant: Option<Mutant>,
}

/// Why a [`Config`] is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// These nodes cannot be the members.
    #[error(transparent)]
    Members(#[from] MembersError),
    /// The quorum system does not fit, or is unsafe.
    #[error(transparent)]
    Quorums(#[from] QuorumsError),
    /// A leader that never shows that it lives is replaced at once.
    #[error("the heartbeat interval must be longer than 0")]
    NoHeartbeat,
    /// There is nothing to draw from.
    #[error(
        "the election timeout range {low}..{high} is empty; without a range to draw from, candidates pre-empt each other \
         again and again (Paxos Made Simple, section 2.4)"
    )]
    EmptyElectionTimeout {
        /// Its lower bound.
        low: Span,
        /// Its upper bound.
        high: Span,
    },
    /// Others would pre-empt a leader that is well.
    #[error(
        "the heartbeat interval {heartbeat} must be shorter than the shortest election timeout {low}, else a leader that \
         is well is pre-empted"
    )]
    HeartbeatTooLong {
        /// The interval.
        heartbeat: Span,
        /// The shortest election timeout.
        low: Span,
    },
    /// A lease that runs out before it can be renewed is never held.
    #[error(
        "the lease of {held}, with drift taken off, must be longer than the heartbeat interval {heartbeat}, else it runs \
         out before each renewal (Paxos Made Live, section 5.2)"
    )]
    LeaseTooShort {
        /// What the holder may count on.
        held: Span,
        /// The interval.
        heartbeat: Span,
    },
    /// A clock that is off by half is no clock.
    #[error("a drift of {0} ppm is too much: at most 499999, else a lease cannot be measured")]
    DriftTooLarge(u32),
    /// A limit of 0 stops everything.
    #[error("`{0}` must be at least 1")]
    ZeroLimit(&'static str),
}

impl Config {
    /// A cluster of `members` with the default parameters.
    pub fn new(members: impl IntoIterator<Item = NodeId>) -> Self {
        Self {
            members: members.into_iter().collect(),
            quorums: Quorums::Majority,
            heartbeat: Span::millis(50),
            election_timeout: Span::millis(150)..Span::millis(300),
            window: 256,
            batch_max: 64,
            queue_max: 10_000,
            snapshot_every: Some(10_000),
            reads: Reads::Quorum,
            mutant: None,
        }
    }

    /// Checks what the types allow and the papers do not. Quorums that need not meet pass only with the mutant
    /// [`Mutant::DisjointQuorums`].
    ///
    /// # Errors
    /// The first rule that is broken, with its reason.
    pub fn validate(&self) -> Result<(), ConfigError> {
        check_member_set(&self.members)?;
        if self.has(Mutant::DisjointQuorums) {
            self.quorums.validate_shape(self.members.len())?;
        } else {
            self.quorums.validate(self.members.len())?;
        }
        self.validate_times()?;
        let limits = [
            ("window", self.window),
            ("batch_max", self.batch_max),
            ("queue_max", self.queue_max),
            ("snapshot_every", self.snapshot_every.unwrap_or(1)),
        ];
        match limits.into_iter().find(|(_, limit)| *limit == 0) {
            Some((name, _)) => Err(ConfigError::ZeroLimit(name)),
            None => Ok(()),
        }
    }

    /// The first acceptors as a set.
    pub fn member_set(&self) -> NodeSet {
        self.members.iter().copied().collect()
    }

    /// Whether those of `members` that are in `set` are enough for a phase.
    #[inline]
    pub fn is_enough(&self, phase: Phase, set: NodeSet, members: NodeSet) -> bool {
        if self.mutant.is_some()
            && phase == Phase::One
            && self.has(Mutant::DisjointQuorums)
            && !set.is_empty()
        {
            let missing = members.difference(set).iter().next();
            let set = missing.map_or(set, |missing| set.with(missing));
            return self.quorums.is_enough(phase, set, members);
        }
        self.quorums.is_enough(phase, set, members)
    }

    /// The lease, where reads go by one.
    pub const fn lease(&self) -> Option<Lease> {
        match self.reads {
            Reads::Lease(lease) => Some(lease),
            Reads::Quorum | Reads::Slot => None,
        }
    }

    /// Whether nodes have this bug.
    #[inline]
    pub(super) fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    fn validate_times(&self) -> Result<(), ConfigError> {
        let (low, high, heartbeat) = (self.election_timeout.start, self.election_timeout.end, self.heartbeat);
        if heartbeat.is_zero() {
            return Err(ConfigError::NoHeartbeat);
        }
        if low >= high {
            return Err(ConfigError::EmptyElectionTimeout { low, high });
        }
        if heartbeat >= low {
            return Err(ConfigError::HeartbeatTooLong { heartbeat, low });
        }
        match self.lease() {
            Some(lease) if lease.drift_ppm >= crate::lease::DRIFT_LIMIT => {
                Err(ConfigError::DriftTooLarge(lease.drift_ppm))
            }
            Some(lease) if lease.held() <= heartbeat => {
                Err(ConfigError::LeaseTooShort { held: lease.held(), heartbeat })
            }
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(members: &[u32]) -> Config {
        Config::new(members.iter().copied().map(NodeId::new))
    }

    #[test]
    fn the_defaults_are_valid() {
        assert_eq!(config(&[0]).validate(), Ok(()));
        assert_eq!(config(&[0, 2, 5]).validate(), Ok(()));
    }

    #[test]
    fn impossible_members_are_refused() {
        assert_eq!(config(&[]).validate(), Err(ConfigError::Members(MembersError::None)));
    }

    #[test]
    fn quorums_that_need_not_meet_pass_only_as_a_mutant() {
        let config = Config { quorums: Quorums::Sizes { phase1: 1, phase2: 2 }, ..config(&[0, 1, 2]) };
        assert!(matches!(config.validate(), Err(ConfigError::Quorums(QuorumsError::NoIntersection { .. }))));
        assert_eq!(Config { mutant: Some(Mutant::DisjointQuorums), ..config }.validate(), Ok(()));
    }

    #[test]
    fn impossible_times_are_refused() {
        let heartbeat = Span::millis(150);
        let late = Config { heartbeat, ..config(&[0, 1, 2]) };
        assert_eq!(late.validate(), Err(ConfigError::HeartbeatTooLong { heartbeat, low: heartbeat }));
        let timeout = Span::millis(200);
        let fixed = Config { election_timeout: timeout..timeout, ..config(&[0, 1, 2]) };
        assert_eq!(fixed.validate(), Err(ConfigError::EmptyElectionTimeout { low: timeout, high: timeout }));
    }

    #[test]
    fn a_lease_that_cannot_be_held_is_refused() {
        let with = |length, drift_ppm| {
            let reads = Reads::Lease(Lease { length: Span::millis(length), drift_ppm });
            Config { reads, ..config(&[0, 1, 2]) }.validate()
        };
        assert_eq!(with(120, 1_000), Ok(()));
        assert!(matches!(with(50, 1_000), Err(ConfigError::LeaseTooShort { .. })));
        assert_eq!(with(120, 500_000), Err(ConfigError::DriftTooLarge(500_000)));
    }

    #[test]
    fn a_holder_counts_on_less_than_a_granter_honours() {
        let lease = Lease { length: Span::millis(100), drift_ppm: 10_000 };
        assert_eq!((lease.held(), lease.granted()), (Span::millis(99), Span::millis(101)));
    }

    #[test]
    fn limits_of_zero_are_refused() {
        let config = Config { window: 0, ..config(&[0]) };
        assert_eq!(config.validate(), Err(ConfigError::ZeroLimit("window")));
    }
}
