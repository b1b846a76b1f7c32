//! The inputs of a node, told apart by its role.

use std::sync::Arc;

use sim_core::check::{Nodes, Work};
use sim_core::disk::DiskPromise;
use sim_core::process::{self, Process};
use sim_core::service::{Operation, Outcome, Refusal};
use sim_core::status::{Standing, Status};
use sim_core::view::{ViewBuilder, ViewRequest};
use sim_core::{Context, NodeId, OpId, SyncId};
use strum::VariantNames;

use super::broker::Broker;
use super::config::{Config, Role as NodeRole};
use super::durable::Record;
use super::facts::{Fact, Kind};
use super::group::consumer::Consumer;
use super::group::share::Share;
use super::group::store::Store;
use super::message::Message;
use super::metadata::Metadata;
use super::metrics;
use super::quorum::Quorum;
use super::standalone::Standalone;
use super::types::PartitionId;
use super::{FAULT_POINTS, Node, POINTS, Timer, work};
use crate::raft;
use crate::replicated::Told;

impl process::Timer for Timer {
    const NAMES: &'static [&'static str] = &[
        "heartbeat",
        "lag",
        "rebalance",
        "gathering",
        "beat",
        "keep",
        "markers",
        "raft-election",
        "raft-heartbeat",
        "raft-quorum",
        "raft-transfer",
        "raft-apply",
        "clean",
    ];

    fn index(self) -> Option<usize> {
        match self {
            Self::Heartbeat => Some(0),
            Self::Lag => Some(1),
            Self::Rebalance => Some(2),
            Self::Gathering => Some(3),
            Self::Beat => Some(4),
            Self::Keep => Some(5),
            Self::Markers => Some(6),
            Self::Raft(timer) => timer.index().map(|index| 7 + index),
            Self::Clean => Some(12),
            Self::Session(_)
            | Self::Fetch(_)
            | Self::Member(_)
            | Self::Share(_)
            | Self::Worker(_)
            | Self::Transaction(_) => None,
        }
    }
}

impl Process for Node {
    type Config = Config;
    type Message = Message;
    type Timer = Timer;
    type Record = Record;
    type Fact = Fact;

