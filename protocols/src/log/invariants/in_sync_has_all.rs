//! What is committed: on the disk of everybody who may lead.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::image::Image;
use super::super::replica::Replica;
use super::super::{Config, Epoch, Fact, Node, PartitionId};
use super::{Decided, OnDisk, leaders, on_disk};

/// Whatever a leader counts as committed is on the disk of each replica that the controller counts as in sync.
#[derive(Clone, Debug)]
pub struct InSyncHasAll {
    config: Config,
    decided: Decided,
}

impl InSyncHasAll {
    /// With these parameters.
    pub fn new(config: &Config) -> Self {
        Self { config: config.clone(), decided: Decided::default() }
    }
}

/// The last committed record stands on all these disks, or did; by log matching all before it do. A leader of an earlier epoch may not
/// know yet that it was replaced, and those in sync are in sync with another one.
fn check(
    config: &Config,
    nodes: &Nodes<'_, Node>,
    image: &Image,
    (node, id, epoch): (NodeId, PartitionId, Epoch),
    copy: &Replica,
) -> Result<(), Breach> {
    let is_last = image.partition(id).epoch == epoch;
    let Some(last) = copy.high_watermark().checked_sub(1).filter(|_| is_last) else { return Ok(()) };
    for member in image.partition(id).isr.iter() {
        let (is_same, there) = match (on_disk(nodes, config, member, id, last), copy.log().get(last)) {
            (OnDisk::Nothing, _) => (false, "nothing".to_owned()),
            (OnDisk::Record(entry), Some(own)) => {
                (entry == own, format!("{} of {}", entry.body, entry.epoch))
            }
            (OnDisk::Removed, _) | (OnDisk::Record(_), None) => continue,
        };
        ensure!(
            is_same,
            "{node} counts {id} as committed up to {last}, and {member} is in sync and has {there} there"
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
            Fact::Committed { partition, epoch, .. } => {
                let copy =
                    nodes.process(node).and_then(|process| process.broker()?.replicas().get(partition));
                copy.zip(self.decided.image(nodes)).map_or(Ok(()), |(copy, image)| {
                    check(&self.config, nodes, image, (node, partition, epoch), copy)
                })
            }
            Fact::Changed { .. }
            | Fact::Led { .. }
            | Fact::Appended { .. }
            | Fact::Truncated { .. }
            | Fact::Began { .. }
            | Fact::Acknowledged { .. }
            | Fact::Served { .. }
            | Fact::Recorded { .. }
            | Fact::Read { .. }
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
            check(&self.config, nodes, image, (node, id, leading.epoch()), copy)
        })
    }
}
