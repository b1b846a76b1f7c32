//! State Machine Safety (§4.1, step 7).

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;
use sim_core::persist::AppendLog;

use super::super::{Chain, Fact, Index, Vrr};

/// No two replicas execute different requests at an op-number, and none leaves one out.
#[derive(Clone, Debug)]
pub struct StateMachineSafety {
    /// The chain of what was executed up to each op-number, by whoever got there first.
    executed: AppendLog<Chain>,
}

impl Default for StateMachineSafety {
    fn default() -> Self {
        Self { executed: AppendLog::starting_at(1) }
    }
}

impl StateMachineSafety {
    fn execute(&mut self, node: NodeId, index: Index, chain: Chain) -> Result<(), Breach> {
        let Some(known) = self.executed.get(index.0) else {
            let next = self.executed.end_index();
            ensure!(index.0 == next, "{node} executed {index}, and nobody has executed {next}");
            self.executed.push(chain);
            return Ok(());
        };
        ensure!(
            *known == chain,
            "{node} executed other entries up to {index} than another replica: chain {chain}, not {known}"
        );
        Ok(())
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
        facts.iter().try_for_each(|fact| match *fact {
            Fact::Applied { index, chain, .. } => self.execute(node, index, chain),
            Fact::RecoveryStarted
            | Fact::Recovered { .. }
            | Fact::ViewChangeStarted { .. }
            | Fact::BecamePrimary { .. }
            | Fact::BecameBackup { .. }
            | Fact::Appended { .. }
            | Fact::Truncated { .. }
            | Fact::Installed { .. }
            | Fact::Acknowledged { .. }
            | Fact::Committed { .. } => Ok(()),
        })
    }

    fn check_all(&self, nodes: &Nodes<'_, Vrr>) -> Result<(), Breach> {
        for (node, vrr) in nodes.running().filter(|(_, vrr)| vrr.machine().applied() > Index::ZERO) {
            let (index, chain) = (vrr.machine().applied(), vrr.machine().chain());
            let known = self.executed.get(index.0);
            ensure!(
                known == Some(&chain),
                "{node} executed up to {index} with chain {chain}, stated was {known:?}"
            );
        }
        Ok(())
    }

    fn fork(&self) -> Box<dyn Invariant<Vrr>> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(executed: &[(u32, u64, u64)]) -> Result<(), Breach> {
        let mut invariant = StateMachineSafety::default();
        executed.iter().try_for_each(|&(node, index, chain)| {
            invariant.execute(NodeId::new(node), Index(index), Chain(chain))
        })
    }

    #[test]
    fn the_same_sequence_everywhere_and_a_start_after_a_checkpoint_are_fine() {
        assert_eq!(judge(&[(0, 1, 10), (0, 2, 20), (1, 2, 20), (0, 1, 10), (2, 3, 30)]), Ok(()));
    }

    #[test]
    fn another_entry_at_an_op_number_is_found() {
        assert!(judge(&[(0, 1, 10), (1, 1, 11)]).is_err());
    }

    #[test]
    fn an_entry_that_was_left_out_is_found() {
        assert!(judge(&[(0, 1, 10), (0, 3, 30)]).is_err());
    }
}
