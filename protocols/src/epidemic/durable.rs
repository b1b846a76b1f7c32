//! What a restart must find again: a log of all items that a site has taken, in order.
//!
//! An update holds when it is on disk: not before that does any site see it, and only then is the client told. What came
//! from other sites may be lost in a crash, because they have it. What became of death certificates is not on disk: it
//! follows from their age.

use serde::Serialize;
use sim_core::disk::{self, RegionId};
use sim_core::service::Outcome;
use sim_core::{Context, OpId, SyncId};

use super::Epidemic;
use super::facts::Fact;
use super::item::{Item, Moment};
use super::mutants::Mutant;

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
            // What cannot be read comes back from other sites, as what was never synced does.
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
        if let Some(update) = self.commit.after_durable(context, update) {
            unreachable!("{update:?} was just written, and is on disk");
        }
    }

    /// A sync is done.
    pub(super) fn on_sync_done(&mut self, context: &mut Context<'_, Self>, sync: SyncId) {
        self.commit.on_durable(context, sync);
        while let Some(update) = self.commit.next_ready() {
            self.on_update_durable(context, update.item);
            if !self.config.has(Mutant::AcknowledgesEarly) {
                Self::acknowledge(context, update);
            }
        }
        self.commit.flush(context);
    }

    fn acknowledge(context: &mut Context<'_, Self>, update: Update) {
        let Update { op, item } = update;
        context.fact(Fact::Acknowledged { key: item.key, written: item.version.written });
        context.reply(op, Outcome::Done);
    }
}
