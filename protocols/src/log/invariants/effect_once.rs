//! At most once, effectively once: no record has two effects.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Fact, Node};
use super::effects::{Effects, Which, on_disk};

/// No record has two effects.
#[derive(Clone, Debug, Default)]
pub struct EffectOnce {
    effects: Effects,
}

impl EffectOnce {
    fn on_fact(&mut self, fact: &Fact) -> Result<(), Breach> {
        let Some((index, effect)) = fact.effect() else { return Ok(()) };
        let which = self.effects.add(index, effect);
        let (partition, offset) = (effect.partition, effect.offset);
        ensure!(
            which != Which::Repeated,
            "{partition}@{offset} has another effect, in {}",
            effect.generation
        );
        Ok(())
    }
}

impl Invariant<Node> for EffectOnce {
    fn about(&self) -> &'static About {
        &About {
            name: "effect-once",
            statement: "No record has two effects, where that is promised: at most once, and effectively once.",
            source: "Kafka, Documentation §4.6; Kleppmann (2017), chapter 11",
            leaves_out: "that it has one",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Node>, _: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(fact))
    }

    /// The effects on the store's disk are of different records.
    fn check_all(&self, nodes: &Nodes<'_, Node>) -> Result<(), Breach> {
        let mut effects = Effects::default();
        for (index, effect) in on_disk(nodes) {
            let is_repeated = effects.add(index, effect) == Which::Repeated;
            ensure!(!is_repeated, "{}@{} has two effects on disk", effect.partition, effect.offset);
        }
        Ok(())
    }
}
