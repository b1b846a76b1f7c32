//! The resource: takes writes, and none whose token is below the highest it has seen.
//!
//! That is what makes the lock safe for it, whatever workers believe: a lease says who may *begin*, and nobody can say how
//! long a message is on its way.

use std::sync::Arc;

use serde::Serialize;
use sim_core::disk::Disk;
use sim_core::{Context, NodeId, SyncId};

use super::config::Config;
use super::durable::{Act, Novelty, Record, STATE};
use super::facts::Fact;
use super::message::{Message, Token};
use super::metrics::Counter;
use super::mutants::Mutant;
use super::{FaultPoint, Lock, Point, misdirected};
use crate::group_commit::GroupCommit;

/// What it holds, and must find again after a crash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stored {
    /// The highest token of a write.
    pub highest: Token,
    /// The token of the last write: the highest.
    pub token: Token,
    /// The last write's number.
    pub number: u32,
}

/// The resource.
#[derive(Clone, Serialize)]
pub struct Resource {
    node: NodeId,
    #[serde(skip)]
    config: Arc<Config>,
    /// On disk before anybody hears of it.
    stored: Stored,
    commit: GroupCommit<Act>,
}

impl Resource {
    pub(super) fn new(config: Arc<Config>, node: NodeId) -> Self {
        Self { node, config, stored: Stored::default(), commit: GroupCommit::new(STATE) }
    }

    /// Reads what the disk kept. An unreadable cell is beyond what the lock promises to survive.
    pub(super) fn recover(&mut self, disk: &Disk<Record>) {
        match disk.read_cell(STATE) {
            Ok(Some(Record::Resource(stored))) => self.stored = *stored,
            Ok(Some(Record::Server(_)) | None) | Err(_) => {}
        }
        if self.config.has(Mutant::HighestForgotten) {
            self.stored.highest = Token::ZERO;
        }
    }

    pub(super) fn on_message(&mut self, context: &mut Context<'_, Lock>, from: NodeId, message: Message) {
        match message {
            Message::Write { token, number } => self.on_write(context, from, token, number),
            Message::Acquire { .. }
            | Message::Granted { .. }
            | Message::Held { .. }
            | Message::Renew { .. }
            | Message::Renewed { .. }
            | Message::Expired { .. }
            | Message::Release { .. }
            | Message::Written { .. }
            | Message::Fenced { .. } => misdirected(self.node, "the resource", from, message),
        }
    }

    fn on_write(&mut self, context: &mut Context<'_, Lock>, from: NodeId, token: Token, number: u32) {
        let Stored { highest, token: last, number: last_number } = self.stored;
        let is_own = self.config.has(Mutant::EqualTokenFenced) && token == highest && number > last_number;
        if (token < highest && self.is_fencing()) || is_own {
            return self.after_durable(context, Act::Fence { to: from, token, highest });
        }
        let novelty = if token == last && number <= last_number { Novelty::Repeated } else { Novelty::New };
        if novelty == Novelty::New {
            let stored = Stored { highest: highest.max(token), token, number };
            // On a full disk the message counts as lost.
            if self.commit.replace(context, Record::Resource(stored)).is_err() {
                return;
            }
            context.fault_point(FaultPoint::WriteWritten as usize);
            self.stored = stored;
        }
        self.after_durable(context, Act::Acknowledge { to: from, token, number, novelty });
    }

    fn after_durable(&mut self, context: &mut Context<'_, Lock>, act: Act) {
        if let Some(act) = self.commit.after_durable(context, act) {
            perform(context, &act);
        }
    }

    fn is_fencing(&self) -> bool {
        !self.config.has(Mutant::CheckThenWrite) && !self.config.has(Mutant::FencedAtWorker)
    }

    pub(super) fn on_durable(&mut self, context: &mut Context<'_, Lock>, sync: SyncId) {
        self.commit.on_durable(context, sync);
        while let Some(act) = self.commit.next_ready() {
            perform(context, &act);
        }
    }

    /// What it holds.
    pub const fn stored(&self) -> Stored {
        self.stored
    }

    /// How many acts wait for the disk.
    pub(super) fn waiting_count(&self) -> u64 {
        self.commit.len() as u64
    }
}

/// The write is on disk, or that because of which it is refused.
fn perform(context: &mut Context<'_, Lock>, act: &Act) {
    match *act {
        Act::Acknowledge { to, token, number, novelty } => {
            if novelty == Novelty::New {
                context.count(Counter::WritesTaken as usize, 1);
                context.fact(Fact::Accepted { token, number });
            }
            context.send(to, Message::Written { token, number });
        }
        Act::Fence { to, token, highest } => {
            context.sometimes(Point::Fenced as usize);
            context.count(Counter::WritesFenced as usize, 1);
            context.fact(Fact::Refused { token, highest });
            context.send(to, Message::Fenced { token, highest });
        }
        Act::Grant { .. } | Act::Refuse { .. } | Act::Reply { .. } => {
            unreachable!("the resource gives no lock, but has {act:?} to do")
        }
    }
}
