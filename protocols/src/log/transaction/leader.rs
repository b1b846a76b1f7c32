//! What the leader of a partition does for transactions: it takes what producers write and fences older epochs, writes
//! markers down, and shows what is stable.

use std::sync::Arc;

use sim_core::service::{Outcome, Refusal, Value};
use sim_core::{Context, NodeId, OpId};

use super::super::broker::Broker;
use super::super::config::Isolation;
use super::super::entry::{Body, Entry};
use super::super::facts::Fact;
use super::super::group::coordinator::{Call, answer};
use super::super::group::message::{Answer, Results};
use super::super::metrics::Counter;
use super::super::mutants::Mutant;
use super::super::producers::Memory;
use super::super::replica::Waiter;
use super::super::types::PartitionId;
use super::super::{FaultPoint, Message, Node, Point};
use super::coordinator::supersede;
use super::message::TransactionMessage;
use super::{End, Marker, Written};

impl Broker {
    // ----- producers -----

    /// A producer writes. It is answered once that is committed.
    pub(in super::super) fn on_produce(
        &mut self,
        context: &mut Context<'_, Node>,
        call: Call,
        id: PartitionId,
        written: Arc<Written>,
    ) {
        if !self.leads(id) {
            return answer(context, call, self.elsewhere(id));
        }
        let Some(stamp) = written.stamp() else { panic!("{} writes down {written:?} in {id}", call.from) };
        let index = self.replica(id).log.transactions();
        let epoch = index.map_or(stamp.epoch, |index| index.epoch(stamp.id));
        if stamp.epoch < epoch && !self.config.has(Mutant::NoEpochFence) {
            return supersede(context, call, stamp.id, stamp.epoch);
        }
        let reply = Answer::Written { id: stamp.id, epoch: stamp.epoch, sequence: stamp.sequence };
        let waiter = Waiter::Member { call, answer: reply };
        match index.map_or(Memory::New, |index| index.recall(stamp)) {
            Memory::At(offset) => {
                context.sometimes(Point::Repeated as usize);
                context.count(Counter::RecordsRepeated as usize, 1);
                self.answer_at(context, id, offset, waiter);
            }
            Memory::New if self.has_enough_in_sync(context, id) => {
                self.write_down(context, id, written, Some(waiter));
            }
            // It asks again.
            Memory::TooOld | Memory::New => {}
        }
    }

    fn has_enough_in_sync(&self, context: &mut Context<'_, Node>, id: PartitionId) -> bool {
        let in_sync = self.replica(id).leading().map_or(0, |leading| leading.isr().len());
        let is_enough = in_sync >= self.config.min_insync as usize;
        if !is_enough {
            context.sometimes(Point::NotEnoughReplicas as usize);
            context.count(Counter::AppendsRefused as usize, 1);
        }
        is_enough
    }

    /// Writes a record down, and answers once it is committed. `None` if the disk takes no more: then nothing changes.
    pub(super) fn write_down(
        &mut self,
        context: &mut Context<'_, Node>,
        id: PartitionId,
        written: Arc<Written>,
        waiter: Option<Waiter>,
    ) -> Option<()> {
        let epoch = self.replica(id).leading()?.epoch();
        let offset = self.replica(id).log.end();
        self.push(context, id, Entry { epoch, op: None, body: Body::Transactional(written) })?;
        context.fault_point(FaultPoint::Record as usize);
        if let Some(waiter) = waiter {
            self.answer_at(context, id, offset, waiter);
        }
        self.flush(context, id);
        self.serve_parked(context, id);
        Some(())
    }

    // ----- markers -----

    pub(in super::super) fn on_transaction_message(
        &mut self,
        context: &mut Context<'_, Node>,
        from: NodeId,
        message: TransactionMessage,
    ) {
        match message {
            TransactionMessage::WriteMarker { partition, marker } => {
                self.on_write_marker(context, from, partition, marker);
            }
            TransactionMessage::MarkerWritten { partition, marker } => {
                self.on_marker_written(context, partition, marker);
            }
        }
    }

