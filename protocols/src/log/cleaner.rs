//! What a broker does so that its copies do not grow without end: each copy for itself, whoever leads.
//!
//! Partitions of clients are subject to retention: what is old goes, whether somebody has read it or not. Those of offsets and
//! of transactions are compacted. Only what is committed and stable is touched, and on this broker's disk. The new beginning is
//! written first, and records are removed from the disk when it is there.

use std::sync::Arc;

use sim_core::Context;

use super::Timer;
use super::beginning::{Beginning, Cleanup};
use super::broker::Broker;
use super::durable::{Record, region_of};
use super::facts::Fact;
use super::metrics::Counter;
use super::mutants::Mutant;
use super::partition_log::PartitionLog;
use super::replica::Role;
use super::types::PartitionId;
use super::{FaultPoint, Node, Point};

impl Broker {
    /// Looks again some time later, where anything is ever removed.
    pub(super) fn wait_to_clean(&self, context: &mut Context<'_, Node>) {
        if self.config.retains() || self.config.compaction.is_on() {
            context.set_timer(Timer::Clean, self.config.clean_interval);
        }
    }

    pub(super) fn on_clean(&mut self, context: &mut Context<'_, Node>) {
        self.wait_to_clean(context);
        let mine = self.replicas().ids();
        for id in mine {
            if let Some(base) = self.base_of(context, id) {
                self.clean(context, id, base);
            }
        }
    }

    /// Where a copy is to begin; `None` where nothing is to be removed.
    fn base_of(&mut self, context: &mut Context<'_, Node>, id: PartitionId) -> Option<u64> {
        let config = Arc::clone(&self.config);
        let is_careless = config.has(Mutant::CleanPastHighWatermark);
        let replica = self.replica_mut(id);
        let (high_watermark, log) = (replica.high_watermark, &replica.log);
        let safe = if is_careless { log.end() } else { log.stable(high_watermark).min(replica.flushed) };
        let base = match config.cleanup_of(id)? {
            Cleanup::Compact => {
                // Half of what is there was not compacted yet (Kafka: `min.cleanable.dirty.ratio`).
                let is_dirty = safe.saturating_sub(log.base()) >= log.beginning().kept.len() as u64;
                is_dirty.then_some(safe)?
            }
            Cleanup::Delete => {
                let by_count = config.retention_records.map(|count| high_watermark.saturating_sub(count));
                let by_time = config.retention_time.and_then(|time| {
                    let now = context.now();
                    replica.seen.push_back((now, high_watermark));
                    let is_old = |seen: &(_, u64)| now.since(seen.0) >= time;
                    let old = replica.seen.iter().take_while(|seen| is_old(seen)).count();
                    replica.seen.drain(..old).next_back().map(|(_, committed)| committed)
                });
                by_count.max(by_time)?.min(safe)
            }
        };
        (base > self.replica(id).log.base()).then_some(base)
    }

    fn clean(&mut self, context: &mut Context<'_, Node>, id: PartitionId, base: u64) {
        let Some(cleanup) = self.config.cleanup_of(id) else { return };
        let replica = self.replica(id);
        let mut beginning = Beginning::advanced(&replica.log, base, cleanup);
        if self.config.has(Mutant::MarkersCompacted) {
            beginning.forget_markers();
        }
        let beginning = Arc::new(beginning);
        let place = replica.place_of(base);
        let removed = base - replica.log.base();
        if !self.write_beginning(context, id, &beginning, place) {
            return;
        }
        let (point, counter) = match cleanup {
            Cleanup::Delete => (Point::Retained, Counter::RecordsExpired),
            Cleanup::Compact => (Point::Compacted, Counter::RecordsCompacted),
        };
        context.sometimes(point as usize);
        context.count(counter as usize, removed);
        let replica = self.replica_mut(id);
        replica.log.clean(beginning);
        replica.place = place;
        context.fact(Fact::Began { partition: id, base });
        self.flush_beginning(context, id);
    }

    /// Begins with what another copy begins with, in place of all that this one has. If the disk has no room for it nothing changes.
    /// Nor before all that was added or removed is on disk: the two are written apart, and after a crash records could stand
    /// where those that follow are to be. It is told the same again when it asks again.
    pub(super) fn begin_with(
        &mut self,
        context: &mut Context<'_, Node>,
        id: PartitionId,
        beginning: Arc<Beginning>,
    ) {
        if context.disk().unsynced(region_of(id)) > 0 {
            return self.flush_all(context, id);
        }
        let place = context.disk().log_bounds(region_of(id)).end;
        if !self.write_beginning(context, id, &beginning, place) {
            return;
        }
        let base = beginning.base;
        self.ends = self.ends - self.replica(id).log.end() + base;
        let replica = self.replica_mut(id);
        replica.log = PartitionLog::of(beginning, []);
        (replica.place, replica.high_watermark) = (place, base);
        // What the sync under way covers is not what stands there by then.
        (replica.flushed, replica.flush) = (0, None);
        replica.beginnings.is_other = true;
        replica.seen.clear();
        if id == self.config.offsets_partition() {
            self.read_offsets_again();
        }
        context.fact(Fact::Began { partition: id, base });
        self.flush_beginning(context, id);
        self.flush(context, id);
    }

    fn write_beginning(
        &mut self,
        context: &mut Context<'_, Node>,
        id: PartitionId,
        beginning: &Arc<Beginning>,
        place: u64,
    ) -> bool {
        let record = Record::Beginning { beginning: Arc::clone(beginning), place };
        if context.replace(self.config.beginning_of(id), record).is_err() {
            context.note(|| format!("the disk is full, and {id} begins where it did"));
            return false;
        }
        context.fault_point(FaultPoint::Beginning as usize);
        self.replica_mut(id).beginnings.under_way += 1;
        true
    }

    /// Where a copy begins is on disk: what it stands for is not needed there any more.
    pub(super) fn on_beginning_durable(&mut self, context: &mut Context<'_, Node>, id: PartitionId) {
        let replica = self.replica_mut(id);
        replica.beginnings.under_way -= 1;
        if replica.beginnings.under_way > 0 {
            return;
        }
        let was_other = std::mem::take(&mut replica.beginnings.is_other);
        let (place, is_follower) = (replica.place, matches!(replica.role, Role::Follower(_)));
        context.truncate_before(region_of(id), place);
        if was_other && is_follower {
            self.fetch(context, id);
        }
    }
}
