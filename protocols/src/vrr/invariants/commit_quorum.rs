//! What is committed, a quorum holds (§4.1, step 5).

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;
use sim_core::persist::PersistentMap;

use super::super::{Fact, Group, Index, View, Vrr};
use crate::replicated::PerNode;

/// A primary commits an entry only when f others have acknowledged it in its view.
#[derive(Clone, Debug, Default)]
pub struct CommitQuorum {
    /// For each replica the view in which it has acknowledged last, and how far.
    acknowledged: PerNode<(View, Index)>,
    /// The same of views before that.
    earlier: PersistentMap<(NodeId, View), Index>,
    /// What anybody has committed.
    committed: Index,
}

impl CommitQuorum {
    fn acknowledge(&mut self, node: NodeId, view: View, index: Index) {
        let latest = self.acknowledged.at(node);
        if latest.0 != view {
            self.earlier.insert((node, latest.0), latest.1);
        }
        *latest = (*latest).max((view, index));
    }

    /// How far a replica has acknowledged in a view. Its acknowledgements may be late, and it elsewhere by now.
    fn acknowledged_in(&self, node: NodeId, view: View) -> Index {
        let (latest, index) = self.acknowledged.of(node);
        if latest == view {
            return index;
        }
        self.earlier.get(&(node, view)).copied().unwrap_or_default()
    }

    /// A replica commits. Who is not the first only hears of it.
    fn commit(&mut self, node: NodeId, view: View, index: Index, group: Group) -> Result<(), Breach> {
        if index <= self.committed {
            return Ok(());
        }
        let quorum = group.quorum();
        let others = group.members.iter().filter(|other| *other != node);
        let held_by = 1 + others.filter(|other| self.acknowledged_in(*other, view) >= index).count();
        ensure!(
            held_by >= quorum,
            "{node} commits {index} in {view}, and only {held_by} hold it, of {quorum} needed"
        );
        self.committed = index;
        Ok(())
    }

    fn on_fact(&mut self, nodes: &Nodes<'_, Vrr>, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        let Some(vrr) = nodes.process(node) else { return Ok(()) };
        match *fact {
            Fact::Acknowledged { view, index } => {
                self.acknowledge(node, view, index);
                Ok(())
            }
            // The epoch may have ended with it, and the replica have left it since. Of older ones it only hears.
            Fact::Committed { view, index, .. } => match vrr.group_of(view.epoch) {
                Some(group) => self.commit(node, view, index, group),
                None => Ok(()),
            },
            Fact::RecoveryStarted
            | Fact::Recovered { .. }
            | Fact::ViewChangeStarted { .. }
            | Fact::BecamePrimary { .. }
            | Fact::BecameBackup { .. }
            | Fact::Appended { .. }
            | Fact::Truncated { .. }
            | Fact::Installed { .. }
            | Fact::EpochLeft { .. }
            | Fact::EpochLearned { .. }
            | Fact::Retired { .. }
            | Fact::Applied { .. } => Ok(()),
        }
    }
}

impl Invariant<Vrr> for CommitQuorum {
    fn about(&self) -> &'static About {
        &About {
            name: "commit-quorum",
            statement: "Whoever commits an entry first does so when f others of the epoch's group have acknowledged it in its \
                        view.",
            source: "paper §4.1, step 5",
            leaves_out: "whether the acknowledgements had arrived: that they were sent is enough",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Vrr>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(nodes, node, fact))
    }

    fn check_all(&self, nodes: &Nodes<'_, Vrr>) -> Result<(), Breach> {
        nodes.running().try_for_each(|(node, vrr)| {
            let commit = vrr.log().commit_number();
            ensure!(commit <= self.committed, "{node} has committed {commit}, stated was {}", self.committed);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Epoch;
    use super::*;

    fn group(members: u32) -> Group {
        Group { epoch: Epoch(0), members: (0..members).map(NodeId::new).collect() }
    }

    #[test]
    fn an_acknowledgement_of_who_is_no_member_does_not_count() {
        let mut invariant = CommitQuorum::default();
        invariant.acknowledge(NodeId::new(3), View::first(0), Index(2));
        assert!(invariant.commit(NodeId::new(0), View::first(0), Index(2), group(3)).is_err());
        invariant.acknowledge(NodeId::new(2), View::first(0), Index(2));
        assert_eq!(invariant.commit(NodeId::new(0), View::first(0), Index(2), group(3)), Ok(()));
    }

    #[test]
    fn a_commit_needs_f_others_in_the_same_view() {
        let mut invariant = CommitQuorum::default();
        let [primary, second, third] = [0, 1, 2].map(NodeId::new);
        invariant.acknowledge(second, View::first(0), Index(2));
        assert!(
            invariant.commit(primary, View::first(0), Index(3), group(3)).is_err(),
            "nobody else holds 3"
        );
        assert_eq!(invariant.commit(primary, View::first(0), Index(2), group(3)), Ok(()));
        assert_eq!(
            invariant.commit(third, View::first(0), Index(2), group(3)),
            Ok(()),
            "who hears of it later"
        );
        invariant.acknowledge(third, View::first(3), Index(3));
        assert!(
            invariant.commit(primary, View::first(0), Index(3), group(3)).is_err(),
            "held in another view"
        );
        assert!(
            invariant.commit(primary, View::first(3), Index(3), group(5)).is_err(),
            "one is not enough of five"
        );
    }

    #[test]
    fn an_acknowledgement_counts_when_its_sender_has_gone_on_to_another_view() {
        let mut invariant = CommitQuorum::default();
        let [primary, second] = [0, 1].map(NodeId::new);
        invariant.acknowledge(second, View::first(0), Index(2));
        invariant.acknowledge(second, View::first(1), Index(1));
        assert_eq!(invariant.commit(primary, View::first(0), Index(2), group(3)), Ok(()));
    }
}
