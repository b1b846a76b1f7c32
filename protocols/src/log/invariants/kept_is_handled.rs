//! At least once: what is kept as handled was handled.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::entry::Body;
use super::super::{Fact, Node};
use super::effects::Effects;

/// When the group keeps an offset of a partition, all records below it have had an effect.
#[derive(Clone, Debug, Default)]
pub struct KeptIsHandled {
    effects: Effects,
}

impl KeptIsHandled {
    fn on_fact(&mut self, fact: &Fact) -> Result<(), Breach> {
        if let Some((index, effect)) = fact.effect() {
            self.effects.add(index, effect);
        }
        let Some((_, Body::Commit { partition, offset, by: Some((node, _)) })) = fact.record() else {
            return Ok(());
        };
        let upto = self.effects.upto(*partition);
        ensure!(
            upto >= *offset,
            "{node} keeps {partition}@{offset}, and {partition}@{upto} has had no effect"
        );
        Ok(())
    }
}

impl Invariant<Node> for KeptIsHandled {
    fn about(&self) -> &'static About {
        &About {
            name: "kept-is-handled",
            statement: "When the group keeps an offset of a partition, every record below it has had an effect.",
            source: "Kafka, Documentation §4.6: at least once is saving the position after processing",
            leaves_out: "offsets that clients commit",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Node>, _: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(fact))
    }

    /// What any broker knows to be kept was handled.
    fn check_all(&self, nodes: &Nodes<'_, Node>) -> Result<(), Breach> {
        let kept = nodes.running().filter_map(|(_, node)| Some(&node.broker()?.offsets().kept)).flatten();
        for (partition, offset) in kept {
            let upto = self.effects.upto(*partition);
            ensure!(
                upto >= *offset,
                "{partition}@{offset} is kept, and {partition}@{upto} has had no effect"
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::PartitionId;
    use crate::log::group::Generation;
    use crate::log::group::message::Effect;

    #[test]
    fn an_offset_above_what_was_handled_is_found() {
        let mut invariant = KeptIsHandled::default();
        let partition = PartitionId(0);
        let effect =
            |offset| Effect { partition, offset, value: 7, generation: Generation(1), attempt: offset };
        let kept = |index, offset| {
            let by = Some((NodeId::new(5), Generation(1)));
            Fact::Recorded { index, body: Body::Commit { partition, offset, by } }
        };
        let mut says = |fact: Fact| invariant.on_fact(&fact).is_ok();
        assert!(says(Fact::Effected { index: 0, effect: effect(0) }) && says(kept(0, 1)));
        assert!(says(Fact::Effected { index: 1, effect: effect(2) }) && !says(kept(1, 3)), "1 is left out");
        assert!(says(Fact::Effected { index: 2, effect: effect(1) }) && says(kept(1, 3)));
    }
}
