//! What a node states about itself, for invariants, traces and timelines.
//!
//! A promise or a vote is stated by the one function that sends it, as it leaves: what was decided and lost in a crash
//! before it reached the disk, was never given.

use serde::Serialize;

use super::types::{Proposal, Vote};
use crate::replicated::Ballot;

/// A statement of one node about what it has just done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Fact {
    /// A client asked it to propose.
    Requested {
        /// What.
        proposal: Proposal,
    },
    /// As proposer it begins a ballot.
    Prepared {
        /// Which.
        ballot: Ballot,
    },
    /// As acceptor it has promised.
    Promised {
        /// Which ballot.
        ballot: Ballot,
    },
    /// As proposer it proposes.
    Proposed(Vote),
    /// As acceptor it has accepted.
    Accepted(Vote),
    /// As learner it knows what is chosen.
    Learned {
        /// What.
        proposal: Proposal,
    },
}
