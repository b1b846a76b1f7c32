//! Outbox: producers tell of what they have done, and of nothing else.

use std::collections::{BTreeMap, BTreeSet};

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;
use sim_core::service::Value;

use super::super::command::Event;
use super::super::{Fact, Node};
use super::{Kind, News, kinds};

/// Where clients send by way of producers, nothing is in the queue that no producer has on disk as done; and what a producer has
/// done is in the queue, or its producer will tell of it.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    news: News,
    kept: BTreeSet<Value>,
    enqueued: BTreeSet<Value>,
    /// What each producer has done that was never in the queue.
    untold: BTreeMap<NodeId, BTreeSet<Value>>,
}

impl Outbox {
    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        if let Fact::Kept { value } = fact {
            self.kept.insert(*value);
            if !self.enqueued.contains(value) {
                self.untold.entry(node).or_default().insert(*value);
            }
        }
        let Some((_, events)) = self.news.events(fact) else { return Ok(()) };
        for event in events {
            if let Event::Enqueued { message, value } = event {
                self.enqueued.insert(*value);
                self.untold.values_mut().for_each(|values| _ = values.remove(value));
                ensure!(
                    self.kept.contains(value),
                    "{message} tells of {value}, which no producer has on disk"
                );
            }
        }
        Ok(())
    }

    /// What `node` has done and was never in the queue is in its outbox.
    fn check(&self, node: NodeId, process: &Node) -> Result<(), Breach> {
        let (Node::Producer(producer), Some(values)) = (process, self.untold.get(&node)) else {
            return Ok(());
        };
        let rows: BTreeSet<Value> = producer.untold().collect();
        let lost = values.difference(&rows).next();
        ensure!(lost.is_none(), "{node} has done {lost:?}, and nobody will hear of it");
        Ok(())
    }
}

impl Invariant<Node> for Outbox {
    fn about(&self) -> &'static About {
        &About {
            name: "outbox",
            statement: "Where there are producers with an outbox, a message is in the queue only after what it tells of is on \
                        its producer's disk, and what a producer has done is in the queue or still in its outbox.",
            source: "Richardson, Microservices Patterns (2018) §3.3.7: transactional outbox",
            leaves_out: "producers that are down: their outbox is on their disk",
        }
    }

    fn hears(&self) -> Kinds {
        kinds([Kind::Recorded, Kind::Kept])
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Node>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, fact))?;
        nodes.process(node).map_or(Ok(()), |process| self.check(node, process))
    }

    fn check_all(&self, nodes: &Nodes<'_, Node>) -> Result<(), Breach> {
        nodes.running().try_for_each(|(node, process)| self.check(node, process))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{enqueued, recorded};
    use super::*;

    fn judge(facts: &[Fact]) -> Result<(), Breach> {
        let mut invariant = Outbox::default();
        facts.iter().try_for_each(|fact| invariant.on_fact(NodeId::new(1), fact))
    }

    #[test]
    fn a_message_that_tells_of_nothing_that_was_done_is_found() {
        let message = recorded(&[&[enqueued(1, 7)]]);
        assert!(judge(&message).is_err());
        assert!(judge(&[vec![Fact::Kept { value: 6 }], message.clone()].concat()).is_err());
        assert_eq!(judge(&[vec![Fact::Kept { value: 7 }], message].concat()), Ok(()));
    }
}
