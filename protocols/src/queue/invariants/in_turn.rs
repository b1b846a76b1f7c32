//! Turns: nobody is taken too soon, and of those that can be taken the first one is.

use std::collections::BTreeMap;

use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::{LocalTime, NodeId, Span, ensure};

use super::super::command::{Cause, Event, MessageId};
use super::super::state::{Message, Stage};
use super::super::{Config, Fact, Node, Rules};
use super::{Kind, News, kinds};

/// A message is delivered after its delay, and without groups only if no other one of a higher priority, or an older one of
/// the same, can be taken.
#[derive(Clone, Debug)]
pub struct InTurn {
    rules: Rules,
    news: News,
    /// The latest time of a command.
    now: LocalTime,
    /// Of what is in the queue.
    priorities: BTreeMap<MessageId, u32>,
    /// Who can be taken from when on, in the order in which it is somebody's turn.
    waiting: BTreeMap<(u32, MessageId), LocalTime>,
}

impl InTurn {
    /// For nodes with this configuration.
    pub fn new(config: &Config) -> Self {
        let (rules, news, now) = (config.rules, News::default(), LocalTime::ZERO);
        Self { rules, news, now, priorities: BTreeMap::new(), waiting: BTreeMap::new() }
    }

    fn on_fact(&mut self, fact: &Fact) -> Result<(), Breach> {
        let Some((at, events)) = self.news.events(fact) else { return Ok(()) };
        self.now = self.now.max(at);
        events.iter().try_for_each(|event| self.on_recorded(event))
    }

    fn on_recorded(&mut self, event: &Event) -> Result<(), Breach> {
        if let Some((message, value)) = event.entered() {
            self.priorities.insert(message, self.rules.priority_of(value));
            self.wait(message, self.rules.delay);
        } else if let Some(message) = event.left() {
            self.leave(message);
        } else if let Event::Returned { receipt, cause, .. } = event {
            let delay = if *cause == Cause::Failure { self.rules.retry_delay } else { Span::ZERO };
            self.wait(receipt.message, delay);
        } else if let Event::Delivered { receipt, .. } = event {
            return self.on_delivered(receipt.message);
        }
        Ok(())
    }

    fn wait(&mut self, message: MessageId, delay: Span) {
        if let Some(priority) = self.priorities.get(&message) {
            self.waiting.insert((*priority, message), self.now + delay);
        }
    }

    fn leave(&mut self, message: MessageId) {
        if let Some(priority) = self.priorities.remove(&message) {
            self.waiting.remove(&(priority, message));
        }
    }

    /// A client that asks again is told again of what it holds: that waits no more.
    fn on_delivered(&mut self, message: MessageId) -> Result<(), Breach> {
        let place = self.priorities.get(&message).map(|priority| (*priority, message));
        let Some((place, ready)) = place.and_then(|place| self.waiting.remove_entry(&place)) else {
            return Ok(());
        };
        let now = self.now;
        ensure!(ready <= now, "{message} is delivered at {now}, and must wait until {ready}");
        let can_be_taken = |(_, ready): &(_, &LocalTime)| **ready <= now;
        let before = self.waiting.range(..place).find(can_be_taken);
        ensure!(
            before.is_none() || self.rules.groups > 0,
            "{message} of priority {} is delivered, and {before:?} goes before it",
            place.0
        );
        Ok(())
    }

    /// Whether a message in the queue can be taken when what was stated says so.
    fn is_as_stated(&self, id: MessageId, message: &Message) -> bool {
        let ready = self.waiting.get(&(self.rules.priority_of(message.value), id));
        match message.stage {
            Stage::Held { .. } => ready.is_none(),
            Stage::Delayed { until } => ready == Some(&until),
            Stage::Waiting => ready.is_some_and(|ready| *ready <= self.now),
        }
    }
}

