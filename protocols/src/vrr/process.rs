//! The inputs of a replica, told apart; what each does is in `normal`, `view_change`, `recovery`, `transfer`,
//! `reconfigure` and `transition`.

use std::sync::Arc;

use sim_core::check::Nodes;
use sim_core::disk::DiskPromise;
use sim_core::process::{self, Process};
use sim_core::service::{Operation, Outcome, Refusal};
use sim_core::status::{Standing, Status as Glance};
use sim_core::view::{ViewBuilder, ViewRequest};
use sim_core::{Context, NodeId, OpId, SyncId};
use strum::VariantNames;

use super::config::Config;
use super::crash_vector::CrashVector;
use super::epoch::EpochStart;
use super::facts::Fact;
use super::group::Group;
use super::log::Log;
use super::message::Message;
use super::mutants::Mutant;
use super::status::Status;
use super::types::View;
use super::{FAULT_POINTS, GAUGES, POINTS, Record, Timer, Vrr, metrics};
use crate::replicated::{NodeSet, StateMachine};

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
    const COUNTERS: &'static [&'static str] = metrics::Counter::VARIANTS;
    const LATENCIES: &'static [&'static str] = metrics::Latency::VARIANTS;

    fn boot(config: &Config, node: NodeId) -> Self {
        let start = EpochStart::first(config);
        Self {
            node,
            slot: start.group.slot(node),
            config: Arc::new(config.clone()),
            view: View::default(),
            last_normal: View::default(),
            log: Log::default(),
            machine: StateMachine::default(),
            crash_vector: CrashVector::new(start.group.len()),
            start,
            status: Status::Standby,
            asked: None,
            raise: None,
        }
    }

    fn on_start(&mut self, context: &mut Context<'_, Self>) {
        self.tell_uncommitted(context);
        if !context.is_first_start() {
            // It may have been a member later, and not be one any more.
            self.become_recovering(context);
        } else if self.group().primary(self.view) == self.node {
            self.take_turn(context);
        } else if self.slot.is_some() {
            self.become_backup(context, self.view);
        }
    }

    #[inline]
    fn on_message(&mut self, context: &mut Context<'_, Self>, from: NodeId, message: Message) {
        if message.epoch() != self.epoch() {
            return self.on_other_epoch(context, from, message);
        }
        if !self.hears(&message) {
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
            Message::CrashVectorRequest { nonce, crash_vector, .. } => {
                self.on_crash_vector_request(context, from, nonce, &crash_vector);
            }
            Message::CrashVectorReply { nonce, crash_vector, .. } => {
                self.on_crash_vector_reply(context, from, nonce, &crash_vector);
            }
            Message::Recovery { nonce, crash_vector, .. } => {
                self.on_recovery(context, from, nonce, &crash_vector);
            }
            Message::RecoveryResponse(response) => self.on_recovery_response(context, from, response),
            Message::GetState(asked) => self.on_get_state(context, from, asked),
            Message::NewState(state) => self.on_new_state(context, &state),
            Message::StartEpoch(start) => self.on_start_epoch(context, from, &start),
            Message::EpochStarted { .. } => self.on_epoch_started(context, from),
        }
    }

    #[inline]
    fn on_timer(&mut self, context: &mut Context<'_, Self>, timer: Timer) {
        match timer {
            Timer::ViewChange => self.on_view_change_timeout(context),
            Timer::Heartbeat => self.on_heartbeat_timeout(context),
            Timer::Resend if matches!(self.status, Status::Recovering(_)) => self.repeat_recovery(context),
            Timer::Resend if matches!(self.status, Status::Transitioning(_)) => {
                self.repeat_transition(context);
            }
            Timer::Resend => self.repeat_view_change(context),
        }
    }

    fn on_request(&mut self, context: &mut Context<'_, Self>, op: OpId, operation: Operation) {
        if !matches!(operation, Operation::Kv(_) | Operation::Admin(_)) {
            return context.reply(op, Outcome::Refused(Refusal::Unsupported));
        }
        match &self.status {
            Status::Primary(_) => self.on_client_request(context, op, &operation),
            Status::Backup(_) => context.reply(op, Outcome::Redirect(Some(self.group().primary(self.view)))),
            Status::Standby => self.redirect_to_group(context, op),
            Status::ViewChange(_) | Status::Recovering(_) | Status::Transitioning(_) => {
                context.reply(op, Outcome::Redirect(None));
            }
        }
    }

    /// Nothing is ever synced.
    fn on_durable(&mut self, _context: &mut Context<'_, Self>, sync: SyncId) {
        unreachable!("nothing is written, but {sync:?} is durable");
    }

    /// Those that recover, if more than f of their group are down or recover at once: none of them gets a majority of
    /// answers. Until a quorum of a new group has started, that goes for the old group as well.
    fn forgotten(nodes: &Nodes<'_, Self>) -> Vec<NodeId> {
        let starts = nodes.running().map(|(_, vrr)| &vrr.start);
        let Some(start) = starts.max_by_key(|start| start.epoch()) else { return Vec::new() };
        let (old, group) = (Group { members: start.old, ..start.group }, start.group);
        let takes_part = |node: &NodeId| {
            nodes.process(*node).is_some_and(|vrr| vrr.epoch() == start.epoch() && vrr.takes_part())
        };
        let has_started = group.members.iter().filter(takes_part).count() >= group.quorum();
        let groups = if has_started { [Some(group), None] } else { [Some(group), Some(old)] };
        let recovers = |node: &NodeId| nodes.process(*node).is_some_and(Self::is_recovering);
        let is_empty = |node: &NodeId| nodes.process(*node).is_none() || recovers(node);
        let lost = groups
            .into_iter()
            .flatten()
            .filter(|group| group.members.iter().filter(is_empty).count() > group.failures_max());
        let lost = lost.fold(NodeSet::EMPTY, |all, group| all.union(group.members));
        lost.iter().filter(recovers).collect()
    }

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn status(&self) -> Glance {
        let (standing, leader) = match &self.status {
            Status::Primary(_) => (Standing::Leader, Some(self.node)),
            Status::Backup(_) => (Standing::Follower, Some(self.group().primary(self.view))),
            Status::ViewChange(_) => (Standing::Candidate, None),
            Status::Recovering(_) | Status::Standby | Status::Transitioning(_) => (Standing::Follower, None),
        };
        let (commit, gauge) = (self.log.commit_number().0, self.log.op_number().0);
        Glance { role: self.status_name(), standing, epoch: self.view.rank(), leader, commit, gauge }
    }

    fn view(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        self.show(view, request);
    }
}

