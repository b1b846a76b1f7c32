//! Walks: those of newcomers get shorter with each hop.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;

use super::super::facts::Kind;
use super::super::{Config, Fact, Plumtree};
use super::kinds;

/// The walk of a newcomer has no more than ARWL hops before it, and one less after each.
#[derive(Clone, Debug)]
pub struct WalksEnd {
    active_walk: u32,
}

impl WalksEnd {
    /// For nodes with this configuration.
    pub const fn new(config: Config) -> Self {
        Self { active_walk: config.active_walk }
    }

    fn on_facts(&self, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        for fact in facts {
            let Fact::Walked { ttl, onward } = fact else { continue };
            let Self { active_walk, .. } = self;
            ensure!(ttl <= active_walk, "a walk comes by {node} with {ttl} hops before it, of {active_walk}");
            let is_less = onward.is_none_or(|left| left + 1 == *ttl);
            ensure!(is_less, "a walk comes to {node} with {ttl} hops before it, and leaves with {onward:?}");
        }
        Ok(())
    }
}

impl Invariant<Plumtree> for WalksEnd {
    fn about(&self) -> &'static About {
        &About {
            name: "walks-end",
            statement: "The walk of a newcomer has no more than ARWL hops before it, and one less after each.",
            source: "HyParView (DSN 2007) §4.2, algorithm 1: FORWARDJOIN",
            leaves_out: "shuffles, whose walks go the same way",
        }
    }

    fn hears(&self) -> Kinds {
        kinds([Kind::Walked])
    }

    fn on_event(&mut self, _: &Nodes<'_, Plumtree>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        self.on_facts(node, facts)
    }

    /// Walks are on their way, and in no state.
    fn check_all(&self, _: &Nodes<'_, Plumtree>) -> Result<(), Breach> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_that_does_not_get_shorter_is_found() {
        let invariant = WalksEnd::new(Config::new(9));
        let judge = |ttl, onward| invariant.on_facts(NodeId::new(0), &[Fact::Walked { ttl, onward }]);
        assert_eq!(judge(6, Some(5)), Ok(()));
        assert_eq!(judge(0, None), Ok(()));
        assert_eq!(judge(4, None), Ok(()), "it has nowhere to go");
        assert!(judge(7, Some(6)).is_err());
        assert!(judge(5, Some(5)).is_err());
    }
}
