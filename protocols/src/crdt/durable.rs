//! What a restart must find again: the log of all deltas that a replica has joined.
//!
//! Everything is written first: a change holds, is sent, and is answered or acknowledged when it is on disk. The number
//! of a delta is its place in the log, so numbers that others have acknowledged mean the same after a restart.

use std::sync::Arc;

use serde::Serialize;
use sim_core::disk::{self, RegionId};
use sim_core::service::{Outcome, Refusal};
use sim_core::{Context, NodeId, OpId, SyncId};

use super::data::Data;
use super::facts::Fact;
use super::message::Message;
use super::mutants::Mutant;
use super::{Crdt, Point};

/// The region of the log.
pub const DELTAS: RegionId = RegionId::new(0);

/// What is written to disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record(pub Arc<Data>);

impl disk::Record for Record {
    fn size(&self) -> u64 {
        self.0.size()
    }

    /// Nothing: deltas have checksums.
    fn mangle(&mut self, _draw: u64) -> bool {
        false
    }
}

/// Something that must not happen before what led to it is on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Deferred {
    /// A delta holds.
    Join(Arc<Data>),
    /// A client is told that its change is done.
    Answer(OpId, Arc<Data>),
    /// A replica is told that its changes are here.
    Acknowledge(NodeId, u64),
}

impl Crdt {
    /// Goes on from what is on disk.
    pub(super) fn recover(&mut self, context: &mut Context<'_, Self>) {
        let bounds = context.disk().log_bounds(DELTAS);
        self.changes = bounds.end;
        for index in bounds {
            // What cannot be read others have, if it was ever sent.
            if let Ok(Some(Record(delta))) = context.disk().read_entry(DELTAS, index) {
                Arc::make_mut(&mut self.state).join(delta, self.config.mutant);
            }
        }
        if !self.config.has(Mutant::NameUsedAgain) {
            self.staged = self.state.clone();
        }
    }

    /// Writes a change of a client down, and answers when it holds.
    pub(super) fn make(&mut self, context: &mut Context<'_, Self>, op: OpId, delta: Data) {
        let delta = Arc::new(delta);
        // Said before it is written: what a crash leaves on the disk was made, even if the handler was cut there.
        context.fact(Fact::Made(delta.clone()));
        if self.commit.append(context, Record(delta.clone())).is_err() {
            return context.reply(op, Outcome::Refused(Refusal::Unavailable));
        }
        self.stage(&delta);
        if self.config.has(Mutant::AnswersEarly) {
            answer(context, op, &delta);
            self.after_disk(context, Deferred::Join(delta));
        } else {
            self.after_disk(context, Deferred::Join(delta.clone()));
            self.after_disk(context, Deferred::Answer(op, delta));
        }
    }

    /// What another replica has sent is written down, if it is news and there is room, and acknowledged when it is there.
    pub(super) fn keep(
        &mut self,
        context: &mut Context<'_, Self>,
        from: NodeId,
        delta: &Arc<Data>,
        upto: Option<u64>,
    ) {
        if let (Some(upto), true) = (upto, self.config.has(Mutant::AcksEarly)) {
            context.send(from, Message::Ack { upto });
        }
        if !self.staged.covers(delta) {
            if self.commit.append(context, Record(delta.clone())).is_err() {
                context.sometimes(Point::NoRoom as usize);
                return;
            }
            self.stage(delta);
            self.after_disk(context, Deferred::Join(delta.clone()));
        }
        if let (Some(upto), false) = (upto, self.config.has(Mutant::AcksEarly)) {
            self.after_disk(context, Deferred::Acknowledge(from, upto));
        }
    }

    fn stage(&mut self, delta: &Data) {
        Arc::make_mut(&mut self.staged).join(delta, self.config.mutant);
    }

    /// Does something when all that was written is on disk.
    fn after_disk(&mut self, context: &mut Context<'_, Self>, act: Deferred) {
        if let Some(act) = self.commit.after_durable(context, act) {
            self.act(context, act);
        }
    }

    /// A sync is done.
    pub(super) fn on_sync_done(&mut self, context: &mut Context<'_, Self>, sync: SyncId) {
        self.commit.on_durable(context, sync);
        while let Some(act) = self.commit.next_ready() {
            self.act(context, act);
        }
    }

    fn act(&mut self, context: &mut Context<'_, Self>, act: Deferred) {
        match act {
            Deferred::Join(delta) => self.on_delta_durable(context, delta),
            Deferred::Answer(op, delta) => answer(context, op, &delta),
            Deferred::Acknowledge(to, upto) => context.send(to, Message::Ack { upto }),
        }
    }
}

fn answer(context: &mut Context<'_, Crdt>, op: OpId, delta: &Arc<Data>) {
    context.fact(Fact::Acknowledged(delta.clone()));
    context.reply(op, Outcome::Done);
}
