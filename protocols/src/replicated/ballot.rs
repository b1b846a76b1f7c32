//! Proposal numbers of Paxos.

use std::fmt;

use serde::Serialize;
use sim_core::NodeId;

use super::Life;

/// A ballot, or proposal number: a round, and in it the proposer whose ballot it is. Ballots are totally ordered, by
/// round and then by proposer, and no two proposers share one: one that has lost its memory is another. The default is
/// before all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Ballot {
    /// The round, from 1; 0 is before the first.
    pub round: u64,
    /// Whose ballot it is.
    pub proposer: NodeId,
    /// In which life of its memory: else it could use a ballot a second time after it has forgotten the first.
    #[serde(skip_serializing_if = "Life::is_first")]
    pub life: Life,
}

impl Ballot {
    /// Before all ballots of all proposers.
    pub const ZERO: Self = Self { round: 0, proposer: NodeId::new(0), life: Life::FIRST };

    /// Size on disk and on the wire in bytes. A life is left out where it is the first.
    pub const SIZE: u64 = 12;

    /// The ballot of `proposer` in the round after this one's.
    pub const fn next_of(self, proposer: NodeId) -> Self {
        Self { round: self.round + 1, proposer, life: Life::FIRST }
    }

    /// The ballot of the same round and proposer in this life of it.
    #[must_use]
    pub const fn in_life(self, life: Life) -> Self {
        Self { life, ..self }
    }
}

impl Default for Ballot {
    fn default() -> Self {
        Self::ZERO
    }
}

/// `b3.n2`: round 3 of n2; `b3.n2/5d1f03a2` where n2 has lost its memory before.
impl fmt::Display for Ballot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ZERO {
            return f.write_str("none");
        }
        write!(f, "b{}.{}", self.round, self.proposer)?;
        if self.life.is_first() { Ok(()) } else { write!(f, "/{}", self.life) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ballots_are_ordered_by_round_and_then_by_proposer() {
        let ballot = |round, node| Ballot { round, proposer: NodeId::new(node), life: Life::FIRST };
        assert!(ballot(1, 4) < ballot(2, 0));
        assert!(ballot(2, 0) < ballot(2, 1));
        assert!(Ballot::ZERO < ballot(1, 0));
        assert_eq!(ballot(2, 3).next_of(NodeId::new(0)), ballot(3, 0));
        let reborn = ballot(2, 0).in_life(Life::drawn(0x5d1f_03a2 << 32));
        assert!(ballot(2, 0) < reborn && reborn < ballot(2, 1), "another ballot, in the same round");
        assert_eq!(reborn.to_string(), "b2.n1/5d1f03a2");
        assert_eq!((ballot(3, 1).to_string(), Ballot::ZERO.to_string()), ("b3.n2".into(), "none".into()));
    }
}