impl Invariant<Node> for InTurn {
    fn about(&self) -> &'static About {
        &About {
            name: "in-turn",
            statement: "Where there are delays or priorities, a message is delivered after its delay, and without groups only \
                        if no other one of a higher priority, or an older one of the same, can be taken.",
            source: "Amazon SQS Developer Guide, delay queues; RabbitMQ, Priority Queue Support",
            leaves_out: "order among groups",
        }
    }

    fn hears(&self) -> Kinds {
        kinds([Kind::Recorded])
    }

    fn on_event(&mut self, _: &Nodes<'_, Node>, _: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(fact))
    }

    /// Where all that is in its log was stated, messages wait in the queue as that says.
    fn check_all(&self, nodes: &Nodes<'_, Node>) -> Result<(), Breach> {
        for (node, process) in nodes.running() {
            let Some(broker) = process.broker().filter(|broker| broker.end() == self.news.recorded) else {
                continue;
            };
            let other =
                broker.queue().messages().iter().find(|(id, message)| !self.is_as_stated(**id, message));
            ensure!(other.is_none(), "{node} has {other:?}, and its log says otherwise");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{acknowledged, delivered, enqueued, recorded, returned};
    use super::*;

    /// A command a second, with delays of these many.
    fn judge(rules: Rules, commands: &[&[Event]]) -> Result<(), Breach> {
        let mut invariant = InTurn::new(&Config { rules, ..Config::new(3) });
        recorded(commands).iter().try_for_each(|fact| invariant.on_fact(fact))
    }

    #[test]
    fn a_message_that_is_delivered_before_its_delay_is_over_is_found() {
        let rules = Rules { delay: Span::secs(2), ..Rules::new() };
        let (sent, taken): (&[Event], &[Event]) = (&[enqueued(1, 7)], &[delivered(1, 1, 9)]);
        assert!(judge(rules, &[sent, taken]).is_err());
        assert_eq!(judge(rules, &[sent, &[], taken]), Ok(()));
    }

    #[test]
    fn what_has_failed_waits_and_what_ran_out_of_time_does_not() {
        let rules = Rules { retry_delay: Span::secs(2), ..Rules::new() };
        let again = |cause| {
            let sent: &[Event] = &[enqueued(1, 7), delivered(1, 1, 9)];
            judge(rules, &[sent, &[returned(1, 1, cause)], &[delivered(1, 2, 9)]])
        };
        assert!(again(Cause::Failure).is_err());
        assert_eq!(again(Cause::Timeout), Ok(()));
    }

    #[test]
    fn whoever_goes_before_and_can_be_taken_is_taken_first() {
        let rules = Rules { priorities: 2, ..Rules::new() };
        let of =
            |priority| (0..100).find(|value| rules.priority_of(*value) == priority).expect("there is one");
        let sent: &[Event] = &[enqueued(1, of(1)), enqueued(2, of(0)), enqueued(3, of(0))];
        for (message, is_right) in [(1, false), (2, true), (3, false)] {
            assert_eq!(judge(rules, &[sent, &[delivered(message, 1, 9)]]).is_ok(), is_right, "m{message}");
        }
        let rest: &[Event] =
            &[delivered(2, 1, 9), delivered(3, 1, 9), acknowledged(3, 1), delivered(1, 1, 9)];
        assert_eq!(judge(rules, &[sent, rest]), Ok(()));
    }

    #[test]
    fn whoever_waits_for_its_delay_holds_back_nobody() {
        let rules = Rules { retry_delay: Span::secs(5), ..Rules::new() };
        let sent: &[Event] = &[enqueued(1, 7), enqueued(2, 8), delivered(1, 1, 9)];
        let failed: &[Event] = &[returned(1, 1, Cause::Failure), delivered(2, 1, 9)];
        assert_eq!(judge(rules, &[sent, failed]), Ok(()));
        let passed: &[Event] = &[returned(1, 1, Cause::Timeout), delivered(2, 1, 9)];
        assert!(judge(rules, &[sent, passed]).is_err());
    }
}
