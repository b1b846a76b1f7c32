//! What is committed is in the logs of a quorum (§5.3), whichever quorum one asks.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::disk::Slot;
use sim_core::ensure;

use super::super::durable::{LOG, Record};
use super::super::facts::{Kind, kinds};
use super::super::{Chain, Fact, Host, Index, Membership, NodeSet, Term};
use super::{members_before, replica, stated};

/// Every quorum of a node's membership has a node whose log begins with all that the first has committed.
///
/// Said the other way round: the nodes that lack it are no quorum. It is enough to look at the longest committed prefix,
/// when it grows, and when a log shrinks. Of a node that is down its disk speaks.
#[derive(Clone, Debug, Default)]
pub struct QuorumLogInv {
    last: Option<Prefix>,
}

/// The longest committed prefix so far, and who knew of it first.
#[derive(Clone, Copy, Debug)]
struct Prefix {
    index: Index,
    term: Term,
    chain: Chain,
    /// The membership by which it was committed.
    members: Membership,
}

impl Prefix {
    /// Judges the set of nodes whose log lacks the prefix.
    fn check(&self, lacking: NodeSet) -> Result<(), Breach> {
        ensure!(
            !self.members.is_quorum(lacking),
            "entries up to {} are committed, and {lacking} lack them: enough to elect a leader without them among {}",
            self.index,
            self.members
        );
        Ok(())
    }

    /// Who of the members has another log, in memory, or on disk if it is down.
    fn lacking<H: Host>(&self, nodes: &Nodes<'_, H>) -> NodeSet {
        let lacks = |node: &NodeId| match replica(nodes, *node) {
            Some(raft) if self.index < raft.log().base() => false,
            Some(raft) => raft.log().chain_at(self.index) != Some(self.chain),
            None => !is_on_disk(nodes, *node, self.index, self.term),
        };
        self.members.all().iter().filter(lacks).collect()
    }
}

/// Whether a node would find this entry after a crash that loses every un-synced write: in its log, or behind the
/// beginning of its log, for which a snapshot stands.
pub(super) fn is_on_disk<H: Host>(nodes: &Nodes<'_, H>, node: NodeId, index: Index, term: Term) -> bool {
    let log = nodes.disk(node).and_then(|disk| disk.durable_log(LOG));
    let Some(log) = log else { return false };
    let record = index.previous().0;
    if record < log.first_index() {
        return true;
    }
    match log.get(record).and_then(Slot::intact).and_then(H::as_record) {
        Some(Record::Entry(entry)) => entry.term == term,
        Some(Record::HardState(_) | Record::Snapshot(_) | Record::Items(_)) | None => false,
    }
}

impl QuorumLogInv {
    fn on_fact<H: Host>(
        &mut self,
        nodes: &Nodes<'_, H>,
        node: NodeId,
        fact: &Fact,
        later: &[H::Fact],
    ) -> Result<(), Breach> {
        match *fact {
            Fact::Committed { index, chain } => {
                let Some(raft) = replica(nodes, node) else { return Ok(()) };
                let is_news = self.last.is_none_or(|last| index > last.index);
                if let Some(term) = raft.log().term_at(index).filter(|_| is_news && raft.is_leader()) {
                    let members = members_before(raft, later);
                    self.last = Some(Prefix { index, term, chain, members });
                    return self.check_last(nodes);
                }
                Ok(())
            }
            Fact::Recovered { .. } | Fact::Truncated { .. } | Fact::Restored { .. } => self.check_last(nodes),
            Fact::TermChanged { .. }
            | Fact::SpokeIn { .. }
            | Fact::VoteGranted { .. }
            | Fact::BecamePreCandidate { .. }
            | Fact::BecameCandidate { .. }
            | Fact::BecameLeader { .. }
            | Fact::BecameFollower { .. }
            | Fact::Disrupted { .. }
            | Fact::Appended { .. }
            | Fact::Compacted { .. }
            | Fact::Applied { .. } => Ok(()),
        }
    }

    fn check_last<H: Host>(&self, nodes: &Nodes<'_, H>) -> Result<(), Breach> {
        self.last.map_or(Ok(()), |last| last.check(last.lacking(nodes)))
    }
}

impl<H: Host> Invariant<H> for QuorumLogInv {
    fn about(&self) -> &'static About {
        &About {
            name: "quorum-log-inv",
            statement: "Every quorum has a node whose log begins with everything that is committed.",
            source: "paper §5.3, §5.4; etcdraft.tla: QuorumLogInv",
            leaves_out: "memberships older than that of the leader which committed last; entries of a log that grew again \
                         within one event",
        }
    }

    fn hears(&self) -> Kinds {
        kinds::<H>([Kind::Recovered, Kind::Truncated, Kind::Restored, Kind::Committed])
    }

    fn on_event(&mut self, nodes: &Nodes<'_, H>, node: NodeId, facts: &[H::Fact]) -> Result<(), Breach> {
        stated::<H>(facts).try_for_each(|(fact, later)| self.on_fact(nodes, node, fact, later))
    }

    fn check_all(&self, nodes: &Nodes<'_, H>) -> Result<(), Breach> {
        self.check_last(nodes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes<const N: usize>(indices: [u32; N]) -> NodeSet {
        indices.map(NodeId::new).into_iter().collect()
    }

    #[test]
    fn a_minority_may_lack_what_is_committed_and_a_majority_may_not() {
        let members = Membership::of([0, 1, 2, 3, 4].map(NodeId::new));
        let prefix = Prefix { index: Index(7), term: Term(2), chain: Chain(1), members };
        assert_eq!(prefix.check(nodes([3, 4])), Ok(()));
        assert!(prefix.check(nodes([2, 3, 4])).is_err());
    }

    #[test]
    fn in_a_joint_membership_a_majority_of_one_side_is_not_enough_to_do_without() {
        let old = Membership::of([0, 1, 2].map(NodeId::new));
        let members = old.joint(
            &Membership::of([2, 3, 4].map(NodeId::new)),
            super::super::super::membership::Leave::Implicit,
        );
        let prefix = Prefix { index: Index(7), term: Term(2), chain: Chain(1), members };
        assert_eq!(prefix.check(nodes([0, 1])), Ok(()), "the new side has it");
        assert!(prefix.check(nodes([0, 1, 3, 4])).is_err());
    }
}
