//! Backpressure: what a consumer has read and not handled is bounded.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::{Config, Fact, Node, PartitionId};

/// A consumer reads as long as fewer than `backlog_max` records of a partition wait, and gets `fetch_max` at a time.
#[derive(Clone, Debug)]
pub struct Bounded {
    /// How many may wait.
    most: u64,
}

impl Bounded {
    /// With these parameters.
    pub fn new(config: &Config) -> Self {
        Self { most: (u64::from(config.backlog_max) + u64::from(config.fetch_max)).saturating_sub(1) }
    }

    fn check(&self, node: NodeId, partition: PartitionId, waiting: u64) -> Result<(), Breach> {
        let most = self.most;
        ensure!(waiting <= most, "{waiting} records of {partition} wait at {node}, and at most {most} may");
        Ok(())
    }
}

impl Invariant<Node> for Bounded {
    fn about(&self) -> &'static About {
        &About {
            name: "bounded",
            statement: "Of a partition that it has, a consumer has fewer than `backlog_max` records that wait for a worker, and \
                        at most one fetch more.",
            source: "Kafka, consumer: pause and resume; Reactive Streams, rule 1.1",
            leaves_out: "what waits in the log: that is the lag of the group",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Node>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| match fact {
            Fact::Read { partition, waiting } => self.check(node, *partition, *waiting),
            Fact::Changed { .. }
            | Fact::Led { .. }
            | Fact::Appended { .. }
            | Fact::Truncated { .. }
            | Fact::Began { .. }
            | Fact::Committed { .. }
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
        let consumers = nodes.running().filter_map(|(node, process)| Some((node, process.consumer()?)));
        for (node, consumer) in consumers {
            for (partition, share) in consumer.shares() {
                self.check(node, *partition, share.backlog_len())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backlog_beyond_the_most_and_one_fetch_is_found() {
        let bounded = Bounded::new(&Config { backlog_max: 30, fetch_max: 20, ..Config::new(8) });
        let judge = |waiting| bounded.check(NodeId::new(5), PartitionId(0), waiting).is_ok();
        assert!(judge(0) && judge(29));
        assert!(judge(49), "29 waited, and 20 came");
        assert!(!judge(50), "30 waited, and it read on");
    }
}
