//! Load: what a member sends in a period, however large the group.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Config, Fact, Swim};

/// How often something was done since its beginning.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    pinged: u32,
    requested: u32,
    gossiped: u32,
}

/// In a period a member probes one other and asks k at most to help; in a round of gossip it sends to so many.
#[derive(Clone, Debug)]
pub struct LoadInBounds {
    indirect_checks: u32,
    gossip_nodes: u32,
    counts: BTreeMap<NodeId, Counts>,
}

impl LoadInBounds {
    /// For nodes with this configuration.
    pub fn new(config: &Config) -> Self {
        let Config { indirect_checks, gossip_nodes, .. } = *config;
        Self { indirect_checks, gossip_nodes, counts: BTreeMap::new() }
    }

    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        let counts = self.counts.entry(node).or_default();
        match fact {
            Fact::Started { .. } => *counts = Counts::default(),
            Fact::Period => (counts.pinged, counts.requested) = (0, 0),
            Fact::GossipBegins => counts.gossiped = 0,
            Fact::Pinged { .. } => counts.pinged += 1,
            Fact::Requested => counts.requested += 1,
            Fact::Gossiped => counts.gossiped += 1,
            Fact::Announced { .. }
            | Fact::Accused { .. }
            | Fact::Leaves { .. }
            | Fact::Heard { .. }
            | Fact::Confirmed { .. }
            | Fact::Forgot { .. }
            | Fact::Answered
            | Fact::Packs
            | Fact::Queued { .. }
            | Fact::PassedOn { .. }
            | Fact::Spent { .. } => {}
        }
        let Counts { pinged, requested, gossiped } = *counts;
        let Self { indirect_checks, gossip_nodes, .. } = self;
        ensure!(pinged <= 1, "{node} probes {pinged} members in a period");
        ensure!(requested <= *indirect_checks, "{node} asks {requested} to help, and may {indirect_checks}");
        ensure!(gossiped <= *gossip_nodes, "{node} gossips to {gossiped} at once, and may to {gossip_nodes}");
        Ok(())
    }
}

impl Invariant<Swim> for LoadInBounds {
    fn about(&self) -> &'static About {
        &About {
            name: "load-in-bounds",
            statement: "In a period a member probes one other and asks k at most for help; in a round of gossip it sends \
                        to as many as it may.",
            source: "SWIM (DSN 2002) §3.1: the load of a member does not grow with the group",
            leaves_out: "answers, of which there are as many as questions, and syncs, which are few and large",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Swim>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, fact))
    }

    /// What was sent is in no state.
    fn check_all(&self, _: &Nodes<'_, Swim>) -> Result<(), Breach> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(facts: &[Fact]) -> Result<(), Breach> {
        let members = [NodeId::new(0), NodeId::new(1)];
        let config = Config { indirect_checks: 1, gossip_nodes: 2, ..Config::new(members) };
        let mut invariant = LoadInBounds::new(&config);
        facts.iter().try_for_each(|fact| invariant.on_fact(members[0], fact))
    }

    #[test]
    fn messages_are_counted_period_by_period() {
        let pinged = || Fact::Pinged { target: NodeId::new(1) };
        let good = [Fact::Period, pinged(), Fact::Requested, Fact::Period, pinged(), Fact::Requested];
        assert_eq!(judge(&good), Ok(()));
        assert!(judge(&[Fact::Period, pinged(), pinged()]).is_err());
        assert!(judge(&[Fact::Period, pinged(), Fact::Requested, Fact::Requested]).is_err());
        let rounds = [Fact::Gossiped, Fact::Gossiped, Fact::GossipBegins, Fact::Gossiped];
        assert_eq!(judge(&rounds), Ok(()));
        assert!(judge(&[Fact::Gossiped, Fact::Gossiped, Fact::Gossiped]).is_err());
    }
}
