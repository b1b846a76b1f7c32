//! Requests: who needs a neighbour gets one, and who has others displaces nobody.

use std::collections::{BTreeMap, BTreeSet};

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;

use super::super::facts::Kind;
use super::super::message::Priority;
use super::super::{Config, Fact, Plumtree};
use super::kinds;

/// A request of high priority is accepted; one of low priority if there is room, and only then; and who is accepted is a
/// neighbour.
#[derive(Clone, Debug)]
pub struct RequestsByPriority {
    active_view: u32,
    active: BTreeMap<NodeId, BTreeSet<NodeId>>,
}

impl RequestsByPriority {
    /// For nodes with this configuration.
    pub const fn new(config: Config) -> Self {
        Self { active_view: config.active_view, active: BTreeMap::new() }
    }

    fn on_facts(&mut self, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        let mut must = None;
        for fact in facts {
            let active = self.active.entry(node).or_default();
            match fact {
                Fact::Started => active.clear(),
                Fact::Up { node } => _ = active.insert(*node),
                Fact::Down { node, .. } => _ = active.remove(node),
                Fact::Requested { from, priority } => {
                    let has_room = active.len() < self.active_view as usize || active.contains(from);
                    must = Some((priority, has_room));
                }
                Fact::Accepted { to } => {
                    let is_right = matches!(must, Some((Priority::High, _) | (_, true)));
                    ensure!(is_right, "{node} has no room, and accepts {to} that has other neighbours");
                    ensure!(active.contains(to), "{node} accepts {to}, and does not take it for a neighbour");
                }
                Fact::Refused { to } => {
                    let is_right = matches!(must, Some((Priority::Low, false)));
                    ensure!(is_right, "{node} refuses {to}, asked with {must:?} (priority, room)");
                }
                Fact::Ticked { .. }
                | Fact::Heard { .. }
                | Fact::Noted { .. }
                | Fact::Struck { .. }
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

impl Invariant<Plumtree> for RequestsByPriority {
    fn about(&self) -> &'static About {
        &About {
            name: "requests-by-priority",
            statement: "A request of high priority is accepted, one of low priority if there is room and only then, and who is \
                        accepted is a neighbour.",
            source: "HyParView (DSN 2007) §4.3: NEIGHBOR",
            leaves_out: "joins, which are always accepted and have no answer but that",
        }
    }

    fn hears(&self) -> Kinds {
        kinds([Kind::Started, Kind::Up, Kind::Down, Kind::Requested, Kind::Accepted, Kind::Refused])
    }

    fn on_event(&mut self, _: &Nodes<'_, Plumtree>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        self.on_facts(node, facts)
    }

    /// The neighbours of each are those that facts say.
    fn check_all(&self, nodes: &Nodes<'_, Plumtree>) -> Result<(), Breach> {
        let none = BTreeSet::new();
        for (node, one) in nodes.running() {
            let found = one.neighbours().iter().map(|neighbour| neighbour.node).collect::<BTreeSet<_>>();
            let told = self.active.get(&node).unwrap_or(&none);
            ensure!(found == *told, "{node} has the neighbours {found:?}, and has told of {told:?}");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::facts::Parting;
    use super::*;

    /// What a node does that has two neighbours, and room for two.
    fn judge(facts: &[Fact]) -> Result<(), Breach> {
        let config = Config { active_view: 2, ..Config::new(9) };
        let (up, mut invariant) =
            (|number| Fact::Up { node: NodeId::new(number) }, RequestsByPriority::new(config));
        invariant.on_facts(NodeId::new(0), &[&[up(1), up(2)], facts].concat())
    }

    #[test]
    fn answers_that_do_not_fit_the_priority_are_found() {
        let (node, to) = (NodeId::new(3), NodeId::new(3));
        let requested = |priority| Fact::Requested { from: node, priority };
        let makes_room = Fact::Down { node: NodeId::new(1), why: Parting::Displaced };
        let (up, accepted, refused) = (Fact::Up { node }, Fact::Accepted { to }, Fact::Refused { to });
        assert_eq!(judge(&[requested(Priority::High), makes_room, up, accepted]), Ok(()));
        assert!(judge(&[requested(Priority::High), refused]).is_err());
        assert!(judge(&[requested(Priority::High), accepted]).is_err(), "it is no neighbour");
        assert_eq!(judge(&[requested(Priority::Low), refused]), Ok(()));
        assert!(judge(&[requested(Priority::Low), makes_room, up, accepted]).is_err());
        assert_eq!(judge(&[makes_room, requested(Priority::Low), up, accepted]), Ok(()));
        assert!(judge(&[makes_room, requested(Priority::Low), refused]).is_err());
    }
}
