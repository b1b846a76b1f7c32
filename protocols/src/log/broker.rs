//! A broker: it keeps copies of partitions, leads some, and serves clients.
//!
//! It acts by what the controller says, and by nothing else: what it leads, and in which epoch. In each life it registers anew,
//! and knows nothing until it is answered.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::Serialize;
use sim_core::disk::Disk;
use sim_core::service::{Outcome, Refusal, log};
use sim_core::{Context, NodeId, OpId, Span, SyncId};

use super::config::Config;
use super::copies::Copies;
use super::durable::{Record, region_of};
use super::entry::Body;
use super::facts::Fact;
use super::group::coordinator::{Call, Coordinator};
use super::group::message::GroupMessage;
use super::image::Image;
use super::message::Message;
use super::metrics::Gauge;
use super::offsets::Offsets;
use super::replica::{Replica, Role};
use super::transaction::TransactionCoordinator;
use super::types::{BrokerEpoch, PartitionId};
use super::{Node, Point, Timer};
use crate::contact::Contact;

/// A sync under way.
#[derive(Clone, Copy, Debug, Serialize)]
struct Flush {
    #[serde(skip)]
    sync: SyncId,
    partition: PartitionId,
    covers: Covers,
}

/// What is on disk when a sync is done.
#[derive(Clone, Copy, Debug, Serialize)]
enum Covers {
    /// Of the partition's syncs this one: all records below `upto`.
    Records { number: u64, upto: u64 },
    /// Where its log begins.
    Beginning,
}

/// A broker. See the [module documentation](self).
#[derive(Clone, Serialize)]
pub struct Broker {
    pub(super) node: NodeId,
    #[serde(skip)]
    pub(super) config: Arc<Config>,
    /// What it calls this life.
    incarnation: u64,
    pub(super) contact: Contact,
    /// What the controller calls it, once it has answered.
    pub(super) epoch: Option<BrokerEpoch>,
    /// What the cluster looks like.
    pub(super) image: Option<Arc<Image>>,
    replicas: Copies,
    /// Syncs under way, in the order in which they will be done.
    flushes: VecDeque<Flush>,
    /// How often it has asked for records.
    pub(super) fetches: u64,
    pub(super) offsets: Offsets,
    /// How many wait for records of partitions that it leads to be as safe as they have to be.
    #[serde(skip)]
    waiting: u64,
    /// How many partitions it leads, and where all its copies end, together: kept, because it has many copies.
    #[serde(skip)]
    led_count: u64,
    #[serde(skip)]
    pub(super) ends: u64,
    /// By partition that it leads, how many committed records were there and not read when a consumer read last.
    #[serde(skip)]
    lags: BTreeMap<PartitionId, u64>,
    /// If it leads the partition of offsets, and knows what is committed there.
    pub(super) coordinator: Option<Coordinator>,
    /// If it leads the partition of transactions, and knows what is committed there.
    pub(super) transactions: Option<TransactionCoordinator>,
}

impl Broker {
    pub(super) fn boot(config: Arc<Config>, node: NodeId) -> Self {
        let mine = config.all_partitions().filter(|id| config.replicas(*id).any(|replica| replica == node));
        let replicas = mine.collect();
        Self {
            node,
            config,
            incarnation: 0,
            contact: Contact::new(),
            epoch: None,
            image: None,
            replicas,
            flushes: VecDeque::new(),
            fetches: 0,
            offsets: Offsets::default(),
            waiting: 0,
            led_count: 0,
            ends: 0,
            lags: BTreeMap::new(),
            coordinator: None,
            transactions: None,
        }
    }

    /// Where it runs.
    pub const fn node(&self) -> NodeId {
        self.node
    }

    /// Its copies.
    pub const fn replicas(&self) -> &Copies {
        &self.replicas
    }

    /// Whether the controller knows it.
    pub const fn epoch(&self) -> Option<BrokerEpoch> {
        self.epoch
    }

    /// What it knows of the cluster.
    pub fn image(&self) -> Option<&Image> {
        self.image.as_deref()
    }

    /// The group's coordinator, if it is here.
    pub const fn coordinator(&self) -> Option<&Coordinator> {
        self.coordinator.as_ref()
    }

