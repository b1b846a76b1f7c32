//! Durability: what a client was told is done.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Crdt, Data, Fact, Kind};

/// The state of a replica covers all changes that it has acknowledged, also after a crash.
#[derive(Clone, Debug)]
pub struct AcknowledgedSurvives {
    kind: Kind,
    acknowledged: BTreeMap<NodeId, Data>,
}

impl AcknowledgedSurvives {
    /// For replicas of data of this kind.
    pub const fn new(kind: Kind) -> Self {
        Self { kind, acknowledged: BTreeMap::new() }
    }

    fn on_fact(&mut self, node: NodeId, fact: &Fact) {
        if let Fact::Acknowledged(delta) = fact {
            let nothing = || Data::nothing(self.kind);
            self.acknowledged.entry(node).or_insert_with(nothing).join(delta, None);
        }
    }

    fn check(&self, node: NodeId, state: &Data) -> Result<(), Breach> {
        let Some(acknowledged) = self.acknowledged.get(&node) else { return Ok(()) };
        ensure!(state.covers(acknowledged), "{node} has {state}, and has acknowledged {acknowledged}");
        Ok(())
    }
}

impl Invariant<Crdt> for AcknowledgedSurvives {
    fn about(&self) -> &'static About {
        &About {
            name: "acknowledged-survives",
            statement: "The state of a replica covers all changes that it has acknowledged, also after a crash.",
            source: "Almeida et al. (JPDC 2018), algorithm 2: the state is durable",
            leaves_out: "changes of other replicas, which have them",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Crdt>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        for fact in facts {
            self.on_fact(node, fact);
        }
        nodes.process(node).map_or(Ok(()), |replica| self.check(node, replica.state()))
    }

    fn check_all(&self, nodes: &Nodes<'_, Crdt>) -> Result<(), Breach> {
        nodes.running().try_for_each(|(node, replica)| self.check(node, replica.state()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::super::types::GCounter;
    use super::*;

    #[test]
    fn a_replica_that_has_lost_what_it_acknowledged_is_found() {
        let node = NodeId::new(0);
        let counted = |amount| Data::GCounter(GCounter::default().add(node, amount));
        let mut invariant = AcknowledgedSurvives::new(Kind::GCounter);
        invariant.on_fact(node, &Fact::Acknowledged(Arc::new(counted(5))));
        invariant.on_fact(node, &Fact::Started);
        assert_eq!(invariant.check(node, &counted(7)), Ok(()));
        assert!(invariant.check(node, &counted(4)).is_err());
        assert_eq!(invariant.check(NodeId::new(1), &counted(0)), Ok(()), "this one has acknowledged nothing");
    }
}
