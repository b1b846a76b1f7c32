//! Who votes, who only listens, and how one membership follows another (§6; dissertation §4).
//!
//! ```text
//!                     one voter more or less
//!      C_old ──────────────────────────────────────> C_new
//!        │                                             ▲
//!        ╰──────────> C_old,new (joint) ───────────────╯
//!          any change      majorities of both decide
//! ```
//!
//! Majorities of two memberships that differ by one voter always meet, so such a change takes one step. Any other goes
//! through a joint membership, in which majorities of the old and of the new one must agree.

use std::fmt;

use serde::Serialize;
use sim_core::NodeId;
use smallvec::SmallVec;

use crate::replicated::NodeSet;
use crate::replicated::quorum::{majority, quorum_value};

/// Who takes part. In the log as an entry, in force from the moment it is appended (§6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Membership {
    /// Those whose majority decides: in a joint membership the new ones.
    pub voters: NodeSet,
    /// In a joint membership, the old voters, whose majority must agree too; else empty.
    pub outgoing: NodeSet,
    /// Those that get every entry and decide nothing (dissertation §4.2.1). None of them votes.
    pub learners: NodeSet,
    /// Old voters that become learners when the joint membership is left.
    pub demoted: NodeSet,
    /// How a joint membership is left.
    pub leave: Leave,
}

/// How a joint membership is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Leave {
    /// The leader leaves it as soon as it is committed.
    #[default]
    Implicit,
    /// A client must ask for it.
    Explicit,
}

/// A wish to change the membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Change {
    /// These become voters.
    AddVoters(NodeSet),
    /// This one becomes a learner; a voter is demoted.
    AddLearner(NodeId),
    /// This one goes.
    Remove(NodeId),
    /// One goes and one becomes a voter.
    Replace {
        /// Who goes.
        remove: NodeId,
        /// Who becomes a voter.
        add: NodeId,
    },
}

impl Membership {
    /// These vote, and there is nobody else.
    pub fn of(voters: impl IntoIterator<Item = NodeId>) -> Self {
        Self { voters: voters.into_iter().collect(), ..Self::default() }
    }

