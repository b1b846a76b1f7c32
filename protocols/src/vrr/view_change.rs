//! View changes (§4.2): a new primary takes over with all that may have been committed.
//!
//! ```text
//!            timeout, or somebody wants a newer view                    f + 1 DoViewChange
//!  normal ─────────────────────────────────────────────> view-change ─────────────────────> primary
//!    ▲                                                    │  ╰──╯ timeout: the next view
//!    ╰───── StartView, or NewState of a newer view ───────╯
//! ```
//!
//! A replica that sends `DoViewChange` for a view promises not to take part in older ones. It says how much it has,
//! and in which view that was put together. What is committed was held by a majority, and the new primary hears a
//! majority: one of them has it, and among those who were normal latest the longest log has all of it.
//!
//! A promise counts only if its sender still remembers it: see [`crash_vector`](super::crash_vector).

use sim_core::service::Outcome;
use sim_core::{Context, NodeId};

use super::facts::Fact;
use super::message::{DoViewChange, Message, StartView};
use super::metrics::Latency;
use super::mutants::Mutant;
use super::process::send;
use super::status::{Backup, Primary, Status, ViewChange};
use super::types::View;
use super::{FaultPoint, Point, Timer, Vrr};
use crate::replicated::Index;

impl Vrr {
    /// Waits for a sign of the view's primary, or for the end of the view change.
    #[inline]
    pub(super) fn reset_view_change_timer(&self, context: &mut Context<'_, Self>) {
        let range = &self.config.view_change_timeout;
        let timeout = context.random().span(range.start, range.end);
        context.set_timer(Timer::ViewChange, timeout);
    }

    /// The primary was not heard of for long enough, or the view change takes too long (§4.2, step 1).
    pub(super) fn on_view_change_timeout(&mut self, context: &mut Context<'_, Self>) {
        if matches!(self.status, Status::ViewChange(_)) {
            context.sometimes(Point::ViewChangeTimedOut as usize);
        }
        self.start_view_change(context, self.view.next());
    }

    /// Gives up the current view and wants `view`.
    fn start_view_change(&mut self, context: &mut Context<'_, Self>, view: View) {
        assert!(view > self.view, "a replica in {} does not go back to {view}", self.view);
        self.view = view;
        self.become_view_change(context);
        self.reset_view_change_timer(context);
        self.want_view(context);
        self.maybe_do_view_change(context);
    }

    /// Tells the others which view this replica wants. Repeated until the view starts.
    fn want_view(&self, context: &mut Context<'_, Self>) {
        context.set_timer(Timer::Resend, self.config.heartbeat);
        let message = self.wish();
        self.send_to_others(context, &message);
    }

    fn wish(&self) -> Message {
        let (commit, crash_vector) = (self.log.commit_number(), self.crash_vector.clone());
        Message::StartViewChange { view: self.view, commit, crash_vector }
    }

    /// Messages of a view change may be lost: all that still matters is sent again, as it is now.
    pub(super) fn repeat_view_change(&self, context: &mut Context<'_, Self>) {
        self.want_view(context);
        if let Status::ViewChange(change) = &self.status
            && change.is_done
        {
            self.send_do_view_change(context, change);
        }
    }

    /// Somebody wants a view (§4.2, steps 1 and 2).
    pub(super) fn on_start_view_change(
        &mut self,
        context: &mut Context<'_, Self>,
        from: NodeId,
        view: View,
        commit: Index,
    ) {
        if view > self.view {
            self.start_view_change(context, view);
        }
        let Some(slot) = self.group().slot(from).filter(|_| view == self.view) else { return };
        match &mut self.status {
            // The view has started, and the sender does not know.
            Status::Primary(_) => self.send_start_view(context, from, commit),
            Status::ViewChange(change) => {
                change.wanted_by[slot] = Some(commit);
                if change.is_done && from == self.group().primary(view) {
                    // It may need more of the log than it was sent.
                    self.repeat_do_view_change(context);
                }
                self.maybe_do_view_change(context);
            }
            Status::Backup(_) | Status::Recovering(_) | Status::Standby | Status::Transitioning(_) => {}
        }
    }

    /// With f others who want the view, this replica tells its primary what it has (§4.2, step 2).
    fn maybe_do_view_change(&mut self, context: &mut Context<'_, Self>) {
        let Status::ViewChange(change) = &mut self.status else { return };
        if !change.is_done && change.wanted_count() + 1 >= self.start.group.quorum() {
            change.is_done = true;
            self.repeat_do_view_change(context);
        }
    }

