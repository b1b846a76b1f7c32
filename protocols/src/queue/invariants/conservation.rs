//! Conservation: what was sent is somewhere.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;
use sim_core::persist::PersistentMap;

use super::super::command::{Event, MessageId};
use super::super::state::{Queue, Tally};
use super::super::{Fact, Node};
use super::{Kind, News, kinds};

/// What was sent is queued, in flight, acknowledged, a dead letter, expired or dropped, and only one of these.
#[derive(Clone, Debug, Default)]
pub struct Conservation {
    news: News,
    /// In the queue, as the log on disk says.
    live: PersistentMap<MessageId, ()>,
    dead: PersistentMap<MessageId, ()>,
}

impl Conservation {
    fn on_fact(&mut self, fact: &Fact) -> Result<(), Breach> {
        let Some((_, events)) = self.news.events(fact) else { return Ok(()) };
        events.iter().try_for_each(|event| self.on_recorded(event))
    }

    fn on_recorded(&mut self, event: &Event) -> Result<(), Breach> {
        match *event {
            Event::Enqueued { message, .. } => self.enter(message),
            Event::Redriven { from, message, .. } => {
                ensure!(
                    self.dead.remove(&from).is_some(),
                    "{from} comes back from the dead letters, and was none"
                );
                self.enter(message)
            }
            Event::DeadLettered { message, .. } => {
                self.dead.insert(message, ());
                self.leave(message, "becomes a dead letter")
            }
            Event::Acknowledged { receipt, .. } => self.leave(receipt.message, "is acknowledged"),
            Event::Expired { message } => self.leave(message, "expires"),
            Event::Dropped { message } => self.leave(message, "is dropped"),
            Event::Delivered { receipt, .. } | Event::Returned { receipt, .. } => {
                let is_there = self.live.contains_key(&receipt.message);
                ensure!(
                    is_there,
                    "{receipt} is delivered or comes back, and the message is not in the queue"
                );
                Ok(())
            }
            Event::Duplicate { .. }
            | Event::Full
            | Event::Empty
            | Event::Void { .. }
            | Event::Extended { .. } => Ok(()),
        }
    }

    fn enter(&mut self, message: MessageId) -> Result<(), Breach> {
        ensure!(self.live.insert(message, ()).is_none(), "{message} enters the queue twice");
        Ok(())
    }

    fn leave(&mut self, message: MessageId, how: &str) -> Result<(), Breach> {
        ensure!(self.live.remove(&message).is_some(), "{message} {how}, and is not in the queue");
        Ok(())
    }
}

/// The books of a queue.
fn balance(queue: &Queue) -> Result<(), Breach> {
    let Tally { sent, acknowledged, dead_lettered, expired, dropped } = queue.tally();
    let (waiting, held) = queue.depth();
    let there = waiting + held + acknowledged + dead_lettered + expired + dropped;
    ensure!(
        sent == there,
        "{sent} messages were sent, and {there} are somewhere: {waiting} queued, {held} in flight, {acknowledged} \
         acknowledged, {dead_lettered} dead-lettered, {expired} expired, {dropped} dropped"
    );
    Ok(())
}

impl Invariant<Node> for Conservation {
    fn about(&self) -> &'static About {
        &About {
            name: "conservation",
            statement: "What was sent is queued, in flight, acknowledged, a dead letter, expired or dropped, and only one \
                        of these.",
            source: "double-entry bookkeeping: sent = queued + in flight + acknowledged + dead-lettered + expired + dropped",
            leaves_out: "what was refused, or is a duplicate: it was never sent",
        }
    }

    fn hears(&self) -> Kinds {
        kinds([Kind::Recorded])
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Node>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(fact))?;
        nodes.process(node).and_then(Node::broker).map_or(Ok(()), |broker| balance(broker.queue()))
    }

    /// Where all that is in its log was stated, the queue is what that says.
    fn check_all(&self, nodes: &Nodes<'_, Node>) -> Result<(), Breach> {
        for (node, process) in nodes.running() {
            let Some(broker) = process.broker() else { continue };
            balance(broker.queue())?;
            if broker.end() == self.news.recorded {
                let (queue, dead) = (broker.queue().messages(), broker.queue().dead_letters());
                let is_same = queue.keys().eq(self.live.keys());
                ensure!(is_same, "{node} has other messages than its log says: {:?}", self.live);
                ensure!(dead.keys().eq(self.dead.keys()), "{node} has other dead letters");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::command::Cause;
    use super::super::testing::{acknowledged, delivered, enqueued, recorded, returned};
    use super::*;

    fn judge(commands: &[&[Event]]) -> Result<(), Breach> {
        let mut invariant = Conservation::default();
        recorded(commands).iter().try_for_each(|fact| invariant.on_fact(fact))
    }

    #[test]
    fn a_message_leaves_once_and_only_if_it_was_there() {
        let sent: &[Event] = &[enqueued(1, 7)];
        let dead = Event::DeadLettered { message: MessageId(1), value: 7 };
        let back = Event::Redriven { from: MessageId(1), message: MessageId(2), value: 7 };
        assert_eq!(judge(&[sent, &[delivered(1, 1, 9)], &[acknowledged(1, 1)]]), Ok(()));
        assert!(judge(&[sent, &[acknowledged(1, 1)], &[acknowledged(1, 2)]]).is_err());
        assert!(judge(&[sent, sent]).is_err());
        assert!(judge(&[&[acknowledged(1, 1)]]).is_err());
        assert!(judge(&[sent, &[acknowledged(1, 1)], &[delivered(1, 1, 9)]]).is_err());
        assert_eq!(judge(&[sent, &[returned(1, 1, Cause::Failure), dead], &[back]]), Ok(()));
        assert!(judge(&[sent, &[back]]).is_err());
        assert!(judge(&[sent, &[dead], &[Event::Expired { message: MessageId(1) }]]).is_err());
    }
}
