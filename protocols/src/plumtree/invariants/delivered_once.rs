//! Integrity: a node delivers what was broadcast, and each value once.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;
use sim_core::persist::PersistentMap;
use sim_core::service::Value;

use super::super::facts::Kind;
use super::super::message::Announcement;
use super::super::{Fact, Plumtree};
use super::kinds;

/// Which node has delivered which value, in the life in which it is. Values that are on their way at the same time stand
/// together: each node is asked about the same ones.
#[derive(Clone, Debug, Default)]
struct Deliveries {
    /// How often each node has started.
    lives: BTreeMap<NodeId, u32>,
    /// In which life a node has delivered a value last.
    delivered: PersistentMap<(Value, NodeId), u32>,
}

impl Deliveries {
    /// The node begins another life, in which it has delivered nothing.
    fn restart(&mut self, node: NodeId) {
        *self.lives.entry(node).or_default() += 1;
    }

    /// The node delivers a value; whether it had not.
    fn insert(&mut self, node: NodeId, value: Value) -> bool {
        let life = self.life(node);
        self.delivered.insert((value, node), life) != Some(life)
    }

    /// Whether the node has delivered the value.
    fn has(&self, node: NodeId, value: Value) -> bool {
        self.delivered.get(&(value, node)) == Some(&self.life(node))
    }

    fn life(&self, node: NodeId) -> u32 {
        self.lives.get(&node).copied().unwrap_or_default()
    }
}

/// A node delivers only what clients have broadcast, each value once in a life, and it is what it then has.
#[derive(Clone, Debug, Default)]
pub struct DeliveredOnce {
    broadcast: PersistentMap<Value, ()>,
    delivered: Deliveries,
}

impl DeliveredOnce {
    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        if *fact == Fact::Started {
            self.delivered.restart(node);
        }
        if let Fact::Asked { value } = fact {
            self.broadcast.insert(*value, ());
        }
        if let Fact::Delivered(Announcement { value, .. }) = fact {
            ensure!(self.broadcast.contains_key(value), "{node} has {value}, which nobody has broadcast");
            ensure!(self.delivered.insert(node, *value), "{node} delivers {value} again");
        }
        Ok(())
    }
}

impl Invariant<Plumtree> for DeliveredOnce {
    fn about(&self) -> &'static About {
        &About {
            name: "delivered-once",
            statement: "A node delivers only values that clients have broadcast, each once in a life.",
            source: "Plumtree (SRDS 2007) algorithm 1: what was received before is not delivered again",
            leaves_out: "whether a value reaches everybody: that is the liveness condition `all-agree`",
        }
    }

    fn hears(&self) -> Kinds {
        kinds([Kind::Started, Kind::Asked, Kind::Delivered])
    }

    fn on_event(&mut self, _: &Nodes<'_, Plumtree>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, fact))
    }

    fn check_all(&self, nodes: &Nodes<'_, Plumtree>) -> Result<(), Breach> {
        let mut all =
            nodes.running().flat_map(|(node, one)| one.values().map(move |(value, _)| (node, value)));
        all.try_for_each(|(node, value)| {
            let is_delivered = self.delivered.has(node, value);
            ensure!(is_delivered, "{node} has {value}, and has not delivered it");
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_broadcast_or_was_there_is_found() {
        let (node, mut invariant) = (NodeId::new(0), DeliveredOnce::default());
        let delivered = Fact::Delivered(Announcement { value: 7, round: 1 });
        assert!(invariant.on_fact(node, &delivered).is_err());
        assert_eq!(invariant.on_fact(node, &Fact::Asked { value: 7 }), Ok(()));
        assert_eq!(invariant.on_fact(node, &delivered), Ok(()));
        assert_eq!(invariant.on_fact(NodeId::new(1), &delivered), Ok(()));
        assert!(invariant.on_fact(node, &delivered).is_err());
        assert_eq!(invariant.on_fact(node, &Fact::Started), Ok(()));
        assert_eq!(invariant.on_fact(node, &delivered), Ok(()), "it forgot");
    }

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
