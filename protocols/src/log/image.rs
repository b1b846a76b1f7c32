//! The cluster's metadata: who leads which partition, and who is in sync. The controller decides, everybody else copies it.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use sim_core::NodeId;

use super::config::Config;
use super::types::{BrokerEpoch, Epoch, PartitionId};
use crate::replicated::NodeSet;

/// What the cluster looks like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Image {
    /// It rises with every change.
    pub version: u64,
    /// The brokers that have registered.
    pub brokers: BTreeMap<NodeId, Registration>,
    /// The partitions in the order of their numbers: of clients, of results, of offsets, of transactions.
    pub partitions: Vec<PartitionState>,
}

/// A broker that has registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Registration {
    /// What it calls its life.
    pub incarnation: u64,
    /// What the controller calls it.
    pub epoch: BrokerEpoch,
    /// Whether it may not lead and is not in sync: it has not been heard of.
    pub is_fenced: bool,
}

/// One partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PartitionState {
    /// Who leads it; nobody, if nobody may.
    pub leader: Option<NodeId>,
    /// Of the last leader.
    pub epoch: Epoch,
    /// Rises with every change of this partition, and with every one that is refused for good (Kafka: partition epoch).
    pub version: u32,
    /// The in-sync replicas: who has all that is committed.
    pub isr: NodeSet,
}

impl fmt::Display for PartitionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.leader {
            Some(leader) => write!(f, "{leader}")?,
            None => f.write_str("nobody")?,
        }
        write!(f, " leads in {}, isr={}", self.epoch, self.isr)
    }
}

impl Image {
    /// Before any broker has registered: all replicas are in sync, because nothing was appended.
    pub fn initial(config: &Config) -> Self {
        let partition = |id| PartitionState {
            leader: None,
            epoch: Epoch::default(),
            version: 0,
            isr: config.replicas(id).collect(),
        };
        let partitions = config.all_partitions().map(partition).collect();
        Self { version: 0, brokers: BTreeMap::new(), partitions }
    }

    /// A partition.
    pub fn partition(&self, id: PartitionId) -> &PartitionState {
        &self.partitions[id.index()]
    }

    /// Whether a broker may lead and be in sync.
    pub fn is_live(&self, node: NodeId) -> bool {
        self.brokers.get(&node).is_some_and(|broker| !broker.is_fenced)
    }

    /// Bytes on disk and on the wire.
    pub fn size(&self) -> u64 {
        8 + 24 * self.brokers.len() as u64 + 20 * self.partitions.len() as u64
    }
}
