//! C2: what is chosen stays what is proposed.

use std::sync::Arc;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Ghost, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Config, Fact, Index, Paxos, Pvalue};
use super::proposals::FirstProposals;
use super::votes::Votes;

/// If a phase 2 quorum has accepted a proposal for a slot, then whatever is proposed for it under a higher ballot is the
/// same.
#[derive(Clone, Debug)]
pub struct ProposalsFollowChosen {
    config: Arc<Config>,
}

impl ProposalsFollowChosen {
    pub(super) const fn new(config: Arc<Config>) -> Self {
        Self { config }
    }
}

fn on_facts(votes: &Votes, proposed: &FirstProposals, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
    for fact in facts {
        if let Fact::Proposed(Pvalue { slot, .. }) = *fact {
            check(votes, proposed, node, slot)?;
        }
    }
    votes.just_chosen().iter().try_for_each(|slot| check(votes, proposed, node, *slot))
}

/// A proposal may differ from what is chosen already, and something may be chosen that differs from what is proposed.
fn check(votes: &Votes, proposed: &FirstProposals, node: NodeId, slot: Index) -> Result<(), Breach> {
    let Some((under, chosen)) = votes.chosen(slot) else { return Ok(()) };
    let later = proposed.of(slot).find(|(ballot, proposal)| *ballot > under && *proposal != chosen);
    let Some((ballot, proposal)) = later else { return Ok(()) };
    Err(Breach(if votes.just_chosen().contains(&slot) {
        format!(
            "`{chosen}` is chosen under {under} for slot {slot}, and `{proposal}` was proposed under {ballot}"
        )
    } else {
        format!(
            "{node} proposes `{proposal}` under {ballot} for slot {slot}, and `{chosen}` is chosen under {under}"
        )
    }))
}

impl Invariant<Paxos> for ProposalsFollowChosen {
    fn about(&self) -> &'static About {
        &About {
            name: "c2-proposals-follow-chosen",
            statement: "What is proposed under a ballot above that of a chosen proposal is the same.",
            source: "PMMC §3 (C2), with quorums as in Flexible Paxos",
            leaves_out: "a second proposal under one ballot: `c1-one-commander` sees that",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Paxos>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        on_facts(nodes.ghost(), nodes.ghost(), node, facts)
    }

    /// What running nodes have decided agrees with what was proposed last.
    fn check_all(&self, nodes: &Nodes<'_, Paxos>) -> Result<(), Breach> {
        let proposed: &FirstProposals = nodes.ghost();
        for (node, paxos) in nodes.running() {
            let slot = paxos.log().last();
            let Some(held) = paxos.log().decided_at(slot) else { continue };
            let last = proposed.of(slot).max_by_key(|(ballot, _)| *ballot).map(|(_, proposal)| proposal);
            ensure!(last == Some(*held), "{node} holds `{held}` in slot {slot}, proposed last was {last:?}");
        }
        Ok(())
    }

    fn ghosts(&self) -> Vec<Box<dyn Ghost<Paxos>>> {
        vec![Votes::shared(&self.config), FirstProposals::shared()]
    }
}

#[cfg(test)]
mod tests {
    use super::super::votes::tests::{self, pvalue};
    use super::*;

    fn judge(facts: &[(u32, Fact)]) -> Result<(), Breach> {
        tests::judge(facts, on_facts)
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
