//! What there is to do: what liveness asks for once faults have ended.
//!
//! | line | taken in | done |
//! | --- | --- | --- |
//! | a partition of clients | what is committed | what its consumer has handled, and the group has kept as handled |
//! | with transactions a partition of results | what is committed | what the store has read: below the last stable offset, which must come up to it |

use sim_core::NodeId;
use sim_core::check::{Nodes, Work};

use super::Node;
use super::broker::Broker;
use super::group::share::Share;
use super::group::store::Store;
use super::replica::Replica;
use super::types::PartitionId;

/// The work that those of `well` know that run: none where nobody consumes.
pub(super) fn work(nodes: &Nodes<'_, Node>, well: &[NodeId]) -> Vec<Work> {
    let site = Site { nodes, well };
    let config = site.running().find_map(|process| Some(&process.broker()?.config));
    let Some(config) = config.filter(|config| config.consumers > 0) else { return Vec::new() };
    let partitions = (0..config.partitions).filter_map(|id| site.of_partition(PartitionId(id)));
    let results = config.results_partitions().filter_map(|id| site.of_results(id));
    partitions.chain(results).collect()
}

/// The nodes that are well.
struct Site<'a> {
    nodes: &'a Nodes<'a, Node>,
    well: &'a [NodeId],
}

impl Site<'_> {
    fn running(&self) -> impl Iterator<Item = &Node> {
        self.nodes.running().filter(|(node, _)| self.well.contains(node)).map(|(_, process)| process)
    }

    /// Whoever leads a partition, in the highest epoch that anybody leads it in, and its copy.
    fn leader(&self, id: PartitionId) -> Option<(&Broker, &Replica)> {
        let copies = self.running().filter_map(|process| {
            let broker = process.broker()?;
            let copy = broker.replicas().get(id)?;
            Some((copy.leading()?.epoch(), broker, copy))
        });
        copies.max_by_key(|(epoch, ..)| *epoch).map(|(_, broker, copy)| (broker, copy))
    }

    fn of_partition(&self, id: PartitionId) -> Option<Work> {
        let (_, copy) = self.leader(id)?;
        let done = self.kept(id).min(self.handled(id));
        Some(Work { line: format!("the consumer of {id}"), taken: copy.high_watermark(), done })
    }

    /// What the group has kept as handled.
    fn kept(&self, id: PartitionId) -> u64 {
        let Some((coordinator, _)) = self.group() else { return 0 };
        coordinator.offsets().kept.get(&id).copied().unwrap_or(0)
    }

    /// What its consumer has handled: nothing, where nobody has it.
    fn handled(&self, id: PartitionId) -> u64 {
        let Some((coordinator, _)) = self.group() else { return 0 };
        let owner = coordinator.owner(id).filter(|owner| self.well.contains(owner));
        let consumer = owner.and_then(|owner| self.nodes.process(owner)).and_then(Node::consumer);
        consumer.and_then(|consumer| consumer.shares().get(&id)).map_or(0, Share::done)
    }

    fn group(&self) -> Option<(&Broker, &Replica)> {
        let (broker, _) = self.leader(PartitionId(0))?;
        self.leader(broker.config.offsets_partition())
    }

    fn of_results(&self, id: PartitionId) -> Option<Work> {
        let (_, copy) = self.leader(id)?;
        let store = self.running().find_map(|process| process.store());
        let done = store.and_then(|store: &Store| store.reader().positions().get(&id).copied()).unwrap_or(0);
        Some(Work { line: format!("the reader of {id}"), taken: copy.high_watermark(), done })
    }
}
