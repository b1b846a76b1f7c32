//! Whatever is appended in a leader's term, the leader has it (§5.2, §5.3).

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;

use super::super::facts::{Kind, kinds};
use super::super::{Fact, Host, Index, Term};
use super::{replica, replicas};
use crate::replicated::PerNode;

/// A leader has the largest index, over all logs, of the entries of its term: only it creates them, and it never removes
/// one. What is known of terms and leaders comes from facts; how far a leader's log goes it tells when it is asked.
#[derive(Clone, Debug, Default)]
pub struct LeaderHasOwnTerm {
    /// For each node the last term that it came to lead.
    led: PerNode<Term>,
    /// Who came to lead the latest term that has a leader: of its term most entries are.
    latest: Option<(Term, NodeId)>,
}

impl LeaderHasOwnTerm {
    fn elect(&mut self, term: Term, node: NodeId) {
        *self.led.at(node) = term;
        if self.latest.is_none_or(|(latest, _)| latest <= term) {
            self.latest = Some((term, node));
        }
    }

    /// Who came to lead this term, if anybody did and has not led a later one since.
    fn leader_of(&self, term: Term) -> Option<NodeId> {
        match self.latest {
            Some((latest, node)) if latest == term => Some(node),
            Some((latest, _)) if latest > term => {
                self.led.iter().find(|(_, led)| **led == term).map(|(node, _)| node)
            }
            Some(_) | None => None,
        }
    }

    fn on_entry<H: Host>(
        &self,
        nodes: &Nodes<'_, H>,
        node: NodeId,
        index: Index,
        term: Term,
    ) -> Result<(), Breach> {
        let Some(leader) = self.leader_of(term) else { return Ok(()) };
        match replica(nodes, leader) {
            Some(raft) if raft.is_leader() && raft.term() == term => {
                check(leader, raft.log().last_index(), (node, index, term))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// The last entry of a leader's log is of its term: what it began that with, or a later one.
fn check(leader: NodeId, last: Index, (node, index, term): (NodeId, Index, Term)) -> Result<(), Breach> {
    ensure!(
        index <= last,
        "{node} has an entry of {term} at {index}, and the log of {leader}, who leads {term}, ends at {last}"
    );
    Ok(())
}

impl<H: Host> Invariant<H> for LeaderHasOwnTerm {
    fn about(&self) -> &'static About {
        &About {
            name: "leader-has-own-term",
            statement: "A leader has the largest index, over all logs, of the entries of its term.",
            source: "paper §5.2, §5.3: one leader creates the entries of a term; etcdraft.tla: ElectionSafetyInv",
            leaves_out: "whether the entries are the same: `log-matching`; entries of a term whose leader is gone",
        }
    }

    fn hears(&self) -> Kinds {
        kinds::<H>([Kind::BecameLeader, Kind::Appended, Kind::Restored, Kind::Recovered])
    }

    fn on_event(&mut self, nodes: &Nodes<'_, H>, node: NodeId, facts: &[H::Fact]) -> Result<(), Breach> {
        facts.iter().filter_map(H::as_fact).try_for_each(|fact| match *fact {
            Fact::BecameLeader { term } => {
                self.elect(term, node);
                Ok(())
            }
            Fact::Appended { index, term, .. }
            | Fact::Restored { index, term, .. }
            | Fact::Recovered { index, term, .. } => self.on_entry(nodes, node, index, term),
            Fact::TermChanged { .. }
            | Fact::SpokeIn { .. }
            | Fact::VoteGranted { .. }
            | Fact::BecamePreCandidate { .. }
            | Fact::BecameCandidate { .. }
            | Fact::BecameFollower { .. }
            | Fact::Disrupted { .. }
            | Fact::Truncated { .. }
            | Fact::Compacted { .. }
            | Fact::Committed { .. }
            | Fact::Applied { .. } => Ok(()),
        })
    }

    /// Every leader against every entry of every log.
    fn check_all(&self, nodes: &Nodes<'_, H>) -> Result<(), Breach> {
        for (leader, leading) in replicas(nodes).filter(|(_, raft)| raft.is_leader()) {
            for (node, raft) in replicas(nodes) {
                let (log, term) = (raft.log(), leading.term());
                let indices = (log.base().0 + 1..=log.last_index().0).map(Index);
                for index in indices.filter(|index| log.matches(*index, term)) {
                    check(leader, leading.log().last_index(), (node, index, term))?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_that_the_leader_of_its_term_lacks_is_found() {
        let (leader, follower) = (NodeId::new(0), NodeId::new(1));
        assert_eq!(check(leader, Index(4), (follower, Index(4), Term(2))), Ok(()));
        let breach = check(leader, Index(4), (follower, Index(5), Term(2))).expect_err("who made it?");
        assert_eq!(
            breach.to_string(),
            "n2 has an entry of t2 at 5, and the log of n1, who leads t2, ends at 4"
        );
    }

    #[test]
    fn the_leader_of_an_entry_is_found_also_when_later_terms_have_leaders() {
        let (first, second) = (NodeId::new(0), NodeId::new(1));
        let mut invariant = LeaderHasOwnTerm::default();
        assert_eq!(invariant.leader_of(Term(1)), None);
        invariant.elect(Term(1), first);
        invariant.elect(Term(3), second);
        let leaders = [1, 2, 3, 4].map(|term| invariant.leader_of(Term(term)));
        assert_eq!(leaders, [Some(first), None, Some(second), None]);
        invariant.elect(Term(5), first);
        assert_eq!(invariant.leader_of(Term(1)), None, "it leads another one now");
    }
}
