//! One vote a term, across restarts (§5.2).

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;
use sim_core::persist::PersistentMap;

use super::super::facts::{Kind, kinds};
use super::super::{Fact, Host, Term};
use super::replicas;

/// Each server will vote for at most one candidate in a given term. A vote counts when it leaves the node, or when a
/// candidate counts its own: one that was written and lost in a crash was never given.
#[derive(Clone, Debug, Default)]
pub struct VoteOnce {
    votes: PersistentMap<(NodeId, Term), NodeId>,
}

impl VoteOnce {
    fn vote(&mut self, voter: NodeId, term: Term, candidate: NodeId) -> Result<(), Breach> {
        let first = self.votes.insert((voter, term), candidate).unwrap_or(candidate);
        ensure!(first == candidate, "{voter} voted for {first} and for {candidate} in {term}");
        Ok(())
    }
}

impl<H: Host> Invariant<H> for VoteOnce {
    fn about(&self) -> &'static About {
        &About {
            name: "vote-once",
            statement: "Each server votes for at most one candidate in a given term, restarts or not.",
            source: "paper §5.2, Figure 2; raft.tla: votesGranted",
            leaves_out: "votes that were decided on and never left the node",
        }
    }

    fn hears(&self) -> Kinds {
        kinds::<H>([Kind::VoteGranted])
    }

    fn on_event(&mut self, _: &Nodes<'_, H>, node: NodeId, facts: &[H::Fact]) -> Result<(), Breach> {
        facts.iter().filter_map(H::as_fact).try_for_each(|fact| match *fact {
            Fact::VoteGranted { term, candidate } => self.vote(node, term, candidate),
            Fact::Recovered { .. }
            | Fact::TermChanged { .. }
            | Fact::SpokeIn { .. }
            | Fact::BecamePreCandidate { .. }
            | Fact::Disrupted { .. }
            | Fact::Compacted { .. }
            | Fact::Restored { .. }
            | Fact::BecameCandidate { .. }
            | Fact::BecameLeader { .. }
            | Fact::BecameFollower { .. }
            | Fact::Appended { .. }
            | Fact::Truncated { .. }
            | Fact::Committed { .. }
            | Fact::Applied { .. } => Ok(()),
        })
    }

    /// The votes that the nodes hold now are the ones they gave, if they gave any.
    fn check_all(&self, nodes: &Nodes<'_, H>) -> Result<(), Breach> {
        for (node, raft) in replicas(nodes) {
            let given = self.votes.get(&(node, raft.term()));
            ensure!(
                given.is_none() || given == raft.vote().as_ref(),
                "{node} gave its vote of {} to {given:?} and holds {:?}",
                raft.term(),
                raft.vote()
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vote_may_be_repeated_and_not_changed() {
        let mut invariant = VoteOnce::default();
        let [voter, first, second] = [0, 1, 2].map(NodeId::new);
        assert_eq!(invariant.vote(voter, Term(1), first), Ok(()));
        assert_eq!(invariant.vote(voter, Term(1), first), Ok(()), "the reply was sent again");
        assert_eq!(invariant.vote(voter, Term(2), second), Ok(()));
        assert_eq!(invariant.vote(second, Term(1), second), Ok(()), "another voter");
        let breach = invariant.vote(voter, Term(1), second).expect_err("the vote of t1 is given");
        assert_eq!(breach.to_string(), "n1 voted for n2 and for n3 in t1");
    }
}
