//! C1: one proposal a ballot and slot is proposed; and only that is accepted (CS1).

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Fact, Paxos, Pvalue};
use super::proposals::FirstProposals;

/// For a ballot and a slot at most one proposal is ever proposed, restarts or not, and acceptors accept nothing else.
#[derive(Clone, Debug, Default)]
pub struct OneCommander {
    proposed: FirstProposals,
}

impl OneCommander {
    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        match *fact {
            Fact::Proposed(pvalue) => {
                let first = self.proposed.first(pvalue);
                let Pvalue { slot, ballot, proposal } = pvalue;
                ensure!(
                    first == proposal,
                    "{node} proposes `{proposal}` under {ballot} for slot {slot}, after `{first}`"
                );
                Ok(())
            }
            Fact::Accepted(pvalue) => {
                let Pvalue { slot, ballot, proposal } = pvalue;
                ensure!(
                    self.proposed.holds(pvalue),
                    "{node} accepted `{proposal}` under {ballot} for slot {slot}, which nobody proposed"
                );
                Ok(())
            }
            Fact::Recovered { .. }
            | Fact::BecameCandidate { .. }
            | Fact::BecameLeader { .. }
            | Fact::BecameFollower { .. }
            | Fact::Promised { .. }
            | Fact::Decided { .. }
            | Fact::Applied { .. }
            | Fact::Installed { .. } => Ok(()),
        }
    }
}

impl Invariant<Paxos> for OneCommander {
    fn about(&self) -> &'static About {
        &About {
            name: "c1-one-commander",
            statement: "For a ballot and a slot at most one proposal is proposed, and nothing else is accepted.",
            source: "PMMC §3 (C1); Paxos Made Simple §2.1 (CS1)",
            leaves_out: "repeated proposals of the same: they do no harm",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Paxos>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, fact))
    }

    /// What running acceptors hold was proposed.
    fn check_all(&self, nodes: &Nodes<'_, Paxos>) -> Result<(), Breach> {
        for (node, paxos) in nodes.running() {
            for pvalue in paxos.log().accepted_from(paxos.log().last()) {
                let Pvalue { slot, ballot, proposal } = pvalue;
                ensure!(
                    self.proposed.holds(pvalue),
                    "{node} holds `{proposal}` under {ballot} for slot {slot}, which nobody proposed"
                );
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
        let mut invariant = OneCommander::default();
        facts.iter().try_for_each(|(node, fact)| invariant.on_fact(NodeId::new(*node), fact))
    }

    #[test]
    fn a_second_proposal_under_a_ballot_is_found() {
        let proposed = |pvalue| (0, Fact::Proposed(pvalue));
        assert_eq!(
            judge(&[proposed(pvalue(1, 1, 7)), proposed(pvalue(1, 2, 8)), proposed(pvalue(2, 1, 8))]),
            Ok(())
        );
        assert!(judge(&[proposed(pvalue(1, 1, 7)), proposed(pvalue(1, 1, 8))]).is_err());
    }

    #[test]
    fn a_vote_for_what_nobody_proposed_is_found() {
        let proposed = (0, Fact::Proposed(pvalue(1, 1, 7)));
        assert_eq!(judge(&[proposed.clone(), (1, Fact::Accepted(pvalue(1, 1, 7)))]), Ok(()));
        assert!(judge(&[proposed, (1, Fact::Accepted(pvalue(1, 2, 7)))]).is_err());
    }
}
