//! What a restart must find again: a log of all items that a site has taken, in order.
//!
//! ```text
//!  a client's update ──> log ──> sync ──────> holds ──> is mailed, and the client is told
//!  a message's items ──> log ──> sync ──────> hold ───> the message is answered
//! ```
//!
//! An item holds when it is on disk, wherever it comes from: not before that does any client or site see it here. That others
//! have it is no reason to be careless: of a death certificate they have it only for τ1, and who had it in memory alone would
//! go back to what it cancels when nobody remembers. So a site whose disk takes nothing has heard of nothing, as if it were
//! apart. What became of death certificates is not on disk: it follows from their age. Nor need it be that one was awakened:
//! the certificate is there, as it was activated before.

use serde::Serialize;
use sim_core::disk::{self, RegionId};
use sim_core::service::Outcome;
use sim_core::{Context, NodeId, OpId, SyncId};

use super::facts::Fact;
use super::item::{Item, Moment};
use super::message::Message;
use super::mutants::Mutant;
use super::{Epidemic, Point};

/// The region of the log.
pub const ITEMS: RegionId = RegionId::new(0);

/// What is written to disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Record(pub Item);

impl disk::Record for Record {
    fn size(&self) -> u64 {
        Item::SIZE
    }

    /// Another value: the field whose silent change does the most harm.
    fn mangle(&mut self, draw: u64) -> bool {
        self.0.value = Some(self.0.value.unwrap_or_default() ^ (1 + draw % 3));
        true
    }
}

/// What waits for the disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Act {
    /// A client's update is to hold.
    Update(Update),
    /// What another site has sent is to hold, and the message is to be answered.
    Receive {
        /// Who has sent it.
        from: NodeId,
        /// The message.
        message: Message,
        /// What of it was news here, and was written down.
        items: Vec<Item>,
    },
}

/// An update that waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Update {
    /// Whom to tell.
    pub(super) op: OpId,
    /// What is to hold then.
    pub(super) item: Item,
}

impl Epidemic {
    /// Goes on from what is on disk.
    pub(super) fn recover(&mut self, context: &mut Context<'_, Self>) {
        for index in context.disk().log_bounds(ITEMS) {
            // What cannot be read comes back from other sites, as what was never written does.
            let Ok(Some(Record(item))) = context.disk().read_entry(ITEMS, index) else { continue };
            let item = *item;
            self.last_stamp = self.last_stamp.max(item.version.written.at);
            if self.database.version(item.key).is_none_or(|version| version < item.version) {
                self.database.put(item);
            }
        }
        for item in self.database.items() {
            context.fact(Fact::Recovered(*item));
        }
        self.bury(context, Moment::of(context.wall()));
    }

    /// Has an update that was written down hold as soon as it is on disk.
    pub(super) fn await_disk(&mut self, context: &mut Context<'_, Self>, update: Update) {
        if self.config.has(Mutant::AcknowledgesEarly) {
            Self::acknowledge(context, update);
        }
        self.await_sync(context, Act::Update(update));
    }

    /// A message has come. What it brings is written down, and is to hold before the message is answered.
    pub(super) fn receive(&mut self, context: &mut Context<'_, Self>, from: NodeId, message: Message) {
        let items = self.write_down(context, message.items());
        if items.is_empty() || self.config.has(Mutant::HoldsBeforeTheDisk) {
            self.take_all(context, &items);
            return self.answer(context, from, &message);
        }
        self.await_sync(context, Act::Receive { from, message, items });
    }

    /// Writes down what is news. What there is no room for counts as not received: anti-entropy brings it again.
    fn write_down(&mut self, context: &mut Context<'_, Self>, items: &[Item]) -> Vec<Item> {
        let now = Moment::of(context.wall());
        let mut written = Vec::new();
        for item in items {
            if !self.is_to_be_taken(context, item, now) {
                continue;
            }
            if self.commit.append(context, Record(*item)).is_err() {
                context.sometimes(Point::NoRoom as usize);
                continue;
            }
            written.push(*item);
        }
        written
    }

    fn await_sync(&mut self, context: &mut Context<'_, Self>, act: Act) {
        if let Some(act) = self.commit.after_durable(context, act) {
            unreachable!("{act:?} was just written, and is on disk");
        }
    }

    /// A sync is done.
    pub(super) fn on_sync_done(&mut self, context: &mut Context<'_, Self>, sync: SyncId) {
        self.commit.on_durable(context, sync);
        while let Some(act) = self.commit.next_ready() {
            match act {
                Act::Update(update) => self.on_update_durable(context, update),
                Act::Receive { from, message, items } => {
                    self.take_all(context, &items);
                    self.answer(context, from, &message);
                }
            }
        }
        self.commit.flush(context);
    }

    fn on_update_durable(&mut self, context: &mut Context<'_, Self>, update: Update) {
        self.begin_to_hold(context, update.item);
        if !self.config.has(Mutant::AcknowledgesEarly) {
            Self::acknowledge(context, update);
        }
    }

    fn acknowledge(context: &mut Context<'_, Self>, update: Update) {
        let Update { op, item } = update;
        context.fact(Fact::Acknowledged { key: item.key, written: item.version.written });
        context.reply(op, Outcome::Done);
    }
}
