//! What an administrator asks for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::service::Admin;

use crate::text::units::NodeName;

/// What an administrator asks for. Nodes are named; roles are not possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Request {
    /// Make this node a member. A spare must be started first.
    AddNode(NodeName),
    /// Make this node no member.
    RemoveNode(NodeName),
    /// Make this node a learner: it gets everything and decides nothing.
    AddLearner(NodeName),
    /// Make both of these nodes members, in one change.
    AddNodes(NodeName, NodeName),
    /// Make one node a member in the place of another, in one change.
    ReplaceNode {
        /// Who goes.
        remove: NodeName,
        /// Who comes.
        add: NodeName,
    },
    /// Leave a joint membership that is not left by itself.
    LeaveJoint,
    /// Let this node lead.
    TransferLeadership(NodeName),
    /// Follow nobody until a leader is heard of again.
    ForgetLeader,
    /// Take a snapshot and compact now.
    Snapshot,
}

impl Request {
    /// The operation.
    pub fn admin(self) -> Admin {
        match self {
            Self::AddNode(node) => Admin::AddNode(node.id()),
            Self::RemoveNode(node) => Admin::RemoveNode(node.id()),
            Self::AddLearner(node) => Admin::AddLearner(node.id()),
            Self::AddNodes(one, other) => Admin::AddNodes(one.id(), other.id()),
            Self::ReplaceNode { remove, add } => Admin::ReplaceNode { remove: remove.id(), add: add.id() },
            Self::LeaveJoint => Admin::LeaveJoint,
            Self::TransferLeadership(node) => Admin::TransferLeadership(node.id()),
            Self::ForgetLeader => Admin::ForgetLeader,
            Self::Snapshot => Admin::Snapshot,
        }
    }

    /// What takes it back, in one request; `None` where there is no such request.
    pub(super) fn opposite(self) -> Option<Self> {
        match self {
            Self::AddNode(node) | Self::AddLearner(node) => Some(Self::RemoveNode(node)),
            Self::RemoveNode(node) => Some(Self::AddNode(node)),
            Self::ReplaceNode { remove, add } => Some(Self::ReplaceNode { remove: add, add: remove }),
            Self::AddNodes(..)
            | Self::LeaveJoint
            | Self::TransferLeadership(_)
            | Self::ForgetLeader
            | Self::Snapshot => None,
        }
    }
}
