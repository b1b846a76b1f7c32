//! C2: what is chosen stays what is proposed.

use std::sync::Arc;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;
use sim_core::persist::AppendLog;

use super::super::{Config, Fact, Paxos, Pvalue};
use super::votes::Votes;

/// If a phase 2 quorum has accepted a proposal for a slot, then whatever is proposed for it under a higher ballot is the
/// same.
#[derive(Clone, Debug)]
pub struct ProposalsFollowChosen {
    votes: Votes,
    /// By slot, what was proposed under the highest ballot.
    proposed: AppendLog<Option<Pvalue>>,
}

impl ProposalsFollowChosen {
    pub(super) fn new(config: Arc<Config>) -> Self {
        Self { votes: Votes::new(config), proposed: AppendLog::starting_at(1) }
    }

    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        if let Some((slot, ballot, chosen)) = self.votes.on_fact(node, fact) {
            let proposed = self.proposed.get(slot.0).copied().flatten();
            let later = proposed.filter(|pvalue| pvalue.ballot > ballot && pvalue.proposal != chosen);
            ensure!(
                later.is_none(),
                "`{chosen}` is chosen under {ballot} for slot {slot}, and {later:?} was proposed"
            );
        }
        if let Fact::Proposed(pvalue) = *fact {
            self.propose(node, pvalue)?;
        }
        Ok(())
    }

    fn propose(&mut self, node: NodeId, pvalue: Pvalue) -> Result<(), Breach> {
        let Pvalue { slot, ballot, proposal } = pvalue;
        let highest = self.proposed.get_or_fill(slot.0, || None);
        if highest.is_none_or(|highest| highest.ballot <= ballot) {
            *highest = Some(pvalue);
        }
        let Some((under, chosen)) = self.votes.chosen(slot) else { return Ok(()) };
        ensure!(
            ballot <= under || proposal == chosen,
            "{node} proposes `{proposal}` under {ballot} for slot {slot}, and `{chosen}` is chosen under {under}"
        );
        Ok(())
    }
}

impl Invariant<Paxos> for ProposalsFollowChosen {
    fn about(&self) -> &'static About {
        &About {
            name: "c2-proposals-follow-chosen",
            statement: "What is proposed under a ballot above that of a chosen proposal is the same.",
            source: "PMMC §3 (C2), with quorums as in Flexible Paxos",
            leaves_out: "earlier proposals than the highest, where something is chosen late",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Paxos>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, fact))
    }

    /// What running nodes have decided agrees with what was proposed last.
    fn check_all(&self, nodes: &Nodes<'_, Paxos>) -> Result<(), Breach> {
        for (node, paxos) in nodes.running() {
            let slot = paxos.log().last();
            let Some(held) = paxos.log().decided_at(slot) else { continue };
            let proposed = self.proposed.get(slot.0).copied().flatten().map(|pvalue| pvalue.proposal);
            ensure!(
                proposed == Some(*held),
                "{node} holds `{held}` in slot {slot}, proposed last was {proposed:?}"
            );
        }
        Ok(())
    }

    fn fork(&self) -> Box<dyn Invariant<Paxos>> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::votes::tests::{config, pvalue};
    use super::*;

    fn judge(facts: &[(u32, Fact)]) -> Result<(), Breach> {
        let mut invariant = ProposalsFollowChosen::new(config());
        facts.iter().try_for_each(|(node, fact)| invariant.on_fact(NodeId::new(*node), fact))
    }

    #[test]
    fn another_proposal_under_a_higher_ballot_is_found_whenever_it_comes() {
        let vote = |node| (node, Fact::Accepted(pvalue(1, 2, 7)));
        let propose = |round, value| (0, Fact::Proposed(pvalue(1, round, value)));
        assert_eq!(judge(&[propose(1, 8), propose(2, 7), vote(0), vote(1), propose(3, 7)]), Ok(()));
        assert!(judge(&[vote(0), vote(1), propose(3, 8)]).is_err());
        assert!(judge(&[vote(0), propose(3, 8), vote(1)]).is_err());
    }
}
