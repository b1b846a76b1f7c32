//! What a node gives rises, over crashes.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Fact, UniqueIds};

/// Each id of a node is larger than those that it has given before.
#[derive(Clone, Debug, Default)]
pub struct RisesAtNode {
    last: BTreeMap<NodeId, u64>,
}

impl RisesAtNode {
    fn give(&mut self, node: NodeId, id: u64) -> Result<(), Breach> {
        let last = self.last.insert(node, id);
        ensure!(last.is_none_or(|last| last < id), "{node} gives {id} after {}", last.unwrap_or(id));
        Ok(())
    }
}

impl Invariant<UniqueIds> for RisesAtNode {
    fn about(&self) -> &'static About {
        &About {
            name: "rises-at-node",
            statement: "Each id of a node is larger than those that it has given before, in whatever life.",
            source: "Snowflake's README; hi/lo",
            leaves_out: "ids of different nodes",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, UniqueIds>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| match *fact {
            Fact::Given(id) => self.give(node, id),
            Fact::Started { .. } | Fact::Reserved { .. } | Fact::Heard(_) => Ok(()),
        })
    }

    /// What a node would give next is larger than the last.
    fn check_all(&self, nodes: &Nodes<'_, UniqueIds>) -> Result<(), Breach> {
        nodes.running().try_for_each(|(node, process)| {
            let (next, last) = (process.next_id(nodes.wall(node)), self.last.get(&node));
            let is_right = next.zip(last).is_none_or(|(next, last)| next > *last);
            ensure!(is_right, "{node} would give {next:?} after {last:?}");
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_is_not_larger_than_the_last_of_its_node_is_found() {
        let mut invariant = RisesAtNode::default();
        let [first, second] = [0, 1].map(NodeId::new);
        assert_eq!((invariant.give(first, 7), invariant.give(second, 3)), (Ok(()), Ok(())));
        assert!(invariant.give(first, 7).is_err() && invariant.give(second, 2).is_err());
    }
}
