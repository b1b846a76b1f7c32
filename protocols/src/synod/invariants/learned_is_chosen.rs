//! CS3: what is learned is chosen.

use std::collections::BTreeSet;
use std::sync::Arc;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Config, Fact, Proposal, Synod};
use super::votes::Votes;

/// A process never learns that a value has been chosen unless it actually has been.
#[derive(Clone, Debug)]
pub struct LearnedIsChosen {
    votes: Votes,
    chosen: BTreeSet<Proposal>,
}

impl LearnedIsChosen {
    pub(super) const fn new(config: Arc<Config>) -> Self {
        Self { votes: Votes::new(config), chosen: BTreeSet::new() }
    }

    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        match *fact {
            Fact::Accepted(vote) => {
                if self.votes.add(node, vote) {
                    self.chosen.insert(vote.proposal);
                }
                Ok(())
            }
            Fact::Learned { proposal } => {
                ensure!(
                    self.chosen.contains(&proposal),
                    "{node} has learned {proposal}, which no quorum has accepted"
                );
                Ok(())
            }
            Fact::Requested { .. } | Fact::Prepared { .. } | Fact::Promised { .. } | Fact::Proposed(_) => {
                Ok(())
            }
        }
    }
}

impl Invariant<Synod> for LearnedIsChosen {
    fn about(&self) -> &'static About {
        &About {
            name: "learned-is-chosen",
            statement: "A process never learns that a value has been chosen unless it actually has been.",
            source: "Paxos Made Simple §2.1 (CS3)",
            leaves_out: "nothing: votes are counted as they leave the acceptors",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Synod>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, fact))
    }

    fn check_all(&self, nodes: &Nodes<'_, Synod>) -> Result<(), Breach> {
        for (node, synod) in nodes.running() {
            let Some(proposal) = synod.chosen() else { continue };
            ensure!(self.chosen.contains(&proposal), "{node} knows {proposal} as chosen, and it is not");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::votes::tests::{config, vote};
    use super::*;

    fn judge(facts: &[(u32, Fact)]) -> Result<(), Breach> {
        let mut invariant = LearnedIsChosen::new(config());
        facts.iter().try_for_each(|(node, fact)| invariant.on_fact(NodeId::new(*node), fact))
    }

    #[test]
    fn a_value_is_learned_after_a_quorum_has_accepted_it_under_one_ballot() {
        let learned = (2, Fact::Learned { proposal: vote(1, 7).proposal });
        let votes = |second| [(0, Fact::Accepted(vote(1, 7))), (1, Fact::Accepted(vote(second, 7))), learned];
        assert_eq!(judge(&votes(1)), Ok(()));
        assert!(judge(&votes(2)).is_err(), "two acceptors, but two ballots");
        assert!(judge(&[learned]).is_err());
    }
}
