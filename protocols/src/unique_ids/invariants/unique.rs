//! No id is given twice.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;
use sim_core::persist::PersistentMap;

use super::super::{Fact, UniqueIds};

/// No id is given twice, by whatever node.
#[derive(Clone, Debug, Default)]
pub struct Unique {
    /// Who has given each.
    given: PersistentMap<u64, NodeId>,
}

impl Unique {
    fn give(&mut self, node: NodeId, id: u64) -> Result<(), Breach> {
        let before = self.given.insert(id, node);
        ensure!(before.is_none(), "{node} gives {id}, which {} has given before", before.unwrap_or(node));
        Ok(())
    }
}

impl Invariant<UniqueIds> for Unique {
    fn about(&self) -> &'static About {
        &About {
            name: "unique",
            statement: "No id is given twice.",
            source: "the meaning of the service `unique-ids`",
            leaves_out: "nothing; it also counts ids that never reached their client",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, UniqueIds>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| match *fact {
            Fact::Given(id) => self.give(node, id),
            Fact::Started { .. } | Fact::Reserved { .. } | Fact::Heard(_) => Ok(()),
        })
    }

    /// What a node would give next nobody has given.
    fn check_all(&self, nodes: &Nodes<'_, UniqueIds>) -> Result<(), Breach> {
        nodes.running().try_for_each(|(node, process)| {
            let Some(id) = process.next_id(nodes.wall(node)) else { return Ok(()) };
            let before = self.given.get(&id);
            ensure!(before.is_none(), "{node} would give {id} next, which was given before");
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_is_given_again_is_found_whoever_gives_it() {
        let mut invariant = Unique::default();
        let [first, second] = [0, 1].map(NodeId::new);
        assert_eq!((invariant.give(first, 7), invariant.give(second, 8)), (Ok(()), Ok(())));
        assert!(invariant.give(second, 7).is_err());
    }
}
