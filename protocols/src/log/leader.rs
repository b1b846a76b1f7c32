//! What a broker does for the partitions that it leads.
//!
//! ```text
//!                 start of epoch
//!                       ▼
//!  0 ───────────── HW ──────────── flushed ───────── end
//!  │── committed ──│                                  │
//!  │               ╰ the lowest of: flushed here, and what each in sync has on disk
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use sim_core::service::{Outcome, Refusal, Value};
use sim_core::{Context, NodeId, OpId};

use super::broker::Broker;
use super::config::Acks;
use super::durable::{Record, region_of};
use super::entry::{Body, Entry};
use super::facts::Fact;
use super::group::coordinator::{Call, answer};
use super::group::message::Answer;
use super::image::PartitionState;
use super::message::{Fetch, Found, IsrChange, Message};
use super::metrics::{Counter, Latency};
use super::mutants::Mutant;
use super::producers::Memory;
use super::replica::{Leading, Progress, Role, Waiter};
use super::types::PartitionId;
use super::{FaultPoint, Node, Point, Timer};
use crate::replicated::NodeSet;

impl Broker {
    /// The controller has made this broker the leader of a partition.
    pub(super) fn lead(&mut self, context: &mut Context<'_, Node>, id: PartitionId, state: &PartitionState) {
        let now = context.now();
        let others = self.config.replicas(id).filter(|node| *node != self.node);
        let followers =
            others.map(|node| (node, Progress { caught_up_at: now, ..Progress::default() })).collect();
        let forgets = self.config.has(Mutant::SequencesForgotten);
        let replica = self.replica_mut(id);
        if forgets {
            replica.log.forget_producers();
        }
        let (epoch, start) = (state.epoch, replica.log.end());
        replica.role = Role::Leader(Box::new(Leading {
            epoch,
            start,
            version: state.version,
            isr: state.isr,
            pending: None,
            followers,
            waiting: BTreeMap::new(),
        }));
        context.cancel_timer(Timer::Fetch(id));
        context.fact(Fact::Led { partition: id, epoch, end: start });
        self.flush(context, id);
        self.advance(context, id);
        self.maybe_coordinate_transactions(context);
    }

    /// The controller has changed who is in sync, or refused to. Whether it has or will take what it was asked only it knows: so
    /// where somebody is wanted who does not live it is asked again, and not forgotten.
    pub(super) fn take_isr(
        &mut self,
        context: &mut Context<'_, Node>,
        id: PartitionId,
        state: &PartitionState,
    ) {
        let Some(leading) = self.replica_mut(id).leading_mut() else { return };
        if state.version > leading.version {
            (leading.version, leading.isr, leading.pending) = (state.version, state.isr, None);
            return self.advance(context, id);
        }
        let wanted = leading.pending.map_or(NodeSet::EMPTY, |pending| pending.difference(leading.isr));
        if wanted.iter().any(|node| self.image.as_ref().is_some_and(|image| !image.is_live(node))) {
            self.ask_again(context, id);
        }
    }

    /// Somebody else leads, or nobody: producers that wait are sent there, and send again.
    pub(super) fn resign(&mut self, context: &mut Context<'_, Node>, id: PartitionId, next: Option<NodeId>) {
        let Role::Leader(leading) = std::mem::take(&mut self.replica_mut(id).role) else { return };
        self.tell_waiting(context, 0, leading.waiting_count());
        self.forget_lag(context, id);
        for waiter in leading.waiting.into_values().flatten() {
            match waiter {
                Waiter::Client(op) => context.reply(op, Outcome::Redirect(next)),
                Waiter::Member { call, .. } => {
                    answer(context, call, Answer::Elsewhere { partition: id, leader: next });
                }
                // The coordinator asks the next leader.
                Waiter::Marker { .. } => {}
            }
        }
        if id == self.config.offsets_partition() {
            self.stop_coordinating(context);
        }
        if Some(id) == self.config.transactions_partition() {
            self.stop_coordinating_transactions(context);
        }
    }

    // ----- producers -----

