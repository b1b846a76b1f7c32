//! The inputs of a node: one function a role and message is in `election`, `replication` and `reads`; here they are
//! told apart, after the rules about terms that hold for all (§5.1).

use std::sync::Arc;

use sim_core::disk::DiskPromise;
use sim_core::process::{self, Process};
use sim_core::service::{Operation, Outcome, Refusal, kv};
use sim_core::status::{Standing, Status};
use sim_core::view::{ViewBuilder, ViewRequest};
use sim_core::{Context, NodeId, OpId, SyncId};

use super::config::Config;
use super::durable::{Deferred, HardState, Outbox, Record};
use super::facts::Fact;
use super::log::Log;
use super::message::{AppendEntriesReply, AppendResult, Message, Vote};
use super::role::{Follower, Role};
use super::{POINTS, Raft, Timer};
use crate::replicated::StateMachine;

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

impl Process for Raft {
    type Config = Config;
    type Message = Message;
    type Timer = Timer;
    type Record = Record;
    type Fact = Fact;

    const PROMISE: DiskPromise = DiskPromise::CRASH_FAULT;
    const POINTS: &'static [&'static str] = &POINTS;

    fn boot(config: &Config, node: NodeId) -> Self {
        Self {
            node,
            slot: config.slot(node),
            config: Arc::new(config.clone()),
            hard: HardState::default(),
            log: Log::default(),
            outbox: Outbox::default(),
            role: Role::Follower(Follower::default()),
            machine: StateMachine::default(),
        }
    }

    fn on_start(&mut self, context: &mut Context<'_, Self>) {
        self.recover(context);
        self.reset_election_timer(context);
    }

    #[inline]
    fn on_message(&mut self, context: &mut Context<'_, Self>, from: NodeId, message: Message) {
        if message.term() > self.term() && self.adopt_term(context, message.term()).is_err() {
            return;
        }
        if message.term() < self.term() {
            return self.on_stale(context, from, &message);
        }
        match message {
            Message::RequestVote(request) => self.on_request_vote(context, from, request),
            Message::RequestVoteReply { vote, .. } => self.on_request_vote_reply(context, from, vote),
            Message::AppendEntries(append) => self.on_append_entries(context, from, &append),
            Message::AppendEntriesReply(reply) => self.on_append_entries_reply(context, from, reply),
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
        let Operation::Kv(operation) = operation else {
            return context.reply(op, Outcome::Refused(Refusal::Unsupported));
        };
        match &self.role {
            Role::Follower(Follower { leader }) => context.reply(op, Outcome::Redirect(*leader)),
            Role::Candidate(_) => context.reply(op, Outcome::Redirect(None)),
            Role::Leader(_) => match operation {
                kv::Operation::Read(key) => self.on_read(context, op, key),
                kv::Operation::Write(..) | kv::Operation::CompareAndSet { .. } | kv::Operation::Delete(_) => {
                    self.propose(context, op, operation);
                }
            },
        }
    }

    fn on_durable(&mut self, context: &mut Context<'_, Self>, sync: SyncId) {
        self.on_sync_done(context, sync);
    }

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn status(&self) -> Status {
        let (role, standing, leader) = match &self.role {
            Role::Follower(Follower { leader }) => ("follower", Standing::Follower, *leader),
            Role::Candidate(_) => ("candidate", Standing::Candidate, None),
            Role::Leader(_) => ("leader", Standing::Leader, Some(self.node)),
        };
        let (commit, gauge) = (self.log.commit().0, self.log.last_index().0);
        Status { role, standing, epoch: self.term().0, leader, commit, gauge }
    }

    fn view(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        self.show(view, request);
    }
}

impl Raft {
    /// A message of an older term. A request is answered with the newer one, so that its sender follows; a reply
    /// belongs to something that is over.
    fn on_stale(&mut self, context: &mut Context<'_, Self>, from: NodeId, message: &Message) {
        let term = self.term();
        let message = match message {
            Message::RequestVote(_) => Message::RequestVoteReply { term, vote: Vote::Denied },
            Message::AppendEntries(append) => {
                let hint = self.log.hint(append.prev_index);
                let result = AppendResult::Conflict { prev_index: append.prev_index, hint };
                Message::AppendEntriesReply(AppendEntriesReply { term, round: append.round, result })
            }
            Message::RequestVoteReply { .. } | Message::AppendEntriesReply(_) => return,
        };
        self.after_durable(context, Deferred::Send { to: from, message });
    }
}

/// The one way out for messages. A vote is stated as it leaves, whoever decided to give it.
#[inline]
pub(super) fn send(context: &mut Context<'_, Raft>, to: NodeId, message: Message) {
    if let Message::RequestVoteReply { term, vote: Vote::Granted } = message {
        context.fact(Fact::VoteGranted { term, candidate: to });
    }
    context.send(to, message);
}
