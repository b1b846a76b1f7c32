//! The key-value store on Raft: a process that is a replica and nothing else.

use std::sync::Arc;

use sim_core::disk::DiskPromise;
use sim_core::process::Process;
use sim_core::service::{Operation, Outcome, Refusal, kv};
use sim_core::status::Status;
use sim_core::view::{ViewBuilder, ViewRequest};
use sim_core::{Context, NodeId, OpId, SyncId};
use strum::VariantNames as _;

use super::config::{Config, ReadMode};
use super::durable::Record;
use super::host::{Acts as _, Application, Host};
use super::message::Message;
use super::role::{Follower, Role};
use super::types::Payload;
use super::{FAULT_POINTS, Fact, POINTS, Point, Raft, Timer, metrics};
use crate::replicated::{Command, Memory, StateMachine};

impl Application for StateMachine {
    type Host = Raft;
}

impl Host for Raft {
    type App = StateMachine;

    const IS_MEASURED: bool = true;
    const FAULT_POINTS_AT: usize = 0;
    const FACT_KINDS_AT: u32 = 0;

    #[inline]
    fn replica(&self) -> Option<&Self> {
        Some(self)
    }

    #[inline]
    fn message(message: Message) -> Message {
        message
    }

    #[inline]
    fn timer(timer: Timer) -> Timer {
        timer
    }

    #[inline]
    fn record(record: Record) -> Record {
        record
    }

    #[inline]
    fn as_record(record: &Record) -> Option<&Record> {
        Some(record)
    }

    #[inline]
    fn fact(fact: Fact) -> Fact {
        fact
    }

    #[inline]
    fn as_fact(fact: &Fact) -> Option<&Fact> {
        Some(fact)
    }
}

impl Process for Raft {
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

    #[inline]
    fn kind_of(fact: &Self::Fact) -> u32 {
        fact.kind()
    }

    fn boot(config: &Config, node: NodeId) -> Self {
        Self::new(Arc::new(config.clone()), node, StateMachine::new(config.session_policy()))
    }

    fn on_start(&mut self, context: &mut Context<'_, Self>) {
        self.start(context);
    }

    #[inline]
    fn on_message(&mut self, context: &mut Context<'_, Self>, from: NodeId, message: Message) {
        self.receive(context, from, message);
    }

    #[inline]
    fn on_timer(&mut self, context: &mut Context<'_, Self>, timer: Timer) {
        self.expire(context, timer);
    }

    fn on_request(&mut self, context: &mut Context<'_, Self>, op: OpId, operation: Operation) {
        match operation {
            Operation::Kv(operation) => self.on_kv_request(context, op, operation),
            Operation::Admin(admin) => self.on_admin_request(context, op, admin),
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
            | Operation::Txn(_) => context.reply(op, Outcome::Refused(Refusal::Unsupported)),
        }
    }

    fn on_durable(&mut self, context: &mut Context<'_, Self>, sync: SyncId) {
        self.on_sync_done(context, sync);
    }

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn status(&self) -> Status {
        self.standing()
    }

    fn view(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        self.show(view, request);
    }
}

impl Raft {
    /// A client wants something of the key-value store.
    fn on_kv_request(&mut self, context: &mut Context<'_, Self>, op: OpId, operation: kv::Operation) {
        match (&self.role, operation) {
            (Role::Leader(_), kv::Operation::Read(key)) if self.config.reads != ReadMode::Log => {
                self.on_read(context, op, key);
            }
            (
                Role::Leader(_),
                kv::Operation::Read(_)
                | kv::Operation::Write(..)
                | kv::Operation::CompareAndSet { .. }
                | kv::Operation::Delete(_),
            ) => self.propose(context, op, operation),
            (Role::Follower(_), kv::Operation::Read(key)) if self.config.reads == ReadMode::Follower => {
                self.forward_read(context, op, key);
            }
            (Role::Follower(Follower { leader, .. }), _) => context.reply(op, Outcome::Redirect(*leader)),
            (Role::PreCandidate(_) | Role::Candidate(_), _) => context.reply(op, Outcome::Redirect(None)),
        }
    }

    /// A client's command, at the leader: it becomes an entry, and is answered when that is executed.
    fn propose(&mut self, context: &mut Context<'_, Self>, op: OpId, operation: kv::Operation) {
        if let Memory::Executed(outcome) = self.machine.recall(op) {
            context.reach(Point::RetryAnswered);
            return context.reply(op, outcome);
        }
        let Role::Leader(leader) = &self.role else { unreachable!("only a leader proposes") };
        if leader.handover.is_some() {
            return context.reply(op, Outcome::Refused(Refusal::Unavailable));
        }
        if !self.has_room_for(1) {
            return context.reply(op, Outcome::Refused(Refusal::Overloaded));
        }
        self.append_for(context, op, Payload::Command(Command::Client { op, operation }));
    }
}