    const PROMISE: DiskPromise = DiskPromise::CRASH_FAULT;
    const POINTS: &'static [&'static str] = &POINTS;
    const FAULT_POINTS: &'static [&'static str] = &FAULT_POINTS;
    const GAUGES: &'static [&'static str] = metrics::Gauge::VARIANTS;
    const COUNTERS: &'static [&'static str] = metrics::Counter::VARIANTS;
    const LATENCIES: &'static [&'static str] = metrics::Latency::VARIANTS;

    fn kind_of(fact: &Fact) -> u32 {
        fact.kind()
    }

    fn boot(config: &Config, node: NodeId) -> Self {
        let shared = Arc::new(config.clone());
        match config.role_of(node) {
            NodeRole::Controller if config.controllers == 1 => {
                Self::Controller(Box::new(Standalone::boot(shared)))
            }
            NodeRole::Controller => Self::Quorum(Box::new(Quorum::boot(shared, node))),
            NodeRole::Broker => Self::Broker(Box::new(Broker::boot(shared, node))),
            NodeRole::Consumer => Self::Consumer(Box::new(Consumer::boot(shared, node))),
            NodeRole::Store => Self::Store(Box::new(Store::boot(shared, node))),
        }
    }

    fn on_start(&mut self, context: &mut Context<'_, Self>) {
        match self {
            Self::Controller(controller) => controller.on_start(context),
            Self::Quorum(controller) => controller.on_start(context),
            Self::Broker(broker) => broker.on_start(context),
            Self::Consumer(consumer) => consumer.on_start(context),
            Self::Store(store) => store.on_start(context),
        }
    }

    fn on_message(&mut self, context: &mut Context<'_, Self>, from: NodeId, message: Message) {
        match (&mut *self, message) {
            (Self::Controller(controller), message) => controller.on_message(context, from, &message),
            (Self::Quorum(controller), message) => controller.on_message(context, from, message),
            (Self::Broker(broker), message) => broker.on_message(context, from, message),
            (Self::Consumer(consumer), Message::Group(message)) => {
                consumer.on_message(context, from, message);
            }
            (Self::Store(store), Message::Group(message)) => store.on_message(context, from, message),
            (Self::Consumer(_) | Self::Store(_), message) => {
                panic!("{}, no broker, cannot get {message:?} from {from}", context.node())
            }
        }
    }

    fn on_timer(&mut self, context: &mut Context<'_, Self>, timer: Timer) {
        match (self, timer) {
            (Self::Controller(controller), Timer::Session(node)) => controller.on_session_over(context, node),
            (Self::Controller(controller), Timer::Rebalance) => controller.on_rebalance(context),
            (Self::Quorum(controller), timer) => controller.on_timer(context, timer),
            (Self::Broker(broker), Timer::Heartbeat) => broker.on_heartbeat(context),
            (Self::Broker(broker), Timer::Lag) => broker.on_lag_timer(context),
            (Self::Broker(broker), Timer::Clean) => broker.on_clean(context),
            (Self::Broker(broker), Timer::Fetch(partition)) => broker.fetch(context, partition),
            (Self::Broker(broker), Timer::Member(node)) => broker.on_member_gone(context, node),
            (Self::Broker(broker), Timer::Gathering) => broker.on_gathered(context),
            (Self::Broker(broker), Timer::Markers) => broker.send_markers(context),
            (Self::Broker(broker), Timer::Transaction(id)) => broker.on_transaction_timeout(context, id),
            (Self::Consumer(consumer), Timer::Beat) => consumer.on_beat(context),
            (Self::Consumer(consumer), Timer::Keep) => consumer.on_keep(context),
            (Self::Consumer(consumer), Timer::Share(partition)) => consumer.on_share(context, partition),
            (Self::Consumer(consumer), Timer::Worker(index)) => consumer.on_worker(context, index),
            (Self::Store(store), Timer::Share(partition)) => store.read(context, partition),
            (Self::Controller(_) | Self::Broker(_) | Self::Consumer(_) | Self::Store(_), timer) => {
                unreachable!("{} sets no timer {timer:?}", context.node())
            }
        }
    }

    /// Only brokers keep records: the controller sends clients to who leads the partition, others send them to a broker.
    fn on_request(&mut self, context: &mut Context<'_, Self>, op: OpId, operation: Operation) {
        let Operation::Log(operation) = operation else {
            return context.reply(op, Outcome::Refused(Refusal::Unsupported));
        };
        match self {
            Self::Controller(controller) => {
                context.reply(op, Outcome::Redirect(controller.controller.leader_for(operation)));
            }
            Self::Quorum(controller) => {
                context.reply(op, Outcome::Redirect(controller.leader_for(operation)));
            }
            Self::Broker(broker) => broker.on_request(context, op, operation),
            Self::Consumer(_) | Self::Store(_) => context.reply(op, Outcome::Redirect(None)),
        }
    }

    fn on_durable(&mut self, context: &mut Context<'_, Self>, sync: SyncId) {
        match self {
            Self::Controller(controller) => controller.on_durable(context, sync),
            Self::Quorum(controller) => controller.on_durable(context, sync),
            Self::Broker(broker) => broker.on_durable(context, sync),
            Self::Store(store) => store.on_durable(context, sync),
            Self::Consumer(_) => unreachable!("a consumer writes nothing, but {sync:?} is durable"),
        }
    }

    /// Partitions that nobody leads, copies that are not in sync, and partitions that no consumer handles.
    fn disagreement(nodes: &Nodes<'_, Self>, well: &[NodeId]) -> Option<String> {
        let brokers = || nodes.running().filter(|(node, _)| well.contains(node));
        let copies = || {
            brokers()
                .filter_map(|(node, process)| Some((node, process.broker()?)))
                .flat_map(|(node, broker)| broker.replicas().iter().map(move |(id, copy)| (node, id, copy)))
        };
        let leader = |wanted| {
            let leads = copies().filter(|(_, id, _)| *id == wanted).filter_map(|(_, _, copy)| copy.leading());
            leads.max_by_key(|leading| leading.epoch())
        };
        let out_of_sync = copies().find_map(|(node, id, _)| match leader(id) {
            None => Some(format!("nobody leads {id}")),
            Some(leading) => {
                (!leading.isr().contains(node)).then(|| format!("{node} is not in sync in {id}"))
            }
        });
        out_of_sync.or_else(|| {
            let unhandled = brokers().find_map(|(_, process)| process.broker()?.unhandled());
            unhandled.map(|id| format!("nobody in the group has {id}"))
        })
    }

    fn work(nodes: &Nodes<'_, Self>, well: &[NodeId]) -> Vec<Work> {
        work::work(nodes, well)
    }

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }

    /// Whoever leads the first partition leads, for tools that know no partitions. How far each partition is committed is in
    /// the view.
    fn status(&self) -> Status {
        match self {
            Self::Controller(controller) => {
                let gauge = controller.controller.published().version;
                Status { gauge, ..Status::peer("controller") }
            }
            Self::Quorum(controller) => controller.status(),
            Self::Broker(broker) => broker_status(broker),
            Self::Consumer(consumer) => {
                let gauge = consumer.shares().values().map(Share::backlog_len).sum();
                Status { gauge, ..Status::peer("consumer") }
            }
            Self::Store(store) => Status { gauge: store.effect_count(), ..Status::peer("store") },
        }
    }

    fn view(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        match self {
            Self::Controller(controller) => controller.controller.show(view, request),
            Self::Quorum(controller) => controller.show(view, request),
            Self::Broker(broker) => broker.show(view, request),
            Self::Consumer(consumer) => consumer.show(view, request),
            Self::Store(store) => store.show(view, request),
        }
    }
}

