//! At least once: what is acknowledged had an effect.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};

use super::super::{Fact, Node};
use super::effects::Effects;
use super::{Kind, kinds};

/// Where consumers promise at least once, no message is acknowledged before it has had an effect.
#[derive(Clone, Debug, Default)]
pub struct AtLeastOnce {
    effects: Effects,
}

impl AtLeastOnce {
    fn on_fact(&mut self, fact: &Fact) -> Result<(), Breach> {
        self.effects.effect(fact);
        self.effects.check_acknowledged(fact)
    }
}

impl Invariant<Node> for AtLeastOnce {
    fn about(&self) -> &'static About {
        &About {
            name: "at-least-once",
            statement: "Where consumers promise at least once, no message is acknowledged before it has had an effect.",
            source: "Kleppmann, Designing Data-Intensive Applications (2017), chapter 11: acknowledgements and redelivery",
            leaves_out: "that every message is acknowledged some time: a run may end before; clients that dequeue by themselves",
        }
    }

    fn hears(&self) -> Kinds {
        kinds([Kind::Recorded, Kind::Effected])
    }

    fn on_event(&mut self, _: &Nodes<'_, Node>, _: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(fact))
    }

    /// Effects are facts, and nothing that a node holds.
    fn check_all(&self, _: &Nodes<'_, Node>) -> Result<(), Breach> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{acknowledged, delivered, effected, enqueued, recorded};
    use super::*;

    fn judge(facts: &[Fact]) -> Result<(), Breach> {
        let mut invariant = AtLeastOnce::default();
        facts.iter().try_for_each(|fact| invariant.on_fact(fact))
    }

    #[test]
    fn an_acknowledgement_before_the_effect_is_found() {
        let mut facts = recorded(&[&[enqueued(1, 7)], &[delivered(1, 1, 30)], &[acknowledged(1, 1)]]);
        assert!(judge(&facts).is_err());
        facts.insert(2, effected(0, 1, 1, 7));
        assert_eq!(judge(&facts), Ok(()));
    }
}
