//! How an epoch starts (§7): what everybody must know of that, and who has left the epoch before for good.
//!
//! A replica that leaves an epoch promises never to take part in it again. Once a quorum has, nothing can be committed in
//! it any more, and nobody recovers into it: that takes a quorum of replicas that are in it. Only then does anybody take part
//! in the next. So a replica that lost its memory, and that a quorum of the old epoch still answers, has certainly taken
//! part in no newer one: what it will promise there contradicts nothing that it has forgotten.
//!
//! Every member that has its memory leaves, also one that was still on its way into the epoch, or had never heard of it.
//! So a quorum leaves as long as no more than f are down or without memory. Departures are about recovery alone: where the
//! old epoch ends, and what is in its log, is known from the committed reconfiguration ([`EpochStart::op`]).
//!
//! A replica may forget that it has left, like everything else, and recover into the old epoch as long as a quorum is still
//! there. Then its departure must not count. What tells so are crash vectors, as in view changes: a departure counts
//! if nobody else who has left knows of a later life. Who recovered was answered by a quorum before they left, and any
//! quorum that has left has one of them in it.

use std::fmt;

use serde::Serialize;

use super::config::Config;
use super::crash_vector::{CrashVector, Incarnation};
use super::group::Group;
use super::types::Epoch;
use crate::replicated::quorum::majority;
use crate::replicated::{Chain, Index, NodeSet};

/// The start of an epoch, as one replica knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EpochStart {
    /// The epoch that starts, and its group.
    pub group: Group,
    /// The group of the epoch before; nobody for the first epoch.
    pub old: NodeSet,
    /// Where the reconfiguration stands: the last op-number of the epoch before. It is committed.
    pub op: Index,
    /// The chain up to there.
    pub chain: Chain,
    /// Who is known to have left the epoch before.
    pub departures: Departures,
}

impl EpochStart {
    /// The first epoch starts by itself.
    pub fn first(config: &Config) -> Self {
        Self {
            group: config.first_group(),
            old: NodeSet::EMPTY,
            op: Index::ZERO,
            chain: Chain::EMPTY,
            departures: Departures::none(0),
        }
    }

    /// The epoch after that of `group` starts: an entry at `op` says that `members` go on.
    pub fn after(group: Group, members: NodeSet, (op, chain): (Index, Chain)) -> Self {
        let departures = Departures::none(group.len());
        Self {
            group: Group { epoch: group.epoch.next(), members },
            old: group.members,
            op,
            chain,
            departures,
        }
    }

    /// Which epoch.
    #[inline]
    pub const fn epoch(&self) -> Epoch {
        self.group.epoch
    }

    /// Whether a quorum has left the epoch before, as far as is known here.
    pub fn is_sealed(&self) -> bool {
        self.old.is_empty() || self.departures.count() >= majority(self.old.len())
    }

    /// All who have to do with it.
    pub const fn everybody(&self) -> NodeSet {
        self.old.union(self.group.members)
    }

    /// Size on the wire in bytes.
    pub fn size(&self) -> u64 {
        4 + 8 * 4 + 16 * self.old.len() as u64
    }
}

/// `e2 after=17 of=n1,n2,n3 to=n1,n2,n4 left=2`.
impl fmt::Display for EpochStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { group, old, op, chain: _, departures } = self;
        write!(f, "{} after={op} of={old} to={} left={}", group.epoch, group.members, departures.count())
    }
}

/// Who has left an epoch, in the order of its members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Departures {
    /// In which life each has left; `None` for who is not known to have.
    lives: Vec<Option<Incarnation>>,
    /// What those who have left knew of crashes.
    known: CrashVector,
}

impl Departures {
    /// Nobody of `count` members.
    pub fn none(count: usize) -> Self {
        Self { lives: vec![None; count], known: CrashVector::new(count) }
    }

    /// The member at `slot` leaves for good, and knows of these crashes.
    pub(super) fn add(&mut self, slot: usize, crash_vector: &CrashVector) {
        self.lives[slot] = self.lives[slot].max(Some(crash_vector.of(slot)));
        self.known.merge(crash_vector);
    }

    /// Takes over what somebody else knows of the same epoch.
    pub(super) fn merge(&mut self, other: &Self) {
        assert_eq!(self.lives.len(), other.lives.len(), "departures from one epoch are of one group");
        for (own, known) in self.lives.iter_mut().zip(&other.lives) {
            *own = (*own).max(*known);
        }
        self.known.merge(&other.known);
    }

    /// How many departures count.
    pub fn count(&self) -> usize {
        let lives = self.lives.iter().enumerate();
        lives.filter(|(slot, life)| life.is_some_and(|life| life >= self.known.of(*slot))).count()
    }
}

#[cfg(test)]
mod tests {
    use sim_core::NodeId;

    use super::*;

    fn nodes(indices: &[u32]) -> NodeSet {
        indices.iter().copied().map(NodeId::new).collect()
    }

    fn start() -> EpochStart {
        let group = Group { epoch: Epoch(0), members: nodes(&[0, 1, 2]) };
        EpochStart::after(group, nodes(&[0, 1, 3]), (Index(7), Chain(5)))
    }

    #[test]
    fn an_epoch_is_sealed_when_a_quorum_has_left() {
        let mut start = start();
        assert_eq!((start.epoch(), start.everybody()), (Epoch(1), nodes(&[0, 1, 2, 3])));
        start.departures.add(0, &CrashVector::new(3));
        start.departures.add(0, &CrashVector::new(3));
        assert!(!start.is_sealed(), "one of three, twice");
        start.departures.add(2, &CrashVector::new(3));
        assert!(start.is_sealed());
        assert_eq!(start.to_string(), "e1 after=7 of=n1,n2,n3 to=n1,n2,n4 left=2");
    }

    #[test]
    fn the_first_epoch_needs_nobody_to_leave() {
        assert!(EpochStart::first(&Config::new([NodeId::new(0)])).is_sealed());
    }

    #[test]
    fn a_departure_that_its_sender_has_forgotten_does_not_count() {
        let (mut first, mut second) = (Departures::none(3), Departures::none(3));
        first.add(0, &CrashVector::new(3));
        let recovered = CrashVector::new(3).with(0, Incarnation::default().next());
        second.add(1, &recovered);
        first.merge(&second);
        assert_eq!(first.count(), 1, "n2 has answered the recovery of n1 before it left");
        first.add(0, &recovered);
        assert_eq!(first.count(), 2, "n1 has left again");
    }
}
