//! Who may be elected has everything that is committed (§5.4.1).

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Fact, Index, Raft, Term};

/// If a node's log is at least as up to date as another's (by last term, then by length), it has all that the other has
/// committed.
///
/// Looked at where it may change: when a node commits, when a log shrinks or begins anew, and when it gets its first entry
/// of a term.
#[derive(Clone, Debug, Default)]
pub struct MoreUpToDateCorrect {
    /// The last term of each log, by index of the node.
    last_terms: Vec<Term>,
}

/// How up to date a log is.
fn end(raft: &Raft) -> (Term, Index) {
    (raft.log().last_term(), raft.log().last_index())
}

fn check_pair((node, raft): (NodeId, &Raft), (other, twin): (NodeId, &Raft)) -> Result<(), Breach> {
    let index = twin.log().commit();
    let (own, its) = (raft.log().chain_at(index), twin.log().chain_at(index));
    let has_all = index < raft.log().base() || own == its;
    judge((node, end(raft)), (other, end(twin)), index, has_all)
}

fn judge(
    (node, end): (NodeId, (Term, Index)),
    (other, other_end): (NodeId, (Term, Index)),
    commit: Index,
    has_all: bool,
) -> Result<(), Breach> {
    ensure!(
        end < other_end || has_all,
        "{node} could be elected by {other}, and has not what that has committed up to {commit}"
    );
    Ok(())
}

impl MoreUpToDateCorrect {
    fn is_worth_a_look(&mut self, node: NodeId, fact: &Fact) -> bool {
        match *fact {
            Fact::Appended { term, .. } | Fact::Recovered { term, .. } => {
                if self.last_terms.len() <= node.index() {
                    self.last_terms.resize(node.index() + 1, Term(0));
                }
                let is_new = self.last_terms[node.index()] != term;
                self.last_terms[node.index()] = term;
                is_new || matches!(fact, Fact::Recovered { .. })
            }
            Fact::Truncated { .. } | Fact::Restored { .. } | Fact::Committed { .. } => true,
            Fact::TermChanged { .. }
            | Fact::SpokeIn { .. }
            | Fact::VoteGranted { .. }
            | Fact::BecamePreCandidate { .. }
            | Fact::BecameCandidate { .. }
            | Fact::BecameLeader { .. }
            | Fact::BecameFollower { .. }
            | Fact::Disrupted { .. }
            | Fact::Compacted { .. }
            | Fact::Applied { .. } => false,
        }
    }
}

impl Invariant<Raft> for MoreUpToDateCorrect {
    fn about(&self) -> &'static About {
        &About {
            name: "more-up-to-date-correct",
            statement: "A log at least as up to date as another has everything that the other's node has committed.",
            source: "paper §5.4.1, §5.4.3; etcdraft.tla: MoreUpToDateCorrectInv",
            leaves_out: "nodes that are down; entries appended after the first of their term, which Log Matching covers",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Raft>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        let Some(raft) = nodes.process(node) else { return Ok(()) };
        // Each fact is taken note of, whatever the others say.
        let worthy = facts.iter().filter(|fact| self.is_worth_a_look(node, fact)).count();
        if worthy == 0 {
            return Ok(());
        }
        for other in nodes.running().filter(|(other, _)| *other != node) {
            check_pair((node, raft), other)?;
            check_pair(other, (node, raft))?;
        }
        Ok(())
    }

    /// All pairs.
    fn check_all(&self, nodes: &Nodes<'_, Raft>) -> Result<(), Breach> {
        for one in nodes.running() {
            for other in nodes.running() {
                check_pair(one, other)?;
            }
        }
        Ok(())
    }

    fn fork(&self) -> Box<dyn Invariant<Raft>> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_log_that_is_behind_may_lack_what_is_committed() {
        let ends = |one: (u64, u64), other: (u64, u64), has_all| {
            let end = |(term, index)| (Term(term), Index(index));
            judge((NodeId::new(0), end(one)), (NodeId::new(1), end(other)), Index(3), has_all)
        };
        assert_eq!(ends((2, 3), (3, 3), false), Ok(()), "an older last term");
        assert_eq!(ends((3, 2), (3, 3), false), Ok(()), "a shorter log of the same term");
        assert_eq!(ends((4, 1), (3, 3), true), Ok(()));
        assert!(ends((4, 1), (3, 3), false).is_err());
        assert!(ends((3, 3), (3, 3), false).is_err());
    }
}
