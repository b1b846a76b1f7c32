//! Between two epochs (§7.1): status `transitioning`.
//!
//! ```text
//!  leaves e, or is new    has all up to the reconfiguration, and a quorum has left e
//!  ──────────────────────────────────────────────────────────────────────────> normal in e + 1
//!                    ╲
//!                     ╰── is not in the new group, and a quorum of that has started ──> standby
//! ```
//!
//! Meanwhile a replica votes on nothing. It tells everybody of both groups how the epoch starts, and who is known to have
//! left the one before, until it is through; a new replica asks one after the other for the state. Those who were replaced
//! stay to give it, because there is no disk that would have it when they are gone: the paper lets them go when f′ + 1 of
//! the new group have started.
//!
//! That a quorum must have left is not in the paper. See [`epoch`](super::epoch) for what would go wrong without.

use sim_core::{Context, NodeId};

use super::epoch::EpochStart;
use super::facts::Fact;
use super::message::{Message, NewState};
use super::mutants::Mutant;
use super::process::send;
use super::status::{Status, Transitioning};
use super::types::{Round, View};
use super::{FaultPoint, Point, Timer, Vrr};

impl Vrr {
    /// The replica is between two epochs from here on.
    pub(super) fn become_transitioning(&mut self, context: &mut Context<'_, Self>) {
        assert_eq!(self.status_name(), "standby", "who transitions has left everything else");
        assert!(self.last_normal.epoch < self.epoch(), "{} has started here already", self.epoch());
        self.status = Status::Transitioning(Transitioning::default());
        self.announce(context);
        self.maybe_enter(context);
    }

    /// Says what is still to be said, and asks for what is still missing. Repeated until the replica is through.
    pub(super) fn repeat_transition(&mut self, context: &mut Context<'_, Self>) {
        self.announce(context);
        let others = self.start.everybody().without(self.node);
        let Status::Transitioning(transition) = &mut self.status else { return };
        let turn = transition.asked_count % others.len().max(1) as u64;
        transition.asked_count += 1;
        if !others.is_empty() {
            let turn = usize::try_from(turn).expect("less than the number of members");
            self.ask_for_start_state(context, others.at(turn));
        }
    }

    /// ⟨STARTEPOCH⟩ to all but those who have started.
    fn announce(&self, context: &mut Context<'_, Self>) {
        let Status::Transitioning(transition) = &self.status else { return };
        context.set_timer(Timer::Resend, self.config.heartbeat);
        for to in self.start.everybody().difference(transition.started).without(self.node).iter() {
            self.tell_start(context, to);
        }
    }

    /// A new replica asks for all that was committed before the epoch.
    pub(super) fn ask_for_start_state(&self, context: &mut Context<'_, Self>, from: NodeId) {
        let is_new = matches!(self.status, Status::Transitioning(_)) && self.slot.is_some();
        if is_new && !self.has_start_state() {
            send(context, from, Message::GetState(self.lack()));
        }
    }

    /// Whether this replica has all that was committed before its epoch.
    pub(super) fn has_start_state(&self) -> bool {
        self.log.commit_number() >= self.start.op
    }

    /// What was asked for arrives, from somebody who is between the epochs as well, or has started.
    pub(super) fn take_start_state(&mut self, context: &mut Context<'_, Self>, state: &NewState) {
        // Whoever starts a view has been in it since, and asks for nothing.
        let is_own_turn = state.view.number > 0 && self.group().primary(state.view) == self.node;
        if self.has_start_state() || is_own_turn || !self.joins(&state.log) {
            return;
        }
        self.view = self.view.max(state.view);
        self.take_whole_log(context, &state.log);
        self.learn_commit(context, state.commit);
        if self.has_start_state() {
            context.sometimes(Point::CaughtUp as usize);
        }
        self.maybe_enter(context);
    }

    /// Somebody tells how the epoch starts that this replica knows of too, and who has left the one before.
    pub(super) fn on_start_epoch(
        &mut self,
        context: &mut Context<'_, Self>,
        from: NodeId,
        start: &EpochStart,
    ) {
        self.start.departures.merge(&start.departures);
        if self.status.takes_part() {
            send(context, from, Message::EpochStarted { epoch: self.epoch() });
        } else {
            self.maybe_enter(context);
            self.ask_for_start_state(context, from);
        }
    }

    /// A member of the new group has started (§7.1).
    pub(super) fn on_epoch_started(&mut self, context: &mut Context<'_, Self>, from: NodeId) {
        let is_member = self.group().slot(from).is_some();
        let Status::Transitioning(transition) = &mut self.status else { return };
        if is_member {
            transition.started = transition.started.with(from);
        }
        self.maybe_enter(context);
    }

    /// Takes part in the new epoch, or retires, when the time has come.
    fn maybe_enter(&mut self, context: &mut Context<'_, Self>) {
        let Status::Transitioning(transition) = &self.status else { return };
        let started = transition.started;
        // Whoever has started knew that a quorum had left.
        let is_sealed =
            self.start.is_sealed() || !started.is_empty() || self.config.has(Mutant::EpochNotSealed);
        let has_state = self.has_start_state() || self.config.has(Mutant::VotesWithoutState);
        if self.slot.is_none() {
            if started.len() >= self.group().quorum() {
                self.retire(context);
            }
        } else if is_sealed && has_state {
            self.enter_epoch(context);
        }
    }

    /// The epoch begins here: in its first view, or in the one that whoever gave the state was in.
    fn enter_epoch(&mut self, context: &mut Context<'_, Self>) {
        context.fault_point(FaultPoint::BeforeNewEpoch as usize);
        let primary = self.group().primary(self.view);
        if primary == self.node {
            assert_eq!(self.view, View::start_of(self.epoch()), "a view change starts every other view");
            self.take_turn(context);
        } else {
            self.become_backup(context, self.view);
            self.acknowledge(context, primary, Round(0));
        }
        for to in self.start.old.without(self.node).iter() {
            send(context, to, Message::EpochStarted { epoch: self.epoch() });
        }
    }

    /// The replica was replaced, and is not needed any more.
    fn retire(&mut self, context: &mut Context<'_, Self>) {
        context.sometimes(Point::Retired as usize);
        self.leave_status(context);
        context.fact(Fact::Retired { epoch: self.epoch() });
    }
}
