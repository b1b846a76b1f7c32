//! Sealed before started (§7.1, and what `vrr::epoch` adds to it).

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;
use sim_core::persist::PersistentMap;

use super::super::{Epoch, Fact, Group, View, Vrr};
use crate::replicated::NodeSet;

/// Nobody takes part in an epoch before a quorum has left the one before, and stays away from it.
#[derive(Clone, Debug, Default)]
pub struct SealedBeforeStarted {
    /// For each epoch who has left it, and has not recovered into it since.
    left: PersistentMap<Epoch, NodeSet>,
}

impl SealedBeforeStarted {
    fn leave(&mut self, node: NodeId, epoch: Epoch) {
        self.left.insert(epoch, self.of(epoch).with(node));
    }

    fn recover(&mut self, node: NodeId, epoch: Epoch) {
        if self.of(epoch).contains(node) {
            self.left.insert(epoch, self.of(epoch).without(node));
        }
    }

    fn of(&self, epoch: Epoch) -> NodeSet {
        self.left.get(&epoch).copied().unwrap_or_default()
    }

    /// A replica is normal in `view`; the group of the epoch before was `old`.
    fn enter(&self, node: NodeId, view: View, old: Group) -> Result<(), Breach> {
        let left = self.of(old.epoch).intersection(old.members);
        ensure!(
            left.len() >= old.quorum(),
            "{node} is normal in {view}, and only {} of {} have left {}",
            left.len(),
            old.len(),
            old.epoch
        );
        Ok(())
    }

    fn on_fact(&mut self, nodes: &Nodes<'_, Vrr>, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        match *fact {
            Fact::EpochLeft { epoch } => self.leave(node, epoch),
            Fact::Recovered { view, .. } => self.recover(node, view.epoch),
            Fact::BecamePrimary { view } | Fact::BecameBackup { view } => {
                let start =
                    nodes.process(node).map(Vrr::epoch_start).filter(|start| start.epoch() == view.epoch);
                let before = start.and_then(|start| Some((start, view.epoch.previous()?)));
                if let Some((start, before)) = before {
                    return self.enter(node, view, Group { epoch: before, members: start.old });
                }
            }
            Fact::RecoveryStarted
            | Fact::ViewChangeStarted { .. }
            | Fact::Appended { .. }
            | Fact::Truncated { .. }
            | Fact::Installed { .. }
            | Fact::Acknowledged { .. }
            | Fact::Committed { .. }
            | Fact::EpochLearned { .. }
            | Fact::Retired { .. }
            | Fact::Applied { .. } => {}
        }
        Ok(())
    }
}

impl Invariant<Vrr> for SealedBeforeStarted {
    fn about(&self) -> &'static About {
        &About {
            name: "sealed-before-started",
            statement: "Who is normal in an epoch is so after a quorum of the group before has left its epoch for good.",
            source: "paper §7.1; that it must be a quorum is this implementation's, see `vrr::epoch`",
            leaves_out: "who is gone again when the event is over in which it became normal",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Vrr>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(nodes, node, fact))
    }

    /// Who takes part in an epoch now has a sealed one behind it.
    fn check_all(&self, nodes: &Nodes<'_, Vrr>) -> Result<(), Breach> {
        nodes.running().filter(|(_, vrr)| vrr.takes_part()).try_for_each(|(node, vrr)| {
            let Some(before) = vrr.epoch().previous() else { return Ok(()) };
            let old = Group { epoch: before, members: vrr.epoch_start().old };
            self.enter(node, vrr.view_number(), old)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_that_starts_before_a_quorum_has_left_the_one_before_is_found() {
        let mut invariant = SealedBeforeStarted::default();
        let old = Group { epoch: Epoch(0), members: (0..3).map(NodeId::new).collect() };
        let enter =
            |invariant: &SealedBeforeStarted| invariant.enter(NodeId::new(3), View::start_of(Epoch(1)), old);
        invariant.leave(NodeId::new(0), Epoch(0));
        invariant.leave(NodeId::new(5), Epoch(0));
        let breach = enter(&invariant).expect_err("n6 was no member");
        assert_eq!(breach.to_string(), "n4 is normal in e1v0, and only 1 of 3 have left e0");
        invariant.leave(NodeId::new(1), Epoch(0));
        assert_eq!(enter(&invariant), Ok(()));
        invariant.recover(NodeId::new(0), Epoch(0));
        assert!(enter(&invariant).is_err(), "n1 is back");
        invariant.recover(NodeId::new(1), Epoch(1));
        invariant.leave(NodeId::new(0), Epoch(0));
        assert_eq!(
            enter(&invariant),
            Ok(()),
            "who recovers into the new epoch does not come back into the old one"
        );
    }
}