    fn repeat_do_view_change(&mut self, context: &mut Context<'_, Self>) {
        let Status::ViewChange(change) = &self.status else { return };
        if self.group().primary(self.view) == self.node {
            self.maybe_start_view(context);
        } else {
            self.send_do_view_change(context, change);
        }
    }

    /// The log goes from the commit-number of the lesser of the two on (§5.3): below it they agree.
    fn send_do_view_change(&self, context: &mut Context<'_, Self>, change: &ViewChange) {
        let primary = self.group().primary(self.view);
        if primary == self.node {
            return;
        }
        let commit = self.log.commit_number();
        let slot = self.group().slot(primary).expect("a primary is a member");
        let after = change.wanted_by[slot].map_or(commit, |known| known.min(commit));
        let message = DoViewChange {
            view: self.view,
            last_normal: self.last_normal,
            op: self.log.op_number(),
            commit,
            log: self.log_after(after),
            crash_vector: self.crash_vector.clone(),
        };
        send(context, primary, Message::DoViewChange(Box::new(message)));
    }

    /// A replica tells what it has (§4.2, step 3).
    pub(super) fn on_do_view_change(
        &mut self,
        context: &mut Context<'_, Self>,
        from: NodeId,
        offer: Box<DoViewChange>,
    ) {
        let view = offer.view;
        assert_eq!(
            self.group().primary(view),
            self.node,
            "DoViewChange of {view} from {from} is for its primary"
        );
        if view > self.view {
            self.start_view_change(context, view);
        }
        let Some(slot) = self.group().slot(from).filter(|_| view == self.view) else { return };
        match &mut self.status {
            Status::Primary(_) => self.send_start_view(context, from, offer.commit),
            Status::ViewChange(change) => {
                change.wanted_by[slot] = Some(offer.commit);
                if change.offers[slot].as_ref().is_none_or(|known| !offer.is_older_than(known, slot)) {
                    change.offers[slot] = Some(offer);
                }
                self.maybe_start_view(context);
            }
            Status::Backup(_) => unreachable!("the primary of {view} is not its backup"),
            Status::Recovering(_) | Status::Standby | Status::Transitioning(_) => {}
        }
    }

    /// With what f others have, the new primary starts the view: with the log of who was normal in the latest view,
    /// among those with the longest one (§4.2, step 3).
    fn maybe_start_view(&mut self, context: &mut Context<'_, Self>) {
        let Status::ViewChange(change) = &self.status else { return };
        let offers = self.offers_that_count(change);
        if offers.len() + 1 < self.group().quorum() {
            return;
        }
        let commit = offers.iter().map(|(_, offer)| offer.commit).fold(self.log.commit_number(), Index::max);
        let own = self.rank(self.last_normal, self.log.op_number());
        let best = offers.into_iter().max_by_key(|(_, offer)| self.rank(offer.last_normal, offer.op));
        let better = best.filter(|(_, offer)| self.rank(offer.last_normal, offer.op) > own);
        if let Some((slot, offer)) = better {
            if !self.joins(&offer.log) {
                context.sometimes(Point::OfferTooShort as usize);
                return send(context, self.group().member(slot), self.wish());
            }
            let log = offer.log.clone();
            self.take_whole_log(context, &log);
        }
        self.learn_commit(context, commit);
        // What was committed may be the end of the epoch.
        if matches!(self.status, Status::ViewChange(_)) {
            context.fault_point(FaultPoint::BeforeStartView as usize);
            self.become_primary(context);
        }
    }

