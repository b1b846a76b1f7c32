//! State transfer (§5.2), and what all parts of the protocol use to hand a log on.
//!
//! A replica that lacks entries of its view, or hears of a newer view, asks the primary that it heard of. It gets what
//! follows its op-number, if its log is of the same view, else what follows its commit-number, because beyond that its
//! log may differ. If that is compacted, it gets a checkpoint and what follows it.
//!
//! The paper lets a replica that hears of a newer view cut its log to its commit-number first, and then ask. That is
//! wrong: if a view change comes in between, what it has dropped may have been committed with its help, and its
//! `DoViewChange` no longer shows it. Here the log stays as it is until the newer view's has come.

use sim_core::{Context, NodeId};

use super::Vrr;
use super::message::{Checkpoint, GetState, LogPart, Message, NewState};
use super::metrics::Counter;
use super::mutants::Mutant;
use super::process::send;
use super::status::Status;
use super::types::{Round, View};
use crate::replicated::Index;

/// Whether to ask for the same state again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    /// Only if that was not asked for already: the answer may be on its way.
    Once,
    /// In any case: the answer has had its time.
    Again,
}

impl Vrr {
    /// Asks `from` for what this replica lacks of `view`.
    pub(super) fn ask_for_state(
        &mut self,
        context: &mut Context<'_, Self>,
        from: NodeId,
        view: View,
        urgency: Urgency,
    ) {
        if self.config.has(Mutant::TruncatesBeforeTransfer) && view > self.view {
            self.log.truncate_from(self.log.commit_number().next(), context);
        }
        let op = self.log.op_number();
        if urgency == Urgency::Again || self.asked != Some((view, op)) {
            self.asked = Some((view, op));
            send(context, from, Message::GetState(GetState { view, ..self.lack() }));
        }
    }

    /// A replica lacks something of a view. Who has no log of it, or of a newer one, cannot help.
    pub(super) fn on_get_state(&self, context: &mut Context<'_, Self>, from: NodeId, asked: GetState) {
        let Some(view) = self.view_for(&asked).filter(|view| *view >= asked.view) else { return };
        let after = if asked.last_normal == view { asked.op } else { asked.commit };
        let (commit, log) = (self.log.commit_number(), self.log_after(after));
        send(context, from, Message::NewState(Box::new(NewState { view, commit, log })));
    }

    /// The view whose log this replica hands on. During a view change that is the last normal one: it serves nobody who
    /// is in a view already, but the group may wait for replicas that are new and need any state to begin with.
    fn view_for(&self, asked: &GetState) -> Option<View> {
        let is_newcomer = asked.last_normal.epoch < asked.view.epoch;
        match self.status {
            Status::Primary(_) | Status::Backup(_) => Some(self.view),
            Status::ViewChange(_) => Some(self.last_normal).filter(|_| is_newcomer),
            Status::Transitioning(_) => Some(self.view).filter(|_| self.has_start_state()),
            Status::Recovering(_) | Status::Standby => None,
        }
    }

    /// What was asked for arrives.
    pub(super) fn on_new_state(&mut self, context: &mut Context<'_, Self>, state: &NewState) {
        let before = (self.view, self.log.op_number());
        let is_lower = state.view < self.view || self.group().primary(state.view) == self.node;
        match self.status {
            Status::Backup(_) if state.view == self.view => self.extend(context, state),
            Status::Backup(_) | Status::ViewChange(_) | Status::Primary(_) if !is_lower => {
                self.enter_view(context, state.view, state.commit, &state.log);
            }
            Status::Transitioning(_) => self.take_start_state(context, state),
            Status::Backup(_)
            | Status::ViewChange(_)
            | Status::Primary(_)
            | Status::Recovering(_)
            | Status::Standby => {}
        }
        if (self.view, self.log.op_number()) != before {
            context.count(Counter::StateTransfers as usize, 1);
        }
    }

    /// More of the log of the view that this replica is in.
    fn extend(&mut self, context: &mut Context<'_, Self>, state: &NewState) {
        if self.joins(&state.log) {
            self.take_log(context, &state.log);
            self.join_early(context);
            self.acknowledge(context, self.group().primary(self.view), Round(0));
            self.learn_commit(context, state.commit);
        }
    }

    /// Becomes a backup of a view that has started, with its log; asks for more if that does not join on to what this
    /// replica has.
    pub(super) fn enter_view(
        &mut self,
        context: &mut Context<'_, Self>,
        view: View,
        commit: Index,
        log: &LogPart,
    ) {
        let primary = self.group().primary(view);
        if !self.joins(log) {
            return self.ask_for_state(context, primary, view, Urgency::Once);
        }
        self.view = view;
        self.take_whole_log(context, log);
        self.become_backup(context, view);
        self.acknowledge(context, primary, Round(0));
        self.learn_commit(context, commit);
    }

    /// The log after `after`, or if that is compacted, a checkpoint and what follows it.
    pub(super) fn log_after(&self, after: Index) -> LogPart {
        let after = after.min(self.log.op_number());
        match self.log.chain_at(after) {
            Some(chain) => {
                let entries = self.log.slice(after.next(), self.log.op_number().since(after));
                LogPart { checkpoint: None, after, chain, entries }
            }
            None => self.log_with_checkpoint(),
        }
    }

    /// The state machine as it is (§5.1: a checkpoint; its contents are shared, so it costs nothing), and the log
    /// that follows.
    pub(super) fn log_with_checkpoint(&self) -> LogPart {
        let machine = if self.config.has(Mutant::ClientTableNotTransferred) {
            self.machine.without_sessions()
        } else {
            self.machine.clone()
        };
        let after = machine.applied();
        let entries = self.log.slice(after.next(), self.log.op_number().since(after));
        LogPart { chain: machine.chain(), checkpoint: Some(Checkpoint(machine)), after, entries }
    }

    /// Whether what this replica has up to where `part` begins is the same log.
    pub(super) fn joins(&self, part: &LogPart) -> bool {
        part.checkpoint.is_some()
            || part.after < self.log.base()
            || self.log.chain_at(part.after) == Some(part.chain)
    }

    /// Adds what is new in `part`, of the same view as this log.
    fn take_log(&mut self, context: &mut Context<'_, Self>, part: &LogPart) {
        self.take_checkpoint(context, part);
        self.log.merge(part.after, &part.entries, context);
    }

    /// Makes the log what `part` is the end of.
    pub(super) fn take_whole_log(&mut self, context: &mut Context<'_, Self>, part: &LogPart) {
        self.take_checkpoint(context, part);
        self.log.replace(part.after, &part.entries, context);
    }

    /// Goes on from the checkpoint, if it is ahead. A log that has all of what it covers stays: more may follow there
    /// than the sender had, and be acknowledged. What is covered is committed, and is executed soon.
    fn take_checkpoint(&mut self, context: &mut Context<'_, Self>, part: &LogPart) {
        let Some(Checkpoint(machine)) = &part.checkpoint else { return };
        if machine.applied() <= self.machine.applied() {
            return;
        }
        if self.log.chain_at(part.after) == Some(part.chain) {
            self.log.commit_to(part.after, self.view, context);
        } else {
            context.count(Counter::CheckpointsInstalled as usize, 1);
            self.machine = machine.clone();
            self.log.install((part.after, part.chain), self.view, context);
        }
    }
}
