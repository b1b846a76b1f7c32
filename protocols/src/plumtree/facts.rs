//! What a node states about itself.

use sim_core::service::Value;
use sim_core::{LocalTime, NodeId};
use strum::EnumDiscriminants;

use super::message::{Announcement, Priority};

/// Why one is a neighbour no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parting {
    /// It was silent for too long.
    Failed,
    /// It says that it is no neighbour.
    Told,
    /// Another one needed the place.
    Displaced,
    /// There is a newer link to it.
    Renewed,
}

/// Why one is in the passive view no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// It is a neighbour now.
    Promoted,
    /// It did not answer.
    Unreachable,
    /// The view was full, and another one comes.
    Evicted,
}

/// A statement of one node about what it has just done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumDiscriminants)]
#[strum_discriminants(name(Kind), vis(pub(super)), doc = "Of what kind a fact is.")]
pub enum Fact {
    /// It has started, and knows nobody and nothing.
    Started,
    /// It has sent keep-alives.
    Ticked {
        /// When that was due.
        due: LocalTime,
    },

    // ----- views -----
    /// One is a neighbour.
    Up {
        /// Who.
        node: NodeId,
    },
    /// One is a neighbour no longer.
    Down {
        /// Who.
        node: NodeId,
        /// Why.
        why: Parting,
    },
    /// A neighbour is heard.
    Heard {
        /// Who.
        from: NodeId,
    },
    /// One is in the passive view.
    Noted {
        /// Who.
        node: NodeId,
    },
    /// One is there no longer.
    Struck {
        /// Who.
        node: NodeId,
        /// Why.
        why: Removal,
    },
    /// Another node asks to be a neighbour.
    Requested {
        /// Who.
        from: NodeId,
        /// How much it needs that.
        priority: Priority,
    },
    /// And is told that it is.
    Accepted {
        /// Who.
        to: NodeId,
    },
    /// Or that there is no room.
    Refused {
        /// Who.
        to: NodeId,
    },
    /// The walk of a newcomer comes by.
    Walked {
        /// How many hops it may still make.
        ttl: u32,
        /// And after this one; `None`: it ends here.
        onward: Option<u32>,
    },

    // ----- the tree -----
    /// A client broadcasts a value here.
    Asked {
        /// Which.
        value: Value,
    },
    /// It has a value that it had not.
    Delivered(Announcement),
    /// It sends a value to a neighbour.
    Pushed {
        /// Whom.
        to: NodeId,
        /// What.
        what: Announcement,
    },
    /// A value arrives.
    Payload {
        /// From whom.
        from: NodeId,
        /// What.
        what: Announcement,
    },
    /// A neighbour announces a value that this node has not.
    Announced {
        /// Who.
        from: NodeId,
        /// What.
        what: Announcement,
    },
    /// It asks a neighbour for a value that was announced, and takes the link into the tree.
    Grafted {
        /// Whom.
        to: NodeId,
        /// Which.
        value: Value,
    },
    /// Nobody is left who has announced a value.
    Orphaned {
        /// Which.
        value: Value,
    },
    /// It takes the link by which a value was announced into the tree, and the one by which it came out of it.
    Optimised {
        /// What was announced there.
        better: Announcement,
        /// By whom.
        graft: NodeId,
        /// What came.
        worse: Announcement,
        /// From whom.
        prune: NodeId,
    },
    /// A neighbour takes the link into the tree, and asks for a value.
    GraftHeard {
        /// Who.
        from: NodeId,
        /// Which; `None`: none.
        value: Option<Value>,
        /// Whether this node has it.
        is_known: bool,
    },
    /// A neighbour takes the link out of the tree.
    PruneHeard {
        /// Who.
        from: NodeId,
    },
}
