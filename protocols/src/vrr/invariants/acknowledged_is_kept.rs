//! Acknowledged is kept (§4.3, §8.2).

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Fact, Index, View, Vrr};
use crate::replicated::PerNode;

/// What a replica has acknowledged in a view, it has for as long as it is in that view, crash or not: after a recovery
/// too it is as far, or in a later view.
#[derive(Clone, Debug, Default)]
pub struct AcknowledgedIsKept {
    acknowledged: PerNode<(View, Index)>,
}

impl AcknowledgedIsKept {
    fn acknowledge(&mut self, node: NodeId, view: View, index: Index) {
        let latest = self.acknowledged.at(node);
        *latest = (*latest).max((view, index));
    }

    fn check(&self, node: NodeId, last_normal: View, op: Index) -> Result<(), Breach> {
        let (view, index) = self.acknowledged.of(node);
        ensure!(
            (last_normal, op) >= (view, index),
            "{node} has acknowledged {index} in {view}, and has a log of {last_normal} up to {op}"
        );
        Ok(())
    }

    fn check_node(&self, node: NodeId, vrr: &Vrr) -> Result<(), Breach> {
        if !vrr.takes_part() {
            return Ok(());
        }
        self.check(node, vrr.last_normal_view(), vrr.log().op_number())
    }
}

impl Invariant<Vrr> for AcknowledgedIsKept {
    fn about(&self) -> &'static About {
        &About {
            name: "acknowledged-is-kept",
            statement: "What a replica has acknowledged in a view it has, or it is in a later view; after a recovery \
                        as well.",
            source: "paper §4.3, §8.2",
            leaves_out: "replicas that have not recovered, or are between two epochs; promises of view changes, which a crash may undo",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Vrr>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        for fact in facts {
            match *fact {
                Fact::Acknowledged { view, index } => self.acknowledge(node, view, index),
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
                | Fact::Committed { .. }
                | Fact::Applied { .. } => {}
            }
        }
        nodes.process(node).map_or(Ok(()), |vrr| self.check_node(node, vrr))
    }

    fn check_all(&self, nodes: &Nodes<'_, Vrr>) -> Result<(), Breach> {
        nodes.running().try_for_each(|(node, vrr)| self.check_node(node, vrr))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_that_has_less_than_it_acknowledged_is_found() {
        let mut invariant = AcknowledgedIsKept::default();
        let node = NodeId::new(1);
        assert_eq!(invariant.check(node, View::first(0), Index(0)), Ok(()), "it has acknowledged nothing");
        invariant.acknowledge(node, View::first(2), Index(7));
        invariant.acknowledge(node, View::first(2), Index(5));
        assert_eq!(invariant.check(node, View::first(2), Index(7)), Ok(()));
        assert_eq!(invariant.check(node, View::first(3), Index(4)), Ok(()), "a later view may have less");
        assert!(invariant.check(node, View::first(2), Index(6)).is_err());
        assert!(invariant.check(node, View::first(1), Index(9)).is_err());
    }
}
