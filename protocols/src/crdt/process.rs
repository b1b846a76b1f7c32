//! The inputs of a replica, told apart.

use std::collections::BTreeMap;
use std::sync::Arc;

use sim_core::check::Nodes;
use sim_core::disk::DiskPromise;
use sim_core::process::{self, Process};
use sim_core::service::{Operation, Outcome, Refusal};
use sim_core::status::Status;
use sim_core::view::{ViewBuilder, ViewRequest};
use sim_core::{Context, NodeId, OpId, SyncId};
use strum::VariantNames;

use super::config::{Config, Shipping};
use super::data::{Asked, Data, deleted_key};
use super::durable::{DELTAS, Record};
use super::facts::Fact;
use super::message::Message;
use super::mutants::Mutant;
use super::{Crdt, POINTS, Timer, metrics};
use crate::group_commit::GroupCommit;

impl process::Timer for Timer {
    const NAMES: &'static [&'static str] = &["shipping"];

    fn index(self) -> Option<usize> {
        match self {
            Self::Shipping => Some(0),
        }
    }
}

impl Process for Crdt {
    type Config = Config;
    type Message = Message;
    type Timer = Timer;
    type Record = Record;
    type Fact = Fact;

    const PROMISE: DiskPromise = DiskPromise::CRASH_FAULT;
    const POINTS: &'static [&'static str] = &POINTS;
    const GAUGES: &'static [&'static str] = metrics::Gauge::VARIANTS;
    const COUNTERS: &'static [&'static str] = metrics::Counter::VARIANTS;

    fn boot(config: &Config, node: NodeId) -> Self {
        let nothing = Arc::new(Data::nothing(config.kind));
        Self {
            node,
            config: *config,
            state: nothing.clone(),
            staged: nothing,
            changes: 0,
            deltas: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            commit: GroupCommit::new(DELTAS),
        }
    }

    fn on_start(&mut self, context: &mut Context<'_, Self>) {
        self.recover(context);
        context.fact(Fact::Started);
        context.gauge(metrics::Gauge::DeltasKept as usize, 0);
        self.await_first_cycle(context);
    }

    fn on_message(&mut self, context: &mut Context<'_, Self>, from: NodeId, message: Message) {
        self.refuse_impossible(from, &message);
        match message {
            Message::State(data) => self.on_data(context, from, &data, None),
            Message::Delta { data, upto } => self.on_data(context, from, &data, Some(upto)),
            Message::Ack { upto } => self.on_ack(context, from, upto),
        }
    }

    fn on_timer(&mut self, context: &mut Context<'_, Self>, timer: Timer) {
        match timer {
            Timer::Shipping => self.on_cycle(context),
        }
    }

    fn on_request(&mut self, context: &mut Context<'_, Self>, op: OpId, operation: Operation) {
        match self.state.ask(&self.staged, self.node, &operation, self.config.mutant) {
            Asked::Read(outcome) => context.reply(op, outcome),
            Asked::Change(delta) => {
                let delta = self.in_silence(&operation, delta);
                self.make(context, op, delta);
            }
            Asked::Unsupported => context.reply(op, Outcome::Refused(Refusal::Unsupported)),
        }
    }

    fn on_durable(&mut self, context: &mut Context<'_, Self>, sync: SyncId) {
        self.on_sync_done(context, sync);
    }

    /// All replicas are to have the same state.
    fn disagreement(nodes: &Nodes<'_, Self>, well: &[NodeId]) -> Option<String> {
        let replicas = || nodes.running().filter(|(node, _)| well.contains(node));
        let (first, one) = replicas().next()?;
        let (second, other) = replicas().find(|(_, other)| other.state != one.state)?;
        Some(format!("{first} has {}, and {second} has {}", one.state, other.state))
    }

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn status(&self) -> Status {
        Status { gauge: self.changes, ..Status::peer("replica") }
    }

    fn view(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        self.show(view, request);
    }
}

impl Crdt {
    /// All replicas ship in one way, and in the other this message would not have been sent.
    ///
    /// # Panics
    /// If nobody sends such a message in this one.
    pub(super) fn refuse_impossible(&self, from: NodeId, message: &Message) {
        let shipping = self.config.shipping;
        let is_possible = match message {
            Message::State(_) => shipping == Shipping::State,
            Message::Delta { .. } | Message::Ack { .. } => shipping == Shipping::Delta,
        };
        assert!(is_possible, "{}, which ships by {shipping:?}, was sent {message:?} by {from}", self.node);
    }

    /// What a mutant makes of the delta of a removal: it is done here, and said nowhere.
    fn in_silence(&mut self, operation: &Operation, delta: Data) -> Data {
        let Some(key) = deleted_key(operation).filter(|_| self.config.has(Mutant::RemovesInSilence)) else {
            return delta;
        };
        for state in [&mut self.state, &mut self.staged] {
            if let Data::OrMap(map) = Arc::make_mut(state) {
                map.forget(&key);
            }
        }
        Data::nothing(self.config.kind)
    }
}