    /// A producer appends.
    pub(super) fn append(&mut self, context: &mut Context<'_, Node>, id: PartitionId, op: OpId, body: Body) {
        let acks = self.config.acks_of(id);
        let (min_insync, idempotence) = (self.config.min_insync as usize, self.config.idempotence);
        let ignores_min = self.config.has(Mutant::MinInsyncIgnored);
        let Some(leading) = self.replica(id).leading() else { return };
        let (epoch, isr) = (leading.epoch, leading.isr);
        let memory =
            if idempotence.is_on() { self.replica(id).log.producers().recall(op) } else { Memory::New };
        match memory {
            Memory::At(offset) => {
                context.sometimes(Point::Repeated as usize);
                context.count(Counter::RecordsRepeated as usize, 1);
                return self.promise(context, id, op, offset, acks);
            }
            Memory::TooOld => return,
            Memory::New => {}
        }
        if acks == Acks::All && isr.len() < min_insync && !ignores_min {
            context.sometimes(Point::NotEnoughReplicas as usize);
            context.count(Counter::AppendsRefused as usize, 1);
            return context.reply(op, Outcome::Refused(Refusal::Unavailable));
        }
        let offset = self.replica(id).log.end();
        if self.push(context, id, Entry { epoch, op: Some(op), body }).is_none() {
            return context.reply(op, Outcome::Refused(Refusal::Unavailable));
        }
        context.fault_point(FaultPoint::Record as usize);
        context.begin(Latency::Commit as usize, key_of(id, offset));
        self.promise(context, id, op, offset, acks);
        self.flush(context, id);
        self.serve_parked(context, id);
    }

    /// A producer will be answered.
    fn promise(
        &mut self,
        context: &mut Context<'_, Node>,
        id: PartitionId,
        op: OpId,
        offset: u64,
        acks: Acks,
    ) {
        if acks == Acks::None {
            return self.acknowledge(context, id, op, offset);
        }
        self.answer_at(context, id, offset, Waiter::Client(op));
    }

    /// Answers the producers that need not wait any more.
    pub(super) fn answer(&mut self, context: &mut Context<'_, Node>, id: PartitionId) {
        let acks = self.config.acks_of(id);
        let min_insync =
            if self.config.has(Mutant::MinInsyncIgnored) { 0 } else { self.config.min_insync as usize };
        let alone = self.config.has(Mutant::AckByLeaderAlone);
        let replica = self.replica_mut(id);
        let (flushed, high_watermark) = (replica.flushed, replica.high_watermark);
        let Some(leading) = replica.leading_mut() else { return };
        let bound = match acks {
            Acks::All if alone => flushed,
            Acks::All if leading.isr.len() < min_insync => 0,
            Acks::All => high_watermark,
            Acks::Leader | Acks::None => flushed,
        };
        if leading.waiting.keys().next().is_none_or(|first| *first >= bound) {
            return;
        }
        let later = leading.waiting.split_off(&bound);
        let ready = std::mem::replace(&mut leading.waiting, later);
        self.tell_waiting(context, 0, ready.values().map(Vec::len).sum());
        for (offset, waiters) in ready {
            for waiter in waiters {
                match waiter {
                    Waiter::Client(op) => self.acknowledge(context, id, op, offset),
                    Waiter::Member { call, answer: what } => answer(context, call, what),
                    Waiter::Marker { to, marker } => self.tell_marker(context, to, id, marker),
                }
            }
        }
    }

    /// Answers once all that stands in the partition of offsets is committed.
    pub(super) fn answer_when_committed(&mut self, context: &mut Context<'_, Node>, waiters: Vec<Waiter>) {
        let id = self.config.offsets_partition();
        let replica = self.replica_mut(id);
        let last = replica.log.end().saturating_sub(1);
        if let Some(leading) = replica.leading_mut() {
            let count = waiters.len();
            leading.waiting.entry(last).or_default().extend(waiters);
            self.tell_waiting(context, count, 0);
        }
        self.answer(context, id);
    }

