//! The parameters of a Synod, and which of them make no sense together.

use std::ops::RangeInclusive;
use std::sync::Arc;

use sim_core::{NodeId, Span};

use super::mutants::Mutant;
use crate::replicated::{MembersError, NodeSet, Phase, Quorums, QuorumsError, check_member_set};

/// Who hears of it when an acceptor accepts (§2.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Learning {
    /// Every node: as many messages as acceptors times learners, and everybody learns in one delay.
    #[default]
    Everybody,
    /// The proposer of the ballot, a distinguished learner that tells the others: fewer messages, one delay more, and
    /// it may fail in between.
    Proposer,
}

/// What all nodes of a Synod share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The acceptors, ascending, 1 to [`MEMBERS_MAX`](crate::replicated::MEMBERS_MAX). Other nodes of the scenario
    /// propose and learn.
    pub members: Arc<[NodeId]>,
    /// Which sets of acceptors are enough. Default: majorities.
    pub quorums: Quorums,
    /// Who hears of it when an acceptor accepts. Default everybody.
    pub learning: Learning,
    /// How long a proposer waits for a quorum, in both phases together, before it takes another ballot. Default 100 ms.
    pub ballot_timeout: Span,
    /// From where the pause of a proposer that was pre-empted is drawn, uniformly. Default 5 ms to 50 ms. Without a
    /// range to draw from, proposers may pre-empt each other for ever; that is allowed, to be seen.
    pub backoff: RangeInclusive<Span>,
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
    /// No ballot could ever succeed.
    #[error("the ballot timeout must be longer than 0: a proposer that does not wait gets no promise")]
    NoBallotTimeout,
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
    /// A Synod of `members` with the default parameters.
    pub fn new(members: impl IntoIterator<Item = NodeId>) -> Self {
        Self {
            members: members.into_iter().collect(),
            quorums: Quorums::Majority,
            learning: Learning::Everybody,
            ballot_timeout: Span::millis(100),
            backoff: Span::millis(5)..=Span::millis(50),
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
        let count = self.members.len();
        if self.has(Mutant::DisjointQuorums) {
            self.quorums.validate_shape(count)?;
        } else {
            self.quorums.validate(count)?;
        }
        let (low, high) = (*self.backoff.start(), *self.backoff.end());
        if self.ballot_timeout.is_zero() {
            return Err(ConfigError::NoBallotTimeout);
        }
        if low > high { Err(ConfigError::EmptyBackoff { low, high }) } else { Ok(()) }
    }

    /// The acceptors as a set.
    pub fn member_set(&self) -> NodeSet {
        self.members.iter().copied().collect()
    }

    /// Whether these acceptors are enough for a phase.
    pub fn is_enough(&self, phase: Phase, set: NodeSet) -> bool {
        let members = self.member_set();
        let needs_one_less = phase == Phase::One && self.has(Mutant::DisjointQuorums) && !set.is_empty();
        let missing = members.difference(set).iter().next().filter(|_| needs_one_less);
        let set = missing.map_or(set, |missing| set.with(missing));
        self.quorums.is_enough(phase, set, members)
    }

    /// Whether nodes have this bug.
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
        let quorums = Quorums::Sizes { phase1: 1, phase2: 2 };
        let config = Config { quorums, ..config(&[0, 1, 2]) };
        assert!(matches!(config.validate(), Err(ConfigError::Quorums(QuorumsError::NoIntersection { .. }))));
        assert_eq!(Config { mutant: Some(Mutant::DisjointQuorums), ..config }.validate(), Ok(()));
    }

    #[test]
    fn the_mutant_needs_one_promise_fewer_than_it_should() {
        let config = Config { mutant: Some(Mutant::DisjointQuorums), ..config(&[0, 1, 2, 3, 4]) };
        let nodes = |count| (0..count).map(NodeId::new).collect();
        assert!(config.is_enough(Phase::One, nodes(2)));
        assert!(!config.is_enough(Phase::One, nodes(1)));
        assert!(!config.is_enough(Phase::Two, nodes(2)));
    }

    #[test]
    fn impossible_times_are_refused() {
        let config = config(&[0, 1, 2]);
        let hasty = Config { ballot_timeout: Span::ZERO, ..config.clone() };
        assert_eq!(hasty.validate(), Err(ConfigError::NoBallotTimeout));
        let (low, high) = (Span::millis(2), Span::millis(1));
        let backwards = Config { backoff: low..=high, ..config.clone() };
        assert_eq!(backwards.validate(), Err(ConfigError::EmptyBackoff { low, high }));
        assert_eq!(
            Config { backoff: Span::ZERO..=Span::ZERO, ..config }.validate(),
            Ok(()),
            "a duel may be wanted"
        );
    }
}
