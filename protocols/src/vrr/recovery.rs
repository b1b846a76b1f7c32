//! Recovery (§4.3), with crash vectors: how a replica that lost its memory gets it back from the others.
//!
//! ```text
//!  n2 starts again            others
//!   │── CrashVectorRequest ───>│   which of my lives do you know of?
//!   │<── CrashVectorReply ─────│   of a majority; the new life is one more
//!   │── Recovery ─────────────>│   from here on they count nothing that an earlier life has sent
//!   │<── RecoveryResponse ─────│   of a majority, whose messages are crash-consistent, with the primary of the
//!   │                              latest view among them
//!   │── PrepareOk ────────────>│   takes part again
//! ```
//!
//! The published protocol has the second round only. Until it has recovered, a replica takes part in nothing: it would
//! help to decide with an empty log. So a group of 2f + 1 bears f replicas that are down or without memory. With more,
//! nobody gets a majority of answers any more. Nothing wrong happens then, but nothing happens at all: see
//! [`forgotten`](super::Vrr::forgotten).
//!
//! A replica that starts with nothing does not know whether the group is still the one it knows of. It asks all nodes, and
//! if one of them is in a newer epoch, begins again there (§7.2). A node that turns out to be no member needs no state; but
//! it must know that no life of it was in a newer epoch before it may join one, and waits for the first round.
//!
//! A replica that crashes during its recovery may leave behind that somebody knows of a life that never took part. If
//! it hears of such a one later, its own messages would count for nothing with those who know: it takes that life's
//! number, once a majority of the others know that (`raise`).

use serde::Serialize;
use sim_core::{Context, NodeId};

use super::crash_vector::{CrashVector, Incarnation};
use super::facts::Fact;
use super::message::{Known, Message, RecoveryResponse};
use super::mutants::Mutant;
use super::process::send;
use super::status::{Recovering, Status, Step};
use super::types::Nonce;
use super::{FaultPoint, Point, Timer, Vrr};

/// A replica on its way to a higher incarnation without a crash.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Raise {
    nonce: Nonce,
    incarnation: Incarnation,
    answered: Vec<bool>,
}

impl Vrr {
    /// Begins to recover: this replica was started again, and remembers nothing.
    pub(super) fn become_recovering(&mut self, context: &mut Context<'_, Self>) {
        assert_eq!(self.status_name(), "standby", "recovery is the first thing that a replica does");
        let step = if self.config.has(Mutant::PublishedRecovery) && self.slot.is_some() {
            Step::State(vec![None; self.group().len()])
        } else {
            Step::Incarnation(vec![false; self.group().len()])
        };
        let nonce = Nonce(context.random().next_u64());
        self.status = Status::Recovering(Recovering { nonce, step });
        context.fact(Fact::RecoveryStarted);
        self.repeat_recovery(context);
    }

    /// Asks everybody what the current step needs. Repeated until there are enough answers.
    pub(super) fn repeat_recovery(&self, context: &mut Context<'_, Self>) {
        let Status::Recovering(Recovering { nonce, step }) = &self.status else { return };
        let (epoch, nonce, crash_vector) = (self.epoch(), *nonce, self.crash_vector.clone());
        context.set_timer(Timer::Resend, self.config.heartbeat);
        match step {
            // Whom it knows may all be replaced. Others know by whom.
            Step::Incarnation(_) => {
                context.broadcast(&Message::CrashVectorRequest { epoch, nonce, crash_vector });
            }
            Step::State(_) => {
                self.send_to_others(context, &Message::Recovery { epoch, nonce, crash_vector });
            }
        }
    }

    /// A replica asks which of its lives are known.
    pub(super) fn on_crash_vector_request(
        &mut self,
        context: &mut Context<'_, Self>,
        from: NodeId,
        nonce: Nonce,
        crash_vector: &CrashVector,
    ) {
        self.learn_crashes(context, crash_vector);
        let (epoch, crash_vector) = (self.epoch(), self.crash_vector.clone());
        send(context, from, Message::CrashVectorReply { epoch, nonce, crash_vector });
    }

    /// Somebody says which lives it knows of. A majority of others know every life that ever took part.
    pub(super) fn on_crash_vector_reply(
        &mut self,
        context: &mut Context<'_, Self>,
        from: NodeId,
        nonce: Nonce,
        crash_vector: &CrashVector,
    ) {
        let (Some(slot), quorum) = (self.group().slot(from), self.group().quorum()) else { return };
        let is_ours = |asked: Nonce| asked == nonce || self.config.has(Mutant::RecoveryWithoutNonce);
        match &mut self.status {
            Status::Recovering(Recovering { nonce, step: Step::Incarnation(answered) })
                if is_ours(*nonce) =>
            {
                answered[slot] = true;
                let count = count(answered);
                self.crash_vector.merge(crash_vector);
                if count >= quorum {
                    self.on_lives_known(context);
                }
            }
            Status::Recovering(_) | Status::Standby | Status::Transitioning(_) => {}
            Status::Primary(_) | Status::Backup(_) | Status::ViewChange(_) => {
                self.on_raise_answered(slot, nonce);
            }
        }
    }

    /// A majority has answered, and so is in this epoch still: no earlier life of this replica was in a newer one.
    fn on_lives_known(&mut self, context: &mut Context<'_, Self>) {
        if self.slot.is_some() {
            self.begin_new_life(context, self.own_incarnation().next());
        } else {
            // There is nothing to recover. It stands by, and may join the next epoch.
            self.leave_status(context);
        }
    }

