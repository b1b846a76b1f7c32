//! Work conservation: nobody waits beside a message.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;

use super::super::{Broker, Fact, Node};
use super::{Kind, kinds};

/// When the broker has handled an event, no message is ready while a consumer has credit. So a queue drains whose
/// consumers take more than producers send.
#[derive(Clone, Copy, Debug)]
pub struct WorkConserving;

fn check(node: NodeId, process: &Node) -> Result<(), Breach> {
    let neglected = process.broker().and_then(Broker::neglected);
    ensure!(neglected.is_none(), "{node} has a message that is ready, and {neglected:?} takes one");
    Ok(())
}

impl Invariant<Node> for WorkConserving {
    fn about(&self) -> &'static About {
        &About {
            name: "work-conserving",
            statement: "When the broker has handled an event, no message is ready while a consumer has credit.",
            source: "Kleinrock, Queueing Systems II (1976) §3.4: work-conserving systems",
            leaves_out: "a log that takes no more, because a disk is full or too much waits for others: then nothing can be delivered",
        }
    }

    fn hears(&self) -> Kinds {
        kinds([Kind::Recorded, Kind::Confirmed, Kind::Recovered])
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Node>, node: NodeId, _: &[Fact]) -> Result<(), Breach> {
        nodes.process(node).map_or(Ok(()), |process| check(node, process))
    }

    fn check_all(&self, nodes: &Nodes<'_, Node>) -> Result<(), Breach> {
        nodes.running().try_for_each(|(node, process)| check(node, process))
    }
}
