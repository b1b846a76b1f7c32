//! Isolation: a message that fails and fails is taken out of the way.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;
use sim_core::persist::PersistentMap;

use super::super::command::{Event, MessageId};
use super::super::{Config, Fact, Node};
use super::{Kind, News, kinds};

/// No message is delivered more often than it may fail, and none is a dead letter before.
#[derive(Clone, Debug)]
pub struct PoisonIsolated {
    max_receives: Option<u32>,
    news: News,
    deliveries: PersistentMap<MessageId, u32>,
}

impl PoisonIsolated {
    /// For nodes with this configuration.
    pub fn new(config: &Config) -> Self {
        let max_receives = config.rules.max_receives;
        Self { max_receives, news: News::default(), deliveries: PersistentMap::new() }
    }

    fn on_fact(&mut self, fact: &Fact) -> Result<(), Breach> {
        let Some((_, events)) = self.news.events(fact) else { return Ok(()) };
        events.iter().try_for_each(|event| self.on_recorded(event))
    }

    fn on_recorded(&mut self, event: &Event) -> Result<(), Breach> {
        match *event {
            Event::Delivered { receipt, .. } => {
                self.deliveries.insert(receipt.message, receipt.delivery);
                let is_over = self.max_receives.is_some_and(|most| receipt.delivery > most);
                ensure!(!is_over, "{receipt} is a delivery more than {:?}", self.max_receives);
            }
            Event::DeadLettered { message, value } => {
                let count = self.deliveries.remove(&message).unwrap_or(0);
                ensure!(
                    Some(count) == self.max_receives,
                    "{message}, value {value}, is a dead letter after {count} deliveries, and not after {:?}",
                    self.max_receives
                );
            }
            Event::Acknowledged { receipt, .. } => _ = self.deliveries.remove(&receipt.message),
            Event::Expired { message } | Event::Dropped { message } => _ = self.deliveries.remove(&message),
            Event::Enqueued { .. }
            | Event::Duplicate { .. }
            | Event::Full
            | Event::Empty
            | Event::Void { .. }
            | Event::Extended { .. }
            | Event::Returned { .. }
            | Event::Redriven { .. } => {}
        }
        Ok(())
    }
}

impl Invariant<Node> for PoisonIsolated {
    fn about(&self) -> &'static About {
        &About {
            name: "poison-isolated",
            statement: "No message is delivered more often than it may fail, and it is a dead letter after that and not \
                        before.",
            source: "Amazon SQS Developer Guide, dead-letter queues: maxReceiveCount; RabbitMQ, quorum queues: delivery-limit",
            leaves_out: "queues without a limit",
        }
    }

    fn hears(&self) -> Kinds {
        kinds([Kind::Recorded])
    }

    fn on_event(&mut self, _: &Nodes<'_, Node>, _: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(fact))
    }

    /// A message in the queue has not failed as often as it may.
    fn check_all(&self, nodes: &Nodes<'_, Node>) -> Result<(), Breach> {
        for (node, process) in nodes.running() {
            let (Some(broker), Some(most)) = (process.broker(), self.max_receives) else { continue };
            let over = broker.queue().messages().iter().find(|(_, message)| message.failures >= most);
            ensure!(over.is_none(), "{node} has {over:?}, which has failed as often as it may");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{delivered, recorded};
    use super::*;

    fn judge(commands: &[&[Event]]) -> Result<(), Breach> {
        let mut config = Config::new(3);
        config.rules.max_receives = Some(2);
        let mut invariant = PoisonIsolated::new(&config);
        recorded(commands).iter().try_for_each(|fact| invariant.on_fact(fact))
    }

    #[test]
    fn a_message_is_a_dead_letter_after_its_last_delivery_and_not_before() {
        let dead = Event::DeadLettered { message: MessageId(1), value: 1 };
        assert_eq!(judge(&[&[delivered(1, 1, 9)], &[delivered(1, 2, 9)], &[dead]]), Ok(()));
        assert!(judge(&[&[delivered(1, 1, 9)], &[delivered(1, 2, 9)], &[delivered(1, 3, 9)]]).is_err());
        assert!(judge(&[&[delivered(1, 1, 9)], &[dead]]).is_err());
    }
}
