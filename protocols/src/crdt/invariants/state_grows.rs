//! Monotony: what a replica knows it goes on knowing.

use std::collections::BTreeMap;
use std::sync::Arc;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Crdt, Data, Fact};

/// The state of a replica covers the one before, as long as it lives.
#[derive(Clone, Debug, Default)]
pub struct StateGrows {
    last: BTreeMap<NodeId, Arc<Data>>,
}

impl StateGrows {
    fn check(&self, node: NodeId, state: &Arc<Data>) -> Result<(), Breach> {
        let Some(last) = self.last.get(&node).filter(|last| !Arc::ptr_eq(last, state)) else { return Ok(()) };
        ensure!(state.covers(last), "{node} has {state}, and had {last}, which is not covered by it");
        Ok(())
    }
}

impl Invariant<Crdt> for StateGrows {
    fn about(&self) -> &'static About {
        &About {
            name: "state-grows",
            statement: "The state of a replica only grows, as long as it lives.",
            source: "Shapiro et al. (SSS 2011): monotonic semilattice",
            leaves_out: "what a crash takes: `acknowledged-survives` sees to what it must not",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Crdt>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        let Some(replica) = nodes.process(node) else { return Ok(()) };
        if facts.contains(&Fact::Started) {
            self.last.remove(&node);
        }
        self.check(node, replica.state())?;
        self.last.insert(node, replica.state().clone());
        Ok(())
    }

    fn check_all(&self, nodes: &Nodes<'_, Crdt>) -> Result<(), Breach> {
        nodes.running().try_for_each(|(node, replica)| self.check(node, replica.state()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::types::{Join, OrMap};
    use super::*;
    use sim_core::service::Key;

    #[test]
    fn a_state_that_forgets_is_found_and_one_that_has_removed_is_not() {
        let node = NodeId::new(0);
        let mut map = OrMap::default();
        map.join(&map.put(node, Key(1), 7));
        let (before, removal) = (map.clone(), map.remove(&Key(1)));
        map.join(&removal);
        let invariant = StateGrows { last: BTreeMap::from([(node, Arc::new(Data::OrMap(before)))]) };
        assert_eq!(invariant.check(node, &Arc::new(Data::OrMap(map))), Ok(()));
        assert!(invariant.check(node, &Arc::new(Data::OrMap(OrMap::default()))).is_err());
    }
}
