//! The inputs of a node, told apart: one function a role and message is in `acceptor`, `proposer` and `learner`.

use std::sync::Arc;

use sim_core::disk::DiskPromise;
use sim_core::process::{self, Process};
use sim_core::service::{Operation, Outcome, Refusal};
use sim_core::status::{Standing, Status};
use sim_core::view::{ViewBuilder, ViewRequest};
use sim_core::{Context, NodeId, OpId, SyncId};
use strum::VariantNames;

use super::acceptor::{Acceptor, Discipline};
use super::config::Config;
use super::durable::{Deferred, Record, Unflushed};
use super::facts::Fact;
use super::learner::Learner;
use super::message::Message;
use super::mutants::Mutant;
use super::proposer::Proposer;
use super::types::Vote;
use super::{FAULT_POINTS, GAUGES, POINTS, Point, Synod, Timer, metrics};
use crate::replicated::{Ballot, Outbox};

impl process::Timer for Timer {
    const NAMES: &'static [&'static str] = &["ballot", "retry"];

    fn index(self) -> Option<usize> {
        match self {
            Self::Ballot => Some(0),
            Self::Retry => Some(1),
        }
    }
}

impl Process for Synod {
    type Config = Config;
    type Message = Message;
    type Timer = Timer;
    type Record = Record;
    type Fact = Fact;

    const PROMISE: DiskPromise = DiskPromise::CRASH_FAULT;
    const POINTS: &'static [&'static str] = &POINTS;
    const FAULT_POINTS: &'static [&'static str] = &FAULT_POINTS;
    const GAUGES: &'static [&'static str] = &GAUGES;
    const COUNTERS: &'static [&'static str] = metrics::Counter::VARIANTS;
    const LATENCIES: &'static [&'static str] = metrics::Latency::VARIANTS;

    fn boot(config: &Config, node: NodeId) -> Self {
        Self {
            node,
            config: Arc::new(config.clone()),
            acceptor: Acceptor::default(),
            round: 0,
            outbox: Outbox::default(),
            unflushed: Unflushed::default(),
            proposer: Proposer::default(),
            learner: Learner::default(),
        }
    }

    fn on_start(&mut self, context: &mut Context<'_, Self>) {
        self.recover(context.disk());
        self.tell_waiting(context);
    }

    fn on_message(&mut self, context: &mut Context<'_, Self>, from: NodeId, message: Message) {
        match message {
            Message::Prepare { ballot } => self.on_prepare(context, from, ballot),
            Message::Promise { ballot, accepted } => self.on_promise(context, from, ballot, accepted),
            Message::Accept(vote) => self.on_accept(context, from, vote),
            Message::Accepted(vote) => self.on_accepted(context, from, vote),
            Message::Nack { ballot, promised } => self.on_nack(context, ballot, promised),
            Message::Chosen { proposal } => self.on_chosen(context, proposal),
        }
    }

    fn on_timer(&mut self, context: &mut Context<'_, Self>, timer: Timer) {
        match timer {
            Timer::Ballot => self.on_ballot_timeout(context),
            Timer::Retry => self.begin_ballot(context),
        }
    }

    fn on_request(&mut self, context: &mut Context<'_, Self>, op: OpId, operation: Operation) {
        match operation {
            Operation::Kv(operation) => self.on_kv(context, op, operation),
            Operation::Echo(_)
            | Operation::UniqueId
            | Operation::Broadcast(_)
            | Operation::Counter(_)
            | Operation::Set(_)
            | Operation::Members
            | Operation::Queue(_)
            | Operation::Log(_)
            | Operation::Lock(_)
            | Operation::Transfer(_)
            | Operation::Txn(_)
            | Operation::Admin(_) => context.reply(op, Outcome::Refused(Refusal::Unsupported)),
        }
    }

    fn on_durable(&mut self, context: &mut Context<'_, Self>, sync: SyncId) {
        self.on_sync_done(context, sync);
    }

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn status(&self) -> Status {
        Status {
            role: if self.chosen().is_some() { "learned" } else { self.proposer.stage.name() },
            standing: Standing::Peer,
            epoch: self.acceptor.promised().round,
            leader: None,
            commit: u64::from(self.chosen().is_some()),
            gauge: self.proposer.waiting_count() as u64,
        }
    }

    fn view(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        self.show(view, request);
    }
}

impl Synod {
    /// Phase 1a arrives at an acceptor.
    fn on_prepare(&mut self, context: &mut Context<'_, Self>, from: NodeId, ballot: Ballot) {
        assert!(self.is_acceptor(), "{from} asks {}, which is no acceptor, for a promise", self.node);
        let Some(acceptor) = self.acceptor.promise(ballot) else {
            return self.refuse(context, from, ballot);
        };
        // On a full disk the message counts as lost.
        if acceptor != self.acceptor && self.write_acceptor(context, acceptor).is_err() {
            return;
        }
        let message = Message::Promise { ballot, accepted: acceptor.accepted() };
        self.after_durable(context, Deferred::Send { to: from, message });
        self.on_own_promise(context, ballot);
    }

    /// Phase 2a arrives at an acceptor.
    fn on_accept(&mut self, context: &mut Context<'_, Self>, from: NodeId, vote: Vote) {
        assert!(self.is_acceptor(), "{from} asks {}, which is no acceptor, to accept", self.node);
        let Some(acceptor) = self.acceptor.accept(vote, self.discipline()) else {
            return self.refuse(context, from, vote.ballot);
        };
        if acceptor != self.acceptor && self.write_acceptor(context, acceptor).is_err() {
            return;
        }
        self.after_durable(context, Deferred::Announce(vote));
        self.on_own_promise(context, vote.ballot);
    }

    /// A higher ballot is promised. What was promised may not be on disk yet; a refusal promises nothing.
    fn refuse(&self, context: &mut Context<'_, Self>, from: NodeId, ballot: Ballot) {
        context.sometimes(Point::PromiseRefused as usize);
        send(context, from, Message::Nack { ballot, promised: self.acceptor.promised() });
    }

    fn is_acceptor(&self) -> bool {
        self.config.member_set().contains(self.node)
    }

    fn discipline(&self) -> Discipline {
        if self.config.has(Mutant::AcceptNoBump) {
            Discipline::AcceptNoBump
        } else if self.config.has(Mutant::AcceptIgnoresPromise) {
            Discipline::AcceptIgnoresPromise
        } else {
            Discipline::Paper
        }
    }
}

/// The one way out for messages. A promise is stated as it leaves.
pub(super) fn send(context: &mut Context<'_, Synod>, to: NodeId, message: Message) {
    if let Message::Promise { ballot, .. } = message {
        context.fact(Fact::Promised { ballot });
    }
    context.send(to, message);
}