    /// The coordinator of transactions, if it is here.
    pub const fn transactions(&self) -> Option<&TransactionCoordinator> {
        self.transactions.as_ref()
    }

    /// What consumers have handled, as far as it knows.
    pub const fn offsets(&self) -> &Offsets {
        &self.offsets
    }

    /// Its copy of a partition.
    ///
    /// # Panics
    /// If it has none.
    pub(super) fn replica(&self, id: PartitionId) -> &Replica {
        self.replicas.get(id).unwrap_or_else(|| panic!("{} has no copy of {id}", self.node))
    }

    pub(super) fn replica_mut(&mut self, id: PartitionId) -> &mut Replica {
        let node = self.node;
        self.replicas.get_mut(id).unwrap_or_else(|| panic!("{node} has no copy of {id}"))
    }

    /// Whether it leads a partition.
    pub(super) fn leads(&self, id: PartitionId) -> bool {
        self.replicas.get(id).is_some_and(|replica| replica.leading().is_some())
    }

    /// The partitions that it leads.
    pub(super) fn led(&self) -> Vec<PartitionId> {
        self.replicas.iter().filter(|(_, replica)| replica.leading().is_some()).map(|(id, _)| id).collect()
    }

    // ----- a life -----

    pub(super) fn on_start(&mut self, context: &mut Context<'_, Node>) {
        self.recover(context.disk());
        self.incarnation = context.random().next_u64();
        self.tell_led(context);
        self.tell_waiting(context, 0, 0);
        if self.config.consumers > 0 {
            context.gauge(Gauge::ConsumerLag as usize, 0);
        }
        self.watch_lag(context);
        self.wait_to_clean(context);
        self.on_heartbeat(context);
    }

    /// Looks twice in the time after which a follower is out of sync.
    fn watch_lag(&self, context: &mut Context<'_, Node>) {
        let half = Span::nanos(self.config.lag_max.as_nanos().div_ceil(2));
        context.set_timer(Timer::Lag, half);
    }

    pub(super) fn on_lag_timer(&mut self, context: &mut Context<'_, Node>) {
        self.watch_lag(context);
        self.check_lag(context);
    }

    fn recover(&mut self, disk: &Disk<Record>) {
        for (id, replica) in self.replicas.iter_mut() {
            *replica = Replica::recovered(disk, &self.config, id);
            self.ends += replica.log.end();
        }
        self.apply_offsets(self.config.offsets_partition());
    }

    /// Tells the controller that it lives; as long as it is not known, who it is.
    pub(super) fn on_heartbeat(&mut self, context: &mut Context<'_, Node>) {
        context.set_timer(Timer::Heartbeat, self.config.heartbeat);
        let message = match self.epoch {
            Some(epoch) => Message::Heartbeat { epoch, version: self.version() },
            None => Message::Register { incarnation: self.incarnation },
        };
        let controller = self.contact.ask(self.config.controllers);
        context.send(controller, message);
    }

    fn version(&self) -> u64 {
        self.image.as_ref().map_or(0, |image| image.version)
    }

    pub(super) fn on_message(&mut self, context: &mut Context<'_, Node>, from: NodeId, message: Message) {
        self.contact.hear(from);
        match message {
            Message::Active(controller) => {
                if self.contact.on_leader(controller) {
                    context.sometimes(Point::ControllerChanged as usize);
                    self.on_heartbeat(context);
                }
            }
            Message::Registered { incarnation, epoch, image } => {
                if incarnation == self.incarnation && self.epoch.is_none() {
                    self.epoch = Some(epoch);
                    self.take_image(context, &image);
                }
            }
            Message::Metadata { epoch, image } => {
                // Whoever publishes is active.
                self.contact.on_leader(Some(from));
                if self.epoch == Some(epoch) && image.version > self.version() {
                    self.take_image(context, &image);
                }
            }
            Message::Unregistered { epoch } => {
                if self.epoch == Some(epoch) {
                    self.start_over(context);
                }
            }
            Message::Fetch(fetch) => self.on_fetch(context, from, fetch),
            Message::Fetched { partition, epoch, fetch, found } => {
                self.on_fetched(context, from, partition, (epoch, fetch), found);
            }
            Message::Group(GroupMessage::Request { life, number, request }) => {
                self.on_call(context, Call { from, life, number }, request);
            }
            Message::Transaction(message) => self.on_transaction_message(context, from, message),
            Message::Group(_)
            | Message::Register { .. }
            | Message::Heartbeat { .. }
            | Message::AlterPartition(_)
            | Message::Raft(_) => {
                panic!("{}, a broker, cannot get {message:?} from {from}", self.node)
            }
        }
    }

