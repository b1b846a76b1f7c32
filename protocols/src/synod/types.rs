//! What is proposed, and what an acceptor says it has accepted.

use std::fmt;

use serde::Serialize;
use sim_core::OpId;
use sim_core::service::Value;

use crate::replicated::Ballot;

/// A value and the client's operation that proposes it: so the same value from two clients is two proposals, and a
/// client that asks two nodes proposes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Proposal {
    /// Whose it is.
    pub op: OpId,
    /// What it would make the register hold.
    pub value: Value,
}

impl Proposal {
    /// Size on disk and on the wire in bytes.
    pub const SIZE: u64 = 16;
}

/// `7 of c2#0`.
impl fmt::Display for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.value, self.op)
    }
}

/// A proposal under a ballot that an acceptor has accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Vote {
    /// Under which ballot.
    pub ballot: Ballot,
    /// What.
    pub proposal: Proposal,
}

impl fmt::Display for Vote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.ballot, self.proposal)
    }
}
