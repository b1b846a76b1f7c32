//! With transactions: the store reads results, and has their effects in the order in which they stand.
//!
//! An effect and where its result stands are one record on the store's disk: after a restart it reads on after the last one.
//! It does not look whether a record has had an effect already: that it has one is what transactions are for.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use sim_core::{Context, NodeId};

use super::super::config::Config;
use super::super::durable::Record;
use super::super::transaction::Written;
use super::super::types::PartitionId;
use super::super::{Message, Node, Timer};
use super::message::{Effect, GroupMessage, Request, Results};
use super::store::Store;

/// How far the store has read.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Reader {
    /// Of each partition of results, where it reads next.
    positions: BTreeMap<PartitionId, u64>,
    /// Who leads them, as far as it knows.
    leaders: BTreeMap<PartitionId, NodeId>,
    /// How often it has asked.
    calls: u64,
}

impl Reader {
    pub(super) fn new(config: &Config) -> Self {
        let (mut positions, mut leaders) = (BTreeMap::new(), BTreeMap::new());
        for partition in config.results_partitions() {
            positions.insert(partition, 0);
            leaders.extend(config.replicas(partition).next().map(|first| (partition, first)));
        }
        Self { positions, leaders, calls: 0 }
    }

    /// Of each partition of results, where it reads next.
    pub const fn positions(&self) -> &BTreeMap<PartitionId, u64> {
        &self.positions
    }

    /// It has had the effect of the result at this place.
    pub(super) fn pass(&mut self, partition: PartitionId, offset: u64) {
        let position = self.positions.entry(partition).or_default();
        *position = (offset + 1).max(*position);
    }
}

impl Store {
    /// Reads on in all partitions of results.
    pub(super) fn start_reading(&self, context: &mut Context<'_, Node>) {
        for partition in self.reader().positions().keys() {
            context.set_timer(Timer::Share(*partition), self.config().poll_interval);
        }
    }

    /// Asks for results. Whoever did not answer for so long may not lead any more.
    pub(in super::super) fn read(&mut self, context: &mut Context<'_, Node>, partition: PartitionId) {
        let config = Arc::clone(self.config());
        let reader = self.reader_mut();
        let offset = reader.positions.get(&partition).copied().unwrap_or(0);
        let Some(leader) = reader.leaders.get_mut(&partition) else { return };
        let asked = *leader;
        *leader = config.broker(asked.raw());
        reader.calls += 1;
        let (number, request) = (reader.calls, Request::ReadResults { partition, offset });
        context.send(asked, Message::Group(GroupMessage::Request { life: 0, number, request }));
        context.set_timer(Timer::Share(partition), config.call_timeout);
    }

    /// Somebody else leads a partition, perhaps.
    pub(super) fn on_elsewhere(
        &mut self,
        context: &mut Context<'_, Node>,
        partition: PartitionId,
        leader: Option<NodeId>,
    ) {
        self.reader_mut().leaders.extend(leader.map(|leader| (partition, leader)));
        context.set_timer(Timer::Share(partition), self.config().poll_interval);
    }

    /// Results have come. Whoever has answered leads.
    pub(super) fn on_results(
        &mut self,
        context: &mut Context<'_, Node>,
        from: NodeId,
        partition: PartitionId,
        offset: u64,
        found: &Results,
    ) {
        let config = Arc::clone(self.config());
        let reader = self.reader_mut();
        reader.leaders.insert(partition, from);
        if reader.positions.get(&partition) != Some(&offset) {
            return;
        }
        let has_room = found.all.iter().all(|(at, written)| self.take(context, partition, *at, written));
        if has_room {
            self.reader_mut().positions.insert(partition, found.next);
        }
        let is_behind = has_room && found.next > offset;
        if is_behind {
            return self.read(context, partition);
        }
        context.set_timer(Timer::Share(partition), config.poll_interval);
    }

    /// A result has its effect. Whether the disk had room for it.
    fn take(
        &mut self,
        context: &mut Context<'_, Node>,
        partition: PartitionId,
        offset: u64,
        written: &Written,
    ) -> bool {
        let Some(effect) = effect_of(written) else {
            panic!("{written:?} at {partition}@{offset} is no result")
        };
        if !self.write(context, Record::Result { partition, offset, effect }, effect) {
            return false;
        }
        self.reader_mut().pass(partition, offset);
        true
    }
}

const fn effect_of(written: &Written) -> Option<Effect> {
    match written {
        Written::Result { effect, .. } => Some(*effect),
        Written::Offset { .. } | Written::Marker(_) | Written::State(_) => None,
    }
}
