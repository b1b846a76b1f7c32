//! R2: no holes before what is executed.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Fact, Index, Paxos};
use crate::replicated::PerNode;

/// Every node executes slot after slot, and only what is decided.
#[derive(Clone, Debug, Default)]
pub struct NoHoles {
    executed: PerNode<Index>,
    /// The last slot that anybody decided.
    decided: Index,
}

impl NoHoles {
    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        match *fact {
            Fact::Recovered { slot, .. } | Fact::Installed { slot, .. } => {
                *self.executed.at(node) = slot;
            }
            Fact::Decided { slot, .. } => self.decided = self.decided.max(slot),
            Fact::Applied { slot, .. } => {
                let before = self.executed.replace(node, slot);
                ensure!(slot == before.next(), "{node} executed slot {slot} after slot {before}");
                ensure!(slot <= self.decided, "{node} executed slot {slot}, which nobody has decided");
            }
            Fact::LostDisk { .. }
            | Fact::Readmitted { .. }
            | Fact::BecameCandidate { .. }
            | Fact::BecameLeader { .. }
            | Fact::BecameFollower { .. }
            | Fact::Promised { .. }
            | Fact::Accepted(_)
            | Fact::Proposed(_) => {}
        }
        Ok(())
    }
}

impl Invariant<Paxos> for NoHoles {
    fn about(&self) -> &'static About {
        &About {
            name: "r2-no-holes",
            statement: "All proposals before the slot that a node executes next are decided.",
            source: "PMMC §2 (R2)",
            leaves_out: "that holes are closed at last: the liveness conditions see to that",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Paxos>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, fact))
    }

    fn check_all(&self, nodes: &Nodes<'_, Paxos>) -> Result<(), Breach> {
        for (node, paxos) in nodes.running() {
            let (applied, last) = (paxos.machine().applied(), paxos.log().last());
            ensure!(applied <= last, "{node} executed up to {applied}, and knows decisions up to {last}");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Chain;
    use super::super::votes::tests::pvalue;
    use super::*;

    fn judge(facts: &[(u32, Fact)]) -> Result<(), Breach> {
        let mut invariant = NoHoles::default();
        facts.iter().try_for_each(|(node, fact)| invariant.on_fact(NodeId::new(*node), fact))
    }

    fn decided(slot: u64) -> (u32, Fact) {
        (0, Fact::Decided { slot: Index(slot), proposal: pvalue(slot, 0, 1).proposal })
    }

    fn applied(slot: u64) -> (u32, Fact) {
        (1, Fact::Applied { slot: Index(slot), chain: Chain(0) })
    }

    #[test]
    fn slot_after_slot_and_from_a_snapshot_on_is_fine() {
        let installed = (1, Fact::Installed { slot: Index(7), chain: Chain(0) });
        assert_eq!(judge(&[decided(9), applied(1), applied(2), installed, applied(8)]), Ok(()));
    }

    #[test]
    fn a_skipped_slot_and_one_that_is_not_decided_are_found() {
        assert!(judge(&[decided(9), applied(1), applied(3)]).is_err());
        assert!(judge(&[decided(1), applied(1), applied(2)]).is_err());
    }
}