impl Node {
    /// The broker, if this is one.
    pub const fn broker(&self) -> Option<&Broker> {
        if let Self::Broker(broker) = self { Some(broker) } else { None }
    }

    /// The consumer, if this is one.
    pub const fn consumer(&self) -> Option<&Consumer> {
        if let Self::Consumer(consumer) = self { Some(consumer) } else { None }
    }

    /// The store, if this is it.
    pub const fn store(&self) -> Option<&Store> {
        if let Self::Store(store) = self { Some(store) } else { None }
    }
}

fn broker_status(broker: &Broker) -> Status {
    debug_assert_eq!(
        broker.ends,
        broker.replicas().iter().map(|(_, replica)| replica.log().end()).sum::<u64>()
    );
    debug_assert_eq!(broker.led_count(), broker.led().len() as u64);
    let word = if broker.epoch().is_none() {
        "outsider"
    } else if broker.led_count() > 0 {
        "leader"
    } else {
        "follower"
    };
    let first = broker.image().map(|image| *image.partition(PartitionId(0)));
    let (leader, epoch) = first.map_or((None, 0), |state| (state.leader, state.epoch.0));
    let standing = if leader == Some(broker.node()) { Standing::Leader } else { Standing::Follower };
    Status { role: word, standing, epoch: epoch.into(), leader, commit: 0, gauge: broker.ends }
}

impl raft::Host for Node {
    type App = Told<Metadata>;

    /// Raft's own numbers are of no interest to who looks at a log.
    const IS_MEASURED: bool = false;
    const FAULT_POINTS_AT: usize = super::FaultPoint::Raft as usize;
    const FACT_KINDS_AT: u32 = Kind::Raft as u32;

    fn replica(&self) -> Option<&raft::Replica<Told<Metadata>>> {
        match self {
            Self::Quorum(controller) => Some(controller.replica()),
            Self::Controller(_) | Self::Broker(_) | Self::Consumer(_) | Self::Store(_) => None,
        }
    }

    fn message(message: raft::MessageOf<Told<Metadata>>) -> Message {
        Message::Raft(Box::new(message))
    }

    fn timer(timer: raft::Timer) -> Timer {
        Timer::Raft(timer)
    }

    fn record(record: raft::RecordOf<Told<Metadata>>) -> Record {
        Record::Raft(record)
    }

    fn as_record(record: &Record) -> Option<&raft::RecordOf<Told<Metadata>>> {
        match record {
            Record::Raft(record) => Some(record),
            Record::Image(_)
            | Record::Entry(_)
            | Record::Beginning { .. }
            | Record::Effect(_)
            | Record::Result { .. } => None,
        }
    }

    fn fact(fact: raft::Fact) -> Fact {
        Fact::Raft(fact)
    }

    fn as_fact(fact: &Fact) -> Option<&raft::Fact> {
        if let Fact::Raft(fact) = fact { Some(fact) } else { None }
    }
}
