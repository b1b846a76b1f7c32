//! Views: within their bounds, and of others.

use std::collections::{BTreeMap, BTreeSet};

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;

use super::super::facts::Kind;
use super::super::{Config, Fact, Plumtree};
use super::kinds;

/// A node's two views hold no more than they may, nobody twice, nobody in both, and never the node itself.
#[derive(Clone, Debug)]
pub struct ViewsInBounds {
    config: Config,
    /// For each node its active and its passive view.
    views: BTreeMap<NodeId, (BTreeSet<NodeId>, BTreeSet<NodeId>)>,
}

impl ViewsInBounds {
    /// For nodes with this configuration.
    pub const fn new(config: Config) -> Self {
        Self { config, views: BTreeMap::new() }
    }

    fn on_facts(&mut self, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        for fact in facts {
            let (active, passive) = self.views.entry(node).or_default();
            let is_new = match fact {
                Fact::Started => {
                    active.clear();
                    passive.clear();
                    true
                }
                Fact::Up { node } => active.insert(*node),
                Fact::Noted { node } => passive.insert(*node),
                Fact::Down { node, .. } => active.remove(node),
                Fact::Struck { node, .. } => passive.remove(node),
                Fact::Ticked { .. }
                | Fact::Heard { .. }
                | Fact::Requested { .. }
                | Fact::Accepted { .. }
                | Fact::Refused { .. }
                | Fact::Walked { .. }
                | Fact::Asked { .. }
                | Fact::Delivered(_)
                | Fact::Pushed { .. }
                | Fact::Payload { .. }
                | Fact::Announced { .. }
                | Fact::Grafted { .. }
                | Fact::Orphaned { .. }
                | Fact::Optimised { .. }
                | Fact::GraftHeard { .. }
                | Fact::PruneHeard { .. } => continue,
            };
            ensure!(is_new, "{node} adds whom it has, or removes whom it has not: {fact:?}");
            self.check(node, &self.views[&node].0, &self.views[&node].1)?;
        }
        Ok(())
    }

    fn check(
        &self,
        node: NodeId,
        active: &BTreeSet<NodeId>,
        passive: &BTreeSet<NodeId>,
    ) -> Result<(), Breach> {
        let Config { active_view, passive_view, .. } = self.config;
        let (neighbours, others) = (active.len(), passive.len());
        ensure!(
            neighbours <= active_view as usize,
            "{node} has {neighbours} neighbours, and may have {active_view}"
        );
        ensure!(others <= passive_view as usize, "{node} knows {others} others, and may know {passive_view}");
        let is_known = active.contains(&node) || passive.contains(&node);
        ensure!(!is_known, "{node} is in a view of its own");
        let both = active.intersection(passive).next();
        ensure!(both.is_none(), "{node} has {both:?} in both views");
        Ok(())
    }
}

impl Invariant<Plumtree> for ViewsInBounds {
    fn about(&self) -> &'static About {
        &About {
            name: "views-in-bounds",
            statement: "The views of a node hold no more than they may, nobody twice, nobody in both, and not the node.",
            source: "HyParView (DSN 2007) §4.1 and algorithm 1",
            leaves_out: "whether active views are symmetric, which takes a while: `all-agree` sees to that",
        }
    }

    fn hears(&self) -> Kinds {
        kinds([Kind::Started, Kind::Up, Kind::Down, Kind::Noted, Kind::Struck])
    }

    fn on_event(&mut self, _: &Nodes<'_, Plumtree>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        self.on_facts(node, facts)
    }

    fn check_all(&self, nodes: &Nodes<'_, Plumtree>) -> Result<(), Breach> {
        nodes.running().try_for_each(|(node, one)| {
            let active = one.neighbours().iter().map(|neighbour| neighbour.node).collect();
            self.check(node, &active, &one.passive().iter().copied().collect())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::facts::{Parting, Removal};
    use super::*;

    fn node(number: u32) -> NodeId {
        NodeId::new(number)
    }

    /// What the first node of three with views of two each does.
    fn judge(facts: &[Fact]) -> Result<(), Breach> {
        let config = Config { active_view: 2, passive_view: 2, ..Config::new(9) };
        ViewsInBounds::new(config).on_facts(node(0), facts)
    }

    #[test]
    fn views_that_are_too_large_or_hold_the_wrong_ones_are_found() {
        let up = |number| Fact::Up { node: node(number) };
        let noted = |number| Fact::Noted { node: node(number) };
        let down = Fact::Down { node: node(1), why: Parting::Told };
        assert_eq!(judge(&[up(1), up(2), down, noted(1), up(3)]), Ok(()));
        assert!(judge(&[up(1), up(2), up(3)]).is_err());
        assert!(judge(&[noted(1), noted(2), noted(3)]).is_err());
        assert!(judge(&[noted(0)]).is_err());
        assert!(judge(&[up(1), noted(1)]).is_err());
        assert!(judge(&[up(1), up(1)]).is_err());
        assert!(judge(&[down]).is_err());
        let struck = Fact::Struck { node: node(1), why: Removal::Promoted };
        assert_eq!(judge(&[noted(1), struck, up(1)]), Ok(()));
    }
}
