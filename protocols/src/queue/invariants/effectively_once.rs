//! Effectively once: what is acknowledged had one effect, and nothing has two.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};

use super::super::{Config, Fact, Node};
use super::effects::{Effects, check_single};
use super::{Kind, kinds};

/// Where consumers promise effectively once, no message has two effects, nor is it acknowledged before it has had one.
/// With a deduplication window that goes for what producers send: a value.
#[derive(Clone, Debug)]
pub struct EffectivelyOnce {
    is_deduplicated: bool,
    effects: Effects,
}

impl EffectivelyOnce {
    /// For nodes with this configuration.
    pub fn new(config: &Config) -> Self {
        Self { is_deduplicated: config.rules.deduplication.is_some(), effects: Effects::default() }
    }

    fn on_fact(&mut self, fact: &Fact) -> Result<(), Breach> {
        if let Some((effect, of_message, of_value)) = self.effects.effect(fact) {
            check_single(effect, if self.is_deduplicated { of_value } else { of_message })?;
        }
        self.effects.check_acknowledged(fact)
    }
}

impl Invariant<Node> for EffectivelyOnce {
    fn about(&self) -> &'static About {
        &About {
            name: "effectively-once",
            statement: "Where consumers promise effectively once, no message has two effects, and none is acknowledged \
                        before it has had one; with a deduplication window, no value that is sent has two.",
            source: "Helland, Life beyond Distributed Transactions (CIDR 2007); Kleppmann, chapter 11: exactly-once",
            leaves_out: "that every message has its effect some time: a run may end before",
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
    use sim_core::Span;

    use super::super::super::Rules;
    use super::super::testing::{acknowledged, effected, enqueued, recorded};
    use super::*;

    fn judge(deduplication: Option<Span>, facts: &[Fact]) -> Result<(), Breach> {
        let rules = Rules { deduplication, ..Rules::new() };
        let mut invariant = EffectivelyOnce::new(&Config { rules, ..Config::new(3) });
        facts.iter().try_for_each(|fact| invariant.on_fact(fact))
    }

    #[test]
    fn a_second_effect_of_a_message_is_found() {
        assert!(judge(None, &[effected(0, 1, 1, 7), effected(1, 1, 2, 7)]).is_err());
        assert_eq!(judge(None, &[effected(0, 1, 1, 7), effected(1, 2, 1, 8)]), Ok(()));
        assert!(judge(None, &recorded(&[&[enqueued(1, 7)], &[acknowledged(1, 1)]])).is_err(), "and none");
    }

    #[test]
    fn a_second_message_with_the_same_value_counts_where_there_is_a_window() {
        let twice = [effected(0, 1, 1, 7), effected(1, 2, 1, 7)];
        assert_eq!(judge(None, &twice), Ok(()));
        assert!(judge(Some(Span::secs(1)), &twice).is_err());
    }
}
