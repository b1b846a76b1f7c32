//! A leader was elected by a quorum (§5.2).

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;
use sim_core::persist::PersistentMap;

use super::super::facts::{Kind, kinds};
use super::super::{Fact, Host, Membership, NodeSet, Term};
use super::{members_before, replica, replicas, stated};

/// Those who voted for a leader are a quorum of the membership in its own log.
///
/// Votes are taken from what left the voters, and the membership from the log: not from what the leader has counted, nor
/// from the membership that it believes in.
#[derive(Clone, Debug, Default)]
pub struct ElectionRecord {
    votes: PersistentMap<(Term, NodeId), NodeSet>,
}

impl ElectionRecord {
    fn vote(&mut self, voter: NodeId, term: Term, candidate: NodeId) {
        let before = self.votes.get(&(term, candidate)).copied().unwrap_or_default();
        if voter.index() < NodeSet::LIMIT {
            self.votes.insert((term, candidate), before.with(voter));
        }
    }

    fn elect(&self, leader: NodeId, term: Term, members: &Membership) -> Result<(), Breach> {
        let voters = self.votes.get(&(term, leader)).copied().unwrap_or_default();
        ensure!(
            members.is_quorum(voters),
            "{leader} leads {term} with the votes of {voters}, which are no quorum of {members}"
        );
        Ok(())
    }
}

impl<H: Host> Invariant<H> for ElectionRecord {
    fn about(&self) -> &'static About {
        &About {
            name: "election-record",
            statement: "Those who voted for a leader are a quorum of the membership in its log.",
            source: "paper §5.2, §6; raft.tla: elections, with evoters",
            leaves_out: "whether a voter voted only once: `vote-once` does that",
        }
    }

    fn hears(&self) -> Kinds {
        kinds::<H>([Kind::VoteGranted, Kind::BecameLeader])
    }

    fn on_event(&mut self, nodes: &Nodes<'_, H>, node: NodeId, facts: &[H::Fact]) -> Result<(), Breach> {
        let Some(raft) = replica(nodes, node) else { return Ok(()) };
        stated::<H>(facts).try_for_each(|(fact, later)| match *fact {
            Fact::VoteGranted { term, candidate } => {
                self.vote(node, term, candidate);
                Ok(())
            }
            Fact::BecameLeader { term } => self.elect(node, term, &members_before(raft, later)),
            Fact::Recovered { .. }
            | Fact::TermChanged { .. }
            | Fact::SpokeIn { .. }
            | Fact::BecamePreCandidate { .. }
            | Fact::BecameCandidate { .. }
            | Fact::BecameFollower { .. }
            | Fact::Disrupted { .. }
            | Fact::Appended { .. }
            | Fact::Truncated { .. }
            | Fact::Compacted { .. }
            | Fact::Restored { .. }
            | Fact::Committed { .. }
            | Fact::Applied { .. } => Ok(()),
        })
    }

    /// Memberships may have changed since an election: what is left to see is that each leader was voted for at all.
    fn check_all(&self, nodes: &Nodes<'_, H>) -> Result<(), Breach> {
        for (node, raft) in replicas(nodes).filter(|(_, raft)| raft.is_leader()) {
            let has_votes = self.votes.contains_key(&(raft.term(), node));
            ensure!(has_votes, "{node} leads {}, and nobody has voted for it", raft.term());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leader_needs_the_votes_of_a_quorum_in_its_own_term() {
        let nodes = [0, 1, 2, 3].map(NodeId::new);
        let members = Membership::of(nodes);
        let mut record = ElectionRecord::default();
        for voter in &nodes[..3] {
            record.vote(*voter, Term(2), nodes[0]);
        }
        record.vote(nodes[0], Term(3), nodes[0]);
        record.vote(nodes[1], Term(3), nodes[0]);
        assert_eq!(record.elect(nodes[0], Term(2), &members), Ok(()));
        let breach = record.elect(nodes[0], Term(3), &members).expect_err("half is not enough");
        assert_eq!(
            breach.to_string(),
            "n1 leads t3 with the votes of n1,n2, which are no quorum of n1,n2,n3,n4"
        );
        assert!(record.elect(nodes[1], Term(2), &members).is_err(), "nobody voted for it");
    }
}
