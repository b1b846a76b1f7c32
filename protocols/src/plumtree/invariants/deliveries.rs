//! Which values nodes have delivered.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::persist::PersistentMap;
use sim_core::service::Value;

/// Which node has delivered which value, in the life in which it is. Values that are on their way at the same time stand
/// together: each node is asked about the same ones.
#[derive(Clone, Debug, Default)]
pub(super) struct Deliveries {
    /// How often each node has started.
    lives: BTreeMap<NodeId, u32>,
    /// In which life a node has delivered a value last.
    delivered: PersistentMap<(Value, NodeId), u32>,
}

impl Deliveries {
    /// The node begins another life, in which it has delivered nothing.
    pub(super) fn restart(&mut self, node: NodeId) {
        *self.lives.entry(node).or_default() += 1;
    }

    /// The node delivers a value; whether it had not.
    pub(super) fn insert(&mut self, node: NodeId, value: Value) -> bool {
        let life = self.life(node);
        self.delivered.insert((value, node), life) != Some(life)
    }

    /// Whether the node has delivered the value.
    pub(super) fn has(&self, node: NodeId, value: Value) -> bool {
        self.delivered.get(&(value, node)) == Some(&self.life(node))
    }

    fn life(&self, node: NodeId) -> u32 {
        self.lives.get(&node).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_delivered_in_an_earlier_life_counts_no_more() {
        let (one, other) = (NodeId::new(0), NodeId::new(1));
        let mut deliveries = Deliveries::default();
        deliveries.restart(one);
        assert!(deliveries.insert(one, 7) && !deliveries.insert(one, 7));
        assert!(deliveries.has(one, 7) && !deliveries.has(one, 8) && !deliveries.has(other, 7));
        assert!(deliveries.insert(other, 7));
        deliveries.restart(one);
        assert!(!deliveries.has(one, 7) && deliveries.has(other, 7));
        assert!(deliveries.insert(one, 7) && !deliveries.insert(one, 7));
    }
}
