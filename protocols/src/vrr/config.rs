//! The parameters of a group, and which of them make no sense together.

use std::ops::Range;
use std::sync::Arc;

use sim_core::{NodeId, Span};

use super::group::Group;
use super::mutants::Mutant;
use super::types::Epoch;
use crate::replicated::{MembersError, check_member_set};

/// How a primary answers reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadMode {
    /// From its state, once a majority has confirmed that its view is still the newest: a round of messages that many
    /// reads share.
    #[default]
    Confirm,
    /// Through the log: each read takes an op-number, as a write does (§4.1).
    Log,
}

/// What all nodes share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The replicas of the first epoch, ascending: 1 to [`MEMBERS_MAX`](crate::replicated::MEMBERS_MAX) of the first
    /// so many nodes. Other nodes of the scenario stand by and send clients elsewhere, until a reconfiguration makes
    /// them members.
    pub members: Arc<[NodeId]>,
    /// How often a primary sends to each backup at least (§4.1, step 6), and how often messages of view changes and
    /// recovery are repeated. Default 50 ms.
    pub heartbeat: Span,
    /// From where the time is drawn after which a replica gives up its view, uniformly, anew each time: a backup that
    /// has not heard of its primary, or anyone for whom a view change takes too long (§4.2). Default 150 ms up to, not
    /// including, 300 ms. Equal ends mean a fixed time.
    pub view_change_timeout: Range<Span>,
    /// Entries of one `Prepare` at most, at least 1 (§6.2). Default 64.
    pub batch_max: u64,
    /// Entries sent to one backup and not yet acknowledged at most, at least 1; beyond it the primary collects a batch
    /// (§6.2). Default 1,024.
    pub in_flight_max: u64,
    /// Entries in the primary's log that are not committed at most, at least 1; beyond it clients are refused.
    /// Default 10,000.
    pub uncommitted_max: u64,
    /// The log keeps between one and two times so many executed entries, and who needs older ones gets a checkpoint
    /// (§5.1). At least 1. Default 1,000.
    pub checkpoint_interval: u64,
    /// How a primary answers reads. Default: with a confirmation.
    pub reads: ReadMode,
    /// The bug to have; default none.
    pub mutant: Option<Mutant>,
}

/// Why a [`Config`] is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// These nodes cannot be the members.
    #[error(transparent)]
    Members(#[from] MembersError),
    /// A primary that never sends is given up at once.
    #[error("the heartbeat interval must be longer than 0")]
    NoHeartbeat,
    /// There is nothing to draw from.
    #[error("the view change timeout {low}..{high} ends before it begins")]
    ReversedTimeout {
        /// Its lower bound.
        low: Span,
        /// Its upper bound.
        high: Span,
    },
    /// Backups would give up a primary that is well.
    #[error(
        "the heartbeat interval {heartbeat} must be shorter than the shortest view change timeout {low}, else backups \
         give up a primary that is well (paper, section 4.2)"
    )]
    HeartbeatTooLong {
        /// The interval.
        heartbeat: Span,
        /// The shortest timeout.
        low: Span,
    },
    /// A limit of 0 stops replication.
    #[error("`{0}` must be at least 1, else nothing is ever replicated")]
    ZeroLimit(&'static str),
}

impl Config {
    /// A group of `members` with the default parameters.
    pub fn new(members: impl IntoIterator<Item = NodeId>) -> Self {
        Self {
            members: members.into_iter().collect(),
            heartbeat: Span::millis(50),
            view_change_timeout: Span::millis(150)..Span::millis(300),
            batch_max: 64,
            in_flight_max: 1_024,
            uncommitted_max: 10_000,
            checkpoint_interval: 1_000,
            reads: ReadMode::default(),
            mutant: None,
        }
    }

    /// Checks what the types allow and the paper does not.
    ///
    /// # Errors
    /// The first rule that is broken, with its reason.
    pub fn validate(&self) -> Result<(), ConfigError> {
        check_member_set(&self.members)?;
        self.validate_times()?;
        let limits = [
            ("batch_max", self.batch_max),
            ("in_flight_max", self.in_flight_max),
            ("uncommitted_max", self.uncommitted_max),
            ("checkpoint_interval", self.checkpoint_interval),
        ];
        match limits.into_iter().find(|(_, limit)| *limit == 0) {
            Some((name, _)) => Err(ConfigError::ZeroLimit(name)),
            None => Ok(()),
        }
    }

    /// The group of the first epoch.
    pub fn first_group(&self) -> Group {
        Group { epoch: Epoch(0), members: self.members.iter().copied().collect() }
    }

    /// Whether replicas have this bug.
    #[inline]
    pub(super) fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    fn validate_times(&self) -> Result<(), ConfigError> {
        let (low, high) = (self.view_change_timeout.start, self.view_change_timeout.end);
        if self.heartbeat.is_zero() {
            return Err(ConfigError::NoHeartbeat);
        }
        if low > high {
            return Err(ConfigError::ReversedTimeout { low, high });
        }
        if self.heartbeat >= low {
            return Err(ConfigError::HeartbeatTooLong { heartbeat: self.heartbeat, low });
        }
        Ok(())
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
    fn a_heartbeat_not_shorter_than_the_timeout_is_refused_with_the_reason() {
        let config = Config { heartbeat: Span::millis(150), ..config(&[0, 1, 2]) };
        let error = config.validate().expect_err("backups would never rest");
        assert!(error.to_string().contains("shorter than the shortest view change timeout 150ms"), "{error}");
    }

    #[test]
    fn a_fixed_timeout_is_allowed_and_a_reversed_one_is_not() {
        let (low, high) = (Span::millis(200), Span::millis(100));
        let fixed = Config { view_change_timeout: low..low, ..config(&[0, 1, 2]) };
        assert_eq!(fixed.validate(), Ok(()));
        let reversed = Config { view_change_timeout: low..high, ..config(&[0, 1, 2]) };
        assert_eq!(reversed.validate(), Err(ConfigError::ReversedTimeout { low, high }));
    }

    #[test]
    fn a_limit_of_zero_is_refused() {
        let config = Config { batch_max: 0, ..config(&[0, 1, 2]) };
        assert_eq!(config.validate(), Err(ConfigError::ZeroLimit("batch_max")));
    }
}