    /// The coordinator wants a marker. It asks again until it hears that it is committed, and a marker stands there once.
    pub(super) fn on_write_marker(
        &mut self,
        context: &mut Context<'_, Node>,
        from: NodeId,
        id: PartitionId,
        marker: Marker,
    ) {
        if !self.leads(id) {
            // It hears who leads from the controller, and asks again.
            return;
        }
        let waiter = Waiter::Marker { to: from, marker };
        let last = self.replica(id).log.transactions().and_then(|index| index.marker(marker.id));
        match last.filter(|(number, _)| *number >= marker.number) {
            Some((_, offset)) => self.answer_at(context, id, offset, waiter),
            None => {
                self.write_down(context, id, Arc::new(Written::Marker(marker)), Some(waiter));
            }
        }
    }

    /// A marker is committed: the coordinator is told.
    pub(in super::super) fn tell_marker(
        &mut self,
        context: &mut Context<'_, Node>,
        to: NodeId,
        partition: PartitionId,
        marker: Marker,
    ) {
        if to == self.node {
            return self.on_marker_written(context, partition, marker);
        }
        context.send(to, Message::Transaction(TransactionMessage::MarkerWritten { partition, marker }));
    }

    // ----- readers -----

    /// The store reads results.
    pub(in super::super) fn on_read_results(
        &self,
        context: &mut Context<'_, Node>,
        call: Call,
        id: PartitionId,
        offset: u64,
    ) {
        if !self.leads(id) {
            return answer(context, call, self.elsewhere(id));
        }
        let found =
            self.results_from(context, id, offset).unwrap_or(Results { next: offset, all: Vec::new() });
        answer(context, call, Answer::Results { partition: id, offset, found: Arc::new(found) });
    }

    /// A client reads results.
    pub(in super::super) fn read_results(
        &self,
        context: &mut Context<'_, Node>,
        id: PartitionId,
        op: OpId,
        offset: u64,
    ) {
        let outcome = match self.results_from(context, id, offset) {
            None => Outcome::Refused(Refusal::Unavailable),
            Some(found) => {
                let records: Vec<(u64, Value)> =
                    found.all.iter().filter_map(|(at, written)| Some((*at, value_of(written)?))).collect();
                Outcome::Records(records.into())
            }
        };
        context.reply(op, outcome);
    }

    /// Results from an offset on that this isolation may show; `None` as long as this leader does not know.
    fn results_from(&self, context: &mut Context<'_, Node>, id: PartitionId, offset: u64) -> Option<Results> {
        let committed = self.readable(context, id)?;
        let log = &self.replica(id).log;
        let is_strict = self.config.isolation == Isolation::ReadCommitted;
        let upto = match log.transactions() {
            Some(index) if is_strict && !self.config.has(Mutant::ReadPastStable) => index.stable(committed),
            Some(_) | None => committed,
        };
        if upto < committed {
            context.sometimes(Point::NotYetStable as usize);
        }
        let count = upto.saturating_sub(offset).min(self.config.fetch_max.into());
        let mut found = Results { next: offset + count, all: Vec::new() };
        for (at, entry) in log.range(offset, offset + count) {
            let Body::Transactional(written) = &entry.body else { continue };
            let Written::Result { .. } = **written else { continue };
            if is_strict && self.is_aborted(id, at, written) {
                context.sometimes(Point::AbortedLeftOut as usize);
                continue;
            }
            found.all.push((at, Arc::clone(written)));
        }
        if count > 0 {
            context.fact(Fact::Served { partition: id, upto: offset + count });
        }
        if is_strict && !found.all.is_empty() {
            let offsets = found.all.iter().map(|(at, _)| *at).collect();
            context.fact(Fact::Showed { partition: id, offsets });
        }
        context.count(Counter::RecordsRead as usize, found.all.len() as u64);
        Some(found)
    }

    fn is_aborted(&self, id: PartitionId, offset: u64, written: &Written) -> bool {
        let (stamp, index) = (written.stamp(), self.replica(id).log.transactions());
        let end = stamp.zip(index).and_then(|(stamp, index)| index.end_of(stamp.id, offset));
        end == Some(End::Abort)
    }
}

const fn value_of(written: &Written) -> Option<Value> {
    match written {
        Written::Result { effect, .. } => Some(effect.value),
        Written::Offset { .. } | Written::Marker(_) | Written::State(_) => None,
    }
}
