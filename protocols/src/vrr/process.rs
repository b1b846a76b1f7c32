//! The inputs of a replica, told apart; what each does is in `normal`, `view_change`, `recovery` and `transfer`.

use std::sync::Arc;

use sim_core::check::Nodes;
use sim_core::disk::DiskPromise;
use sim_core::process::{self, Process};
use sim_core::service::{Operation, Outcome, Refusal};
use sim_core::status::{Standing, Status as Glance};
use sim_core::view::{ViewBuilder, ViewRequest};
use sim_core::{Context, NodeId, OpId, SyncId};

use super::config::Config;
use super::crash_vector::CrashVector;
use super::facts::Fact;
use super::log::Log;
use super::message::Message;
use super::mutants::Mutant;
use super::status::Status;
use super::types::View;
use super::{FAULT_POINTS, GAUGES, POINTS, Record, Timer, Vrr};
use crate::replicated::StateMachine;

impl process::Timer for Timer {
    const NAMES: &'static [&'static str] = &["view-change", "heartbeat", "resend"];

    #[inline]
    fn index(self) -> Option<usize> {
        match self {
            Self::ViewChange => Some(0),
            Self::Heartbeat => Some(1),
            Self::Resend => Some(2),
        }
    }
}

impl Process for Vrr {
    type Config = Config;
    type Message = Message;
    type Timer = Timer;
    type Record = Record;
    type Fact = Fact;

    /// Nothing is on disk, so nothing that a disk does matters. What a crash takes is memory: see
    /// [`Vrr::forgotten`].
    const PROMISE: DiskPromise = DiskPromise::EVERYTHING;
    const POINTS: &'static [&'static str] = &POINTS;
    const FAULT_POINTS: &'static [&'static str] = &FAULT_POINTS;
    const GAUGES: &'static [&'static str] = &GAUGES;

    fn boot(config: &Config, node: NodeId) -> Self {
        Self {
            node,
            slot: config.slot(node),
            config: Arc::new(config.clone()),
            view: View::default(),
            last_normal: View::default(),
            log: Log::default(),
            machine: StateMachine::default(),
            crash_vector: CrashVector::new(config.members.len()),
            status: Status::Standby,
            asked: None,
            raise: None,
        }
    }

    fn on_start(&mut self, context: &mut Context<'_, Self>) {
        if self.slot.is_none() {
            return;
        }
        self.tell_uncommitted(context);
        if !context.is_first_start() {
            self.become_recovering(context);
        } else if self.config.primary(self.view) == self.node {
            self.take_turn(context);
        } else {
            self.become_backup(context, self.view);
        }
    }

    #[inline]
    fn on_message(&mut self, context: &mut Context<'_, Self>, from: NodeId, message: Message) {
        if matches!(self.status, Status::Recovering(_)) && !self.hears_while_recovering(&message) {
            return;
        }
        match message {
            Message::Prepare(prepare) => self.on_prepare(context, from, prepare),
            Message::PrepareOk(ok) => self.on_prepare_ok(context, from, ok),
            Message::Commit(commit) => self.on_commit(context, from, commit),
            Message::StartViewChange { view, commit, crash_vector } => {
                self.learn_crashes(context, &crash_vector);
                self.on_start_view_change(context, from, view, commit);
            }
            Message::DoViewChange(offer) => {
                self.learn_crashes(context, &offer.crash_vector);
                self.on_do_view_change(context, from, offer);
            }
            Message::StartView(start) => {
                self.learn_crashes(context, &start.crash_vector);
                self.on_start_view(context, from, &start);
            }
            Message::CrashVectorRequest { nonce, crash_vector } => {
                self.on_crash_vector_request(context, from, nonce, &crash_vector);
            }
            Message::CrashVectorReply { nonce, crash_vector } => {
                self.on_crash_vector_reply(context, from, nonce, &crash_vector);
            }
            Message::Recovery { nonce, crash_vector } => {
                self.on_recovery(context, from, nonce, &crash_vector);
            }
            Message::RecoveryResponse(response) => self.on_recovery_response(context, from, response),
            Message::GetState(asked) => self.on_get_state(context, from, asked),
            Message::NewState(state) => self.on_new_state(context, &state),
        }
    }

    #[inline]
    fn on_timer(&mut self, context: &mut Context<'_, Self>, timer: Timer) {
        match timer {
            Timer::ViewChange => self.on_view_change_timeout(context),
            Timer::Heartbeat => self.on_heartbeat_timeout(context),
            Timer::Resend if matches!(self.status, Status::Recovering(_)) => self.repeat_recovery(context),
            Timer::Resend => self.repeat_view_change(context),
        }
    }

    fn on_request(&mut self, context: &mut Context<'_, Self>, op: OpId, operation: Operation) {
        let Operation::Kv(operation) = operation else {
            return context.reply(op, Outcome::Refused(Refusal::Unsupported));
        };
        match &self.status {
            Status::Primary(_) => self.propose(context, op, operation),
            Status::Backup(_) | Status::Standby => {
                context.reply(op, Outcome::Redirect(Some(self.config.primary(self.view))));
            }
            Status::ViewChange(_) | Status::Recovering(_) => context.reply(op, Outcome::Redirect(None)),
        }
    }

    /// Nothing is ever synced.
    fn on_durable(&mut self, _context: &mut Context<'_, Self>, sync: SyncId) {
        unreachable!("nothing is written, but {sync:?} is durable");
    }

    /// The members that recover, if more than f are down or recover at once: none of them gets a majority of answers.
    fn forgotten(nodes: &Nodes<'_, Self>) -> Vec<NodeId> {
        let Some((_, any)) = nodes.running().next() else { return Vec::new() };
        let recovers =
            |node: NodeId| nodes.process(node).is_some_and(|vrr| matches!(vrr.status, Status::Recovering(_)));
        let is_empty = |node: NodeId| nodes.process(node).is_none() || recovers(node);
        let members = any.config.members.iter().copied();
        if members.clone().filter(|node| is_empty(*node)).count() <= any.config.failures_max() {
            return Vec::new();
        }
        members.filter(|node| recovers(*node)).collect()
    }

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn status(&self) -> Glance {
        let (standing, leader) = match &self.status {
            Status::Primary(_) => (Standing::Leader, Some(self.node)),
            Status::Backup(_) => (Standing::Follower, Some(self.config.primary(self.view))),
            Status::ViewChange(_) => (Standing::Candidate, None),
            Status::Recovering(_) | Status::Standby => (Standing::Follower, None),
        };
        let (commit, gauge) = (self.log.commit_number().0, self.log.op_number().0);
        Glance { role: self.status_name(), standing, epoch: self.view.0, leader, commit, gauge }
    }

    fn view(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        self.show(view, request);
    }
}

