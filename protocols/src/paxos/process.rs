//! The inputs of a node, told apart: one function a role and message is in the files beside this one.

use std::sync::Arc;

use sim_core::check::Nodes;
use sim_core::disk::{DamageKind, DiskPromise};
use sim_core::process::{self, Process};
use sim_core::service::{Operation, Outcome, Refusal, kv};
use sim_core::status::{Standing, Status};
use sim_core::view::{ViewBuilder, ViewRequest};
use sim_core::{Context, NodeId, OpId, SyncId};
use strum::VariantNames;

use super::config::{Config, Reads};
use super::durable::{Record, Unflushed};
use super::facts::Fact;
use super::log::Log;
use super::membership::Membership;
use super::message::Message;
use super::rejoin::Birth;
use super::role::{Follower, Role};
use super::{FAULT_POINTS, GAUGES, POINTS, Paxos, Timer, metrics};
use crate::replicated::{Ballot, Index, Life, Outbox, SessionPolicy, StateMachine};

impl process::Timer for Timer {
    const NAMES: &'static [&'static str] = &["election", "heartbeat"];

    #[inline]
    fn index(self) -> Option<usize> {
        match self {
            Self::Election => Some(0),
            Self::Heartbeat => Some(1),
        }
    }
}

impl Process for Paxos {
    type Config = Config;
    type Message = Message;
    type Timer = Timer;
    type Record = Record;
    type Fact = Fact;

    /// A disk may be lost whole, or in part if reads say so, as long as enough nodes keep theirs: see
    /// [`Paxos::forgotten`].
    const PROMISE: DiskPromise =
        DiskPromise::CRASH_FAULT.and(DamageKind::DetectedCorruption).and(DamageKind::Wiped);
    const POINTS: &'static [&'static str] = &POINTS;
    const FAULT_POINTS: &'static [&'static str] = &FAULT_POINTS;
    const GAUGES: &'static [&'static str] = &GAUGES;
    const COUNTERS: &'static [&'static str] = metrics::Counter::VARIANTS;
    const LATENCIES: &'static [&'static str] = metrics::Latency::VARIANTS;

    fn boot(config: &Config, node: NodeId) -> Self {
        Self {
            node,
            config: Arc::new(config.clone()),
            life: Life::FIRST,
            birth: Birth::Done,
            seal: None,
            promised: Ballot::ZERO,
            log: Log::default(),
            snapshot: None,
            outbox: Outbox::default(),
            unflushed: Unflushed::default(),
            marked: Index::ZERO,
            membership: Membership::new(config.member_set()),
            machine: StateMachine::new(SessionPolicy::KeepAll),
            role: Role::Follower(Follower::default()),
            highest: Ballot::ZERO,
            incoming: None,
            installing: None,
            grant: None,
        }
    }

    fn on_start(&mut self, context: &mut Context<'_, Self>) {
        self.recover(context);
        self.wait_for_forgotten_lease(context);
        self.on_decisions_made(context);
        self.reset_election_timer(context);
    }

    #[inline]
    fn on_message(&mut self, context: &mut Context<'_, Self>, from: NodeId, message: Message) {
        if self.birth != Birth::Done {
            return;
        }
        match message {
            Message::Prepare { ballot, first } => self.on_prepare(context, from, ballot, first),
            Message::Promise { ballot, decided, accepted, life, .. } => {
                self.on_promise(context, (from, life), ballot, decided, &accepted);
            }
            Message::Accept(accept) => self.on_accept(context, from, &accept),
            Message::Accepted { ballot, first, count, life } => {
                self.on_accepted(context, (from, life), ballot, first, count);
            }
            Message::Nack { ballot, promised } => self.on_nack(context, ballot, promised),
            Message::Heartbeat { ballot, decided, round } => {
                self.on_heartbeat(context, from, ballot, decided, round);
            }
            Message::HeartbeatReply { ballot, round, life } => {
                self.on_heartbeat_reply(context, (from, life), ballot, round);
            }
            Message::CatchUp { decided } => self.on_catch_up(context, from, decided),
            Message::Decisions { first, proposals } => self.on_decisions(context, from, first, &proposals),
            Message::FetchSnapshot { slot, offset } => self.on_fetch_snapshot(context, from, slot, offset),
            Message::Snapshot(piece) => self.on_snapshot_piece(context, from, &piece),
            Message::Rejoin { life, decided } => self.on_rejoin(context, from, life, decided),
        }
    }

    #[inline]
    fn on_timer(&mut self, context: &mut Context<'_, Self>, timer: Timer) {
        match timer {
            Timer::Election => self.on_election_timeout(context),
            Timer::Heartbeat => self.on_heartbeat_timeout(context),
        }
    }

    fn on_request(&mut self, context: &mut Context<'_, Self>, op: OpId, operation: Operation) {
        let is_leader = matches!(self.role, Role::Leader(_));
        match operation {
            Operation::Kv(_) | Operation::Admin(_) if !is_leader => {
                let redirect = Outcome::Redirect(self.whom_to_ask(context));
                context.reply(op, redirect);
            }
            Operation::Kv(kv::Operation::Read(key)) if self.config.reads != Reads::Slot => {
                self.on_read(context, op, key);
            }
            Operation::Kv(operation) => self.propose_command(context, op, operation),
            Operation::Admin(admin) => self.on_admin(context, op, admin),
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
        self.on_born(context, sync);
        self.on_sync_done(context, sync);
    }

    /// Who has lost its disk, if so many have that the others have no quorum.
    fn forgotten(nodes: &Nodes<'_, Self>) -> Vec<NodeId> {
        Self::lost_for_good(nodes)
    }

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn status(&self) -> Status {
        let (role, standing) = match &self.role {
            Role::Follower(_) if self.is_non_voting() => ("non-voting", Standing::Follower),
            Role::Follower(_) => ("follower", Standing::Follower),
            Role::Candidate(_) => ("candidate", Standing::Candidate),
            Role::Leader(_) => ("leader", Standing::Leader),
        };
        let (commit, gauge) = (self.log.last().0, self.log.end().0);
        Status { role, standing, epoch: self.promised.round, leader: self.leader(), commit, gauge }
    }

    fn view(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        self.show(view, request);
    }
}

/// The one way out for messages. A promise is stated as it leaves.
#[inline]
pub(super) fn send(context: &mut Context<'_, Paxos>, to: NodeId, message: Message) {
    if let Message::Promise { ballot, first, decided, accepted, .. } = &message {
        let (ballot, first, decided, accepted) = (*ballot, *first, *decided, accepted.clone());
        context.fact(Fact::Promised { ballot, first, decided, accepted });
    }
    context.send(to, message);
}
