//! CS2: only a single value is chosen.

use std::sync::Arc;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Config, Fact, Proposal, Synod, Vote};
use super::votes::Votes;

/// Only one value is ever chosen, whether anybody learns of it or not.
#[derive(Clone, Debug)]
pub struct OneValue {
    votes: Votes,
    /// The value chosen first, and the vote that completed its quorum.
    chosen: Option<Vote>,
}

impl OneValue {
    pub(super) const fn new(config: Arc<Config>) -> Self {
        Self { votes: Votes::new(config), chosen: None }
    }

    fn accept(&mut self, node: NodeId, vote: Vote) -> Result<(), Breach> {
        if !self.votes.add(node, vote) {
            return Ok(());
        }
        let first = *self.chosen.get_or_insert(vote);
        ensure!(
            first.proposal == vote.proposal,
            "{} is chosen under {}, and {} was under {}",
            vote.proposal,
            vote.ballot,
            first.proposal,
            first.ballot
        );
        Ok(())
    }
}

impl Invariant<Synod> for OneValue {
    fn about(&self) -> &'static About {
        &About {
            name: "one-value",
            statement: "Only a single value is chosen.",
            source: "Paxos Made Simple §2.1 (CS2)",
            leaves_out: "nothing: votes are counted as they leave the acceptors",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Synod>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| match *fact {
            Fact::Accepted(vote) => self.accept(node, vote),
            Fact::Requested { .. }
            | Fact::Prepared { .. }
            | Fact::Promised { .. }
            | Fact::Proposed(_)
            | Fact::Learned { .. } => Ok(()),
        })
    }

    /// Weaker than the history: what the learners that live know.
    fn check_all(&self, nodes: &Nodes<'_, Synod>) -> Result<(), Breach> {
        let mut known: Option<(NodeId, Proposal)> = None;
        for (node, synod) in nodes.running() {
            let Some(chosen) = synod.chosen() else { continue };
            let (first, value) = *known.get_or_insert((node, chosen));
            ensure!(value == chosen, "{first} has learned {value}, and {node} {chosen}");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::votes::tests::{config, vote};
    use super::*;

    fn judge(votes: &[(u32, Vote)]) -> Result<(), Breach> {
        let mut invariant = OneValue::new(config());
        votes.iter().try_for_each(|(node, vote)| invariant.accept(NodeId::new(*node), *vote))
    }

    #[test]
    fn one_value_may_be_chosen_under_many_ballots() {
        assert_eq!(judge(&[(0, vote(1, 7)), (1, vote(1, 7)), (1, vote(2, 7)), (2, vote(2, 7))]), Ok(()));
        assert_eq!(judge(&[(0, vote(1, 7)), (1, vote(2, 8)), (2, vote(3, 9))]), Ok(()), "none is chosen");
    }

    #[test]
    fn a_second_value_is_found() {
        assert!(judge(&[(0, vote(1, 7)), (1, vote(1, 7)), (1, vote(2, 8)), (2, vote(2, 8))]).is_err());
    }
}
