//! One order of updates (§2.1).

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};

use super::super::facts::COMMITTED;
use super::super::process::servers;
use super::super::{ChainReplication, Fact};
use crate::replicated::AgreedOrder;

/// Whichever servers are tails, what they commit is one sequence.
#[derive(Clone, Debug, Default)]
pub struct OneOrder {
    committed: AgreedOrder,
}

impl OneOrder {
    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        match *fact {
            Fact::Committed { index, chain } => self.committed.execute(node, index, chain),
            Fact::Issued(_)
            | Fact::Entered(_)
            | Fact::Joined
            | Fact::Left
            | Fact::Applied { .. }
            | Fact::Installed { .. }
            | Fact::Acknowledged { .. }
            | Fact::Answered
            | Fact::Decided(_) => Ok(()),
        }
    }
}

impl Invariant<ChainReplication> for OneOrder {
    fn about(&self) -> &'static About {
        &About {
            name: "one-order",
            statement: "What tails commit is one sequence of updates: none commits another update at an index, or leaves one out.",
            source: "van Renesse and Schneider §2.1",
            leaves_out: "updates that never reached a tail",
        }
    }

    fn hears(&self) -> Kinds {
        [COMMITTED].into_iter().collect()
    }

    fn on_event(
        &mut self,
        _: &Nodes<'_, ChainReplication>,
        node: NodeId,
        facts: &[Fact],
    ) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, fact))
    }

    /// What the tails that run take for committed.
    fn check_all(&self, nodes: &Nodes<'_, ChainReplication>) -> Result<(), Breach> {
        servers(nodes).filter(|(_, server)| server.is_tail()).try_for_each(|(node, server)| {
            let index = server.acknowledged();
            server.history().chain_at(index).map_or(Ok(()), |chain| self.committed.check(node, index, chain))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replicated::{Chain, Index};

    #[test]
    fn a_tail_that_commits_something_else_is_found_and_one_that_goes_on_is_not() {
        let mut invariant = OneOrder::default();
        let mut commit = |node, index, chain| {
            let fact = Fact::Committed { index: Index(index), chain: Chain(chain) };
            invariant.on_fact(NodeId::new(node), &fact)
        };
        assert_eq!((commit(3, 1, 10), commit(2, 1, 10), commit(2, 2, 20)), (Ok(()), Ok(()), Ok(())));
        assert!(commit(3, 2, 21).is_err() && commit(2, 4, 40).is_err());
    }
}
