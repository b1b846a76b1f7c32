//! Adding wins: a value goes only where somebody who had seen it removed or replaced it.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;
use sim_core::service::Key;

use super::super::types::Dot;
use super::super::{Crdt, Data, Fact};

/// What no change has removed or replaced is at every replica that has seen it.
#[derive(Clone, Debug, Default)]
pub struct AddsWin {
    /// What was put, and is covered by no change.
    live: BTreeMap<Dot, Key>,
}

impl AddsWin {
    fn on_fact(&mut self, fact: &Fact) {
        let Fact::Made(delta) = fact else { return };
        let Data::OrMap(delta) = &**delta else { return };
        for dot in delta.context().dots() {
            self.live.remove(&dot);
        }
        self.live.extend(delta.values().map(|(key, dot, _)| (dot, *key)));
    }

    fn check(&self, node: NodeId, state: &Data) -> Result<(), Breach> {
        let Data::OrMap(map) = state else { return Ok(()) };
        for (dot, key) in &self.live {
            let is_there = !map.context().contains(*dot) || map.under(key).any(|(held, _)| held == *dot);
            ensure!(
                is_there,
                "{node} has seen {key} put as {dot:?}, which nobody has removed, and has it not"
            );
        }
        Ok(())
    }
}

impl Invariant<Crdt> for AddsWin {
    fn about(&self) -> &'static About {
        &About {
            name: "adds-win",
            statement: "A value that was put goes only where somebody who had seen it removed or replaced it.",
            source: "Shapiro et al. (INRIA RR-7506, 2011) §3.3.5, OR-Set",
            leaves_out: "counters, and sets that grow",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Crdt>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        for fact in facts {
            self.on_fact(fact);
        }
        nodes.process(node).map_or(Ok(()), |replica| self.check(node, replica.state()))
    }

    fn check_all(&self, nodes: &Nodes<'_, Crdt>) -> Result<(), Breach> {
        nodes.running().try_for_each(|(node, replica)| self.check(node, replica.state()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::super::types::{Join, OrMap};
    use super::*;

    #[test]
    fn what_was_put_beside_a_removal_must_be_there() {
        let (n1, n2, key) = (NodeId::new(0), NodeId::new(1), Key(1));
        let mut invariant = AddsWin::default();
        let mut made =
            |delta: &OrMap<u64>| invariant.on_fact(&Fact::Made(Arc::new(Data::OrMap(delta.clone()))));
        let first = OrMap::default().put(n1, key, 7);
        let beside = first.put(n2, key, 8);
        let removal = first.remove(&key);
        for delta in [&first, &beside, &removal] {
            made(delta);
        }
        let mut map = first;
        map.join(&removal);
        assert_eq!(invariant.check(n1, &Data::OrMap(map.clone())), Ok(()), "it has not seen the other one");
        map.join(&beside);
        assert_eq!(invariant.check(n1, &Data::OrMap(map.clone())), Ok(()));
        map.forget(&key);
        assert!(invariant.check(n1, &Data::OrMap(map)).is_err());
    }
}
