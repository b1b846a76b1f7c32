//! Retention: only what is old goes.

use std::collections::BTreeMap;

use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::{LocalTime, NodeId, Span, ensure};

use super::super::beginning::Cleanup;
use super::super::{Config, Fact, Node, PartitionId};
use super::copies;

/// What a copy of a partition of clients removes is as old as it has to be, and committed.
#[derive(Clone, Debug)]
pub struct Retention {
    config: Config,
    partitions: BTreeMap<PartitionId, Known>,
}

/// What is known of a partition.
#[derive(Clone, Debug, Default)]
struct Known {
    /// Everything below is committed.
    committed: u64,
    /// Where retention goes by time: what was committed when, by the clock of each node; rising.
    since: Vec<(u64, Vec<LocalTime>)>,
    /// The highest base of a copy: a follower may begin there whatever its own clock says.
    base: u64,
}

impl Retention {
    /// With what these parameters keep.
    pub fn new(config: &Config) -> Self {
        Self { config: config.clone(), partitions: BTreeMap::new() }
    }

    fn is_asked(&self, id: PartitionId) -> bool {
        self.config.cleanup_of(id) == Some(Cleanup::Delete)
    }

    /// Everything below `upto` is committed, and `clocks` are what nodes' clocks show.
    fn on_committed(&mut self, id: PartitionId, upto: u64, clocks: impl Iterator<Item = LocalTime>) {
        let known = self.partitions.entry(id).or_default();
        if upto <= known.committed {
            return;
        }
        known.committed = upto;
        if self.config.retention_time.is_some() {
            known.since.push((upto, clocks.collect()));
        }
    }

    /// A copy of `node` begins at `base` from `now` on, by its clock.
    fn on_began(&mut self, id: PartitionId, base: u64, node: NodeId, now: LocalTime) -> Result<(), Breach> {
        let known = self.partitions.entry(id).or_default();
        let committed = known.committed;
        ensure!(
            base <= committed,
            "{node} removes {id} below {base}, and all below {committed} is committed"
        );
        let is_spare = self.config.retention_records.is_some_and(|count| committed - base >= count);
        let at = known.since.partition_point(|(upto, _)| *upto < base);
        let age = known.since.get(at).map(|(_, clocks)| now.since(clocks[node.index()]));
        let is_old = self.config.retention_time.zip(age).is_some_and(|(time, age)| age >= time);
        ensure!(
            base <= known.base || is_spare || is_old,
            "{node} removes {id} below {base}, and all below {committed} is committed, up to there for {}",
            age.unwrap_or(Span::ZERO)
        );
        known.base = base.max(known.base);
        Ok(())
    }
}

impl Retention {
    /// Where retention goes by number alone, as many records stay as it says.
    fn check_number(&self, node: NodeId, id: PartitionId, base: u64) -> Result<(), Breach> {
        let least = self.config.retention_records.filter(|_| self.config.retention_time.is_none());
        let committed = self.partitions.get(&id).map_or(0, |known| known.committed);
        ensure!(
            base == 0 || least.is_none_or(|least| base.saturating_add(least) <= committed),
            "{node} begins {id} at {base}, and all below {committed} is committed"
        );
        Ok(())
    }
}

impl Invariant<Node> for Retention {
    fn about(&self) -> &'static About {
        &About {
            name: "retention",
            statement: "A copy of a partition of clients removes only records that are committed, and that are as old, or have as \
                        many committed ones after them, as was asked for.",
            source: "Kafka, Documentation §3: retention.bytes, retention.ms",
            leaves_out: "that they go: a copy that is down removes nothing",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Node>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        for fact in facts {
            if let Fact::Committed { partition, high_watermark, .. } = *fact
                && self.is_asked(partition)
            {
                let all = (0..self.config.node_count).map(NodeId::new);
                self.on_committed(partition, high_watermark, all.map(|node| nodes.monotonic(node)));
            }
            if let Fact::Began { partition, base } = *fact
                && self.is_asked(partition)
            {
                self.on_began(partition, base, node, nodes.monotonic(node))?;
            }
        }
        Ok(())
    }

    /// No copy begins later than what it knows to be committed, and by number alone no later than it may. One that has just begun
    /// there as another does has none of the records yet.
    fn check_all(&self, nodes: &Nodes<'_, Node>) -> Result<(), Breach> {
        copies(nodes).filter(|(_, id, _)| self.is_asked(*id)).try_for_each(|(node, id, copy)| {
            let (base, committed) = (copy.log().base(), copy.high_watermark());
            ensure!(base <= committed, "{node} begins {id} at {base}, and knows {committed} to be committed");
            self.check_number(node, id, base)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invariant(records: Option<u64>, time: Option<Span>) -> Retention {
        let config = Config { retention_records: records, retention_time: time, ..Config::new(2) };
        let mut invariant = Retention::new(&config);
        for upto in 1..=10 {
            let clock = LocalTime::ZERO + Span::secs(upto);
            invariant.on_committed(PartitionId(0), upto, [clock; 2].into_iter());
        }
        invariant
    }

    fn may_begin(mut invariant: Retention, base: u64, now: u64) -> bool {
        let now = LocalTime::ZERO + Span::secs(now);
        invariant.on_began(PartitionId(0), base, NodeId::new(1), now).is_ok()
    }

    #[test]
    fn what_is_removed_too_early_is_found() {
        let by_count = || invariant(Some(4), None);
        assert!(may_begin(by_count(), 6, 10) && !may_begin(by_count(), 7, 10));
        let by_time = || invariant(None, Some(Span::secs(5)));
        assert!(may_begin(by_time(), 6, 11) && !may_begin(by_time(), 7, 11));
        let by_either = || invariant(Some(4), Some(Span::secs(5)));
        assert!(may_begin(by_either(), 6, 10) && may_begin(by_either(), 7, 12));
    }

    #[test]
    fn as_many_records_stay_whichever_copy_has_them() {
        let check =
            |base| invariant(Some(4), None).check_number(NodeId::new(1), PartitionId(0), base).is_ok();
        assert!(check(0) && check(6) && !check(7));
    }

    #[test]
    fn what_is_not_committed_may_not_go() {
        assert!(!may_begin(invariant(Some(1), None), 11, 99));
    }

    #[test]
    fn a_copy_may_begin_where_another_one_does() {
        let mut invariant = invariant(None, Some(Span::secs(5)));
        let began = |invariant: &mut Retention, node, now| {
            let now = LocalTime::ZERO + Span::secs(now);
            invariant.on_began(PartitionId(0), 6, NodeId::new(node), now).is_ok()
        };
        assert!(!began(&mut invariant, 1, 10));
        assert!(began(&mut invariant, 0, 11) && began(&mut invariant, 1, 10));
    }
}