    /// Answers once the record at `offset` is committed.
    pub(super) fn answer_at(
        &mut self,
        context: &mut Context<'_, Node>,
        id: PartitionId,
        offset: u64,
        waiter: Waiter,
    ) {
        if let Some(leading) = self.replica_mut(id).leading_mut() {
            leading.waiting.entry(offset).or_default().push(waiter);
            self.tell_waiting(context, 1, 0);
        }
        self.answer(context, id);
    }

    fn acknowledge(&self, context: &mut Context<'_, Node>, id: PartitionId, op: OpId, offset: u64) {
        context.fact(Fact::Acknowledged { partition: id, op, offset });
        let outcome =
            if id == self.config.offsets_partition() { Outcome::Done } else { Outcome::Ticket(offset) };
        context.reply(op, outcome);
    }

    // ----- consumers -----

    /// A client reads what is committed. A new leader does not know at first what is, and says so (KIP-207).
    pub(super) fn read(&self, context: &mut Context<'_, Node>, id: PartitionId, op: OpId, offset: u64) {
        let outcome = match self.committed_from(context, id, offset) {
            Reading::NotYetKnown => Outcome::Refused(Refusal::Unavailable),
            Reading::BeginsAt(base) => Outcome::Ticket(base),
            Reading::Values(values) => Outcome::Values(values),
        };
        context.reply(op, outcome);
    }

    /// A member of the group reads.
    pub(super) fn read_as_member(
        &mut self,
        context: &mut Context<'_, Node>,
        call: Call,
        id: PartitionId,
        offset: u64,
    ) {
        if !self.leads(id) {
            return answer(context, call, self.elsewhere(id));
        }
        self.tell_lag(context, id, offset);
        let found = match self.committed_from(context, id, offset) {
            Reading::NotYetKnown => Answer::Records { partition: id, offset, values: [].into() },
            Reading::BeginsAt(begin) => {
                let end = self.replica(id).high_watermark;
                Answer::Gone { partition: id, offset, begin, end }
            }
            Reading::Values(values) => Answer::Records { partition: id, offset, values },
        };
        answer(context, call, found);
    }

    /// What is committed from an offset on.
    fn committed_from(&self, context: &mut Context<'_, Node>, id: PartitionId, offset: u64) -> Reading {
        let replica = self.replica(id);
        let Some(committed) = self.readable(context, id) else { return Reading::NotYetKnown };
        if offset < replica.log.base() {
            context.sometimes(Point::OutOfRange as usize);
            return Reading::BeginsAt(replica.log.base());
        }
        let upto = if self.config.has(Mutant::ReadPastHighWatermark) { replica.log.end() } else { committed };
        let count = upto.saturating_sub(offset).min(self.config.fetch_max.into());
        let records = replica.log.range(offset, offset + count);
        let values: Arc<[Value]> = records.filter_map(|(_, entry)| value_of(entry)).collect();
        if count > 0 {
            context.fact(Fact::Served { partition: id, upto: offset + count });
        }
        context.count(Counter::RecordsRead as usize, values.len() as u64);
        Reading::Values(values)
    }

    /// Up to where this leader may show what it has; `None` as long as it does not know.
    pub(super) fn readable(&self, context: &mut Context<'_, Node>, id: PartitionId) -> Option<u64> {
        let replica = self.replica(id);
        let leading = replica.leading()?;
        if replica.high_watermark < leading.start {
            context.sometimes(Point::NotYetKnown as usize);
            return None;
        }
        Some(replica.high_watermark)
    }

    // ----- followers -----

    /// A follower asks for records, and says by that what it has.
    pub(super) fn on_fetch(&mut self, context: &mut Context<'_, Node>, from: NodeId, fetch: Fetch) {
        let (id, now) = (fetch.partition, context.now());
        let replica = self.replica_mut(id);
        let (end, epoch_there) = (replica.log.end(), replica.log.epoch_below(fetch.offset));
        let is_prefix = fetch.offset <= end && epoch_there == fetch.last_epoch;
        let ends = replica.log.end_of(fetch.last_epoch);
        let Some(leading) = replica.leading_mut().filter(|leading| leading.epoch == fetch.epoch) else {
            return;
        };
        let Some(progress) = leading.followers.get_mut(&from) else {
            panic!("{from} is no replica of {id}, and fetches {fetch:?}")
        };
        let stamp = (fetch.broker_epoch, fetch.number);
        // Who asks the same again has not been answered.
        if stamp < progress.fetch {
            return;
        }
        progress.fetch = stamp;
        progress.parked = None;
        if !is_prefix {
            context.sometimes(Point::Diverged as usize);
            let (epoch, end) = ends;
            return self.send_found(context, id, from, Found::Diverging { epoch, end });
        }
        progress.on_fetch(now, fetch.offset, end);
        progress.parked = Some(fetch.high_watermark);
        self.maybe_expand(context, id, from);
        self.advance(context, id);
        self.serve(context, id, from);
    }

