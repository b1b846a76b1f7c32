//! One start a view (§4.2).

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;
use sim_core::persist::PersistentMap;

use super::super::{Fact, View, Vrr};

/// A view is started at most once. That only its primary does so follows from the number; that it does so once, with
/// one log, is what would break if a primary that has crashed took its turn a second time.
#[derive(Clone, Debug, Default)]
pub struct OneStartAView {
    started: PersistentMap<View, NodeId>,
}

impl OneStartAView {
    fn start(&mut self, view: View, node: NodeId) -> Result<(), Breach> {
        let before = self.started.insert(view, node);
        ensure!(before.is_none(), "{node} starts {view}, which {} had started", before.unwrap_or(node));
        Ok(())
    }
}

impl Invariant<Vrr> for OneStartAView {
    fn about(&self) -> &'static About {
        &About {
            name: "one-start-a-view",
            statement: "Every view is started at most once.",
            source: "paper §4.2; what ElectionSafety is to raft.tla",
            leaves_out: "whether a majority wanted the view: `committed-survives` shows what matters of that",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Vrr>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| match *fact {
            Fact::BecamePrimary { view } => self.start(view, node),
            Fact::RecoveryStarted
            | Fact::Recovered { .. }
            | Fact::ViewChangeStarted { .. }
            | Fact::BecameBackup { .. }
            | Fact::Appended { .. }
            | Fact::Truncated { .. }
            | Fact::Installed { .. }
            | Fact::EpochLeft { .. }
            | Fact::EpochLearned { .. }
            | Fact::Retired { .. }
            | Fact::Acknowledged { .. }
            | Fact::Committed { .. }
            | Fact::Applied { .. } => Ok(()),
        })
    }

    /// Who is in a view now, is in one that was started.
    fn check_all(&self, nodes: &Nodes<'_, Vrr>) -> Result<(), Breach> {
        for (node, vrr) in nodes.running().filter(|(_, vrr)| vrr.is_primary()) {
            let starter = self.started.get(&vrr.view_number());
            ensure!(
                starter == Some(&node),
                "{node} is primary of {}, started by {starter:?}",
                vrr.view_number()
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_that_starts_twice_is_found() {
        let mut invariant = OneStartAView::default();
        let node = NodeId::new(1);
        assert_eq!(invariant.start(View::first(1), node), Ok(()));
        assert_eq!(invariant.start(View::first(4), node), Ok(()), "its next turn");
        let breach = invariant.start(View::first(4), node).expect_err("it has had that turn");
        assert_eq!(breach.to_string(), "n2 starts v4, which n2 had started");
    }
}
