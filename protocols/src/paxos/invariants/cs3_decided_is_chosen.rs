//! CS3: what is decided is chosen.

use std::sync::Arc;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Ghost, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Config, Fact, Index, Paxos, Proposal};
use super::votes::Votes;

/// No node takes a proposal as decided unless a phase 2 quorum has accepted it under one ballot.
#[derive(Clone, Debug)]
pub struct DecidedIsChosen {
    config: Arc<Config>,
}

impl DecidedIsChosen {
    pub(super) const fn new(config: Arc<Config>) -> Self {
        Self { config }
    }
}

fn on_fact(votes: &Votes, node: NodeId, fact: &Fact) -> Result<(), Breach> {
    let Fact::Decided { slot, proposal } = *fact else { return Ok(()) };
    check(votes, node, slot, proposal)
}

fn check(votes: &Votes, node: NodeId, slot: Index, proposal: Proposal) -> Result<(), Breach> {
    let chosen = votes.chosen(slot).map(|(_, chosen)| chosen);
    ensure!(
        chosen == Some(proposal),
        "{node} takes `{proposal}` as decided for slot {slot}, and no quorum has accepted it; chosen is {chosen:?}"
    );
    Ok(())
}

impl Invariant<Paxos> for DecidedIsChosen {
    fn about(&self) -> &'static About {
        &About {
            name: "cs3-decided-is-chosen",
            statement: "A process never learns that a proposal is decided unless a quorum has accepted it.",
            source: "Paxos Made Simple §2.1 (CS3); PMMC §3",
            leaves_out: "a second proposal that is chosen for a slot: `a5-chosen-stays` sees that",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Paxos>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        let votes: &Votes = nodes.ghost();
        facts.iter().try_for_each(|fact| on_fact(votes, node, fact))
    }

    fn check_all(&self, nodes: &Nodes<'_, Paxos>) -> Result<(), Breach> {
        for (node, paxos) in nodes.running() {
            let slot = paxos.log().last();
            if let Some(proposal) = paxos.log().decided_at(slot) {
                check(nodes.ghost(), node, slot, *proposal)?;
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
        tests::judge(facts, |votes, _, node, facts| on_fact(votes, node, &facts[0]))
    }

    #[test]
    fn a_decision_needs_a_quorum_under_one_ballot() {
        let vote = |node, round| (node, Fact::Accepted(pvalue(1, round, 7)));
        let decided = (2, Fact::Decided { slot: Index(1), proposal: pvalue(1, 0, 7).proposal });
        assert_eq!(judge(&[vote(0, 1), vote(1, 1), decided.clone()]), Ok(()));
        assert!(judge(&[vote(0, 1), vote(1, 2), decided.clone()]).is_err(), "two acceptors, but two ballots");
        assert!(judge(&[decided]).is_err());
    }
}
