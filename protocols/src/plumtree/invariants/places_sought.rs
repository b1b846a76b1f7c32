//! Free places: a node with room asks all whom it knows.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};

use super::super::{Fact, Plumtree};

/// A node that has room for a neighbour is asking one of those that it knows, or has asked all since it has room.
#[derive(Clone, Debug, Default)]
pub struct PlacesSought;

impl PlacesSought {
    fn check(node: NodeId, one: &Plumtree) -> Result<(), Breach> {
        if one.has_room()
            && let Some(next) = one.sought().next()
        {
            return Err(Breach(format!("{node} has room, knows {next}, and does not ask it")));
        }
        Ok(())
    }
}

impl Invariant<Plumtree> for PlacesSought {
    fn about(&self) -> &'static About {
        &About {
            name: "places-sought",
            statement: "A node that has room for a neighbour is asking one of those that it knows, or has asked all of them since \
                        it has room or shuffled.",
            source: "HyParView (DSN 2007) §4.3: active view management",
            leaves_out: "whether one of them has room, too",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Plumtree>, node: NodeId, _: &[Fact]) -> Result<(), Breach> {
        nodes.process(node).map_or(Ok(()), |one| Self::check(node, one))
    }

    fn check_all(&self, nodes: &Nodes<'_, Plumtree>) -> Result<(), Breach> {
        nodes.running().try_for_each(|(node, one)| Self::check(node, one))
    }
}