impl Vrr {
    /// Who has no memory takes part in nothing but its recovery (§4.3).
    fn hears_while_recovering(&self, message: &Message) -> bool {
        match message {
            Message::CrashVectorReply { .. } | Message::RecoveryResponse(_) => true,
            Message::StartViewChange { .. } | Message::DoViewChange(_) => {
                self.config.has(Mutant::AnswersBeforeRecovered)
            }
            Message::Prepare(_)
            | Message::PrepareOk(_)
            | Message::Commit(_)
            | Message::StartView(_)
            | Message::CrashVectorRequest { .. }
            | Message::Recovery { .. }
            | Message::GetState(_)
            | Message::NewState(_) => false,
        }
    }

    /// The status in the paper's words; in normal status, which of the two.
    pub(super) const fn status_name(&self) -> &'static str {
        match &self.status {
            Status::Standby => "standby",
            Status::Primary(_) => "primary",
            Status::Backup(_) => "backup",
            Status::ViewChange(_) => "view-change",
            Status::Recovering(_) => "recovering",
        }
    }

    /// Sends a message to every other member.
    pub(super) fn send_to_others(&self, context: &mut Context<'_, Self>, message: &Message) {
        for member in self.config.members.iter().filter(|member| **member != self.node) {
            send(context, *member, message.clone());
        }
    }
}

/// The one way out for messages. An acknowledgement is stated as it leaves, whoever decided to give it.
#[inline]
pub(super) fn send(context: &mut Context<'_, Vrr>, to: NodeId, message: Message) {
    if let Message::PrepareOk(ok) = &message {
        context.fact(Fact::Acknowledged { view: ok.view, index: ok.op });
    }
    context.send(to, message);
}
