//! A4: one proposal a ballot and slot is accepted.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Fact, Paxos, Pvalue};
use super::proposals::FirstProposals;

/// Acceptors that accept the same ballot for a slot accept the same proposal.
#[derive(Clone, Debug, Default)]
pub struct OneProposalABallot {
    accepted: FirstProposals,
}

impl OneProposalABallot {
    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        match *fact {
            Fact::Accepted(pvalue) => {
                let first = self.accepted.first(pvalue);
                let Pvalue { slot, ballot, proposal } = pvalue;
                ensure!(
                    first == proposal,
                    "{node} accepted `{proposal}` under {ballot} for slot {slot}, others `{first}`"
                );
                Ok(())
            }
            Fact::Recovered { .. }
            | Fact::BecameCandidate { .. }
            | Fact::BecameLeader { .. }
            | Fact::BecameFollower { .. }
            | Fact::Promised { .. }
            | Fact::Proposed(_)
            | Fact::Decided { .. }
            | Fact::Applied { .. }
            | Fact::Installed { .. } => Ok(()),
        }
    }
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

    fn on_event(&mut self, _: &Nodes<'_, Paxos>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, fact))
    }

    /// What running acceptors hold under a ballot is the same.
    fn check_all(&self, nodes: &Nodes<'_, Paxos>) -> Result<(), Breach> {
        let mut living = Self::default();
        for (node, paxos) in nodes.running() {
            for pvalue in paxos.log().accepted_from(paxos.log().last()) {
                living.on_fact(node, &Fact::Accepted(pvalue))?;
            }
        }
        Ok(())
    }

    fn fork(&self) -> Box<dyn Invariant<Paxos>> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::votes::tests::pvalue;
    use super::*;

    fn judge(facts: &[(u32, Fact)]) -> Result<(), Breach> {
        let mut invariant = OneProposalABallot::default();
        facts.iter().try_for_each(|(node, fact)| invariant.on_fact(NodeId::new(*node), fact))
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
