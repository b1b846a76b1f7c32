//! No loss: what was confirmed survives.

use std::collections::BTreeSet;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;
use sim_core::persist::AppendLog;
use sim_core::service::Value;

use super::super::command::Event;
use super::super::{Broker, Fact, Node};
use super::{Kind, News, kinds};

/// A message whose producer was told that it is kept is on the broker's disk then, and in the queue after every restart
/// until something became of it.
#[derive(Clone, Debug, Default)]
pub struct NoLoss {
    news: News,
    /// What the log on disk has, or had: every value that was ever in the queue.
    logged: AppendLog<Value>,
    /// What of it was not confirmed yet.
    unconfirmed: BTreeSet<Value>,
    /// What was confirmed since the last start of the broker while it was not among these: again, or without being logged.
    doubtful: BTreeSet<Value>,
}

impl NoLoss {
    /// What was confirmed and never logged.
    fn lost(&mut self) -> BTreeSet<Value> {
        let mut lost = std::mem::take(&mut self.doubtful);
        if !lost.is_empty() {
            self.logged.iter().for_each(|value| _ = lost.remove(value));
        }
        lost
    }

    /// Who goes on from the log has all of it that anybody has said is there.
    fn check_end(&self, node: NodeId, end: u64) -> Result<(), Breach> {
        let stated = self.news.recorded;
        ensure!(
            end >= stated,
            "{node} goes on from {end} commands, and {stated} were stated to be in the log"
        );
        Ok(())
    }

    fn on_fact(&mut self, fact: &Fact) -> Result<(), Breach> {
        if let Some((_, events)) = self.news.events(fact) {
            for event in events {
                if let Event::Enqueued { value, .. } = event {
                    self.logged.push(*value);
                    self.unconfirmed.insert(*value);
                }
            }
        }
        match fact {
            Fact::Confirmed { value } => {
                if !self.unconfirmed.remove(value) {
                    self.doubtful.insert(*value);
                }
            }
            Fact::Recovered => {
                let lost: Vec<_> = self.lost().into_iter().take(3).collect();
                ensure!(
                    lost.is_empty(),
                    "the broker has confirmed {lost:?}, and does not know of it after a restart"
                );
            }
            Fact::Recorded { .. }
            | Fact::Took { .. }
            | Fact::Effected { .. }
            | Fact::Kept { .. }
            | Fact::Raft(_) => {}
        }
        Ok(())
    }
}

impl Invariant<Node> for NoLoss {
    fn about(&self) -> &'static About {
        &About {
            name: "no-loss",
            statement: "After a restart, or a change of brokers, the broker knows of every message whose producer was told that it \
                        is kept; and a broker by itself has after a restart every command that was said to be in the log.",
            source: "RabbitMQ, Publisher Confirms: a confirmed persistent message is on disk",
            leaves_out: "what becomes of the messages that it knows: `conservation` and the guarantees see to that",
        }
    }

    fn hears(&self) -> Kinds {
        kinds([Kind::Recorded, Kind::Confirmed, Kind::Recovered])
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Node>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        // Of several brokers one may come into office that does not know that it was replaced: `raft-safety` judges them.
        let alone = nodes.process(node).filter(|process| matches!(process, Node::Broker(_)));
        let end = alone.and_then(Node::broker).map(Broker::end);
        facts.iter().try_for_each(|fact| {
            self.on_fact(fact)?;
            end.filter(|_| *fact == Fact::Recovered).map_or(Ok(()), |end| self.check_end(node, end))
        })
    }

    /// What the log has is the same as what `conservation` compares: here there is nothing beyond facts.
    fn check_all(&self, _: &Nodes<'_, Node>) -> Result<(), Breach> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{enqueued, recorded};
    use super::*;

    #[test]
    fn what_was_confirmed_and_is_not_in_the_log_is_found_in_a_restart() {
        let (mut invariant, logged) = (NoLoss::default(), recorded(&[&[enqueued(1, 7)]]));
        let confirm = |value| Fact::Confirmed { value };
        for fact in [&logged[0], &confirm(7), &confirm(7), &Fact::Recovered, &confirm(8)] {
            assert_eq!(invariant.on_fact(fact), Ok(()));
        }
        assert!(invariant.on_fact(&Fact::Recovered).is_err());
    }
}