    /// Gives a follower that waits what there is for it.
    fn serve(&mut self, context: &mut Context<'_, Node>, id: PartitionId, to: NodeId) {
        let max = u64::from(self.config.fetch_max);
        let replica = self.replica_mut(id);
        let (end, high_watermark) = (replica.log.end(), replica.high_watermark);
        let Some(progress) = replica.leading_mut().and_then(|leading| leading.followers.get_mut(&to)) else {
            return;
        };
        let offset = progress.end;
        let Some(known) = progress.parked else { return };
        if offset >= end && known >= high_watermark.min(end) {
            return;
        }
        progress.parked = None;
        if offset < replica.log.base() {
            let beginning = Arc::clone(replica.log.beginning());
            return self.send_found(context, id, to, Found::Beginning(beginning));
        }
        let entries = replica.log.range(offset, offset + max).map(|(_, entry)| entry.clone());
        let entries: Arc<[Entry]> = entries.collect();
        context.count(Counter::RecordsReplicated as usize, entries.len() as u64);
        self.send_found(context, id, to, Found::Records { offset, entries, high_watermark });
    }

    fn send_found(&self, context: &mut Context<'_, Node>, id: PartitionId, to: NodeId, found: Found) {
        let Some(leading) = self.replica(id).leading() else { return };
        let Some(Progress { fetch, .. }) = leading.followers.get(&to).copied() else { return };
        context.send(to, Message::Fetched { partition: id, epoch: leading.epoch, fetch, found });
    }

    pub(super) fn serve_parked(&mut self, context: &mut Context<'_, Node>, id: PartitionId) {
        let Some(leading) = self.replica(id).leading() else { return };
        let waiting: Vec<NodeId> = leading
            .followers
            .iter()
            .filter(|(_, progress)| progress.parked.is_some())
            .map(|(node, _)| *node)
            .collect();
        for node in waiting {
            self.serve(context, id, node);
        }
    }

    /// More may be committed: what is on this broker's disk and on those of all in sync.
    pub(super) fn advance(&mut self, context: &mut Context<'_, Node>, id: PartitionId) {
        let (me, counts_unflushed) = (self.node, self.config.has(Mutant::LeaderCountsUnflushed));
        let shrinks_alone = self.config.has(Mutant::ShrinksAlone);
        let replica = self.replica_mut(id);
        let own = if counts_unflushed { replica.log.end() } else { replica.flushed };
        let Some(leading) = replica.leading() else { return };
        let isr = match leading.pending {
            Some(pending) if shrinks_alone => pending,
            Some(_) | None => leading.effective_isr(),
        };
        let ends = isr.iter().map(|node| {
            if node == me { own } else { leading.followers.get(&node).map_or(0, |progress| progress.end) }
        });
        let committed = ends.min().unwrap_or(0);
        if committed > replica.high_watermark {
            let (epoch, before) = (leading.epoch, replica.high_watermark);
            replica.high_watermark = committed;
            let chain = replica.log.chain_below(committed).expect("what is committed is there");
            context.fact(Fact::Committed { partition: id, epoch, high_watermark: committed, chain });
            for offset in before..committed {
                context.end(Latency::Commit as usize, key_of(id, offset));
            }
            context.count(Counter::RecordsCommitted as usize, committed - before);
            self.record_offsets(context, id);
            if Some(id) == self.config.transactions_partition() {
                self.on_transactions_committed(context, before);
            }
            self.serve_parked(context, id);
        }
        self.answer(context, id);
    }

