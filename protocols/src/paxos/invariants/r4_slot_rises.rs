//! R4: the slot that is executed next never falls.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Fact, Index, Paxos};
use crate::replicated::PerNode;

/// From a start to the next crash, how far a node has executed never falls.
#[derive(Clone, Debug, Default)]
pub struct SlotRises {
    executed: PerNode<Index>,
}

impl SlotRises {
    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        match *fact {
            Fact::Recovered { slot, .. } => *self.executed.at(node) = slot,
            Fact::Applied { slot, .. } | Fact::Installed { slot, .. } => {
                let before = self.executed.replace(node, slot);
                ensure!(slot > before, "{node} had executed up to slot {before}, and is at {slot}");
            }
            Fact::LostDisk { .. }
            | Fact::Readmitted { .. }
            | Fact::BecameCandidate { .. }
            | Fact::BecameLeader { .. }
            | Fact::BecameFollower { .. }
            | Fact::Promised { .. }
            | Fact::Accepted(_)
            | Fact::Proposed(_)
            | Fact::Decided { .. } => {}
        }
        Ok(())
    }
}

impl Invariant<Paxos> for SlotRises {
    fn about(&self) -> &'static About {
        &About {
            name: "r4-slot-rises",
            statement: "The slot that a replica executes next never falls while it runs.",
            source: "PMMC §2 (R4)",
            leaves_out: "restarts: what was executed is executed again from the last snapshot",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Paxos>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, fact))
    }

    fn check_all(&self, nodes: &Nodes<'_, Paxos>) -> Result<(), Breach> {
        for (node, paxos) in nodes.running() {
            let (applied, stated) = (paxos.machine().applied(), self.executed.of(node));
            ensure!(applied == stated, "{node} has executed up to {applied}, stated was {stated}");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Chain;
    use super::*;

    fn judge(facts: &[(u32, Fact)]) -> Result<(), Breach> {
        let mut invariant = SlotRises::default();
        facts.iter().try_for_each(|(node, fact)| invariant.on_fact(NodeId::new(*node), fact))
    }

    #[test]
    fn a_fall_is_found_and_a_restart_is_none() {
        let applied = |slot| (0, Fact::Applied { slot: Index(slot), chain: Chain(0) });
        let recovered = (0, Fact::Recovered { slot: Index(0), chain: Chain(0) });
        assert_eq!(judge(&[applied(1), applied(2), recovered, applied(1)]), Ok(()));
        assert!(judge(&[applied(1), applied(2), applied(1)]).is_err());
    }
}
