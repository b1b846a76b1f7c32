//! The parameters of a cluster, and which of them make no sense together.

use std::ops::Range;
use std::sync::Arc;

use sim_core::{NodeId, Span};

use super::mutants::Mutant;
use crate::replicated::quorum::majority;

/// The largest number of members: what a commit decision sorts on the stack.
pub const MEMBERS_MAX: usize = 64;

/// What all nodes of a cluster share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The nodes that vote and hold the log, ascending, 1 to [`MEMBERS_MAX`]. Other nodes of the scenario stand by
    /// and send clients elsewhere.
    pub members: Arc<[NodeId]>,
    /// How often a leader sends to each follower at least. Default 50 ms.
    pub heartbeat: Span,
    /// From where election timeouts are drawn, uniformly, anew at every reset (§5.2). Default 150 ms up to, not
    /// including, 300 ms (§9.3 recommends it).
    pub election_timeout: Range<Span>,
    /// Entries of one `AppendEntries` at most, at least 1. Default 64.
    pub append_entries_max: u64,
    /// Entries sent to one follower and not yet acknowledged at most, at least 1; beyond it the leader waits for
    /// a reply. Default 1,024.
    pub in_flight_max: u64,
    /// Entries in the leader's log that are not committed at most, at least 1; beyond it clients are refused.
    /// Default 10,000.
    pub uncommitted_max: u64,
    /// The bug to have; default none.
    pub mutant: Option<Mutant>,
}

/// Why a [`Config`] is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Nobody could ever lead.
    #[error("a cluster needs at least one member")]
    NoMembers,
    /// More than [`MEMBERS_MAX`].
    #[error(
        "{0} members; at most {MEMBERS_MAX} are allowed, and each write waits for more than half of them"
    )]
    TooManyMembers(usize),
    /// A member stands twice, or before a smaller one.
    #[error("members must be ascending and different, but {second} comes after {first}")]
    MembersNotAscending {
        /// The earlier one.
        first: NodeId,
        /// The one after it.
        second: NodeId,
    },
    /// A leader that never sends is deposed at once.
    #[error("the heartbeat interval must be longer than 0")]
    NoHeartbeat,
    /// There is nothing to draw from.
    #[error(
        "the election timeout range {low}..{high} is empty; without a range to draw from, candidates split the vote \
         again and again (paper, section 5.2)"
    )]
    EmptyElectionTimeout {
        /// Its lower bound.
        low: Span,
        /// Its upper bound.
        high: Span,
    },
    /// Followers would depose a leader that is well.
    #[error(
        "the heartbeat interval {heartbeat} must be shorter than the shortest election timeout {low}, else followers \
         depose a leader that is well (paper, section 5.6: broadcast time << election timeout)"
    )]
    HeartbeatTooLong {
        /// The interval.
        heartbeat: Span,
        /// The shortest election timeout.
        low: Span,
    },
    /// A limit of 0 stops replication.
    #[error("`{0}` must be at least 1, else nothing is ever replicated")]
    ZeroLimit(&'static str),
}

impl Config {
    /// A cluster of `members` with the default parameters.
    pub fn new(members: impl IntoIterator<Item = NodeId>) -> Self {
        Self {
            members: members.into_iter().collect(),
            heartbeat: Span::millis(50),
            election_timeout: Span::millis(150)..Span::millis(300),
            append_entries_max: 64,
            in_flight_max: 1_024,
            uncommitted_max: 10_000,
            mutant: None,
        }
    }

    /// Checks what the types allow and the paper does not.
    ///
    /// # Errors
    /// The first rule that is broken, with its reason.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.validate_members()?;
        self.validate_times()?;
        let limits = [
            ("append_entries_max", self.append_entries_max),
            ("in_flight_max", self.in_flight_max),
            ("uncommitted_max", self.uncommitted_max),
        ];
        match limits.into_iter().find(|(_, limit)| *limit == 0) {
            Some((name, _)) => Err(ConfigError::ZeroLimit(name)),
            None => Ok(()),
        }
    }

    /// Where `node` stands among the members; `None` if it is none.
    #[inline]
    pub fn slot(&self, node: NodeId) -> Option<usize> {
        match self.members.get(node.index()) {
            // The usual case: the members are the first nodes of the scenario.
            Some(member) if *member == node => Some(node.index()),
            Some(_) | None => self.members.binary_search(&node).ok(),
        }
    }

    /// Whether nodes have this bug.
    #[inline]
    pub(super) fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    /// How many members decide: more than half (§5.2).
    pub fn quorum(&self) -> usize {
        majority(self.members.len())
    }

    fn validate_members(&self) -> Result<(), ConfigError> {
        if self.members.is_empty() {
            return Err(ConfigError::NoMembers);
        }
        if self.members.len() > MEMBERS_MAX {
            return Err(ConfigError::TooManyMembers(self.members.len()));
        }
        match self.members.windows(2).find(|pair| pair[0] >= pair[1]) {
            Some(pair) => Err(ConfigError::MembersNotAscending { first: pair[0], second: pair[1] }),
            None => Ok(()),
        }
    }

    fn validate_times(&self) -> Result<(), ConfigError> {
        let (low, high) = (self.election_timeout.start, self.election_timeout.end);
        if self.heartbeat.is_zero() {
            return Err(ConfigError::NoHeartbeat);
        }
        if low >= high {
            return Err(ConfigError::EmptyElectionTimeout { low, high });
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
        assert_eq!(config(&[]).validate(), Err(ConfigError::NoMembers));
        let (first, second) = (NodeId::new(1), NodeId::new(1));
        assert_eq!(config(&[0, 1, 1]).validate(), Err(ConfigError::MembersNotAscending { first, second }));
        let many: Vec<u32> = (0..65).collect();
        assert_eq!(config(&many).validate(), Err(ConfigError::TooManyMembers(65)));
    }

    #[test]
    fn a_heartbeat_not_shorter_than_the_election_timeout_is_refused_with_the_reason() {
        let config = Config { heartbeat: Span::millis(150), ..config(&[0, 1, 2]) };
        let error = config.validate().expect_err("followers would never rest");
        assert!(
            error.to_string().contains("must be shorter than the shortest election timeout 150ms"),
            "{error}"
        );
    }

    #[test]
    fn an_election_timeout_without_a_range_is_refused() {
        let timeout = Span::millis(200);
        let config = Config { election_timeout: timeout..timeout, ..config(&[0, 1, 2]) };
        assert_eq!(config.validate(), Err(ConfigError::EmptyElectionTimeout { low: timeout, high: timeout }));
    }

    #[test]
    fn a_limit_of_zero_is_refused() {
        let config = Config { in_flight_max: 0, ..config(&[0, 1, 2]) };
        assert_eq!(config.validate(), Err(ConfigError::ZeroLimit("in_flight_max")));
    }

    #[test]
    fn a_slot_is_the_position_among_members_with_gaps_or_without() {
        let config = config(&[0, 1, 5]);
        let slots: Vec<_> = [0, 1, 2, 5, 6].into_iter().map(|node| config.slot(NodeId::new(node))).collect();
        assert_eq!(slots, [Some(0), Some(1), None, Some(2), None]);
        assert_eq!(config.quorum(), 2);
    }
}
