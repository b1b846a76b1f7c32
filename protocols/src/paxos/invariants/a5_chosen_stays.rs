//! A5: what is chosen stays what is accepted.

use std::sync::Arc;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Config, Fact, Paxos, Pvalue};
use super::votes::Votes;

/// If a phase 2 quorum has accepted a proposal for a slot, then whatever is accepted for it under a higher ballot is the
/// same.
#[derive(Clone, Debug)]
pub struct ChosenStays {
    votes: Votes,
}

impl ChosenStays {
    pub(super) fn new(config: Arc<Config>) -> Self {
        Self { votes: Votes::new(config) }
    }

    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        if let Some((slot, ballot, chosen)) = self.votes.on_fact(node, fact) {
            let later = self.votes.of(slot).find(|tally| tally.ballot > ballot && tally.proposal != chosen);
            ensure!(
                later.is_none(),
                "`{chosen}` is chosen under {ballot} for slot {slot}, and {later:?} was accepted"
            );
        }
        if let Fact::Accepted(Pvalue { slot, ballot, proposal }) = *fact
            && let Some((under, chosen)) = self.votes.chosen(slot)
        {
            ensure!(
                ballot <= under || proposal == chosen,
                "{node} accepted `{proposal}` under {ballot} for slot {slot}, and `{chosen}` is chosen under {under}"
            );
        }
        Ok(())
    }
}

impl Invariant<Paxos> for ChosenStays {
    fn about(&self) -> &'static About {
        &About {
            name: "a5-chosen-stays",
            statement: "What is accepted under a ballot above that of a chosen proposal is the same.",
            source: "PMMC §3 (A5), with quorums as in Flexible Paxos",
            leaves_out: "votes under lower ballots, which may differ",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Paxos>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, fact))
    }

    /// What running nodes take as decided is what was chosen.
    fn check_all(&self, nodes: &Nodes<'_, Paxos>) -> Result<(), Breach> {
        for (node, paxos) in nodes.running() {
            let slot = paxos.log().last();
            let (held, chosen) =
                (paxos.log().decided_at(slot), self.votes.chosen(slot).map(|(_, proposal)| proposal));
            ensure!(
                held.is_none() || held.copied() == chosen,
                "{node} holds {held:?} in slot {slot}, chosen is {chosen:?}"
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
        let mut invariant = ChosenStays::new(config());
        facts.iter().try_for_each(|(node, fact)| invariant.on_fact(NodeId::new(*node), fact))
    }

    #[test]
    fn another_proposal_under_a_higher_ballot_is_found_whenever_it_comes() {
        let vote = |node, round, value| (node, Fact::Accepted(pvalue(1, round, value)));
        let chosen = [vote(0, 2, 7), vote(1, 2, 7)];
        assert_eq!(judge(&[vote(2, 1, 8), chosen[0].clone(), chosen[1].clone(), vote(2, 3, 7)]), Ok(()));
        assert!(judge(&[chosen[0].clone(), chosen[1].clone(), vote(2, 3, 8)]).is_err());
        assert!(judge(&[vote(2, 3, 8), chosen[0].clone(), chosen[1].clone()]).is_err());
    }
}
