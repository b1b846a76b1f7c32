//! What nodes state about themselves.

use sim_core::LocalTime;
use sim_core::service::Value;
use strum::{EnumCount, EnumDiscriminants};

use crate::raft;

use super::command::{Events, MessageId, Receipt};

/// An effect that a message had at the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Effect {
    /// By which delivery.
    pub receipt: Receipt,
    /// Of which message, as it was at first.
    pub origin: MessageId,
    /// What it says.
    pub value: Value,
}

/// A statement of one node about what it has just done.
///
/// What is stated with an index is on disk, and is stated again in a restart if the log still has it: whoever hears an
/// index again has heard it before.
#[derive(Clone, Debug, PartialEq, Eq, EnumDiscriminants)]
#[strum_discriminants(name(Kind), vis(pub(super)), derive(EnumCount), doc = "Of what kind a fact is.")]
pub enum Fact {
    /// The broker's log has a command, and this is what came of it.
    Recorded {
        /// Where in the log.
        index: u64,
        /// When, by the broker's clock.
        at: LocalTime,
        /// What came of it.
        events: Events,
    },
    /// A producer is told that its message is kept.
    Confirmed {
        /// What it says.
        value: Value,
    },
    /// A broker has started with what its disk kept, or has come into office and executed all that the log had.
    Recovered,
    /// A consumer takes a delivery.
    Took {
        /// Which.
        receipt: Receipt,
        /// How many it holds with it.
        held: u32,
    },
    /// The store has an effect.
    Effected {
        /// Where in its log.
        index: u64,
        /// Which.
        effect: Effect,
    },
    /// A producer has done something, and the row that tells of it is on disk.
    Kept {
        /// What it says.
        value: Value,
    },
    /// What the replica of a broker states.
    Raft(raft::Fact),
}

const _: () = assert!(
    Kind::Raft as usize + 1 == Kind::COUNT,
    "the kinds of a replica's statements come after all others"
);

impl Fact {
    /// Its kind as a number: those of a replica's statements come last.
    pub(super) fn kind(&self) -> u32 {
        let kind = Kind::from(self) as u32;
        if let Self::Raft(fact) = self { kind + fact.kind() } else { kind }
    }
}
