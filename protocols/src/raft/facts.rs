//! What a node states about itself, for invariants, traces and timelines.
//!
//! Statements about logs, votes and the state machine are made by the containers that do the deed ([`Log`],
//! [`StateMachine`], the one function that sends), not by the handlers that ask for it: a handler with a bug in
//! it cannot state what did not happen, nor keep silent about what did.
//!
//! [`Log`]: super::log::Log
//! [`StateMachine`]: crate::replicated::StateMachine

use serde::Serialize;
use sim_core::NodeId;
use sim_core::check::Kinds;
use strum::{EnumCount, EnumDiscriminants};

use super::host::Host;
use super::types::Term;
use crate::replicated::{Chain, Index};

/// A statement of one node about what it has just done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, EnumDiscriminants)]
#[strum_discriminants(name(Kind), vis(pub(super)), derive(EnumCount), doc = "Of what kind a fact is.")]
pub enum Fact {
    /// It started, with this last entry on its disk (index 0 for none), and is a follower.
    Recovered {
        /// The last entry's index.
        index: Index,
        /// Its term.
        term: Term,
        /// The chain of the whole log.
        chain: Chain,
    },
    /// It entered a newer term.
    TermChanged {
        /// The newer term.
        term: Term,
    },
    /// The first message of this term has left the node.
    SpokeIn {
        /// The term.
        term: Term,
    },
    /// A vote of it left the node, or it counted its own.
    VoteGranted {
        /// In which term.
        term: Term,
        /// For whom.
        candidate: NodeId,
    },
    /// It asks whether it would be elected.
    BecamePreCandidate {
        /// The term that it is in.
        term: Term,
    },
    /// It campaigns.
    BecameCandidate {
        /// In which term.
        term: Term,
    },
    /// It leads.
    BecameLeader {
        /// In which term.
        term: Term,
    },
    /// It campaigned or led, and does so no more.
    BecameFollower {
        /// In which term.
        term: Term,
    },
    /// As a leader it was replaced although it could count on a majority, and nobody had asked it to go.
    Disrupted {
        /// The term that it led.
        term: Term,
    },
    /// An entry was added to its log.
    Appended {
        /// Where.
        index: Index,
        /// The entry's term.
        term: Term,
        /// The chain up to and including the entry.
        chain: Chain,
    },
    /// Entries were removed from the end of its log.
    Truncated {
        /// The first that was removed.
        from: Index,
    },
    /// Entries up to this one were forgotten: a snapshot stands for them.
    Compacted {
        /// The last that is gone.
        index: Index,
    },
    /// Its log and state machine begin with a snapshot, its own after a restart or a leader's.
    Restored {
        /// The last entry that the snapshot stands for.
        index: Index,
        /// The term of that entry.
        term: Term,
        /// The chain up to and including it.
        chain: Chain,
    },
    /// It knows all entries up to this one to be committed.
    Committed {
        /// The last of them.
        index: Index,
        /// The chain up to and including it.
        chain: Chain,
    },
    /// Its state machine has executed an entry.
    Applied {
        /// Where the entry stands.
        index: Index,
        /// The chain of everything executed so far, computed from what was executed.
        chain: Chain,
    },
}

impl Fact {
    /// Its kind as a number. A process with a replica adds where those of the replica begin.
    #[inline]
    pub(crate) fn kind(&self) -> u32 {
        Kind::from(self) as u32
    }
}

/// The set of these kinds, as the process of a replica numbers them.
pub(super) fn kinds<H: Host>(kinds: impl IntoIterator<Item = Kind>) -> Kinds {
    kinds.into_iter().map(|kind| H::FACT_KINDS_AT + kind as u32).collect()
}

/// The set of all that a replica states.
pub(super) fn every_kind<H: Host>() -> Kinds {
    (H::FACT_KINDS_AT..).take(Kind::COUNT).collect()
}

/// Who hears statements: the context of a handler, or the list of a test.
pub trait Witness {
    /// States a fact.
    fn state(&mut self, fact: Fact);
}

impl Witness for Vec<Fact> {
    fn state(&mut self, fact: Fact) {
        self.push(fact);
    }
}