    /// The controller does not know it any more: it does nothing until it is known again.
    fn start_over(&mut self, context: &mut Context<'_, Node>) {
        context.note(|| "the controller knows another life of it".to_owned());
        (self.epoch, self.image) = (None, None);
        for id in self.replicas.ids() {
            self.resign(context, id, None);
            self.replica_mut(id).role = Role::Idle;
            context.cancel_timer(Timer::Fetch(id));
        }
        self.tell_led(context);
        self.on_heartbeat(context);
    }

    fn tell_led(&mut self, context: &mut Context<'_, Node>) {
        self.led_count = self.led().len() as u64;
        context.gauge(Gauge::PartitionsLed as usize, self.led_count);
    }

    /// How many partitions it leads.
    pub(super) const fn led_count(&self) -> u64 {
        self.led_count
    }

    /// So many more wait, or fewer.
    pub(super) fn tell_waiting(&mut self, context: &mut Context<'_, Node>, more: usize, fewer: usize) {
        self.waiting = self.waiting + more as u64 - fewer as u64;
        context.gauge(Gauge::ProducersWaiting as usize, self.waiting);
    }

    /// A consumer reads from an offset on: what is committed from there on it has not read.
    pub(super) fn tell_lag(&mut self, context: &mut Context<'_, Node>, id: PartitionId, offset: u64) {
        self.lags.insert(id, self.replica(id).high_watermark.saturating_sub(offset));
        context.gauge(Gauge::ConsumerLag as usize, self.lags.values().sum());
    }

    /// It leads a partition no more: how far consumers are there another one knows.
    pub(super) fn forget_lag(&mut self, context: &mut Context<'_, Node>, id: PartitionId) {
        if self.lags.remove(&id).is_some() {
            context.gauge(Gauge::ConsumerLag as usize, self.lags.values().sum());
        }
    }

    /// By partition that it leads, how many committed records a consumer has not read.
    pub const fn lags(&self) -> &BTreeMap<PartitionId, u64> {
        &self.lags
    }

    /// The cluster has changed. The controller hears at once that this broker knows: it may be fenced until then.
    fn take_image(&mut self, context: &mut Context<'_, Node>, image: &Arc<Image>) {
        self.image = Some(Arc::clone(image));
        for id in self.replicas.ids() {
            self.take_partition(context, id, image);
        }
        self.tell_led(context);
        if !image.is_live(self.node) {
            self.on_heartbeat(context);
        }
    }

    fn take_partition(&mut self, context: &mut Context<'_, Node>, id: PartitionId, image: &Image) {
        let state = image.partition(id);
        let known = match &self.replica(id).role {
            Role::Idle => None,
            Role::Leader(leading) => Some((self.node, leading.epoch)),
            Role::Follower(following) => Some((following.leader, following.epoch)),
        };
        match state.leader {
            Some(leader) if known == Some((leader, state.epoch)) => self.take_isr(context, id, state),
            Some(leader) if leader == self.node => {
                self.resign(context, id, Some(leader));
                self.lead(context, id, state);
            }
            Some(leader) => self.follow(context, id, leader, state),
            None => {
                self.resign(context, id, None);
                self.replica_mut(id).role = Role::Idle;
                context.cancel_timer(Timer::Fetch(id));
            }
        }
    }

    // ----- the disk -----

    /// Sees to it that what was written gets to the disk.
    pub(super) fn flush(&mut self, context: &mut Context<'_, Node>, id: PartitionId) {
        let replica = self.replica(id);
        if replica.flushed != replica.log.end() {
            self.flush_all(context, id);
        }
    }

    /// The same where nothing was added, so that what was removed is gone for good.
    pub(super) fn flush_all(&mut self, context: &mut Context<'_, Node>, id: PartitionId) {
        let replica = self.replica_mut(id);
        if replica.flush.is_some() {
            return;
        }
        replica.flush_count += 1;
        let (number, upto) = (replica.flush_count, replica.log.end());
        replica.flush = Some(number);
        let sync = context.sync(region_of(id));
        self.flushes.push_back(Flush { sync, partition: id, covers: Covers::Records { number, upto } });
    }

