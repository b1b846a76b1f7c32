//! Validity: only what was broadcast is known.

use std::collections::BTreeSet;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;
use sim_core::service::Value;

use super::super::{Fact, Gossip};

/// A site knows only values that clients have broadcast.
#[derive(Clone, Debug, Default)]
pub struct OnlyBroadcast {
    broadcast: BTreeSet<Value>,
}

impl OnlyBroadcast {
    fn on_fact(&mut self, node: NodeId, fact: Fact) -> Result<(), Breach> {
        match fact {
            Fact::Asked { value } => {
                self.broadcast.insert(value);
                Ok(())
            }
            Fact::Learned { value } => self.check(node, value),
            Fact::Started
            | Fact::Shared { .. }
            | Fact::Judged { .. }
            | Fact::LostInterest { .. }
            | Fact::Called { .. }
            | Fact::Took { .. } => Ok(()),
        }
    }

    fn check(&self, node: NodeId, value: Value) -> Result<(), Breach> {
        ensure!(self.broadcast.contains(&value), "{node} knows {value}, which nobody has broadcast");
        Ok(())
    }
}

impl Invariant<Gossip> for OnlyBroadcast {
    fn about(&self) -> &'static About {
        &About {
            name: "only-broadcast",
            statement: "A site knows only values that clients have broadcast.",
            source: "Demers et al. (PODC 1987) §1.1: every update begins at one site",
            leaves_out: "whether a value reaches anybody: rumors need not",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Gossip>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, *fact))
    }

    fn check_all(&self, nodes: &Nodes<'_, Gossip>) -> Result<(), Breach> {
        let mut all =
            nodes.running().flat_map(|(node, gossip)| gossip.rumors().iter().map(move |held| (node, held)));
        all.try_for_each(|(node, held)| self.check(node, held.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_nobody_has_broadcast_is_found() {
        let (node, mut invariant) = (NodeId::new(0), OnlyBroadcast::default());
        assert!(invariant.on_fact(node, Fact::Learned { value: 7 }).is_err());
        assert_eq!(invariant.on_fact(node, Fact::Asked { value: 7 }), Ok(()));
        assert_eq!(invariant.on_fact(node, Fact::Learned { value: 7 }), Ok(()));
        assert!(invariant.on_fact(node, Fact::Learned { value: 8 }).is_err());
    }
}
