//! Names: no event at a replica has the name of another one.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Crdt, Data, Fact};

/// A change is news to the replica that makes it.
#[derive(Clone, Debug, Default)]
pub struct MadeOnce;

/// Whether a change may be nothing new: adding what is in a set, and what changes nothing.
fn may_be_known(delta: &Data) -> bool {
    match delta {
        Data::GSet(_) => true,
        Data::GCounter(_) | Data::PnCounter(_) | Data::OrMap(_) => delta.size() == 0,
    }
}

fn check(node: NodeId, state: &Data, facts: &[Fact]) -> Result<(), Breach> {
    for fact in facts {
        let Fact::Made(delta) = fact else { continue };
        let is_news = may_be_known(delta) || !state.covers(delta);
        ensure!(is_news, "{node} makes the change {delta}, and already has {state}");
    }
    Ok(())
}

impl Invariant<Crdt> for MadeOnce {
    fn about(&self) -> &'static About {
        &About {
            name: "made-once",
            statement: "A change is news to its replica: no name of an event is used twice.",
            source: "Almeida et al. (JPDC 2018) §7.2: dots are unique; a replica that is restored needs a new name",
            leaves_out: "sets that grow, where a change has no name",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Crdt>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        nodes.process(node).map_or(Ok(()), |replica| check(node, replica.state(), facts))
    }

    /// Nothing: whether a change was news cannot be seen when it holds.
    fn check_all(&self, _nodes: &Nodes<'_, Crdt>) -> Result<(), Breach> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::super::types::{GCounter, GSet};
    use super::*;

    #[test]
    fn a_change_that_its_replica_has_already_is_found() {
        let node = NodeId::new(0);
        let counted = |amount| Data::GCounter(GCounter::default().add(node, amount));
        let made = |delta| [Fact::Made(Arc::new(delta))];
        assert_eq!(check(node, &counted(5), &made(counted(6))), Ok(()));
        assert!(check(node, &counted(5), &made(counted(1))).is_err(), "it counts anew");
        assert_eq!(check(node, &counted(5), &made(counted(0))), Ok(()), "nothing is always known");
        let set = Data::GSet(GSet::of(7));
        assert_eq!(check(node, &set, &made(set.clone())), Ok(()), "a value may be added twice");
    }
}
