//! What is committed is on the disks of a quorum (Figure 2: "persistent state").

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;

use super::super::facts::{Kind, kinds};
use super::super::{Fact, Host, Index, Membership, NodeSet};
use super::quorum_log_inv::is_on_disk;
use super::{members_before, replica, replicas, stated};

/// When a leader commits an entry, a quorum of its membership has the entry on disk, so that it survives if all of them
/// crash at once.
///
/// The disks are asked, not the nodes. The leader's own disk is one of them: it may commit before its own write is done
/// (dissertation §10.2.1), which is why etcd's stricter invariant of this name does not hold here.
#[derive(Clone, Debug, Default)]
pub struct CommittedIsDurable {
    last: Index,
}

fn check(node: NodeId, index: Index, members: &Membership, durable: NodeSet) -> Result<(), Breach> {
    ensure!(
        members.is_quorum(durable),
        "{node} commits {index}, and only {durable} of {members} have it on disk"
    );
    Ok(())
}

impl CommittedIsDurable {
    fn commit<H: Host>(
        &mut self,
        nodes: &Nodes<'_, H>,
        node: NodeId,
        index: Index,
        later: &[H::Fact],
    ) -> Result<(), Breach> {
        let Some(raft) = replica(nodes, node).filter(|raft| raft.is_leader()) else { return Ok(()) };
        let Some(term) = raft.log().term_at(index).filter(|_| index > self.last) else { return Ok(()) };
        self.last = index;
        let members = members_before(raft, later);
        let durable = members.all().iter().filter(|voter| is_on_disk(nodes, *voter, index, term)).collect();
        check(node, index, &members, durable)
    }
}

impl<H: Host> Invariant<H> for CommittedIsDurable {
    fn about(&self) -> &'static About {
        &About {
            name: "committed-is-durable",
            statement: "When a leader commits an entry, a quorum has it on disk.",
            source: "paper Figure 2; dissertation §3.8, §10.2.1; after etcdraft.tla: CommittedIsDurableInv",
            leaves_out: "what becomes of the disks later: `leader-completeness` shows whether it mattered",
        }
    }

    fn hears(&self) -> Kinds {
        kinds::<H>([Kind::Committed])
    }

    fn on_event(&mut self, nodes: &Nodes<'_, H>, node: NodeId, facts: &[H::Fact]) -> Result<(), Breach> {
        stated::<H>(facts).try_for_each(|(fact, later)| match *fact {
            Fact::Committed { index, .. } => self.commit(nodes, node, index, later),
            Fact::Recovered { .. }
            | Fact::TermChanged { .. }
            | Fact::SpokeIn { .. }
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
            | Fact::Applied { .. } => Ok(()),
        })
    }

    /// What a node says of its own disk is so.
    fn check_all(&self, nodes: &Nodes<'_, H>) -> Result<(), Breach> {
        replicas(nodes).try_for_each(|(node, raft)| super::durable_is_on_disk::check(nodes, node, raft))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_on_the_disks_of_a_minority_is_not_committed() {
        let members = Membership::of([0, 1, 2].map(NodeId::new));
        let durable = |indices: &[u32]| indices.iter().copied().map(NodeId::new).collect();
        let judge = |indices: &[u32]| check(NodeId::new(0), Index(4), &members, durable(indices));
        assert_eq!(judge(&[0, 1]), Ok(()));
        assert_eq!(judge(&[1, 2]), Ok(()), "the leader's own disk need not be among them");
        assert!(judge(&[0]).is_err());
        assert!(judge(&[0, 5]).is_err(), "others do not count");
    }
}
