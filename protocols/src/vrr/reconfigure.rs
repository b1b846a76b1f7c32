//! Reconfiguration (§7): how one group hands over to the next.
//!
//! ```text
//!  administrator   primary of e      backups of e        a new replica
//!   │── replace ──>│                   │                   │
//!   │              │── Prepare k ─────>│                   │    takes no more requests
//!   │              │<── PrepareOk ─────│                   │
//!   │<─ done ──────│ k is committed: the epoch is over     │
//!   │              │── StartEpoch ────>│── StartEpoch ────>│    who leaves e tells everybody
//!   │              │<───────────── GetState ───────────────│
//!   │              │────────────── NewState ──────────────>│    and now takes part in e + 1, as do those who stay
//!   │              │<─────────── EpochStarted ─────────────│    with a quorum of these, who was replaced retires
//! ```
//!
//! The request is an entry like any other, and the last one of its epoch: a primary that has it in its log, of whatever
//! view, takes no requests. It is committed by a quorum of the *old* group. Each replica that executes it leaves the
//! epoch (`transition` says how it gets into the next); and one that hears of it from others has the entry in its log, or
//! fetches it.
//!
//! Every message is of an epoch. Who gets one of an older epoch answers with `StartEpoch`: so replicas that missed the
//! change, those that start with nothing, and replaced ones that come back find out where the group is. Who gets one of
//! a newer epoch asks for that. So nothing that is said in one epoch ever counts in another.

use sim_core::service::{Admin, Outcome, Refusal};
use sim_core::{Context, NodeId, OpId};

use super::crash_vector::CrashVector;
use super::epoch::EpochStart;
use super::facts::Fact;
use super::message::{GetState, Message};
use super::process::send;
use super::reads::Answer;
use super::status::Status;
use super::types::{Change, Entry, Epoch, Request, View, named_nodes};
use super::{FaultPoint, Point, Vrr};
use crate::replicated::{Index, MEMBERS_MAX};

impl Vrr {
    /// An administrator wants another group, at the primary (§7.1).
    pub(super) fn on_admin(&mut self, context: &mut Context<'_, Self>, op: OpId, admin: Admin) {
        let can_be_member = |node: &NodeId| node.index() < MEMBERS_MAX.min(context.node_count());
        if !named_nodes(admin).iter().flatten().all(can_be_member) {
            return context.reply(op, Outcome::Refused(Refusal::NotFound));
        }
        let members = self.group().members;
        match Change::of(admin).map(|change| change.apply(members)) {
            None => context.reply(op, Outcome::Refused(Refusal::Unsupported)),
            Some(next) if next.is_empty() => context.reply(op, Outcome::Refused(Refusal::Unsupported)),
            Some(_) if self.is_ending() => context.reply(op, Outcome::Refused(Refusal::Unavailable)),
            Some(next) if next == members => context.reply(op, Outcome::Done),
            Some(next) => self.append(context, Request::Reconfigure(next), op, Answer::Done),
        }
    }

    /// Whether a reconfiguration is in the log: nothing may follow it in this epoch.
    #[inline]
    pub(super) fn is_ending(&self) -> bool {
        let last = self.log.op_number();
        self.log.entry_at(last).is_some_and(|entry| self.end_of_epoch(last, entry).is_some())
    }

    /// How the next epoch starts, if the entry at `index` ends this one.
    #[inline]
    pub(super) fn end_of_epoch(&self, index: Index, entry: &Entry) -> Option<EpochStart> {
        let members = entry.successors().filter(|_| entry.view.epoch == self.epoch())?;
        let chain = self.log.chain_at(index).expect("what is in the log has a chain");
        Some(EpochStart::after(self.group(), members, (index, chain)))
    }

    /// The reconfiguration is executed: the epoch is over.
    pub(super) fn leave_epoch(&mut self, context: &mut Context<'_, Self>, next: EpochStart) {
        context.sometimes(Point::Reconfigured as usize);
        self.learn_epoch(context, next);
    }

    /// A message of another epoch. Of an older one: its sender has missed something. Of a newer one: this replica has.
    pub(super) fn on_other_epoch(&mut self, context: &mut Context<'_, Self>, from: NodeId, message: Message) {
        if message.epoch() < self.epoch() {
            context.sometimes(Point::StaleEpoch as usize);
            self.tell_start(context, from);
        } else if let Message::StartEpoch(start) = message {
            self.on_newer_epoch(context, from, *start);
        } else {
            self.ask_for_epoch(context, from);
        }
    }