    // ----- who is in sync -----

    /// A follower that has all that is committed, and all that was there when this leader began, is in sync.
    fn maybe_expand(&mut self, context: &mut Context<'_, Node>, id: PartitionId, node: NodeId) {
        let early = self.config.has(Mutant::JoinsTooEarly);
        let is_live = self.image.as_ref().is_some_and(|image| image.is_live(node));
        let replica = self.replica(id);
        let high_watermark = replica.high_watermark;
        let Some(leading) = replica.leading() else { return };
        let end = leading.followers.get(&node).map_or(0, |progress| progress.end);
        let has_all = end >= high_watermark && end >= leading.start;
        if leading.pending.is_none() && !leading.isr.contains(node) && is_live && (has_all || early) {
            context.sometimes(Point::Expanded as usize);
            self.propose(context, id, leading.isr.with(node));
        }
    }

    /// Looks for followers that are in sync, and have not had everything for too long.
    pub(super) fn check_lag(&mut self, context: &mut Context<'_, Node>) {
        let now = context.now();
        for id in self.led() {
            let Some(leading) = self.replica(id).leading() else { continue };
            if leading.pending.is_some() {
                self.ask_again(context, id);
                continue;
            }
            let end = self.replica(id).log.end();
            let lags = |progress: &Progress| {
                progress.end != end && now.since(progress.caught_up_at) > self.config.lag_max
            };
            let late: NodeSet = leading
                .followers
                .iter()
                .filter(|(_, progress)| lags(progress))
                .map(|(node, _)| *node)
                .collect();
            let isr = leading.isr.difference(late);
            if isr != leading.isr {
                context.sometimes(Point::Shrunk as usize);
                self.propose(context, id, isr);
            }
        }
    }

    /// Asks the controller to change who is in sync. Until it answers, those of before and those of after count.
    fn propose(&mut self, context: &mut Context<'_, Node>, id: PartitionId, isr: NodeSet) {
        if let Some(leading) = self.replica_mut(id).leading_mut() {
            leading.pending = Some(isr);
        }
        context.count(Counter::IsrChanges as usize, 1);
        self.ask_again(context, id);
        if self.config.has(Mutant::ShrinksAlone) {
            self.advance(context, id);
        }
    }

    /// Asks the controller for what it has not answered.
    fn ask_again(&self, context: &mut Context<'_, Node>, id: PartitionId) {
        let Some((broker_epoch, leading)) = self.epoch.zip(self.replica(id).leading()) else { return };
        if let Some(isr) = leading.pending {
            let (epoch, version) = (leading.epoch, leading.version);
            let change = IsrChange { broker_epoch, partition: id, epoch, version, isr };
            context.send(self.contact.server(), Message::AlterPartition(change));
        }
    }

    /// Writes a record. `None` if the disk takes no more, or not yet: then nothing changes.
    pub(super) fn push(
        &mut self,
        context: &mut Context<'_, Node>,
        id: PartitionId,
        entry: Entry,
    ) -> Option<()> {
        if self.replica(id).beginnings.is_other {
            return None;
        }
        context.append(region_of(id), Record::Entry(entry.clone())).ok()?;
        self.ends += 1;
        let (replica, epoch) = (self.replica_mut(id), entry.epoch);
        let offset = replica.log.end();
        replica.log.push(entry);
        let chain = replica.log.chain_below(offset + 1).expect("it was just added");
        context.fact(Fact::Appended { partition: id, offset, epoch, chain });
        Some(())
    }
}

/// What a reader finds.
pub(super) enum Reading {
    /// This leader does not know what is committed.
    NotYetKnown,
    /// Nothing: the partition begins later.
    BeginsAt(u64),
    /// This.
    Values(Arc<[Value]>),
}

/// Tells the records of all partitions apart.
const fn key_of(id: PartitionId, offset: u64) -> u64 {
    ((id.0 as u64) << 40) | offset
}

const fn value_of(entry: &Entry) -> Option<Value> {
    match entry.body {
        Body::Value(value) => Some(value),
        Body::Commit { .. } | Body::Group(_) | Body::Transactional(_) => None,
    }
}
