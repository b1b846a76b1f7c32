//! Which acceptor has accepted what, in the whole history.

use std::collections::BTreeMap;
use std::sync::Arc;

use sim_core::NodeId;

use super::super::{Ballot, Config, Proposal, Vote};
use crate::replicated::{NodeSet, Phase};

/// Every vote that ever left an acceptor.
#[derive(Clone, Debug)]
pub(super) struct Votes {
    config: Arc<Config>,
    by_acceptor: BTreeMap<NodeId, BTreeMap<Ballot, Proposal>>,
    by_proposal: BTreeMap<(Ballot, Proposal), NodeSet>,
}

impl Votes {
    pub(super) const fn new(config: Arc<Config>) -> Self {
        Self { config, by_acceptor: BTreeMap::new(), by_proposal: BTreeMap::new() }
    }

    /// Takes note of a vote. Returns whether its proposal is chosen, by this vote or before it.
    pub(super) fn add(&mut self, node: NodeId, vote: Vote) -> bool {
        self.by_acceptor.entry(node).or_default().insert(vote.ballot, vote.proposal);
        let accepted = self.by_proposal.entry((vote.ballot, vote.proposal)).or_default();
        *accepted = accepted.with(node);
        self.config.is_enough(Phase::Two, *accepted)
    }

    /// The last vote of an acceptor below `ballot`.
    pub(super) fn last_below(&self, node: NodeId, ballot: Ballot) -> Option<Vote> {
        let (&ballot, &proposal) = self.by_acceptor.get(&node)?.range(..ballot).next_back()?;
        Some(Vote { ballot, proposal })
    }

    /// What a quorum is.
    pub(super) fn config(&self) -> &Config {
        &self.config
    }
}

#[cfg(test)]
pub(super) mod tests {
    use sim_core::{ClientId, OpId};

    use super::*;

    /// Three acceptors.
    pub(in super::super) fn config() -> Arc<Config> {
        Arc::new(Config::new((0..3).map(NodeId::new)))
    }

    /// Value `value` of the client of that number, under ballot `round` of n1.
    pub(in super::super) fn vote(round: u64, value: u32) -> Vote {
        let op = OpId { client: ClientId::new(value), ordinal: 0 };
        let proposal = Proposal { op, value: u64::from(value) };
        Vote { ballot: Ballot { round, proposer: NodeId::new(0), ..Ballot::ZERO }, proposal }
    }

    #[test]
    fn a_proposal_is_chosen_by_a_quorum_under_one_ballot() {
        let mut votes = Votes::new(config());
        assert!(!votes.add(NodeId::new(0), vote(1, 7)));
        assert!(!votes.add(NodeId::new(0), vote(1, 7)), "the same acceptor again");
        assert!(!votes.add(NodeId::new(1), vote(2, 7)), "another ballot");
        assert!(votes.add(NodeId::new(1), vote(1, 7)));
        assert_eq!(votes.last_below(NodeId::new(1), vote(2, 0).ballot), Some(vote(1, 7)));
        assert_eq!(votes.last_below(NodeId::new(2), vote(2, 0).ballot), None);
    }
}
