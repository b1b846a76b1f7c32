//! What a node states about itself, for invariants, traces and timelines.
//!
//! Promises and votes are stated by the one function that sends them, as they leave; decisions by the log, execution by
//! the state machine: a handler with a bug in it cannot state what did not happen, nor keep silent about what did.

use std::sync::Arc;

use serde::Serialize;

use super::types::{Proposal, Pvalue};
use crate::replicated::{Ballot, Chain, Index, Life};

/// A statement of one node about what it has just done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Fact {
    /// It started, with everything up to this slot executed from its disk.
    Recovered {
        /// The last slot executed.
        slot: Index,
        /// The chain of everything up to it.
        chain: Chain,
    },
    /// It found its disk empty or unreadable when it started, and begins a life without memory.
    LostDisk {
        /// Which.
        life: Life,
    },
    /// It has learned that it is readmitted in its life.
    Readmitted {
        /// The first slot that it is an acceptor of.
        from: Index,
    },
    /// It campaigns.
    BecameCandidate {
        /// With which ballot.
        ballot: Ballot,
    },
    /// It leads.
    BecameLeader {
        /// With which ballot.
        ballot: Ballot,
    },
    /// It campaigned or led, and does so no more.
    BecameFollower {
        /// What it has promised now.
        ballot: Ballot,
    },
    /// Its promise left the node, or it counted its own.
    Promised {
        /// Of which ballot.
        ballot: Ballot,
        /// The first slot that was asked about.
        first: Index,
        /// Up to where it knows everything to be decided.
        decided: Index,
        /// What it has accepted after that.
        accepted: Arc<[Pvalue]>,
    },
    /// A vote of it left the node, or it counted its own.
    Accepted(Pvalue),
    /// As leader it proposes.
    Proposed(Pvalue),
    /// It knows what is decided for a slot.
    Decided {
        /// Which.
        slot: Index,
        /// What.
        proposal: Proposal,
    },
    /// Its state machine has executed a slot.
    Applied {
        /// Which.
        slot: Index,
        /// The chain of everything executed so far, computed from what was executed.
        chain: Chain,
    },
    /// It took over the state of another node.
    Installed {
        /// Everything up to this slot.
        slot: Index,
        /// The chain up to there.
        chain: Chain,
    },
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
