//! What a node states about itself.

use sim_core::{LocalTime, NodeId};

use super::member::{Incarnation, Table, Update};

/// A statement of one node about what it has just done.
#[derive(Clone, Debug)]
pub enum Fact {
    /// It has started, in this incarnation and with this table; its own entry is in it once it is announced.
    Started {
        /// Which incarnation.
        incarnation: Incarnation,
        /// Whom it knows: the group, if it was set up with it, or nobody.
        table: Table,
    },
    /// It announces itself in this incarnation: after a start, or to refute what is said of it.
    Announced {
        /// Which.
        incarnation: Incarnation,
    },
    /// It hears that it is not alive, in this incarnation; it is in that one itself.
    Accused {
        /// In which.
        incarnation: Incarnation,
    },
    /// It announces that it leaves.
    Leaves {
        /// In which incarnation.
        incarnation: Incarnation,
    },
    /// It hears news of another member, or finds them out; whether they override is not said.
    Heard {
        /// What.
        update: Update,
        /// When, by its clock.
        at: LocalTime,
    },
    /// Its suspicion of a member has stood for as long as it must: it declares it dead.
    Confirmed {
        /// Whom.
        member: NodeId,
        /// In which incarnation.
        incarnation: Incarnation,
        /// When, by its clock.
        at: LocalTime,
    },
    /// It forgets a member that has been gone for long.
    Forgot {
        /// Whom.
        member: NodeId,
        /// When, by its clock.
        at: LocalTime,
    },
    /// A protocol period begins.
    Period,
    /// It pings a member, in the name of nobody else.
    Pinged {
        /// Whom.
        target: NodeId,
    },
    /// A member has answered its probe.
    Answered,
    /// It asks another member to ping somebody.
    Requested,
    /// It begins to gossip to a few.
    GossipBegins,
    /// It gossips to one.
    Gossiped,
    /// It will pass an update on, from now on and as often as it may, in the place of an earlier one of that member.
    Queued {
        /// Which.
        update: Update,
    },
    /// It begins to take updates for a message.
    Packs,
    /// An update rides on a message that it sends.
    PassedOn {
        /// Which.
        update: Update,
    },
    /// An update has been passed on as often as it may, and is passed on no more.
    Spent {
        /// Which.
        update: Update,
    },
}
