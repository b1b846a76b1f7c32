//! The passive view: nobody is lost from it without a reason.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;

use super::super::facts::{Kind, Removal};
use super::super::{Config, Fact, Plumtree};
use super::kinds;

/// One leaves the passive view for the active one, because it does not answer, or because the view is full and another one
/// comes at once.
#[derive(Clone, Debug)]
pub struct PassiveByRule {
    passive_view: u32,
    /// How many are in each passive view.
    sizes: BTreeMap<NodeId, u32>,
}

impl PassiveByRule {
    /// For nodes with this configuration.
    pub const fn new(config: Config) -> Self {
        Self { passive_view: config.passive_view, sizes: BTreeMap::new() }
    }

    fn on_facts(&mut self, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        for (place, fact) in facts.iter().enumerate() {
            let size = self.sizes.entry(node).or_default();
            match fact {
                Fact::Started => *size = 0,
                Fact::Noted { .. } => *size += 1,
                Fact::Struck { node: struck, why } => {
                    let (before, next) = (*size, facts.get(place + 1));
                    *size = before.saturating_sub(1);
                    let is_next = match why {
                        Removal::Promoted => matches!(next, Some(Fact::Up { node }) if node == struck),
                        Removal::Evicted => {
                            before == self.passive_view && matches!(next, Some(Fact::Noted { .. }))
                        }
                        Removal::Unreachable => true,
                    };
                    ensure!(
                        is_next,
                        "{node} strikes {struck} of {before} that it knows as {why:?}, and then: {next:?}"
                    );
                }
                Fact::Ticked { .. }
                | Fact::Up { .. }
                | Fact::Down { .. }
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
                | Fact::PruneHeard { .. } => {}
            }
        }
        Ok(())
    }
}

impl Invariant<Plumtree> for PassiveByRule {
    fn about(&self) -> &'static About {
        &About {
            name: "passive-by-rule",
            statement: "One leaves a passive view to be a neighbour, because it does not answer, or because the view is full and \
                        another one comes at once.",
            source: "HyParView (DSN 2007) §4.3, §4.4",
            leaves_out: "which one is pushed out of a full view",
        }
    }

    fn hears(&self) -> Kinds {
        kinds([Kind::Started, Kind::Noted, Kind::Struck])
    }

    fn on_event(&mut self, _: &Nodes<'_, Plumtree>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        self.on_facts(node, facts)
    }

    /// As many are there as facts say.
    fn check_all(&self, nodes: &Nodes<'_, Plumtree>) -> Result<(), Breach> {
        for (node, one) in nodes.running() {
            let (found, told) = (one.passive().len(), self.sizes.get(&node).copied().unwrap_or_default());
            ensure!(found == told as usize, "{node} knows {found} others, and has told of {told}");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(facts: &[Fact]) -> Result<(), Breach> {
        let config = Config { passive_view: 2, ..Config::new(9) };
        PassiveByRule::new(config).on_facts(NodeId::new(0), facts)
    }

    #[test]
    fn one_who_is_struck_without_a_reason_is_found() {
        let noted = |number| Fact::Noted { node: NodeId::new(number) };
        let struck = |why| Fact::Struck { node: NodeId::new(1), why };
        let up = Fact::Up { node: NodeId::new(1) };
        assert_eq!(judge(&[noted(1), noted(2), struck(Removal::Evicted), noted(3)]), Ok(()));
        assert!(judge(&[noted(1), struck(Removal::Evicted), noted(3)]).is_err(), "there was room");
        assert!(judge(&[noted(1), noted(2), struck(Removal::Evicted)]).is_err(), "nobody comes");
        assert_eq!(judge(&[noted(1), struck(Removal::Promoted), up]), Ok(()));
        assert!(judge(&[noted(1), struck(Removal::Promoted)]).is_err());
        assert_eq!(judge(&[noted(1), struck(Removal::Unreachable)]), Ok(()));
    }
}
