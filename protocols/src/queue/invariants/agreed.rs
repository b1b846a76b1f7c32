//! Agreement: one log, whoever reads it.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;
use sim_core::fingerprint::fingerprint;
use sim_core::persist::AppendLog;

use super::super::{Fact, Node};
use super::{Kind, kinds};

/// A place in the log has the same command for every broker that states it, in whatever restart, and what came of it is
/// the same.
#[derive(Clone, Debug, Default)]
pub struct Agreed {
    /// The fingerprint of what was stated first of each place; none where a broker began after it. All commands of a long
    /// run would be more than all that is in the queue.
    stated: AppendLog<Option<NonZeroU64>>,
}

impl Agreed {
    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        let Fact::Recorded { index, at, events } = fact else { return Ok(()) };
        let stated = self.stated.get_or_fill(*index, || None);
        let print = NonZeroU64::new(fingerprint(&(at, events.as_slice())));
        ensure!(
            stated.is_none() || *stated == print,
            "{node} has {events:?} at {at} of command {index}, and something else was stated of it before"
        );
        *stated = print;
        Ok(())
    }
}

impl Invariant<Node> for Agreed {
    fn about(&self) -> &'static About {
        &About {
            name: "agreed",
            statement: "A command of the log has the same events at the same time for every broker that has it, in every \
                        restart.",
            source: "State Machine Safety: Ongaro, Ousterhout, In Search of an Understandable Consensus Algorithm (2014), \
                     Figure 3",
            leaves_out: "commands that nobody has stated: a broker that took a snapshot over did not perform what it has",
        }
    }

    fn hears(&self) -> Kinds {
        kinds([Kind::Recorded])
    }

    fn on_event(&mut self, _: &Nodes<'_, Node>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, fact))
    }

    /// Replicas that have performed equally many commands have equal queues.
    fn check_all(&self, nodes: &Nodes<'_, Node>) -> Result<(), Breach> {
        let ledgers = nodes.running().filter_map(|(node, process)| match process {
            Node::Replicated(broker) => Some((node, broker.replica().machine().state())),
            Node::Broker(_) | Node::Producer(_) | Node::Consumer(_) | Node::Store(_) => None,
        });
        let mut first = BTreeMap::new();
        for (node, ledger) in ledgers {
            let (other, queue) = first.entry(ledger.count()).or_insert((node, ledger.queue()));
            ensure!(
                *queue == ledger.queue(),
                "{node} and {other} have performed {} commands, and their queues differ",
                ledger.count()
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{enqueued, recorded};
    use super::*;

    fn judge(facts: &[Fact]) -> Result<(), Breach> {
        let mut invariant = Agreed::default();
        facts.iter().try_for_each(|fact| invariant.on_fact(NodeId::new(0), fact))
    }

    #[test]
    fn a_command_that_is_stated_again_is_the_same() {
        let log = recorded(&[&[enqueued(1, 7)], &[enqueued(2, 8)]]);
        assert_eq!(judge(&[log.clone(), log.clone()].concat()), Ok(()));
        let other = recorded(&[&[enqueued(1, 7)], &[enqueued(2, 9)]]);
        assert!(judge(&[log, other].concat()).is_err());
    }
}
