//! Bounds: queue and consumers hold no more than they may.

use std::collections::BTreeSet;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;

use super::super::command::{Event, Holder, MessageId};
use super::super::state::Queue;
use super::super::{Config, Fact, Node};
use super::{Kind, News, kinds};

/// A queue has no more messages than its capacity, and a consumer holds no more than its prefetch.
#[derive(Clone, Debug)]
pub struct Bounded {
    capacity: Option<u32>,
    prefetch: u32,
    news: News,
    live: BTreeSet<MessageId>,
}

impl Bounded {
    /// For nodes with this configuration.
    pub fn new(config: &Config) -> Self {
        let (capacity, prefetch) = (config.rules.capacity, config.prefetch);
        Self { capacity, prefetch, news: News::default(), live: BTreeSet::new() }
    }

    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        if let Fact::Took { receipt, held } = fact {
            let most = self.prefetch;
            ensure!(
                *held <= most,
                "{node} takes {receipt} and holds {held} messages, and its prefetch is {most}"
            );
        }
        let (Some(capacity), Some((_, events))) = (self.capacity, self.news.events(fact)) else {
            return Ok(());
        };
        for event in events {
            self.on_recorded(event);
        }
        let count = self.live.len();
        ensure!(count <= capacity as usize, "{node} has {count} messages, and its capacity is {capacity}");
        Ok(())
    }

    /// A consumer to which messages were given has no more of them than it takes.
    fn check_given(&self, queue: &Queue, fact: &Fact) -> Result<(), Breach> {
        let Fact::Recorded { events, .. } = fact else { return Ok(()) };
        for event in events {
            if let Event::Delivered { holder, .. } = event
                && matches!(holder, Holder::Consumer { .. })
            {
                let (held, most) = (queue.held_by(*holder), self.prefetch);
                ensure!(held <= most, "{holder} is given {held} messages, and its prefetch is {most}");
            }
        }
        Ok(())
    }

    fn on_recorded(&mut self, event: &Event) {
        if let Some((message, _)) = event.entered() {
            self.live.insert(message);
        } else if let Some(message) = event.left() {
            self.live.remove(&message);
        }
    }
}

impl Invariant<Node> for Bounded {
    fn about(&self) -> &'static About {
        &About {
            name: "bounded",
            statement: "A queue has no more messages than its capacity, and a consumer holds, and is given, no more than its \
                        prefetch.",
            source: "RabbitMQ, Queue Length Limit and Consumer Prefetch",
            leaves_out: "dead letters, and producers that wait for room",
        }
    }

    fn hears(&self) -> Kinds {
        kinds([Kind::Recorded, Kind::Took])
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Node>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        let broker = nodes.process(node).and_then(Node::broker);
        facts.iter().try_for_each(|fact| {
            self.on_fact(node, fact)?;
            broker.map_or(Ok(()), |broker| self.check_given(broker.queue(), fact))
        })
    }

    fn check_all(&self, nodes: &Nodes<'_, Node>) -> Result<(), Breach> {
        for (node, process) in nodes.running() {
            let (count, most) = match process {
                Node::Consumer(consumer) => (consumer.held_count().into(), Some(self.prefetch.into())),
                Node::Broker(_) | Node::Replicated(_) | Node::Producer(_) | Node::Store(_) => {
                    let Some(broker) = process.broker() else { continue };
                    (broker.queue().messages().len(), self.capacity.map(u64::from))
                }
            };
            ensure!(
                most.is_none_or(|most| count <= most),
                "{node} has {count} messages, and may have {most:?}"
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{acknowledged, enqueued, receipt, recorded};
    use super::*;

    fn judge(facts: &[Fact]) -> Result<(), Breach> {
        let mut config = Config { prefetch: 2, ..Config::new(3) };
        config.rules.capacity = Some(1);
        let mut invariant = Bounded::new(&config);
        facts.iter().try_for_each(|fact| invariant.on_fact(NodeId::new(1), fact))
    }

    #[test]
    fn a_queue_beyond_its_capacity_is_found() {
        assert!(judge(&recorded(&[&[enqueued(1, 7)], &[enqueued(2, 8)]])).is_err());
        assert_eq!(judge(&recorded(&[&[enqueued(1, 7)], &[acknowledged(1, 1)], &[enqueued(2, 8)]])), Ok(()));
        let dropped = Event::Dropped { message: MessageId(2) };
        assert_eq!(judge(&recorded(&[&[enqueued(1, 7)], &[enqueued(2, 8), dropped]])), Ok(()));
    }

    #[test]
    fn a_consumer_beyond_its_prefetch_is_found() {
        assert!(judge(&[Fact::Took { receipt: receipt(1, 1), held: 3 }]).is_err());
        assert_eq!(judge(&[Fact::Took { receipt: receipt(1, 1), held: 2 }]), Ok(()));
    }
}
