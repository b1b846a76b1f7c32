//! What is committed: on the disk of everybody who may lead.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::image::Image;
use super::super::replica::Replica;
use super::super::{Fact, Node, PartitionId};
use super::{Decided, leaders, on_disk};

/// Whatever a leader counts as committed is on the disk of each replica that the controller counts as in sync.
#[derive(Clone, Debug, Default)]
pub struct InSyncHasAll {
    decided: Decided,
}

/// The last committed record stands on all these disks; by log matching all before it do.
fn check(
    nodes: &Nodes<'_, Node>,
    image: &Image,
    (node, id): (NodeId, PartitionId),
    copy: &Replica,
) -> Result<(), Breach> {
    let Some(last) = copy.high_watermark().checked_sub(1) else { return Ok(()) };
    for member in image.partition(id).isr.iter() {
        let there = on_disk(nodes, member, id, last);
        ensure!(
            there.as_ref() == copy.log().get(last),
            "{node} counts {id} as committed up to {last}, and {member} is in sync and has {} there",
            there.map_or_else(|| "nothing".to_owned(), |entry| format!("{} of {}", entry.body, entry.epoch))
        );
    }
    Ok(())
}

impl Invariant<Node> for InSyncHasAll {
    fn about(&self) -> &'static About {
        &About {
            name: "in-sync-has-all",
            statement: "What a leader counts as committed is on the disk of every replica that the controller counts as in sync.",
            source: "Kafka, Documentation §4.7: a message is committed when all in-sync replicas have it; KIP-497",
            leaves_out: "leaders that have been replaced",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Node>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        self.decided.hear(facts);
        facts.iter().try_for_each(|fact| match *fact {
            Fact::Committed { partition, .. } => {
                let copy =
                    nodes.process(node).and_then(|process| process.broker()?.replicas().get(&partition));
                copy.zip(self.decided.image(nodes))
                    .map_or(Ok(()), |(copy, image)| check(nodes, image, (node, partition), copy))
            }
            Fact::Changed { .. }
            | Fact::Led { .. }
            | Fact::Appended { .. }
            | Fact::Truncated { .. }
            | Fact::Acknowledged { .. }
            | Fact::Served { .. }
            | Fact::Recorded { .. }
            | Fact::Effected { .. }
            | Fact::Stepped { .. }
            | Fact::Showed { .. }
            | Fact::Decided { .. }
            | Fact::Raft(_) => Ok(()),
        })
    }

    fn check_all(&self, nodes: &Nodes<'_, Node>) -> Result<(), Breach> {
        let Some(image) = self.decided.image(nodes) else { return Ok(()) };
        leaders(nodes).try_for_each(|(node, id, copy, leading)| {
            let is_last = image.partition(id).epoch == leading.epoch();
            if is_last { check(nodes, image, (node, id), copy) } else { Ok(()) }
        })
    }

    fn fork(&self) -> Box<dyn Invariant<Node>> {
        Box::new(self.clone())
    }
}