    /// Tells a node where the group is.
    pub(super) fn tell_start(&self, context: &mut Context<'_, Self>, to: NodeId) {
        send(context, to, Message::StartEpoch(Box::new(self.start.clone())));
    }

    /// Any message of this epoch makes a node of a newer one tell how that starts.
    fn ask_for_epoch(&self, context: &mut Context<'_, Self>, from: NodeId) {
        send(context, from, Message::GetState(self.lack()));
    }

    /// What this replica has, for those who can give it more.
    pub(super) fn lack(&self) -> GetState {
        let (op, commit) = (self.log.op_number(), self.log.commit_number());
        GetState { view: self.view, last_normal: self.last_normal, op, commit }
    }

    /// A newer epoch starts, or has started (§7.1). Who has all that was committed before executes the reconfiguration, and
    /// so leaves this epoch.
    fn on_newer_epoch(&mut self, context: &mut Context<'_, Self>, from: NodeId, start: EpochStart) {
        let is_next = self.status.takes_part() && start.epoch() == self.epoch().next();
        if is_next && self.log.chain_at(start.op) == Some(start.chain) {
            self.learn_commit(context, start.op);
        }
        if start.epoch() == self.epoch() {
            self.on_start_epoch(context, from, &start);
        } else {
            self.learn_epoch(context, start);
            self.ask_for_start_state(context, from);
        }
    }

    /// From here on this replica is in another epoch, or on its way into it, or none of its business.
    ///
    /// Who has no memory recovers there, because a life before may have taken part. Everybody else knows that none has:
    /// see [`epoch`](super::epoch).
    fn learn_epoch(&mut self, context: &mut Context<'_, Self>, mut start: EpochStart) {
        assert!(start.epoch() > self.epoch(), "{} does not go back to {}", self.epoch(), start.epoch());
        let is_empty = matches!(self.status, Status::Recovering(_));
        let has_left = self.depart(context, &mut start);
        self.leave_status(context);
        self.slot = start.group.slot(self.node);
        self.view = View::start_of(start.epoch());
        self.crash_vector = CrashVector::new(start.group.len());
        (self.raise, self.asked) = (None, None);
        let (epoch, members, op, chain) = (start.epoch(), start.group.members, start.op, start.chain);
        context.fact(Fact::EpochLearned { epoch, members, op, chain });
        self.start = start;
        if is_empty {
            context.sometimes(Point::RecoversInNewerEpoch as usize);
            self.become_recovering(context);
        } else if self.slot.is_some() || has_left {
            if has_left {
                context.fault_point(FaultPoint::EpochLeft as usize);
            }
            self.become_transitioning(context);
        }
    }

    /// Leaves the epoch before `start`, for good: with that the new one can start. Returns whether the replica is a
    /// member of the old one that has its memory: all of those leave, whether they ever came as far as that epoch or not.
    /// Else there may be no quorum to leave it, if those who took part have lost their memory meanwhile.
    ///
    /// A departure does not tell where the old epoch ends, and brings nothing of its log. That is known from
    /// [`EpochStart::op`], which a quorum of the old epoch has committed, and nobody starts in the new one with less. What
    /// a departure promises is that this life says nothing in the old epoch any more, so that no quorum is left that
    /// somebody could recover from. Who has not taken part in the old epoch can promise that as well: no life of it
    /// has, so it answered no recovery there, and has no crash to tell of. Should it forget the promise and recover
    /// there, that is a life after its first, and the departure is buried like any other.
    fn depart(&self, context: &mut Context<'_, Self>, start: &mut EpochStart) -> bool {
        let has_memory = !matches!(self.status, Status::Recovering(_));
        let Some(slot) = start.old.place(self.node).filter(|_| has_memory) else { return false };
        let is_next = start.epoch() == self.epoch().next();
        assert!(!is_next || start.old == self.group().members, "{} has one group", self.epoch());
        if is_next {
            start.departures.add(slot, &self.crash_vector);
        } else {
            context.sometimes(Point::EpochSkipped as usize);
            start.departures.add(slot, &CrashVector::new(start.old.len()));
        }
        let epoch = start.epoch().previous().expect("the first epoch has no members before it");
        context.fact(Fact::EpochLeft { epoch });
        true
    }

    /// The latest epoch that this replica knows of.
    #[inline]
    pub fn epoch(&self) -> Epoch {
        self.view.epoch
    }
}
