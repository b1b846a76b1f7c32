//! State Machine Safety (§4.1, step 7).

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};

use super::super::{Fact, Vrr};
use crate::replicated::AgreedOrder;

/// No two replicas execute different requests at an op-number, and none leaves one out.
#[derive(Clone, Debug, Default)]
pub struct StateMachineSafety {
    /// A snapshot was executed by whoever took it.
    executed: AgreedOrder,
}

impl StateMachineSafety {
    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        match *fact {
            Fact::Applied { index, chain, .. } => self.executed.execute(node, index, chain),
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
            | Fact::Acknowledged { .. }
            | Fact::Committed { .. } => Ok(()),
        }
    }
}

impl Invariant<Vrr> for StateMachineSafety {
    fn about(&self) -> &'static About {
        &About {
            name: "state-machine-safety",
            statement: "If a replica has executed an entry at an op-number, no other replica ever executes a different \
                        one there.",
            source: "paper §4.1, step 7; what StateMachineSafety is to raft.tla",
            leaves_out: "whether executing the same entries gives the same state: linearizability sees to that",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Vrr>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, fact))
    }

    fn check_all(&self, nodes: &Nodes<'_, Vrr>) -> Result<(), Breach> {
        nodes.running().try_for_each(|(node, vrr)| {
            self.executed.check(node, vrr.machine().applied(), vrr.machine().chain())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::facts::Effect;
    use super::*;
    use crate::replicated::{Chain, Index};

    fn applied(chain: u64) -> Fact {
        Fact::Applied { index: Index(1), chain: Chain(chain), effect: Effect::Fresh }
    }

    #[test]
    fn all_execute_the_same_and_who_does_not_is_found() {
        let mut invariant = StateMachineSafety::default();
        assert_eq!(invariant.on_fact(NodeId::new(0), &applied(10)), Ok(()));
        assert_eq!(invariant.on_fact(NodeId::new(1), &applied(10)), Ok(()));
        assert!(invariant.on_fact(NodeId::new(2), &applied(11)).is_err());
    }
}
