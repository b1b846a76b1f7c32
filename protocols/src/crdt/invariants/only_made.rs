//! Validity: nothing is there but what clients have asked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Crdt, Data, Fact, Kind};

/// The state of each replica is covered by all changes that have ever held anywhere, joined.
#[derive(Clone, Debug)]
pub struct OnlyMade {
    /// All changes that have held.
    whole: Data,
    /// Changes that replicas have made and that are on their way to disk.
    on_the_way: BTreeMap<NodeId, Vec<Arc<Data>>>,
}

impl OnlyMade {
    /// For replicas of data of this kind.
    pub fn new(kind: Kind) -> Self {
        Self { whole: Data::nothing(kind), on_the_way: BTreeMap::new() }
    }

    fn on_fact(&mut self, node: NodeId, fact: &Fact, state: Option<&Data>) -> Result<(), Breach> {
        let own = self.on_the_way.entry(node).or_default();
        match fact {
            // What was on disk at the crash holds; the rest was never seen.
            Fact::Started => {
                let held = std::mem::take(own)
                    .into_iter()
                    .filter(|delta| state.is_some_and(|state| state.covers(delta)));
                held.for_each(|delta| self.whole.join(&delta, None));
            }
            Fact::Made(delta) => own.push(delta.clone()),
            Fact::Joined(delta) => {
                if let Some(place) = own.iter().position(|one| one == delta) {
                    self.whole.join(&own.remove(place), None);
                }
                ensure!(
                    self.whole.covers(delta),
                    "{node} joins {delta}, and all that was made is {}",
                    self.whole
                );
            }
            Fact::Acknowledged(_) => {}
        }
        Ok(())
    }

    fn check(&self, node: NodeId, state: &Data) -> Result<(), Breach> {
        if self.whole.covers(state) {
            return Ok(());
        }
        // A handler that a crash has cut off may have joined a change of its own, and not said so.
        let mut whole = self.whole.clone();
        let own = self.on_the_way.get(&node).into_iter().flatten();
        own.filter(|delta| state.covers(delta)).for_each(|delta| whole.join(delta, None));
        ensure!(whole.covers(state), "{node} has {state}, and all that was made is {whole}");
        Ok(())
    }
}

impl Invariant<Crdt> for OnlyMade {
    fn about(&self) -> &'static About {
        &About {
            name: "only-made",
            statement: "A replica holds nothing but changes that clients have asked for, each once.",
            source: "Shapiro et al. (SSS 2011): a join is the least upper bound of what it joins",
            leaves_out: "changes that a crash took before they were on disk: nobody has seen them",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Crdt>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        let state = nodes.process(node).map(|replica| &**replica.state());
        facts.iter().try_for_each(|fact| self.on_fact(node, fact, state))?;
        // Nothing but these changes a state.
        let may_differ = facts.iter().any(|fact| matches!(fact, Fact::Started | Fact::Joined(_)));
        state.filter(|_| may_differ).map_or(Ok(()), |state| self.check(node, state))
    }

    fn check_all(&self, nodes: &Nodes<'_, Crdt>) -> Result<(), Breach> {
        nodes.running().try_for_each(|(node, replica)| self.check(node, replica.state()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::types::GCounter;
    use super::*;

    fn counted(amount: u64) -> Arc<Data> {
        Arc::new(Data::GCounter(GCounter::default().add(NodeId::new(0), amount)))
    }

    #[test]
    fn what_holds_was_made_and_counts_once() {
        let node = NodeId::new(0);
        let judge = |facts: &[Fact], state: &Data| {
            let mut invariant = OnlyMade::new(Kind::GCounter);
            facts.iter().try_for_each(|fact| invariant.on_fact(node, fact, Some(state)))?;
            invariant.check(node, state)
        };
        let (five, ten) = (counted(5), counted(10));
        assert_eq!(judge(&[Fact::Made(five.clone()), Fact::Joined(five.clone())], &five), Ok(()));
        assert_eq!(judge(&[Fact::Made(five.clone()), Fact::Started], &five), Ok(()), "it was on disk");
        assert!(
            judge(&[Fact::Made(five.clone()), Fact::Joined(five.clone())], &ten).is_err(),
            "it counts twice"
        );
        assert!(judge(&[Fact::Joined(five.clone())], &five).is_err(), "nobody has made it");
        assert!(judge(&[Fact::Made(five)], &ten).is_err());
    }
}