    /// Sees to it that where a log begins gets to the disk, before what is written from now on.
    pub(super) fn flush_beginning(&mut self, context: &mut Context<'_, Node>, id: PartitionId) {
        let sync = context.sync(self.config.beginning_of(id));
        self.flushes.push_back(Flush { sync, partition: id, covers: Covers::Beginning });
    }

    pub(super) fn on_durable(&mut self, context: &mut Context<'_, Node>, sync: SyncId) {
        let Some(at) = self.flushes.iter().position(|flush| flush.sync == sync) else {
            panic!("{} has begun no {sync:?}", self.node)
        };
        let Some(Flush { partition: id, covers, .. }) = self.flushes.remove(at) else { return };
        let Covers::Records { number, upto } = covers else {
            return self.on_beginning_durable(context, id);
        };
        let replica = self.replica_mut(id);
        if replica.flush == Some(number) {
            replica.flush = None;
            replica.flushed = upto;
        }
        self.flush(context, id);
        match self.replica(id).role {
            Role::Leader(_) => self.advance(context, id),
            Role::Follower(_) if self.replica(id).flush.is_none() => self.fetch(context, id),
            Role::Follower(_) | Role::Idle => {}
        }
    }

    // ----- clients -----

    /// A client asks. What this broker does not lead it is sent to who does.
    pub(super) fn on_request(
        &mut self,
        context: &mut Context<'_, Node>,
        op: OpId,
        operation: log::Operation,
    ) {
        let asked = PartitionId(operation.partition());
        let Some(id) = self.config.partition_of(operation) else {
            return context.reply(op, Outcome::Refused(Refusal::NotFound));
        };
        if !self.leads(id) {
            return context.reply(op, Outcome::Redirect(self.leader_of(id)));
        }
        match operation {
            log::Operation::Append { value, .. } => self.append(context, id, op, Body::Value(value)),
            log::Operation::Commit { offset, .. } => {
                self.append(context, id, op, Body::Commit { partition: asked, offset, by: None });
            }
            log::Operation::Poll { offset, .. } => self.read(context, id, op, offset),
            log::Operation::Committed { .. } => self.read_offset(context, id, op, asked),
            log::Operation::Results { offset, .. } => self.read_results(context, id, op, offset),
        }
    }

    fn read_offset(&self, context: &mut Context<'_, Node>, id: PartitionId, op: OpId, asked: PartitionId) {
        let outcome = match self.readable(context, id) {
            Some(_) => Outcome::Ticket(self.offsets.committed.get(&asked).copied().unwrap_or(0)),
            None => Outcome::Refused(Refusal::Unavailable),
        };
        context.reply(op, outcome);
    }

    /// What is committed in the partition of offsets is so.
    pub(super) fn apply_offsets(&mut self, id: PartitionId) {
        if id != self.config.offsets_partition() {
            return;
        }
        let Some(replica) = self.replicas.get(id) else { return };
        for (offset, entry) in replica.log.range(self.offsets.upto, replica.high_watermark) {
            self.offsets.apply(offset, entry);
        }
    }

    /// What it had read of that partition is not there any more: what is counts.
    pub(super) fn read_offsets_again(&mut self) {
        self.offsets = Offsets::default();
        self.apply_offsets(self.config.offsets_partition());
    }

    /// The same at the leader, which says so.
    pub(super) fn record_offsets(&mut self, context: &mut Context<'_, Node>, id: PartitionId) {
        let from = self.offsets.upto;
        self.apply_offsets(id);
        if id == self.config.offsets_partition() {
            for (index, entry) in self.replica(id).log.range(from, self.offsets.upto) {
                context.fact(Fact::Recorded { index, body: entry.body.clone() });
            }
        }
    }

    /// Who leads a partition, if it is another broker.
    pub(super) fn leader_of(&self, id: PartitionId) -> Option<NodeId> {
        let leader = self.image.as_ref().and_then(|image| image.partition(id).leader);
        leader.filter(|leader| *leader != self.node)
    }
}
