//! No message is of a term that its sender may forget (§5.1).

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::disk::Slot;
use sim_core::ensure;

use super::super::durable::{HARD_STATE, Record};
use super::super::facts::{Kind, kinds};
use super::super::{Fact, Host, Term};
use super::{replica, replicas};

/// The term of a message is at most its sender's current term, and at most the term on its disk: one that is forgotten in
/// a crash was never spoken of. The first message of each term is looked at.
#[derive(Clone, Debug, Default)]
pub struct MessageTerms;

fn check(node: NodeId, spoken: Term, current: Term, on_disk: Term) -> Result<(), Breach> {
    ensure!(spoken <= current, "{node} sent a message of {spoken} while in {current}");
    ensure!(spoken <= on_disk, "{node} sent a message of {spoken}, and its disk only knows {on_disk}");
    Ok(())
}

/// The term that a node would find after a crash.
fn term_on_disk<H: Host>(nodes: &Nodes<'_, H>, node: NodeId) -> Term {
    let cell = nodes.disk(node).and_then(|disk| disk.durable_cell(HARD_STATE));
    match cell.and_then(Slot::intact).and_then(H::as_record) {
        Some(Record::HardState(hard)) => hard.term,
        Some(Record::Entry(_) | Record::Snapshot(_) | Record::Items(_)) | None => Term(0),
    }
}

impl<H: Host> Invariant<H> for MessageTerms {
    fn about(&self) -> &'static About {
        &About {
            name: "message-terms",
            statement: "A message's term is at most its sender's current term, and that is on disk.",
            source: "paper §5.1, Figure 2; etcdraft.tla: MessageTermsLtCurrentTerm",
            leaves_out: "pre-votes and replies to them, which speak of terms that nobody has entered; with \
                `overlap_own_vote` requests for votes, which may leave before the term is on disk",
        }
    }

    fn hears(&self) -> Kinds {
        kinds::<H>([Kind::SpokeIn])
    }

    fn on_event(&mut self, nodes: &Nodes<'_, H>, node: NodeId, facts: &[H::Fact]) -> Result<(), Breach> {
        let Some(raft) = replica(nodes, node) else { return Ok(()) };
        facts.iter().filter_map(H::as_fact).try_for_each(|fact| match *fact {
            Fact::SpokeIn { term } => check(node, term, raft.term(), term_on_disk(nodes, node)),
            Fact::Recovered { .. }
            | Fact::TermChanged { .. }
            | Fact::VoteGranted { .. }
            | Fact::BecamePreCandidate { .. }
            | Fact::BecameCandidate { .. }
            | Fact::BecameLeader { .. }
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

    /// Messages on their way are not seen from here: that the disk is never ahead of the node is.
    fn check_all(&self, nodes: &Nodes<'_, H>) -> Result<(), Breach> {
        for (node, raft) in replicas(nodes) {
            let on_disk = term_on_disk(nodes, node);
            ensure!(on_disk <= raft.term(), "{node} is in {}, and its disk in {on_disk}", raft.term());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_spoken_of_only_once_it_is_entered_and_on_disk() {
        let node = NodeId::new(0);
        assert_eq!(check(node, Term(2), Term(3), Term(3)), Ok(()));
        assert!(check(node, Term(4), Term(3), Term(4)).is_err(), "not entered");
        assert!(check(node, Term(3), Term(3), Term(2)).is_err(), "not on disk");
    }
}
