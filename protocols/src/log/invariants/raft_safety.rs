//! Raft's own safety properties, of the replicas that several controllers keep their decisions in.

use sim_core::check::{About, Invariant};

use super::super::Node;
use crate::raft::invariants::Hosted;

/// It has nothing to look at where there is one controller.
pub(super) fn raft_safety() -> Box<dyn Invariant<Node>> {
    Box::new(Hosted::new(&About {
        name: "raft-safety",
        statement: "The replicas of several controllers keep to all of Raft's own invariants; a breach begins with the name \
                    of the one that does not hold.",
        source: "KIP-595; Ongaro, Ousterhout, In Search of an Understandable Consensus Algorithm (2014), Figure 3, and what \
                 `splitbrain list checkers` shows of Raft",
        leaves_out: "`session-exactly-once`, which is about the sessions of Raft's key-value store",
    }))
}
