//! No ballot is used for two values.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Ballot, Fact, Proposal, Synod};

/// No ballot is used for two values, by one proposer or by two.
#[derive(Clone, Debug, Default)]
pub struct OneProposalABallot {
    proposed: BTreeMap<Ballot, (NodeId, Proposal)>,
}

impl OneProposalABallot {
    fn propose(&mut self, node: NodeId, ballot: Ballot, proposal: Proposal) -> Result<(), Breach> {
        let (first, value) = *self.proposed.entry(ballot).or_insert((node, proposal));
        ensure!(value == proposal, "{first} proposed {value} under {ballot}, and {node} {proposal}");
        Ok(())
    }
}

impl Invariant<Synod> for OneProposalABallot {
    fn about(&self) -> &'static About {
        &About {
            name: "one-proposal-a-ballot",
            statement: "No ballot is used for two different values.",
            source: "Paxos Made Simple §2.5: disjoint sets of numbers, and none is used twice",
            leaves_out: "ballots for which phase 1 was begun twice and at most one value proposed: they do no harm",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Synod>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| match *fact {
            Fact::Proposed(vote) => self.propose(node, vote.ballot, vote.proposal),
            Fact::Requested { .. }
            | Fact::Prepared { .. }
            | Fact::Promised { .. }
            | Fact::Accepted(_)
            | Fact::Learned { .. } => Ok(()),
        })
    }

    /// What acceptors hold under a ballot is what was proposed under it.
    fn check_all(&self, nodes: &Nodes<'_, Synod>) -> Result<(), Breach> {
        for (node, synod) in nodes.running() {
            let Some(vote) = synod.acceptor().accepted() else { continue };
            let proposed = self.proposed.get(&vote.ballot).map(|(_, proposal)| *proposal);
            ensure!(proposed == Some(vote.proposal), "{node} holds {vote}, proposed was {proposed:?}");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::votes::tests::vote;
    use super::*;

    #[test]
    fn a_second_value_under_a_ballot_is_found_whoever_proposes_it() {
        let mut invariant = OneProposalABallot::default();
        let mut propose = |node, vote: super::super::super::Vote| {
            invariant.propose(NodeId::new(node), vote.ballot, vote.proposal)
        };
        assert_eq!(propose(0, vote(1, 7)), Ok(()));
        assert_eq!(propose(0, vote(1, 7)), Ok(()), "said twice");
        assert_eq!(propose(1, vote(2, 8)), Ok(()));
        assert!(propose(0, vote(1, 8)).is_err());
        assert!(propose(1, vote(1, 9)).is_err());
    }
}
