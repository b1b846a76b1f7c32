//! State Machine Safety (§5.4.3).

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;
use sim_core::persist::AppendLog;

use super::super::{Chain, Fact, Index, Raft};

/// If a server has applied a log entry at a given index, no other server will ever apply a different log entry for
/// the same index.
#[derive(Clone, Debug)]
pub struct StateMachineSafety {
    /// The chain of what was executed up to each index, by whoever got there first. A snapshot was executed by whoever
    /// took it.
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
            "{node} executed other entries up to {index} than another node: chain {chain}, not {known}"
        );
        Ok(())
    }
}

impl Invariant<Raft> for StateMachineSafety {
    fn about(&self) -> &'static About {
        &About {
            name: "state-machine-safety",
            statement: "If a server has applied a log entry at a given index, no other server will ever apply a \
                        different log entry for the same index.",
            source: "paper §5.4.3, Figure 3; raft.tla: StateMachineSafety",
            leaves_out: "whether executing the same entries gives the same state: linearizability sees to that",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Raft>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| match *fact {
            Fact::Applied { index, chain } | Fact::Restored { index, chain, .. } => {
                self.execute(node, index, chain)
            }
            Fact::Recovered { .. }
            | Fact::TermChanged { .. }
            | Fact::SpokeIn { .. }
            | Fact::BecamePreCandidate { .. }
            | Fact::Disrupted { .. }
            | Fact::Compacted { .. }
            | Fact::VoteGranted { .. }
            | Fact::BecameCandidate { .. }
            | Fact::BecameLeader { .. }
            | Fact::BecameFollower { .. }
            | Fact::Appended { .. }
            | Fact::Truncated { .. }
            | Fact::Committed { .. } => Ok(()),
        })
    }

    fn check_all(&self, nodes: &Nodes<'_, Raft>) -> Result<(), Breach> {
        for (node, raft) in nodes.running().filter(|(_, raft)| raft.machine().applied() > Index::ZERO) {
            let (index, chain) = (raft.machine().applied(), raft.machine().chain());
            let known = self.executed.get(index.0);
            ensure!(
                known == Some(&chain),
                "{node} executed up to {index} with chain {chain}, stated was {known:?}"
            );
        }
        Ok(())
    }

    fn fork(&self) -> Box<dyn Invariant<Raft>> {
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
    fn the_same_sequence_on_all_nodes_and_again_after_a_restart_is_fine() {
        assert_eq!(judge(&[(0, 1, 10), (0, 2, 20), (1, 1, 10), (0, 1, 10), (0, 2, 20), (0, 3, 30)]), Ok(()));
    }

    #[test]
    fn another_entry_at_an_index_is_found() {
        assert!(judge(&[(0, 1, 10), (1, 1, 11)]).is_err());
    }

    #[test]
    fn an_entry_that_was_skipped_is_found() {
        assert!(judge(&[(0, 1, 10), (0, 3, 30)]).is_err());
    }
}
