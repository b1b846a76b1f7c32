//! One group an epoch (§7).

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;
use sim_core::persist::PersistentMap;

use super::super::epoch::EpochStart;
use super::super::{Chain, Epoch, Fact, Index, Vrr};
use crate::replicated::NodeSet;

/// Everybody who knows an epoch knows the same group for it, and the same last entry of the epoch before.
#[derive(Clone, Debug, Default)]
pub struct OneGroupAnEpoch {
    known: PersistentMap<Epoch, Start>,
}

/// The group, and where the reconfiguration stands.
type Start = (NodeSet, Index, Chain);

impl OneGroupAnEpoch {
    fn learn(&mut self, node: NodeId, epoch: Epoch, start: Start) -> Result<(), Breach> {
        self.check(node, epoch, start)?;
        self.known.insert(epoch, start);
        Ok(())
    }

    fn check(&self, node: NodeId, epoch: Epoch, start: Start) -> Result<(), Breach> {
        let known = self.known.get(&epoch).copied().unwrap_or(start);
        ensure!(
            known == start,
            "{node} takes {epoch} for the group {} after {}, chain {}; another replica for {} after {}, chain {}",
            start.0,
            start.1,
            start.2,
            known.0,
            known.1,
            known.2
        );
        Ok(())
    }

    fn check_node(&self, node: NodeId, start: &EpochStart) -> Result<(), Breach> {
        self.check(node, start.epoch(), (start.group.members, start.op, start.chain))
    }
}

impl Invariant<Vrr> for OneGroupAnEpoch {
    fn about(&self) -> &'static About {
        &About {
            name: "one-group-an-epoch",
            statement: "Whoever knows an epoch knows the same group for it, and the same end of the epoch before.",
            source: "paper §7.1: the reconfiguration is an entry of the log",
            leaves_out: "who has learned of no epoch but the first",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Vrr>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| match *fact {
            Fact::EpochLearned { epoch, members, op, chain } => self.learn(node, epoch, (members, op, chain)),
            Fact::RecoveryStarted
            | Fact::Recovered { .. }
            | Fact::ViewChangeStarted { .. }
            | Fact::BecamePrimary { .. }
            | Fact::BecameBackup { .. }
            | Fact::Appended { .. }
            | Fact::Truncated { .. }
            | Fact::Installed { .. }
            | Fact::Acknowledged { .. }
            | Fact::Committed { .. }
            | Fact::EpochLeft { .. }
            | Fact::Retired { .. }
            | Fact::Applied { .. } => Ok(()),
        })
    }

    fn check_all(&self, nodes: &Nodes<'_, Vrr>) -> Result<(), Breach> {
        nodes.running().try_for_each(|(node, vrr)| self.check_node(node, vrr.epoch_start()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_with_two_groups_or_two_beginnings_is_found() {
        let mut invariant = OneGroupAnEpoch::default();
        let group = |count| (0..count).map(NodeId::new).collect::<NodeSet>();
        let node = NodeId::new(0);
        assert_eq!(invariant.learn(node, Epoch(1), (group(3), Index(7), Chain(5))), Ok(()));
        assert_eq!(invariant.learn(node, Epoch(2), (group(4), Index(9), Chain(6))), Ok(()));
        assert_eq!(invariant.learn(node, Epoch(1), (group(3), Index(7), Chain(5))), Ok(()));
        for wrong in
            [(group(4), Index(7), Chain(5)), (group(3), Index(8), Chain(5)), (group(3), Index(7), Chain(6))]
        {
            assert!(invariant.learn(node, Epoch(1), wrong).is_err(), "{wrong:?}");
        }
    }
}
