//! Exclusive visibility: one valid receipt a message.

use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::persist::PersistentMap;
use sim_core::{LocalTime, NodeId, ensure};

use super::super::command::{Cause, Event, MessageId, Receipt};
use super::super::state::Stage;
use super::super::{Fact, Node};
use super::{Kind, News, kinds};

/// A message that somebody holds is nobody else's until it is settled or its time is over, by the broker's clock; only
/// the last receipt settles it.
#[derive(Clone, Debug, Default)]
pub struct VisibilityExclusive {
    news: News,
    /// Who holds what by which delivery, and until when.
    held: PersistentMap<MessageId, (Receipt, LocalTime)>,
}

impl VisibilityExclusive {
    fn on_fact(&mut self, fact: &Fact) -> Result<(), Breach> {
        let Some((at, events)) = self.news.events(fact) else { return Ok(()) };
        events.iter().try_for_each(|event| self.on_recorded(at, event))
    }

    fn on_recorded(&mut self, at: LocalTime, event: &Event) -> Result<(), Breach> {
        match *event {
            Event::Delivered { receipt, until, .. } => self.on_delivered(receipt, until),
            Event::Extended { receipt, until } => {
                self.check_valid(receipt, "is given more time")?;
                self.held.insert(receipt.message, (receipt, until));
                Ok(())
            }
            Event::Acknowledged { receipt, .. } => {
                self.check_valid(receipt, "settles a message")?;
                self.held.remove(&receipt.message);
                Ok(())
            }
            Event::Returned { receipt, cause, .. } => self.on_returned(at, receipt, cause),
            Event::Enqueued { .. }
            | Event::Duplicate { .. }
            | Event::Full
            | Event::Empty
            | Event::Void { .. }
            | Event::DeadLettered { .. }
            | Event::Expired { .. }
            | Event::Dropped { .. }
            | Event::Redriven { .. } => Ok(()),
        }
    }

    /// A client that asks again is given the same.
    fn on_delivered(&mut self, receipt: Receipt, until: LocalTime) -> Result<(), Breach> {
        let before = self.held.insert(receipt.message, (receipt, until));
        let is_other = before.is_some_and(|(held, _)| held != receipt);
        ensure!(!is_other, "{receipt} is delivered while {before:?} is held");
        Ok(())
    }

    fn on_returned(&mut self, at: LocalTime, receipt: Receipt, cause: Cause) -> Result<(), Breach> {
        self.check_valid(receipt, "comes back")?;
        let (_, until) = self.held.remove(&receipt.message).expect("it is valid");
        ensure!(
            cause == Cause::Failure || at >= until,
            "{receipt} runs out of time at {at}, and is held until {until}"
        );
        Ok(())
    }

    fn check_valid(&self, receipt: Receipt, what: &str) -> Result<(), Breach> {
        let held = self.held.get(&receipt.message).map(|(held, _)| *held);
        let in_words = || held.map_or_else(|| "nothing is".to_owned(), |held| format!("{held} is"));
        ensure!(held == Some(receipt), "{receipt} {what}, and {} held", in_words());
        Ok(())
    }
}

impl Invariant<Node> for VisibilityExclusive {
    fn about(&self) -> &'static About {
        &About {
            name: "visibility-exclusive",
            statement: "A message that is held is nobody else's until it is settled or its time is over by the broker's \
                        clock, and only its last receipt settles it.",
            source: "Amazon SQS Developer Guide, visibility timeout and receipt handles",
            leaves_out: "what a holder still does when its time is over: the guarantees see to that",
        }
    }

    fn hears(&self) -> Kinds {
        kinds([Kind::Recorded])
    }

    fn on_event(&mut self, _: &Nodes<'_, Node>, _: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(fact))
    }

    /// Where all that is in its log was stated, what the queue holds in flight is what was delivered and did not come back.
    fn check_all(&self, nodes: &Nodes<'_, Node>) -> Result<(), Breach> {
        for (node, process) in nodes.running() {
            let Some(broker) = process.broker() else { continue };
            let held = broker.queue().messages().iter();
            let held = held.filter(|(_, message)| matches!(message.stage, Stage::Held { .. }));
            let is_same = held.map(|(id, _)| id).eq(self.held.keys());
            ensure!(
                is_same || broker.end() != self.news.recorded,
                "{node} holds others than {:?}",
                self.held
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{acknowledged, delivered, enqueued, recorded, returned};
    use super::*;

    fn judge(commands: &[&[Event]]) -> Result<(), Breach> {
        let mut invariant = VisibilityExclusive::default();
        let enqueue: &[Event] = &[enqueued(1, 7)];
        let all = [&[enqueue], commands].concat();
        recorded(&all).iter().try_for_each(|fact| invariant.on_fact(fact))
    }

    #[test]
    fn a_message_is_held_by_one_receipt_until_it_comes_back() {
        let timeout = returned(1, 1, Cause::Timeout);
        assert_eq!(
            judge(&[&[delivered(1, 1, 2)], &[timeout, delivered(1, 2, 9)], &[acknowledged(1, 2)]]),
            Ok(())
        );
        assert_eq!(judge(&[&[delivered(1, 1, 9)], &[delivered(1, 1, 9)]]), Ok(()), "asked again");
        assert!(judge(&[&[delivered(1, 1, 9)], &[delivered(1, 2, 9)]]).is_err());
        assert!(judge(&[&[delivered(1, 1, 9)], &[timeout]]).is_err(), "too early");
        assert_eq!(judge(&[&[delivered(1, 1, 9)], &[returned(1, 1, Cause::Failure)]]), Ok(()));
    }

    #[test]
    fn an_old_receipt_settles_nothing() {
        let again = [delivered(1, 1, 2), returned(1, 1, Cause::Failure), delivered(1, 2, 9)];
        assert!(judge(&[&again, &[acknowledged(1, 1)]]).is_err());
        assert!(judge(&[&again[..2], &[acknowledged(1, 1)]]).is_err());
    }
}
