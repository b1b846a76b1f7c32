//! What a node takes for durable is on its disk (Figure 2: "persistent state").

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;

use super::super::facts::{Kind, kinds};
use super::super::{Application, Fact, Host, Index, Replica, Term};
use super::quorum_log_inv::is_on_disk;
use super::{replica, replicas};

/// The last entry that a node counts as durable is on its disk with the term that its log has there.
///
/// This is what an acknowledgement for entries that were replaced meanwhile would break: the ABA problem of asynchronous
/// writes.
#[derive(Clone, Debug, Default)]
pub struct DurableIsOnDisk;

/// Judges one node as it stands.
pub(super) fn check<H: Host>(
    nodes: &Nodes<'_, H>,
    node: NodeId,
    raft: &Replica<impl Application>,
) -> Result<(), Breach> {
    let durable = raft.log().durable();
    let Some(term) = raft.log().term_at(durable).filter(|_| durable > raft.log().base()) else {
        return Ok(());
    };
    judge(node, (durable, term), is_on_disk(nodes, node, durable, term))
}

fn judge(node: NodeId, (durable, term): (Index, Term), is_there: bool) -> Result<(), Breach> {
    ensure!(is_there, "{node} takes ({durable}, {term}) for durable, and its disk has it not");
    Ok(())
}

impl<H: Host> Invariant<H> for DurableIsOnDisk {
    fn about(&self) -> &'static About {
        &About {
            name: "durable-is-on-disk",
            statement: "The last entry that a node takes for durable is on its disk.",
            source: "paper Figure 2; after etcd: async_storage_writes_append_aba_race",
            leaves_out: "entries before the last one: their writes come first",
        }
    }

    fn hears(&self) -> Kinds {
        kinds::<H>([Kind::Appended, Kind::Truncated, Kind::Restored, Kind::Committed])
    }

    fn on_event(&mut self, nodes: &Nodes<'_, H>, node: NodeId, facts: &[H::Fact]) -> Result<(), Breach> {
        let Some(raft) = replica(nodes, node) else { return Ok(()) };
        let is_about_logs = facts.iter().filter_map(H::as_fact).any(|fact| match fact {
            Fact::Committed { .. }
            | Fact::Appended { .. }
            | Fact::Truncated { .. }
            | Fact::Restored { .. } => true,
            Fact::Recovered { .. }
            | Fact::TermChanged { .. }
            | Fact::SpokeIn { .. }
            | Fact::VoteGranted { .. }
            | Fact::BecamePreCandidate { .. }
            | Fact::BecameCandidate { .. }
            | Fact::BecameLeader { .. }
            | Fact::BecameFollower { .. }
            | Fact::Disrupted { .. }
            | Fact::Compacted { .. }
            | Fact::Applied { .. } => false,
        });
        if is_about_logs { check(nodes, node, raft) } else { Ok(()) }
    }

    fn check_all(&self, nodes: &Nodes<'_, H>) -> Result<(), Breach> {
        replicas(nodes).try_for_each(|(node, raft)| check(nodes, node, raft))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_that_the_disk_does_not_have_is_not_durable() {
        let last = (Index(4), Term(2));
        assert_eq!(judge(NodeId::new(0), last, true), Ok(()));
        let breach = judge(NodeId::new(0), last, false).expect_err("it is not there");
        assert_eq!(breach.to_string(), "n1 takes (4, t2) for durable, and its disk has it not");
    }
}
