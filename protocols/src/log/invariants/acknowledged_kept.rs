//! What was acknowledged: on as many disks as promised.

use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::{NodeId, OpId, ensure};

use super::super::{Acks, Config, Fact, Node, PartitionId};
use super::{OnDisk, on_disk};

/// When a producer is told that its record is kept, it is on as many disks as was promised.
#[derive(Clone, Debug)]
pub struct AcknowledgedKept {
    config: Config,
}

impl AcknowledgedKept {
    /// With what these parameters promise.
    pub fn new(config: &Config) -> Self {
        Self { config: config.clone() }
    }

    /// On how many disks an acknowledged record is.
    fn promised(&self, id: PartitionId) -> u32 {
        match self.config.acks_of(id) {
            Acks::All => self.config.min_insync,
            Acks::Leader => 1,
            Acks::None => 0,
        }
    }

    fn check(&self, nodes: &Nodes<'_, Node>, id: PartitionId, op: OpId, offset: u64) -> Result<(), Breach> {
        let has = |node: &NodeId| match on_disk(nodes, &self.config, *node, id, offset) {
            OnDisk::Record(entry) => entry.op == Some(op),
            // It was, and is old.
            OnDisk::Removed => true,
            OnDisk::Nothing => false,
        };
        let count = self.config.replicas(id).filter(has).count();
        let promised = self.promised(id);
        ensure!(
            count >= promised as usize,
            "{op} is acknowledged at {id}@{offset}, and is there on {count} disks, not {promised}"
        );
        Ok(())
    }
}

impl Invariant<Node> for AcknowledgedKept {
    fn about(&self) -> &'static About {
        &About {
            name: "acknowledged-kept",
            statement: "An acknowledged record is on as many disks as promised: with acks=all on `min_insync`, with acks=1 on one.",
            source: "Kafka, Documentation §3: acks, min.insync.replicas",
            leaves_out: "how long it stays there: `committed-stays`",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Node>, _: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| match *fact {
            Fact::Acknowledged { partition, op, offset } => self.check(nodes, partition, op, offset),
            Fact::Changed { .. }
            | Fact::Led { .. }
            | Fact::Appended { .. }
            | Fact::Truncated { .. }
            | Fact::Began { .. }
            | Fact::Committed { .. }
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

    /// What is committed by the word of a leader is on as many disks.
    fn check_all(&self, nodes: &Nodes<'_, Node>) -> Result<(), Breach> {
        super::leaders(nodes).try_for_each(|(_, id, copy, leading)| {
            let last =
                copy.high_watermark().checked_sub(1).and_then(|last| Some((last, copy.log().get(last)?.op?)));
            match last {
                Some((offset, op)) if leading.isr().len() >= self.config.min_insync as usize => {
                    self.check(nodes, id, op, offset)
                }
                Some(_) | None => Ok(()),
            }
        })
    }
}
