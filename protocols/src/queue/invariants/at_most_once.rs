//! At most once: no message has two effects.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};

use super::super::{Fact, Node};
use super::effects::{Effects, check_single};
use super::{Kind, kinds};

/// Where consumers promise at most once, no message has two effects.
#[derive(Clone, Debug, Default)]
pub struct AtMostOnce {
    effects: Effects,
}

impl AtMostOnce {
    fn on_fact(&mut self, fact: &Fact) -> Result<(), Breach> {
        self.effects.effect(fact).map_or(Ok(()), |(effect, count, _)| check_single(effect, count))
    }
}

impl Invariant<Node> for AtMostOnce {
    fn about(&self) -> &'static About {
        &About {
            name: "at-most-once",
            statement: "Where consumers promise at most once, no message has two effects.",
            source: "Kleppmann, Designing Data-Intensive Applications (2017), chapter 11: message loss and duplication",
            leaves_out: "other promises; what was sent twice and is two messages",
        }
    }

    fn hears(&self) -> Kinds {
        kinds([Kind::Effected])
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
    use super::super::testing::effected;
    use super::*;

    fn judge(facts: &[Fact]) -> Result<(), Breach> {
        let mut invariant = AtMostOnce::default();
        facts.iter().try_for_each(|fact| invariant.on_fact(fact))
    }

    #[test]
    fn a_second_effect_is_found_and_a_repeated_fact_is_none() {
        let twice = [effected(0, 1, 1, 7), effected(1, 1, 2, 7)];
        assert!(judge(&twice).is_err());
        let restated =
            [effected(0, 1, 1, 7), effected(1, 2, 1, 8), effected(0, 1, 1, 7), effected(1, 2, 1, 8)];
        assert_eq!(judge(&restated), Ok(()));
    }
}
