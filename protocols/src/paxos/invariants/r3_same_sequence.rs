//! R3: the state is the result of the decisions in order.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};

use super::super::{Fact, Paxos};
use crate::replicated::AgreedOrder;

/// All nodes that have executed up to a slot have executed the same sequence. The state is a function of it.
#[derive(Clone, Debug, Default)]
pub struct SameSequence {
    executed: AgreedOrder,
}

impl SameSequence {
    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        match *fact {
            Fact::Applied { slot, chain }
            | Fact::Installed { slot, chain }
            | Fact::Recovered { slot, chain } => self.executed.execute(node, slot, chain),
            Fact::LostDisk { .. }
            | Fact::Readmitted { .. }
            | Fact::BecameCandidate { .. }
            | Fact::BecameLeader { .. }
            | Fact::BecameFollower { .. }
            | Fact::Promised { .. }
            | Fact::Accepted(_)
            | Fact::Proposed(_)
            | Fact::Decided { .. } => Ok(()),
        }
    }
}

impl Invariant<Paxos> for SameSequence {
    fn about(&self) -> &'static About {
        &About {
            name: "r3-same-sequence",
            statement: "The state of a replica is the result of executing the decisions in order of slot.",
            source: "PMMC §2 (R3)",
            leaves_out: "whether executing the same sequence gives the same state: linearizability sees to that",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Paxos>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, fact))
    }

    fn check_all(&self, nodes: &Nodes<'_, Paxos>) -> Result<(), Breach> {
        nodes.running().try_for_each(|(node, paxos)| {
            self.executed.check(node, paxos.machine().applied(), paxos.machine().chain())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replicated::{Chain, Index};

    fn judge(facts: &[(u32, Fact)]) -> Result<(), Breach> {
        let mut invariant = SameSequence::default();
        facts.iter().try_for_each(|(node, fact)| invariant.on_fact(NodeId::new(*node), fact))
    }

    fn applied(slot: u64, chain: u64) -> Fact {
        Fact::Applied { slot: Index(slot), chain: Chain(chain) }
    }

    #[test]
    fn the_same_sequence_on_all_nodes_and_again_after_a_restart_is_fine() {
        let installed = Fact::Installed { slot: Index(2), chain: Chain(20) };
        let facts = [
            (0, applied(1, 10)),
            (0, applied(2, 20)),
            (1, applied(1, 10)),
            (2, installed),
            (0, applied(1, 10)),
        ];
        assert_eq!(judge(&facts), Ok(()));
    }

    #[test]
    fn another_sequence_is_found() {
        assert!(judge(&[(0, applied(1, 10)), (1, applied(1, 11))]).is_err());
    }
}