    /// Whether two majorities must agree.
    #[inline]
    pub const fn is_joint(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Whether `node` has a vote.
    #[inline]
    pub const fn is_voter(&self, node: NodeId) -> bool {
        self.voters.contains(node) || self.outgoing.contains(node)
    }

    /// Everybody who gets entries.
    #[inline]
    pub const fn all(&self) -> NodeSet {
        self.voters.union(self.outgoing).union(self.learners)
    }

    /// Whether `nodes` are enough to decide: a majority, in a joint membership one of each side.
    #[inline]
    pub const fn is_quorum(&self, nodes: NodeSet) -> bool {
        self.voters.has_majority_in(nodes) && (!self.is_joint() || self.outgoing.has_majority_in(nodes))
    }

    /// The largest value that a quorum has reached.
    #[inline]
    pub fn agreed<T: Ord + Copy>(&self, value: impl Fn(NodeId) -> T) -> T {
        let incoming = agreed_by(self.voters, majority(self.voters.len()), &value);
        if self.is_joint() {
            incoming.min(agreed_by(self.outgoing, majority(self.outgoing.len()), &value))
        } else {
            incoming
        }
    }

    /// What is to come of a change, joint or not; `None` if nobody would be left to vote.
    pub fn changed_by(&self, change: Change) -> Option<Self> {
        let (mut voters, mut learners) = (self.voters, self.learners);
        match change {
            Change::AddVoters(nodes) => {
                (voters, learners) = (voters.union(nodes), learners.difference(nodes));
            }
            Change::AddLearner(node) => (voters, learners) = (voters.without(node), learners.with(node)),
            Change::Remove(node) => (voters, learners) = (voters.without(node), learners.without(node)),
            Change::Replace { remove, add } => {
                voters = voters.without(remove).with(add);
                learners = learners.without(remove).without(add);
            }
        }
        (!voters.is_empty()).then_some(Self { voters, learners, ..Self::default() })
    }

    /// How many voters `other` has more or less.
    pub const fn distance(&self, other: &Self) -> usize {
        self.voters.difference(other.voters).len() + other.voters.difference(self.voters).len()
    }

    /// The joint membership between this one and `target`, neither of which is joint.
    #[must_use]
    pub const fn joint(&self, target: &Self, leave: Leave) -> Self {
        Self {
            voters: target.voters,
            outgoing: self.voters,
            learners: target.learners.difference(self.voters),
            demoted: target.learners.intersection(self.voters),
            leave,
        }
    }

    /// What a joint membership is left for.
    #[must_use]
    pub const fn left(&self) -> Self {
        Self {
            voters: self.voters,
            outgoing: NodeSet::EMPTY,
            learners: self.learners.union(self.demoted),
            demoted: NodeSet::EMPTY,
            leave: Leave::Implicit,
        }
    }

    /// Whether `next` may follow: each quorum of the one has a node in common with each quorum of the other. For
    /// memberships that are not joint this is so if they differ by one voter at most (dissertation §4.1).
    pub fn may_be_followed_by(&self, next: &Self) -> bool {
        match (self.is_joint(), next.is_joint()) {
            (false, false) => self.distance(next) <= 1,
            (false, true) => next.outgoing == self.voters,
            (true, false) => next.voters == self.voters,
            (true, true) => false,
        }
    }
}

/// The largest value that `quorum` of `nodes` have reached.
#[inline]
pub(super) fn agreed_by<T: Ord + Copy>(nodes: NodeSet, quorum: usize, value: impl Fn(NodeId) -> T) -> T {
    let values: SmallVec<[T; 8]> = nodes.iter().map(value).collect();
    quorum_value(&values, quorum)
}

/// `n1,n2,n3`, `n1,n2,n4 and n1,n2,n3 joint, learners n5`.
impl fmt::Display for Membership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.voters.fmt(f)?;
        if self.is_joint() {
            write!(f, " and {} joint", self.outgoing)?;
        }
        let learners = self.learners.union(self.demoted);
        if !learners.is_empty() {
            write!(f, ", learners {learners}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(bits: u64) -> NodeSet {
        (0..8).filter(|bit| bits >> bit & 1 == 1).map(NodeId::new).collect()
    }

    fn voters(bits: u64) -> Membership {
        Membership::of(set(bits).iter())
    }

    fn nodes<const N: usize>(indices: [u32; N]) -> NodeSet {
        indices.map(NodeId::new).into_iter().collect()
    }

    /// All pairs of quorums have a node in common.
    fn quorums_meet(one: &Membership, other: &Membership) -> bool {
        let quorums =
            |of: &Membership| (0..256).map(set).filter(|nodes| of.is_quorum(*nodes)).collect::<Vec<_>>();
        let others = quorums(other);
        quorums(one).iter().all(|ours| others.iter().all(|theirs| !ours.intersection(*theirs).is_empty()))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn quorums_of_memberships_that_may_follow_one_another_meet(old in 1_u64..64, new in 1_u64..64) {
            let (old, new) = (voters(old), voters(new));
            let joint = old.joint(&new, Leave::Implicit);
            prop_assert!(old.may_be_followed_by(&joint) && quorums_meet(&old, &joint));
            prop_assert!(joint.may_be_followed_by(&joint.left()) && quorums_meet(&joint, &new));
            prop_assert_eq!(joint.left(), new);
            if old.may_be_followed_by(&new) {
                prop_assert!(quorums_meet(&old, &new), "{} and {}", old, new);
            }
        }

        #[test]
        fn what_is_agreed_is_the_largest_value_that_a_quorum_has(
            old in 1_u64..64, new in 1_u64..64, values in prop::collection::vec(0_u64..10, 8),
        ) {
            let joint = voters(old).joint(&voters(new), Leave::Explicit);
            for membership in [voters(old), joint] {
                let agreed = membership.agreed(|node| values[node.index()]);
                let reached = |value: u64| (0..8).map(NodeId::new).filter(|node| values[node.index()] >= value).collect();
                prop_assert!(membership.is_quorum(reached(agreed)));
                prop_assert!(!membership.is_quorum(reached(agreed + 1)));
            }
        }
    }

    #[test]
    fn two_voters_at_once_need_a_joint_step() {
        let old = voters(0b111);
        let replaced = Change::Replace { remove: NodeId::new(2), add: NodeId::new(3) };
        let new = old.changed_by(replaced).expect("three are left");
        assert_eq!(new.voters, nodes([0, 1, 3]));
        assert!(!old.may_be_followed_by(&new));
        assert!(!quorums_meet(&old, &new), "n1,n3 and n2,n4 have nobody in common");
    }

    #[test]
    fn a_voter_is_demoted_through_a_joint_membership_only_when_that_is_left() {
        let old = voters(0b111);
        let new = old.changed_by(Change::AddLearner(NodeId::new(2))).expect("two are left");
        assert_eq!((new.voters, new.learners), (nodes([0, 1]), nodes([2])));
        let joint = old.joint(&new, Leave::Explicit);
        assert_eq!((joint.learners, joint.demoted), (NodeSet::EMPTY, nodes([2])));
        assert_eq!(joint.left(), new);
        assert_eq!(joint.to_string(), "n1,n2 and n1,n2,n3 joint, learners n3");
    }

    #[test]
    fn the_last_voter_cannot_go() {
        assert_eq!(voters(1).changed_by(Change::Remove(NodeId::new(0))), None);
        assert_eq!(voters(1).changed_by(Change::AddLearner(NodeId::new(0))), None);
    }
}
