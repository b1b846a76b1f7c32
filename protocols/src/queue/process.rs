//! The inputs of a node, told apart by its role.

use std::sync::Arc;

use sim_core::check::{Nodes, Work};
use sim_core::disk::DiskPromise;
use sim_core::process::{self, Process};
use sim_core::service::{Operation, Outcome, Refusal, queue};
use sim_core::status::Status;
use sim_core::view::{ViewBuilder, ViewRequest};
use sim_core::{Context, NodeId, OpId, SyncId};
use strum::VariantNames;

use super::config::{Config, Role};
use super::consumer::Consumer;
use super::durable::Record;
use super::facts::{Fact, Kind};
use super::ledger::Ledger;
use super::message::Message;
use super::producer::Producer;
use super::replicated::Replicated;
use super::standalone::Standalone;
use super::store::Store;
use super::{FAULT_POINTS, Node, POINTS, Timer, metrics, work};
use crate::raft;
use crate::replicated::Told;

impl process::Timer for Timer {
    const NAMES: &'static [&'static str] = &[
        "deadline",
        "credit",
        "heartbeat",
        "raft-election",
        "raft-heartbeat",
        "raft-quorum",
        "raft-transfer",
        "raft-apply",
        "relay",
    ];

    fn index(self) -> Option<usize> {
        match self {
            Self::Deadline => Some(0),
            Self::Credit => Some(1),
            Self::Heartbeat => Some(2),
            Self::Worker(_) => None,
            Self::Raft(timer) => timer.index().map(|index| 3 + index),
            Self::Relay => Some(8),
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
            Role::Broker if config.brokers == 1 => Self::Broker(Box::new(Standalone::boot(shared, node))),
            Role::Broker => Self::Replicated(Box::new(Replicated::boot(shared, node))),
            Role::Producer => Self::Producer(Box::new(Producer::boot(shared, node))),
            Role::Consumer => Self::Consumer(Box::new(Consumer::boot(shared, node))),
            Role::Store => Self::Store(Box::new(Store::boot(shared, node))),
        }
    }

    fn on_start(&mut self, context: &mut Context<'_, Self>) {
        match self {
            Self::Broker(broker) => broker.on_start(context),
            Self::Replicated(broker) => broker.on_start(context),
            Self::Producer(producer) => producer.on_start(context),
            Self::Consumer(consumer) => consumer.on_start(context),
            Self::Store(store) => store.on_start(context),
        }
    }

    fn on_message(&mut self, context: &mut Context<'_, Self>, from: NodeId, message: Message) {
        match self {
            Self::Broker(broker) => broker.on_message(context, from, &message),
            Self::Replicated(broker) => broker.on_message(context, from, message),
            Self::Producer(producer) => producer.on_message(context, from, &message),
            Self::Consumer(consumer) => consumer.on_message(context, from, &message),
            Self::Store(store) => store.on_message(context, from, &message),
        }
    }

    fn on_timer(&mut self, context: &mut Context<'_, Self>, timer: Timer) {
        match (self, timer) {
            (Self::Broker(broker), Timer::Deadline) => broker.on_deadline(context),
            (Self::Replicated(broker), Timer::Deadline) => broker.on_deadline(context),
            (Self::Replicated(broker), Timer::Raft(timer)) => broker.on_timer(context, timer),
            (Self::Producer(producer), Timer::Relay) => producer.on_relay(context),
            (Self::Consumer(consumer), Timer::Credit) => consumer.on_credit(context),
            (Self::Consumer(consumer), Timer::Heartbeat) => consumer.on_heartbeat(context),
            (Self::Consumer(consumer), Timer::Worker(index)) => consumer.on_worker(context, index),
            (
                Self::Broker(_)
                | Self::Replicated(_)
                | Self::Producer(_)
                | Self::Consumer(_)
                | Self::Store(_),
                timer,
            ) => {
                unreachable!("{} sets no timer {timer:?}", context.node())
            }
        }
    }

    /// Clients that ask another node are sent to a broker, and those that send to their producer, where there are any.
    fn on_request(&mut self, context: &mut Context<'_, Self>, op: OpId, operation: Operation) {
        let Operation::Queue(operation) = operation else {
            return context.reply(op, Outcome::Refused(Refusal::Unsupported));
        };
        match (self, operation) {
            (Self::Producer(producer), queue::Operation::Enqueue(value)) => {
                producer.on_enqueue(context, op, value);
            }
            (Self::Broker(broker), operation) => broker.on_request(context, op, operation),
            (Self::Replicated(broker), operation) => broker.on_request(context, op, operation),
            (Self::Producer(_) | Self::Consumer(_) | Self::Store(_), _) => {
                context.reply(op, Outcome::Redirect(Some(Config::BROKER)));
            }
        }
    }

    fn on_durable(&mut self, context: &mut Context<'_, Self>, sync: SyncId) {
        match self {
            Self::Broker(broker) => broker.on_durable(context, sync),
            Self::Replicated(broker) => broker.on_durable(context, sync),
            Self::Store(store) => store.on_durable(context, sync),
            Self::Producer(producer) => producer.on_durable(context, sync),
            Self::Consumer(_) => unreachable!("a consumer writes nothing, but {sync:?} is durable"),
        }
    }

    fn work(nodes: &Nodes<'_, Self>, well: &[NodeId]) -> Vec<Work> {
        work::work(nodes, well)
    }

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn status(&self) -> Status {
        let (role, gauge) = match self {
            Self::Replicated(broker) => return broker.status(),
            Self::Broker(broker) => {
                let (waiting, held) = broker.broker.queue().depth();
                ("broker", waiting + held)
            }
            Self::Producer(producer) => ("producer", producer.rows().len() as u64),
            Self::Consumer(consumer) => ("consumer", consumer.held_count().into()),
            Self::Store(store) => ("store", store.effect_count()),
        };
        Status { gauge, ..Status::peer(role) }
    }

    fn view(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        match self {
            Self::Broker(broker) => broker.broker.show(view, request),
            Self::Replicated(broker) => broker.show(view, request),
            Self::Producer(producer) => producer.show(view, request),
            Self::Consumer(consumer) => consumer.show(view, request),
            Self::Store(store) => store.show(view, request),
        }
    }
}

