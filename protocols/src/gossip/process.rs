//! The inputs of a site, told apart.

use serde::Serialize;
use sim_core::disk::{self, DiskPromise};
use sim_core::process::{self, Process};
use sim_core::service::{Operation, Outcome, Refusal, broadcast};
use sim_core::status::Status;
use sim_core::view::{ViewBuilder, ViewRequest};
use sim_core::{Context, NodeId, OpId, Span, SyncId};
use strum::VariantNames;

use super::calls::Tally;
use super::config::{Config, Judging, Spread};
use super::facts::Fact;
use super::message::{Message, Need};
use super::rumor::Rumors;
use super::{Gossip, POINTS, Timer, metrics};

impl process::Timer for Timer {
    const NAMES: &'static [&'static str] = &["cycle"];

    fn index(self) -> Option<usize> {
        match self {
            Self::Cycle => Some(0),
        }
    }
}

/// What is written to disk: nothing, so there is no such record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Record {}

impl disk::Record for Record {
    fn size(&self) -> u64 {
        match *self {}
    }
}

impl Process for Gossip {
    type Config = Config;
    type Message = Message;
    type Timer = Timer;
    type Record = Record;
    type Fact = Fact;

    const PROMISE: DiskPromise = DiskPromise::EVERYTHING;
    const POINTS: &'static [&'static str] = &POINTS;
    const COUNTERS: &'static [&'static str] = metrics::Counter::VARIANTS;
    const LATENCIES: &'static [&'static str] = metrics::Latency::VARIANTS;

    fn boot(config: &Config, node: NodeId) -> Self {
        Self {
            node,
            config: *config,
            phase: Span::ZERO,
            is_awaiting: false,
            rumors: Rumors::default(),
            made: Tally::default(),
            taken: Tally::default(),
            heard_from: None,
        }
    }

    /// Who asks for rumors calls in every cycle; who only sends waits until there is something to send.
    fn on_start(&mut self, context: &mut Context<'_, Self>) {
        self.phase = self.draw_phase(context);
        context.fact(Fact::Started);
        if self.config.spread.asks() {
            self.await_cycle(context);
        }
    }

    fn on_message(&mut self, context: &mut Context<'_, Self>, from: NodeId, message: Message) {
        self.refuse_impossible(from, &message);
        match message {
            Message::Push(rumors) | Message::Exchange(rumors) => self.on_call(context, from, &rumors),
            Message::Pull => self.on_call(context, from, &[]),
            Message::Answer(rumors) => self.on_rumors(context, from, &rumors),
            Message::Feedback(needs) => self.on_feedback(context, &needs),
            Message::Busy => self.on_busy(context),
        }
    }

    fn on_timer(&mut self, context: &mut Context<'_, Self>, timer: Timer) {
        match timer {
            Timer::Cycle => self.on_cycle(context),
        }
    }

    fn on_request(&mut self, context: &mut Context<'_, Self>, op: OpId, operation: Operation) {
        let Operation::Broadcast(operation) = operation else {
            return context.reply(op, Outcome::Refused(Refusal::Unsupported));
        };
        match operation {
            broadcast::Operation::Send(value) => {
                self.begin_rumor(context, value);
                context.reply(op, Outcome::Done);
            }
            broadcast::Operation::Read => {
                let values = self.rumors().iter().map(|held| held.value).collect();
                context.reply(op, Outcome::Values(values));
            }
        }
    }

    /// Nothing is ever synced.
    fn on_durable(&mut self, _context: &mut Context<'_, Self>, sync: SyncId) {
        unreachable!("gossip writes nothing, but {sync:?} is durable");
    }

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn status(&self) -> Status {
        let role = match (self.is_infective(), self.rumors().is_empty()) {
            (true, _) => "infective",
            (false, false) => "removed",
            (false, true) => "susceptible",
        };
        Status { gauge: self.rumors().len() as u64, ..Status::peer(role) }
    }

    fn view(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        self.show(view, request);
    }
}

impl Gossip {
    /// All sites have one configuration, and with another one this message would not have been sent.
    ///
    /// # Panics
    /// If nobody sends such a message in this one.
    pub(super) fn refuse_impossible(&self, from: NodeId, message: &Message) {
        let Config { spread, judging, minimization, connection_limit, .. } = self.config;
        let is_possible = match message {
            Message::Push(_) => spread == Spread::Push,
            Message::Pull => spread == Spread::Pull,
            Message::Exchange(_) => spread == Spread::PushPull,
            Message::Answer(_) => spread.asks(),
            Message::Feedback(needs) => {
                let compares = needs.iter().any(|(_, need)| matches!(need, Need::KnownAt(_)));
                judging == Judging::Feedback && (minimization.is_on() || !compares)
            }
            Message::Busy => connection_limit.is_some(),
        };
        assert!(
            is_possible,
            "{}, with {spread:?}, {judging:?}, minimization {minimization:?} and the connection limit {connection_limit:?}, was sent \
             {message:?} by {from}",
            self.node
        );
    }
}
