//! The group of an epoch (the paper's configuration, §4): who its members are, and whose turn it is.

use serde::Serialize;
use sim_core::NodeId;

use super::types::{Epoch, View};
use crate::replicated::NodeSet;
use crate::replicated::quorum::majority;

/// The members of one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Which epoch.
    pub epoch: Epoch,
    /// Its replicas.
    pub members: NodeSet,
}

impl Group {
    /// Where `node` stands among the members (the paper's replica-number); `None` if it is none.
    #[inline]
    pub const fn slot(&self, node: NodeId) -> Option<usize> {
        self.members.place(node)
    }

    /// The member at `slot`.
    ///
    /// # Panics
    /// If there are no more than `slot` members.
    #[inline]
    pub const fn member(&self, slot: usize) -> NodeId {
        self.members.at(slot)
    }

    /// How many members there are.
    #[inline]
    pub const fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is nobody in it; no epoch has such a group.
    pub const fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The primary of a view: the members take turns (§4).
    ///
    /// # Panics
    /// If the view is of another epoch.
    #[inline]
    pub fn primary(&self, view: View) -> NodeId {
        assert_eq!(view.epoch, self.epoch, "the group of another epoch has no turns in {view}");
        let turn = view.number % self.len() as u64;
        self.member(usize::try_from(turn).expect("less than the number of members"))
    }

    /// How many replicas decide: f + 1 of 2f + 1 (§3).
    #[inline]
    pub const fn quorum(&self) -> usize {
        majority(self.len())
    }

    /// f: how many replicas may be down or without memory at once. A recovering replica needs a quorum of others.
    pub const fn failures_max(&self) -> usize {
        self.len().saturating_sub(self.quorum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(members: &[u32]) -> Group {
        Group { epoch: Epoch(0), members: members.iter().copied().map(NodeId::new).collect() }
    }

    #[test]
    fn members_take_turns_as_primaries() {
        let group = group(&[0, 1, 5]);
        let primaries: Vec<_> = (0..5).map(|view| group.primary(View::first(view)).raw()).collect();
        assert_eq!(primaries, [0, 1, 5, 0, 1]);
        let slots: Vec<_> = [0, 1, 2, 5, 6].into_iter().map(|node| group.slot(NodeId::new(node))).collect();
        assert_eq!(slots, [Some(0), Some(1), None, Some(2), None]);
    }

    #[test]
    fn a_group_bears_as_many_failures_as_leave_a_quorum() {
        let failures = [1, 2, 3, 4, 5, 7].map(|count| group(&(0..count).collect::<Vec<_>>()).failures_max());
        assert_eq!(failures, [0, 0, 1, 1, 2, 3]);
    }

    #[test]
    #[should_panic(expected = "the group of another epoch has no turns in e1v0")]
    fn a_group_has_turns_in_its_own_epoch_alone() {
        _ = group(&[0, 1, 2]).primary(View::start_of(Epoch(1)));
    }
}
