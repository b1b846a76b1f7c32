//! The paper's words as types: epochs, views, entries, nonces, rounds.

use std::fmt;

use serde::Serialize;
use sim_core::NodeId;
use sim_core::service::Admin;

use crate::replicated::{Command, Executable, NodeSet};

pub use crate::replicated::Round;

/// An epoch-number (§7): one group an epoch. 0 is that of the group that the configuration names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Epoch(pub u32);

impl Epoch {
    /// The epoch after this one.
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The epoch before this one; `None` for the first.
    pub fn previous(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "e{}", self.0)
    }
}

/// A view (§4) of an epoch: one primary a view, and the views of an epoch take turns. Every view of an epoch is newer
/// than any of an epoch before, so that who compares views need not think of epochs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct View {
    /// Of which epoch.
    pub epoch: Epoch,
    /// The view-number. 0 is the view that an epoch begins in.
    pub number: u64,
}

impl View {
    /// View `number` of the first epoch: all there are in a group that never changes.
    pub const fn first(number: u64) -> Self {
        Self { epoch: Epoch(0), number }
    }

    /// The view that `epoch` begins in.
    pub const fn start_of(epoch: Epoch) -> Self {
        Self { epoch, number: 0 }
    }

    /// The view after this one, of the same epoch.
    pub const fn next(self) -> Self {
        Self { number: self.number + 1, ..self }
    }

    /// Epoch and view in one number that rises with them, for tools that know one: view 3 of epoch 2 is 2,000,003.
    pub fn rank(self) -> u64 {
        const STEP: u64 = 1_000_000;
        u64::from(self.epoch.0) * STEP + self.number.min(STEP - 1)
    }

    /// `3`, or `e1v3` in a later epoch: how messages tell it.
    pub(super) fn label(self) -> String {
        if self.epoch == Epoch(0) { self.number.to_string() } else { self.to_string() }
    }
}

/// `v3`, or `e1v3` in a later epoch than the first.
impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.epoch > Epoch(0) {
            write!(f, "{}", self.epoch)?;
        }
        write!(f, "v{}", self.number)
    }
}

/// A log entry: a request, and the view whose primary gave it its op-number. View and op-number together are the
/// viewstamp that the protocol has its name from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The view in which the entry got its place.
    pub view: View,
    /// What it asks for.
    pub request: Request,
}

/// What a log entry asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Request {
    /// Something of the state machine.
    Execute(Command),
    /// ⟨RECONFIGURATION⟩ (§7.1): with this entry the epoch ends, and these are the group of the next.
    Reconfigure(NodeSet),
}

impl Entry {
    /// Size on the wire in bytes.
    pub const SIZE: u64 = 12 + Command::SIZE;

    /// The group of the next epoch, if this entry ends one.
    pub fn successors(&self) -> Option<NodeSet> {
        match self.request {
            Request::Execute(_) => None,
            Request::Reconfigure(members) => Some(members),
        }
    }
}

impl Executable for Entry {
    type Command = Command;

    #[inline]
    fn command(&self) -> Option<&Command> {
        match &self.request {
            Request::Execute(command) => Some(command),
            Request::Reconfigure(_) => None,
        }
    }
}

/// Consecutive entries on their way to others.
pub type Entries = crate::replicated::Entries<Entry>;

/// What an administrator wants of the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) add: NodeSet,
    pub(super) remove: NodeSet,
}

impl Change {
    /// The change that `admin` asks for; `None` if it asks for something else.
    pub(super) fn of(admin: Admin) -> Option<Self> {
        let nobody = NodeSet::EMPTY;
        match admin {
            Admin::AddNode(node) => Some(Self { add: nobody.with(node), remove: nobody }),
            Admin::AddNodes(one, other) => Some(Self { add: nobody.with(one).with(other), remove: nobody }),
            Admin::RemoveNode(node) => Some(Self { add: nobody, remove: nobody.with(node) }),
            Admin::ReplaceNode { remove, add } => {
                Some(Self { add: nobody.with(add), remove: nobody.with(remove) })
            }
            Admin::AddLearner(_)
            | Admin::LeaveJoint
            | Admin::TransferLeadership(_)
            | Admin::ForgetLeader
            | Admin::Snapshot => None,
        }
    }

    /// The group after it.
    pub(super) const fn apply(self, members: NodeSet) -> NodeSet {
        members.difference(self.remove).union(self.add)
    }
}

/// The nodes that an administrator names, in a request that [`Change::of`] knows.
pub(super) fn named_nodes(admin: Admin) -> [Option<NodeId>; 2] {
    match admin {
        Admin::AddNode(node) | Admin::RemoveNode(node) => [Some(node), None],
        Admin::AddNodes(one, other) | Admin::ReplaceNode { remove: one, add: other } => {
            [Some(one), Some(other)]
        }
        Admin::AddLearner(_)
        | Admin::LeaveJoint
        | Admin::TransferLeadership(_)
        | Admin::ForgetLeader
        | Admin::Snapshot => [None, None],
    }
}

/// What tells the answers to one recovery from those to an earlier one (§4.3): drawn at random, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Nonce(pub u64);

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0 & 0xffff_ffff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_of_a_later_epoch_is_newer_whatever_its_number() {
        let second = View::start_of(Epoch(1));
        assert!(second > View::first(9) && second.next() > second);
        assert!(second.rank() > View::first(2_000_000).rank());
        let texts = [View::first(3), second.next()].map(|view| (view.to_string(), view.label()));
        assert_eq!(
            texts,
            [("v3", "3"), ("e1v1", "e1v1")].map(|(one, other)| (one.to_owned(), other.to_owned()))
        );
    }

    #[test]
    fn a_change_is_made_by_those_requests_that_name_members() {
        let nodes = |indices: &[u32]| indices.iter().copied().map(NodeId::new).collect::<NodeSet>();
        let [one, other] = [0, 4].map(NodeId::new);
        let after = |admin| Change::of(admin).map(|change| change.apply(nodes(&[0, 1, 2])));
        assert_eq!(after(Admin::AddNode(other)), Some(nodes(&[0, 1, 2, 4])));
        assert_eq!(after(Admin::RemoveNode(one)), Some(nodes(&[1, 2])));
        assert_eq!(after(Admin::ReplaceNode { remove: one, add: other }), Some(nodes(&[1, 2, 4])));
        assert_eq!(after(Admin::AddNodes(one, other)), Some(nodes(&[0, 1, 2, 4])));
        assert_eq!(after(Admin::Snapshot), None);
    }
}
