//! Election Safety (§5.2).

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;
use sim_core::persist::PersistentMap;

use super::super::facts::{Kind, kinds};
use super::super::{Fact, Host, Term};
use super::replicas;

/// At most one leader can be elected in a given term. The history of all elections is kept, because two leaders of
/// one term need not live at the same time.
#[derive(Clone, Debug, Default)]
pub struct ElectionSafety {
    leaders: PersistentMap<Term, NodeId>,
}

impl ElectionSafety {
    fn elect(&mut self, term: Term, node: NodeId) -> Result<(), Breach> {
        let first = self.leaders.insert(term, node).unwrap_or(node);
        ensure!(first == node, "{first} and {node} were both elected in {term}");
        Ok(())
    }
}

impl<H: Host> Invariant<H> for ElectionSafety {
    fn about(&self) -> &'static About {
        &About {
            name: "election-safety",
            statement: "At most one leader can be elected in a given term.",
            source: "paper §5.2, Figure 3; raft.tla: elections; etcdraft.tla: MoreThanOneLeaderInv",
            leaves_out: "whether the votes were a majority: `vote-once` and this together show that they were",
        }
    }

    fn hears(&self) -> Kinds {
        kinds::<H>([Kind::BecameLeader])
    }

    fn on_event(&mut self, _: &Nodes<'_, H>, node: NodeId, facts: &[H::Fact]) -> Result<(), Breach> {
        facts.iter().filter_map(H::as_fact).try_for_each(|fact| match fact {
            Fact::BecameLeader { term } => self.elect(*term, node),
            Fact::Recovered { .. }
            | Fact::TermChanged { .. }
            | Fact::SpokeIn { .. }
            | Fact::BecamePreCandidate { .. }
            | Fact::Disrupted { .. }
            | Fact::Compacted { .. }
            | Fact::Restored { .. }
            | Fact::VoteGranted { .. }
            | Fact::BecameCandidate { .. }
            | Fact::BecameFollower { .. }
            | Fact::Appended { .. }
            | Fact::Truncated { .. }
            | Fact::Committed { .. }
            | Fact::Applied { .. } => Ok(()),
        })
    }

    /// Weaker than the history: only leaders that live at the same time.
    fn check_all(&self, nodes: &Nodes<'_, H>) -> Result<(), Breach> {
        let mut living = Self::default();
        for (node, raft) in replicas(nodes).filter(|(_, raft)| raft.is_leader()) {
            living.elect(raft.term(), node)?;
            ensure!(
                self.leaders.get(&raft.term()) == Some(&node),
                "{node} leads {}, and its election was not stated",
                raft.term()
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_leader_of_a_term_is_found_even_after_the_first_is_gone() {
        let mut elections = ElectionSafety::default();
        let (first, second) = (NodeId::new(0), NodeId::new(1));
        assert_eq!(elections.elect(Term(1), first), Ok(()));
        assert_eq!(elections.elect(Term(2), second), Ok(()));
        assert_eq!(elections.elect(Term(2), second), Ok(()), "said twice");
        let breach = elections.elect(Term(1), second).expect_err("n1 led t1");
        assert_eq!(breach.to_string(), "n1 and n2 were both elected in t1");
    }
}
