//! The small public face of a process, there for all nodes at each frame: targets, lanes, the cluster picture
//! and coverage work from it. Details of one node come from its [view](crate::view).

use serde::{Deserialize, Serialize};

use crate::NodeId;

/// Where a process stands in its group, as far as tools that know no protocol care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Standing {
    /// Leads: a leader, primary, coordinator. Fault targets named `leader` mean this.
    Leader,
    /// Tries to lead.
    Candidate,
    /// Follows a leader, or would.
    Follower,
    /// All are equal here (gossip, echo).
    Peer,
}

/// A process at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The role in the protocol's own word, lower case: `leader`, `pre-candidate`, `acceptor`.
    pub role: &'static str,
    /// The role for tools that know no protocol.
    pub standing: Standing,
    /// The term-like number: term, ballot, view, epoch; 0 where there is none.
    pub epoch: u64,
    /// Whom this process believes to lead.
    pub leader: Option<NodeId>,
    /// How far it knows things to be decided: commit index, decided slot, watermark; 0 where there is none.
    pub commit: u64,
    /// One number worth a bar: log length, queue depth, known members.
    pub gauge: u64,
}

impl Status {
    /// A peer among equals with nothing else to say.
    pub const fn peer(role: &'static str) -> Self {
        Self { role, standing: Standing::Peer, epoch: 0, leader: None, commit: 0, gauge: 0 }
    }
}

/// Whether a node's host runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Power {
    /// Up and running.
    Running,
    /// Up, but its process does not get the processor (a long collection, a frozen virtual machine).
    Paused,
    /// Crashed, or a spare that has not been started.
    Down,
}

impl Power {
    /// The word for it: `up`, `paused`, `down`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "up",
            Self::Paused => "paused",
            Self::Down => "down",
        }
    }
}

/// One node at a glance: its host, and its process if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct NodeStatus {
    /// Whether the host runs.
    pub power: Power,
    /// How many times the node has been started, from 1; 0 for a spare never started.
    pub incarnation: u32,
    /// The process at a glance; `None` while the node is down.
    pub process: Option<Status>,
}
