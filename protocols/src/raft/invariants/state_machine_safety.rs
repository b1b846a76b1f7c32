//! State Machine Safety (§5.4.3).

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};

use super::super::facts::{Kind, kinds};
use super::super::{Fact, Host};
use super::replicas;
use crate::replicated::{AgreedOrder, Machine as _};

/// If a server has applied a log entry at a given index, no other server will ever apply a different log entry for
/// the same index.
#[derive(Clone, Debug, Default)]
pub struct StateMachineSafety {
    /// A snapshot was executed by whoever took it.
    executed: AgreedOrder,
}

impl StateMachineSafety {
    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        match *fact {
            Fact::Applied { index, chain } | Fact::Restored { index, chain, .. } => {
                self.executed.execute(node, index, chain)
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
        }
    }
}

impl<H: Host> Invariant<H> for StateMachineSafety {
    fn about(&self) -> &'static About {
        &About {
            name: "state-machine-safety",
            statement: "If a server has applied a log entry at a given index, no other server will ever apply a \
                        different log entry for the same index.",
            source: "paper §5.4.3, Figure 3; raft.tla: StateMachineSafety",
            leaves_out: "whether executing the same entries gives the same state: linearizability sees to that",
        }
    }

    fn hears(&self) -> Kinds {
        kinds::<H>([Kind::Applied, Kind::Restored])
    }

    fn on_event(&mut self, _: &Nodes<'_, H>, node: NodeId, facts: &[H::Fact]) -> Result<(), Breach> {
        facts.iter().filter_map(H::as_fact).try_for_each(|fact| self.on_fact(node, fact))
    }

    fn check_all(&self, nodes: &Nodes<'_, H>) -> Result<(), Breach> {
        replicas(nodes).try_for_each(|(node, raft)| {
            self.executed.check(node, raft.machine().applied(), raft.machine().chain())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replicated::{Chain, Index};

    fn applied(chain: u64) -> Fact {
        Fact::Applied { index: Index(1), chain: Chain(chain) }
    }

    #[test]
    fn all_execute_the_same_and_who_does_not_is_found() {
        let mut invariant = StateMachineSafety::default();
        assert_eq!(invariant.on_fact(NodeId::new(0), &applied(10)), Ok(()));
        assert_eq!(invariant.on_fact(NodeId::new(1), &applied(10)), Ok(()));
        assert!(invariant.on_fact(NodeId::new(2), &applied(11)).is_err());
    }

    #[test]
    fn a_snapshot_of_something_else_is_found() {
        let restored = |chain| Fact::Restored {
            index: Index(1),
            term: super::super::super::Term(1),
            chain: Chain(chain),
        };
        let mut invariant = StateMachineSafety::default();
        assert_eq!(invariant.on_fact(NodeId::new(0), &applied(10)), Ok(()));
        assert_eq!(invariant.on_fact(NodeId::new(1), &restored(10)), Ok(()));
        assert!(invariant.on_fact(NodeId::new(1), &restored(11)).is_err());
    }
}
