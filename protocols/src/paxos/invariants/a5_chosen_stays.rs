//! A5: what is chosen stays what is accepted.

use std::sync::Arc;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Ghost, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Config, Fact, Paxos};
use super::votes::Votes;

/// If a phase 2 quorum has accepted a proposal for a slot, then whatever is accepted for it under a higher ballot is the
/// same.
#[derive(Clone, Debug)]
pub struct ChosenStays {
    config: Arc<Config>,
}

impl ChosenStays {
    pub(super) const fn new(config: Arc<Config>) -> Self {
        Self { config }
    }
}

/// A vote may be for something else than what is chosen, and it may choose what others have voted against.
fn on_votes(votes: &Votes, node: NodeId) -> Result<(), Breach> {
    for &slot in votes.disputed() {
        let Some((ballot, chosen)) = votes.chosen(slot) else { continue };
        let later = votes.of(slot).find(|tally| tally.ballot > ballot && tally.proposal != chosen);
        ensure!(
            later.is_none(),
            "`{chosen}` is chosen under {ballot} for slot {slot}, and {later:?} was accepted; {node} accepted last"
        );
    }
    Ok(())
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

    fn on_event(&mut self, nodes: &Nodes<'_, Paxos>, node: NodeId, _: &[Fact]) -> Result<(), Breach> {
        on_votes(nodes.ghost(), node)
    }

    /// What running nodes take as decided is what was chosen.
    fn check_all(&self, nodes: &Nodes<'_, Paxos>) -> Result<(), Breach> {
        let votes: &Votes = nodes.ghost();
        for (node, paxos) in nodes.running() {
            let slot = paxos.log().last();
            let (held, chosen) =
                (paxos.log().decided_at(slot), votes.chosen(slot).map(|(_, proposal)| proposal));
            ensure!(
                held.is_none() || held.copied() == chosen,
                "{node} holds {held:?} in slot {slot}, chosen is {chosen:?}"
            );
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
    fn another_proposal_under_a_higher_ballot_is_found_whenever_it_comes() {
        let vote = |node, round, value| (node, Fact::Accepted(pvalue(1, round, value)));
        let chosen = [vote(0, 2, 7), vote(1, 2, 7)];
        assert_eq!(judge(&[vote(2, 1, 8), chosen[0].clone(), chosen[1].clone(), vote(2, 3, 7)]), Ok(()));
        assert!(judge(&[chosen[0].clone(), chosen[1].clone(), vote(2, 3, 8)]).is_err());
        assert!(judge(&[vote(2, 3, 8), chosen[0].clone(), chosen[1].clone()]).is_err());
    }
}