impl Vrr {
    /// A client asks the primary.
    fn on_client_request(&mut self, context: &mut Context<'_, Self>, op: OpId, operation: &Operation) {
        if let Operation::Admin(admin) = operation {
            self.on_admin(context, op, *admin);
        } else if let Operation::Kv(operation) = operation {
            self.propose(context, op, *operation);
        }
    }

    /// Who is no member knows who is (§7.4), but not whose turn it is: any of them sends the client on.
    fn redirect_to_group(&self, context: &mut Context<'_, Self>, op: OpId) {
        let place = context.random().below(self.group().len() as u64);
        let member = self.group().member(usize::try_from(place).expect("few members"));
        context.reply(op, Outcome::Redirect(Some(member)));
    }

    /// Whether a message of this replica's epoch means something to it.
    #[inline]
    fn hears(&self, message: &Message) -> bool {
        match &self.status {
            Status::Primary(_) | Status::Backup(_) | Status::ViewChange(_) => true,
            Status::Recovering(_) => self.hears_while_recovering(message),
            Status::Transitioning(_) => Self::is_heard_between_epochs(message),
            Status::Standby => false,
        }
    }

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
            | Message::NewState(_)
            | Message::StartEpoch(_)
            | Message::EpochStarted { .. } => false,
        }
    }

    /// Between two epochs a replica votes on nothing (§7.1).
    const fn is_heard_between_epochs(message: &Message) -> bool {
        match message {
            Message::StartEpoch(_)
            | Message::EpochStarted { .. }
            | Message::GetState(_)
            | Message::NewState(_) => true,
            Message::Prepare(_)
            | Message::PrepareOk(_)
            | Message::Commit(_)
            | Message::StartViewChange { .. }
            | Message::DoViewChange(_)
            | Message::StartView(_)
            | Message::CrashVectorRequest { .. }
            | Message::CrashVectorReply { .. }
            | Message::Recovery { .. }
            | Message::RecoveryResponse(_) => false,
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
            Status::Transitioning(_) => "transitioning",
        }
    }

    /// Sends a message to every other member.
    pub(super) fn send_to_others(&self, context: &mut Context<'_, Self>, message: &Message) {
        for member in self.group().members.iter().filter(|member| *member != self.node) {
            send(context, member, message.clone());
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
