//! Order: records of a partition have their effects one after the other.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Fact, Node};
use super::effects::{Effects, Which, on_disk};

/// A record has its first effect after those before it in its partition.
#[derive(Clone, Debug, Default)]
pub struct EffectsInOrder {
    effects: Effects,
}

impl EffectsInOrder {
    fn on_fact(&mut self, fact: &Fact) -> Result<(), Breach> {
        let Some((index, effect)) = fact.effect() else { return Ok(()) };
        let which = self.effects.add(index, effect);
        let (partition, offset) = (effect.partition, effect.offset);
        ensure!(
            which != Which::Late,
            "{partition}@{offset} has its first effect after a later record had one"
        );
        Ok(())
    }
}

impl Invariant<Node> for EffectsInOrder {
    fn about(&self) -> &'static About {
        &About {
            name: "effects-in-order",
            statement: "A record of a partition has its first effect after the records before it, with one worker a consumer.",
            source: "Kafka, Documentation §4.5: a partition is consumed in order by exactly one consumer of the group",
            leaves_out: "at most once: who has lost a partition may still finish what nobody else will; parallel workers",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Node>, _: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(fact))
    }

    /// The effects on the store's disk stand there in the order of their records.
    fn check_all(&self, nodes: &Nodes<'_, Node>) -> Result<(), Breach> {
        let mut effects = Effects::default();
        for (index, effect) in on_disk(nodes) {
            let is_late = effects.add(index, effect) == Which::Late;
            ensure!(!is_late, "{}@{} is on disk after a later record", effect.partition, effect.offset);
        }
        Ok(())
    }
}
