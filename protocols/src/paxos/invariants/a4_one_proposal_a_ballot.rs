//! A4: one proposal a ballot and slot is accepted.

use std::sync::Arc;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Ghost, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Config, Fact, Paxos};
use super::proposals::FirstProposals;
use super::votes::{Tally, Votes};

/// Acceptors that accept the same ballot for a slot accept the same proposal.
#[derive(Clone, Debug)]
pub struct OneProposalABallot {
    config: Arc<Config>,
}

impl OneProposalABallot {
    pub(super) const fn new(config: Arc<Config>) -> Self {
        Self { config }
    }
}

fn on_votes(votes: &Votes, node: NodeId) -> Result<(), Breach> {
    for &slot in votes.disputed() {
        for (place, Tally { ballot, proposal, .. }) in votes.of(slot).enumerate() {
            let other = votes.of(slot).skip(place + 1).find(|other| other.ballot == ballot);
            ensure!(
                other.is_none(),
                "`{proposal}` is accepted under {ballot} for slot {slot}, and {other:?}; {node} accepted last"
            );
        }
    }
    Ok(())
}

impl Invariant<Paxos> for OneProposalABallot {
    fn about(&self) -> &'static About {
        &About {
            name: "a4-one-proposal-a-ballot",
            statement: "If acceptors accept the same ballot for a slot, they accept the same proposal.",
            source: "PMMC §3 (A4)",
            leaves_out: "nothing: votes are taken as they leave the acceptors",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Paxos>, node: NodeId, _: &[Fact]) -> Result<(), Breach> {
        on_votes(nodes.ghost(), node)
    }

    /// What running acceptors hold under a ballot is the same.
    fn check_all(&self, nodes: &Nodes<'_, Paxos>) -> Result<(), Breach> {
        let mut living = FirstProposals::default();
        for (node, paxos) in nodes.running() {
            for pvalue in paxos.log().accepted_from(paxos.log().last()) {
                let first = living.propose(pvalue);
                ensure!(first == pvalue.proposal, "{node} holds {pvalue:?}, another node `{first}`");
            }
        }
        Ok(())
    }

    fn ghosts(&self) -> Vec<Box<dyn Ghost<Paxos>>> {
        vec![Votes::shared(&self.config)]
    }
}

#[cfg(test)]
mod tests {
    use super::super::votes::tests::{self, pvalue};
    use super::*;

    fn judge(facts: &[(u32, Fact)]) -> Result<(), Breach> {
        tests::judge(facts, |votes, _, node, _| on_votes(votes, node))
    }

    #[test]
    fn a_second_proposal_under_a_ballot_is_found() {
        let accepted = |node, pvalue| (node, Fact::Accepted(pvalue));
        assert_eq!(
            judge(&[
                accepted(0, pvalue(1, 1, 7)),
                accepted(1, pvalue(1, 2, 8)),
                accepted(2, pvalue(1, 1, 7))
            ]),
            Ok(())
        );
        assert!(judge(&[accepted(0, pvalue(1, 1, 7)), accepted(1, pvalue(1, 1, 8))]).is_err());
    }
}
