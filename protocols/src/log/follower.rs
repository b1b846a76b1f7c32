//! What a broker does for the partitions that it follows: it asks for records, has them on its disk, and asks for more.
//!
//! A fetch says "all below is on my disk, and my last record is of this epoch". If the leader has another record there, the
//! follower has some that were never committed. It cuts off what comes after the last epoch that both have (KIP-101,
//! KIP-279), and asks again; each time at least one epoch goes.

use std::sync::Arc;

use sim_core::{Context, NodeId};

use super::broker::Broker;
use super::durable::region_of;
use super::entry::Entry;
use super::facts::Fact;
use super::image::PartitionState;
use super::message::{Fetch, Found, Message};
use super::metrics::Counter;
use super::mutants::Mutant;
use super::replica::{Following, Role};
use super::types::{BrokerEpoch, Epoch, PartitionId};
use super::{FaultPoint, Node, Point, Timer};

impl Broker {
    /// The controller has made another broker the leader of a partition.
    pub(super) fn follow(
        &mut self,
        context: &mut Context<'_, Node>,
        id: PartitionId,
        leader: NodeId,
        state: &PartitionState,
    ) {
        self.resign(context, id, Some(leader));
        let to_high_watermark = self.config.has(Mutant::TruncateToHighWatermark);
        let replica = self.replica_mut(id);
        let high_watermark = replica.high_watermark;
        replica.role = Role::Follower(Following { leader, epoch: state.epoch, number: 0, asked: None });
        if to_high_watermark {
            self.truncate(context, id, high_watermark);
        }
        self.fetch(context, id);
    }

    /// Asks for records; first what it has goes to the disk. As long as that is the same it asks the same again, under the number that
    /// it had: an answer may take longer than `fetch_wait`.
    pub(super) fn fetch(&mut self, context: &mut Context<'_, Node>, id: PartitionId) {
        let Some((following, broker_epoch)) = self.following(id).zip(self.epoch) else { return };
        context.set_timer(Timer::Fetch(id), self.config.fetch_wait);
        let replica = self.replica(id);
        let (offset, last_epoch) = (replica.log.end(), replica.log.last_epoch());
        let high_watermark = replica.high_watermark;
        let is_there = replica.flushed == offset && !replica.beginnings.is_other;
        if is_there || self.config.has(Mutant::FetchBeforeFlush) {
            let (asked, epoch) = (Some((offset, last_epoch, high_watermark)), following.epoch);
            if following.asked != asked {
                self.fetches += 1;
            }
            let number = if following.asked == asked { following.number } else { self.fetches };
            self.replica_mut(id).role = Role::Follower(Following { number, asked, ..following });
            let fetch =
                Fetch { broker_epoch, number, partition: id, epoch, offset, last_epoch, high_watermark };
            context.send(following.leader, Message::Fetch(fetch));
        }
        self.flush(context, id);
    }

    fn following(&self, id: PartitionId) -> Option<Following> {
        if let Role::Follower(following) = self.replica(id).role { Some(following) } else { None }
    }

    /// The leader has answered. Only what it asked last counts, and in this life.
    pub(super) fn on_fetched(
        &mut self,
        context: &mut Context<'_, Node>,
        from: NodeId,
        id: PartitionId,
        (epoch, fetch): (Epoch, (BrokerEpoch, u64)),
        found: Found,
    ) {
        let Some((following, life)) = self.following(id).zip(self.epoch) else { return };
        if (following.leader, following.epoch, (life, following.number)) != (from, epoch, fetch) {
            return;
        }
        match found {
            Found::Records { offset, entries, high_watermark } => {
                self.take(context, id, offset, &entries, high_watermark);
            }
            Found::Diverging { epoch, end } => self.on_diverging(context, id, epoch, end),
            Found::Beginning(beginning) => {
                context.sometimes(Point::BegunLater as usize);
                self.begin_with(context, id, beginning);
            }
        }
    }

    /// Records have come.
    fn take(
        &mut self,
        context: &mut Context<'_, Node>,
        id: PartitionId,
        offset: u64,
        entries: &Arc<[Entry]>,
        high_watermark: u64,
    ) {
        let end = self.replica(id).log.end();
        if offset != end {
            // The same answer has come before.
            return;
        }
        let has_room = entries.iter().all(|entry| self.push(context, id, entry.clone()).is_some());
        context.fault_point(FaultPoint::Copy as usize);
        let replica = self.replica_mut(id);
        replica.high_watermark = replica.high_watermark.max(high_watermark.min(replica.log.end()));
        self.apply_offsets(id);
        if has_room {
            return self.fetch(context, id);
        }
        // It asks again when its time is up: there may be room then.
        context.note(|| format!("the disk is full, and records of {id} are left out"));
        self.flush(context, id);
    }

    /// Its last records are not the leader's.
    fn on_diverging(&mut self, context: &mut Context<'_, Node>, id: PartitionId, epoch: Epoch, end: u64) {
        let (_, own) = self.replica(id).log.end_of(epoch);
        self.truncate(context, id, end.min(own));
        self.fetch(context, id);
    }

    fn truncate(&mut self, context: &mut Context<'_, Node>, id: PartitionId, end: u64) {
        let log = self.replica(id).log();
        let before = log.end();
        if end >= before {
            return;
        }
        if end < log.base() {
            // Only after an unclean election: what was removed was committed.
            context.count(Counter::RecordsTruncated as usize, before - end);
            self.begin_with(context, id, Arc::default());
            return;
        }
        self.ends -= before - end;
        let replica = self.replica_mut(id);
        let place = replica.place_of(end);
        replica.log.truncate(end);
        replica.flushed = replica.flushed.min(end);
        replica.high_watermark = replica.high_watermark.min(end);
        // What the sync under way covers is not what stands there by then.
        replica.flush = None;
        context.truncate_from(region_of(id), place);
        if id == self.config.offsets_partition() && end < self.offsets.upto {
            // Only after an unclean election: it was committed.
            self.read_offsets_again();
        }
        context.sometimes(Point::Truncated as usize);
        context.count(Counter::RecordsTruncated as usize, before - end);
        context.fact(Fact::Truncated { partition: id, end });
    }
}