    /// The offers whose senders have not crashed since, as far as anybody here knows; each with its sender's slot.
    fn offers_that_count<'a>(&self, change: &'a ViewChange) -> Vec<(usize, &'a DoViewChange)> {
        let offers = change.offers.iter().enumerate();
        let offers = offers.filter_map(|(slot, offer)| Some((slot, offer.as_deref()?)));
        offers.filter(|(slot, offer)| !self.crash_vector.has_buried(*slot, &offer.crash_vector)).collect()
    }

    fn rank(&self, last_normal: View, op: Index) -> (View, Index) {
        if self.config.has(Mutant::PickByOpNumberOnly) { (View::default(), op) } else { (last_normal, op) }
    }

    /// A view has started (§4.2, step 5).
    pub(super) fn on_start_view(&mut self, context: &mut Context<'_, Self>, from: NodeId, start: &StartView) {
        assert_ne!(
            self.group().primary(start.view),
            self.node,
            "{from} starts {}, which is another's turn",
            start.view
        );
        match self.status {
            Status::ViewChange(_) if start.view >= self.view => {
                self.enter_view(context, start.view, start.commit, &start.log);
            }
            Status::Primary(_) | Status::Backup(_) if start.view > self.view => {
                self.enter_view(context, start.view, start.commit, &start.log);
            }
            Status::ViewChange(_)
            | Status::Primary(_)
            | Status::Backup(_)
            | Status::Recovering(_)
            | Status::Standby
            | Status::Transitioning(_) => {}
        }
    }

    fn send_start_view(&self, context: &mut Context<'_, Self>, to: NodeId, after: Index) {
        let (view, commit) = (self.view, self.log.commit_number());
        let (log, crash_vector) = (self.log_after(after), self.crash_vector.clone());
        send(context, to, Message::StartView(Box::new(StartView { view, commit, log, crash_vector })));
    }

    fn become_view_change(&mut self, context: &mut Context<'_, Self>) {
        self.leave_status(context);
        self.status = Status::ViewChange(ViewChange::new(self.group()));
        context.fact(Fact::ViewChangeStarted { view: self.view });
    }

    /// Starts the view that this replica is changing to.
    fn become_primary(&mut self, context: &mut Context<'_, Self>) {
        let Status::ViewChange(change) = &self.status else {
            panic!("{} starts {} without a view change", self.node, self.view);
        };
        let known = change.wanted_by.clone();
        self.take_turn(context);
        for (slot, known) in known.into_iter().enumerate() {
            let member = self.group().member(slot);
            if member != self.node {
                self.send_start_view(context, member, known.unwrap_or(self.log.commit_number()));
            }
        }
    }

    /// The replica is the primary of its view from here on.
    pub(super) fn take_turn(&mut self, context: &mut Context<'_, Self>) {
        assert_eq!(self.group().primary(self.view), self.node, "{} is another's turn", self.view);
        self.leave_status(context);
        self.last_normal = self.view;
        self.status = Status::Primary(Primary::new(self.group(), self.log.op_number()));
        context.fact(Fact::BecamePrimary { view: self.view });
        context.set_timer(Timer::Heartbeat, self.config.heartbeat);
    }

    /// The replica is a backup of `view`, whose log it has.
    pub(super) fn become_backup(&mut self, context: &mut Context<'_, Self>, view: View) {
        assert_ne!(self.group().primary(view), self.node, "a primary is not its own backup");
        assert!(view >= self.view, "a replica in {} does not go back to {view}", self.view);
        self.leave_status(context);
        (self.view, self.last_normal) = (view, view);
        self.status = Status::Backup(Backup::default());
        context.fact(Fact::BecameBackup { view });
        self.reset_view_change_timer(context);
    }

    /// Stops what the status so far had under way. Who waits for the outcome of a write gets none, because it may
    /// still be committed; who reads is sent on.
    pub(super) fn leave_status(&mut self, context: &mut Context<'_, Self>) {
        match std::mem::replace(&mut self.status, Status::Standby) {
            Status::Standby => {}
            Status::Primary(deposed) => {
                context.sometimes(Point::PrimaryDeposed as usize);
                context.abandon(Latency::Commit as usize);
                context.cancel_timer(Timer::Heartbeat);
                for op in deposed.reads.into_ops() {
                    context.reply(op, Outcome::Redirect(None));
                }
            }
            Status::Backup(_) => context.cancel_timer(Timer::ViewChange),
            Status::ViewChange(_) | Status::Recovering(_) | Status::Transitioning(_) => {
                context.cancel_timer(Timer::ViewChange);
                context.cancel_timer(Timer::Resend);
            }
        }
    }
}

impl DoViewChange {
    /// Whether the sender, at `slot`, has sent `known` later: from a later life, or with more of its log.
    fn is_older_than(&self, known: &Self, slot: usize) -> bool {
        let lives = (self.crash_vector.of(slot), known.crash_vector.of(slot));
        lives.0 < lives.1 || lives.0 == lives.1 && self.log.after > known.log.after
    }
}