impl raft::Host for Node {
    type App = Told<Ledger>;

    /// Raft's own numbers are of no interest to who looks at a queue.
    const IS_MEASURED: bool = false;
    const FAULT_POINTS_AT: usize = super::FaultPoint::Raft as usize;
    const FACT_KINDS_AT: u32 = Kind::Raft as u32;

    fn replica(&self) -> Option<&raft::Replica<Told<Ledger>>> {
        match self {
            Self::Replicated(broker) => Some(broker.replica()),
            Self::Broker(_) | Self::Producer(_) | Self::Consumer(_) | Self::Store(_) => None,
        }
    }

    fn message(message: raft::MessageOf<Told<Ledger>>) -> Message {
        Message::Raft(Box::new(message))
    }

    fn timer(timer: raft::Timer) -> Timer {
        Timer::Raft(timer)
    }

    fn record(record: raft::RecordOf<Told<Ledger>>) -> Record {
        Record::Raft(record)
    }

    fn as_record(record: &Record) -> Option<&raft::RecordOf<Told<Ledger>>> {
        match record {
            Record::Raft(record) => Some(record),
            Record::Command { .. }
            | Record::Snapshot(_)
            | Record::Effect(_)
            | Record::Key(_)
            | Record::Row(_) => None,
        }
    }

    fn fact(fact: raft::Fact) -> Fact {
        Fact::Raft(fact)
    }

    fn as_fact(fact: &Fact) -> Option<&raft::Fact> {
        if let Fact::Raft(fact) = fact { Some(fact) } else { None }
    }
}