    /// The number of the new life is known: the others must know it before they tell what they have.
    fn begin_new_life(&mut self, context: &mut Context<'_, Self>, incarnation: Incarnation) {
        let slot = self.own_slot();
        self.crash_vector = self.crash_vector.with(slot, incarnation);
        let step = Step::State(vec![None; self.group().len()]);
        let nonce = Nonce(context.random().next_u64());
        self.status = Status::Recovering(Recovering { nonce, step });
        context.fault_point(FaultPoint::BeforeNewLife as usize);
        self.repeat_recovery(context);
    }

    /// A replica without memory asks for the state (§4.3, step 2). Only who is in normal status answers, and only a
    /// primary tells the state.
    pub(super) fn on_recovery(
        &mut self,
        context: &mut Context<'_, Self>,
        from: NodeId,
        nonce: Nonce,
        crash_vector: &CrashVector,
    ) {
        if !self.status.is_normal() {
            return;
        }
        self.learn_crashes(context, crash_vector);
        let is_primary = matches!(self.status, Status::Primary(_));
        let state =
            is_primary.then(|| Known { commit: self.log.commit_number(), log: self.log_with_checkpoint() });
        let (view, crash_vector) = (self.view, self.crash_vector.clone());
        let response = RecoveryResponse { nonce, view, crash_vector, state };
        send(context, from, Message::RecoveryResponse(Box::new(response)));
    }

    /// Somebody tells what it has (§4.3, step 3).
    pub(super) fn on_recovery_response(
        &mut self,
        context: &mut Context<'_, Self>,
        from: NodeId,
        response: Box<RecoveryResponse>,
    ) {
        let (Some(slot), own) = (self.group().slot(from), self.own_incarnation()) else { return };
        let Status::Recovering(Recovering { nonce, step: Step::State(responses) }) = &mut self.status else {
            return;
        };
        if response.nonce != *nonce && !self.config.has(Mutant::RecoveryWithoutNonce) {
            return;
        }
        let known = response.crash_vector.of(self.slot.expect("who recovers is a member"));
        if known > own {
            // An attempt before this one got further than the majority that was asked knew.
            return self.begin_new_life(context, known);
        }
        self.crash_vector.merge(&response.crash_vector);
        if responses[slot].as_ref().is_none_or(|known| known.view <= response.view) {
            responses[slot] = Some(response);
        }
        self.maybe_recover(context);
    }

    /// With the answers of a majority, and what the primary of the latest view among them has, this replica is back.
    fn maybe_recover(&mut self, context: &mut Context<'_, Self>) {
        let Status::Recovering(Recovering { step: Step::State(responses), .. }) = &self.status else {
            return;
        };
        let responses =
            responses.iter().enumerate().filter_map(|(slot, known)| Some((slot, known.as_deref()?)));
        let counting: Vec<_> = responses
            .filter(|(slot, known)| !self.crash_vector.has_buried(*slot, &known.crash_vector))
            .collect();
        let Some(view) = counting.iter().map(|(_, response)| response.view).max() else { return };
        let primary = self.group().slot(self.group().primary(view));
        let latest = counting.iter().find(|(slot, response)| Some(*slot) == primary && response.view == view);
        if let Some(state) = latest.and_then(|(_, response)| response.state.clone())
            && counting.len() >= self.group().quorum()
        {
            context.fact(Fact::Recovered { view, op: state.log.op() });
            self.enter_view(context, view, state.commit, &state.log);
        }
    }

    /// Takes over what others know of crashes, and sees to it that they do not take this life for a dead one.
    pub(super) fn learn_crashes(&mut self, context: &mut Context<'_, Self>, known: &CrashVector) {
        let slot = self.own_slot();
        self.crash_vector.merge_others(slot, known);
        if known.of(slot) > self.own_incarnation() {
            self.raise(context, known.of(slot));
        }
    }

    /// Makes known that this life has a higher number. It counts once a majority of others know it, so that the next
    /// life finds an even higher one. Who knows of the number says so again and again, so this is repeated.
    fn raise(&mut self, context: &mut Context<'_, Self>, incarnation: Incarnation) {
        context.sometimes(Point::IncarnationRaised as usize);
        if self.raise.as_ref().is_none_or(|raise| raise.incarnation < incarnation) {
            let nonce = Nonce(context.random().next_u64());
            let answered = vec![false; self.group().len()];
            self.raise = Some(Raise { nonce, incarnation, answered });
        }
        let Some(raise) = &self.raise else { return };
        let crash_vector = self.crash_vector.with(self.own_slot(), raise.incarnation);
        let message = Message::CrashVectorRequest { epoch: self.epoch(), nonce: raise.nonce, crash_vector };
        self.send_to_others(context, &message);
    }

    fn on_raise_answered(&mut self, slot: usize, nonce: Nonce) {
        let Some(raise) = self.raise.as_mut().filter(|raise| raise.nonce == nonce) else { return };
        raise.answered[slot] = true;
        if count(&raise.answered) >= self.start.group.quorum() {
            self.crash_vector = self.crash_vector.with(self.slot.expect("a member"), raise.incarnation);
            self.raise = None;
        }
    }

    fn own_slot(&self) -> usize {
        self.slot.expect("only members hear of crashes")
    }

    fn own_incarnation(&self) -> Incarnation {
        self.crash_vector.of(self.own_slot())
    }
}

fn count(answered: &[bool]) -> usize {
    answered.iter().filter(|answered| **answered).count()
}
