//! An id is larger than all that its node has heard of.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::generator::NODE_BITS;
use super::super::{Fact, UniqueIds};
use crate::clocks::Timestamp;

/// With hybrid clocks: whatever was given before a message was sent is smaller than what is given after it was received.
#[derive(Clone, Debug, Default)]
pub struct CausalOrder {
    /// The latest time that each node has heard of, and in which incarnation: a crash forgets it.
    heard: BTreeMap<NodeId, (u32, Timestamp)>,
}

impl CausalOrder {
    fn hear(&mut self, node: NodeId, incarnation: u32, time: Timestamp) {
        let heard = self.heard.entry(node).or_insert((incarnation, time));
        *heard = (incarnation, if heard.0 == incarnation { heard.1.max(time) } else { time });
    }

    fn give(&self, node: NodeId, incarnation: u32, id: u64) -> Result<(), Breach> {
        let heard = self.heard.get(&node).filter(|(life, _)| *life == incarnation);
        let is_later = heard.is_none_or(|(_, time)| id >> NODE_BITS > time.number());
        ensure!(is_later, "{node} gives {id}, and has heard of {heard:?}, which is not before it");
        Ok(())
    }
}

impl Invariant<UniqueIds> for CausalOrder {
    fn about(&self) -> &'static About {
        &About {
            name: "causal-order",
            statement: "With hybrid clocks an id is larger than all whose time its node has heard of.",
            source: "Kulkarni et al., theorem 1: e hb f implies (l.e, c.e) < (l.f, c.f)",
            leaves_out: "what a node had heard before it crashed, and times that were too far ahead to be taken",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, UniqueIds>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        let incarnation = nodes.incarnation(node);
        facts.iter().try_for_each(|fact| match *fact {
            Fact::Heard(time) => {
                self.hear(node, incarnation, time);
                Ok(())
            }
            Fact::Given(id) => self.give(node, incarnation, id),
            Fact::Started { .. } | Fact::Reserved { .. } => Ok(()),
        })
    }

    /// What a node would give next.
    fn check_all(&self, nodes: &Nodes<'_, UniqueIds>) -> Result<(), Breach> {
        nodes.running().try_for_each(|(node, process)| {
            let next = process.next_id(nodes.wall(node));
            next.map_or(Ok(()), |id| self.give(node, nodes.incarnation(node), id))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_below_a_time_that_was_heard_of_is_found_unless_a_crash_has_forgotten_it() {
        let (mut invariant, node) = (CausalOrder::default(), NodeId::new(1));
        invariant.hear(node, 1, Timestamp::from_number(500));
        invariant.hear(node, 1, Timestamp::from_number(300));
        assert_eq!(invariant.give(node, 1, 501 << 10), Ok(()));
        assert!(invariant.give(node, 1, 500 << 10).is_err());
        assert_eq!(invariant.give(node, 2, 400 << 10), Ok(()), "another life");
    }
}
