//! Limits: calls taken and made in a cycle.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Config, Fact, Gossip};

/// In one cycle a site takes no more calls than the connection limit, and makes one and the hunt limit more.
#[derive(Clone, Debug)]
pub struct CallsInBounds {
    taken_max: u32,
    made_max: u32,
    /// For each site its last cycle, and how many calls it has taken and made in it.
    counts: BTreeMap<NodeId, (u64, u32, u32)>,
}

impl CallsInBounds {
    /// For sites with this configuration.
    pub fn new(config: Config) -> Self {
        let made_max = config.hunt_limit.saturating_add(1);
        Self { taken_max: config.connection_limit.unwrap_or(u32::MAX), made_max, counts: BTreeMap::new() }
    }

    fn on_fact(&mut self, node: NodeId, fact: Fact) -> Result<(), Breach> {
        let (cycle, taken, made) = match fact {
            Fact::Took { cycle } => (cycle, 1, 0),
            Fact::Called { cycle, .. } => (cycle, 0, 1),
            Fact::Started => {
                self.counts.remove(&node);
                return Ok(());
            }
            Fact::Asked { .. }
            | Fact::Learned { .. }
            | Fact::Shared { .. }
            | Fact::Judged { .. }
            | Fact::LostInterest { .. } => return Ok(()),
        };
        let counts = self.counts.entry(node).or_insert((cycle, 0, 0));
        ensure!(cycle >= counts.0, "{node} is in cycle {cycle} after cycle {}", counts.0);
        if cycle > counts.0 {
            *counts = (cycle, 0, 0);
        }
        counts.1 += taken;
        counts.2 += made;
        let (_, taken, made) = *counts;
        self.check(node, taken, made)
    }

    fn check(&self, node: NodeId, taken: u32, made: u32) -> Result<(), Breach> {
        let Self { taken_max, made_max, .. } = self;
        ensure!(taken <= *taken_max, "{node} takes {taken} calls in a cycle, and may take {taken_max}");
        ensure!(made <= *made_max, "{node} makes {made} calls in a cycle, and may make {made_max}");
        Ok(())
    }
}

impl Invariant<Gossip> for CallsInBounds {
    fn about(&self) -> &'static About {
        &About {
            name: "calls-in-bounds",
            statement: "In one cycle a site takes no more calls than the connection limit, and makes one and as many \
                        more as the hunt limit.",
            source: "Demers et al. (PODC 1987) §1.4: connection limit, hunting",
            leaves_out: "calls taken before a crash in the same cycle",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Gossip>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, *fact))
    }

    fn check_all(&self, nodes: &Nodes<'_, Gossip>) -> Result<(), Breach> {
        nodes.running().try_for_each(|(node, gossip)| {
            let (made, taken) = gossip.call_counts();
            self.check(node, taken, made)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(facts: &[Fact]) -> Result<(), Breach> {
        let mut invariant =
            CallsInBounds::new(Config { connection_limit: Some(1), hunt_limit: 1, ..Config::new(3) });
        facts.iter().try_for_each(|fact| invariant.on_fact(NodeId::new(0), *fact))
    }

    #[test]
    fn calls_are_counted_cycle_by_cycle() {
        let (took, called) =
            (|cycle| Fact::Took { cycle }, |cycle| Fact::Called { cycle, to: NodeId::new(1) });
        assert_eq!(judge(&[took(1), called(1), called(1), took(2), called(2)]), Ok(()));
        assert!(judge(&[took(1), called(1), took(1)]).is_err());
        assert!(judge(&[called(3), called(3), called(3)]).is_err());
        assert!(judge(&[took(2), took(1)]).is_err(), "cycles do not go back");
        assert_eq!(judge(&[took(2), Fact::Started, took(2)]), Ok(()));
    }
}
