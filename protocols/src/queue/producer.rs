//! A producer with a transactional outbox: what it has done and that a message must tell of it are one record.
//!
//! ```text
//!  client          producer                         broker
//!     │── enqueue 7 ─>│ a row: done, and to be told     │
//!     │               │ sync                            │
//!     │<── done ──────│── Publish 1, value 7 ──────────>│ log, sync
//!     │               │<─────────────── Published 1 ────│
//!     │               │ the row may go                  │
//! ```
//!
//! So no message tells of what has not been done, and what has been done is told of, whoever crashes in between. The relay
//! publishes at least once: a row whose confirm was lost is published again, and the queue knows it by its value, where it
//! has a deduplication window.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use sim_core::service::{Outcome, Refusal, Value};
use sim_core::{Context, NodeId, OpId, SyncId};

use super::config::Config;
use super::durable::{LOG, Record};
use super::facts::Fact;
use super::message::Message;
use super::metrics::{Counter, Gauge};
use super::mutants::Mutant;
use super::{FaultPoint, Node, Point, Timer};
use crate::contact::Contact;
use crate::group_commit::GroupCommit;

/// How many rows are on their way to the broker at a time.
const WINDOW: usize = 16;

/// A row of the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Row {
    pub(super) value: Value,
    /// Whether it is on disk.
    pub(super) is_kept: bool,
    /// How often it was published.
    pub(super) tries: u32,
    /// Whether there was no room for it when it was published last.
    is_refused: bool,
}

/// A client that waits until a row is on disk.
#[derive(Clone, Copy, Debug, Serialize)]
struct Waiting {
    op: OpId,
    number: u64,
}

/// A producer. See the [module documentation](self).
#[derive(Clone, Serialize)]
pub struct Producer {
    node: NodeId,
    #[serde(skip)]
    config: Arc<Config>,
    contact: Contact,
    /// What is not known to be in the queue, by place in the log.
    rows: BTreeMap<u64, Row>,
    commit: GroupCommit<Waiting>,
}

impl Producer {
    /// A producer that remembers nothing yet.
    pub(super) fn boot(config: Arc<Config>, node: NodeId) -> Self {
        Self { node, config, contact: Contact::new(), rows: BTreeMap::new(), commit: GroupCommit::new(LOG) }
    }

    /// What it has done and does not know to be in the queue.
    pub fn untold(&self) -> impl Iterator<Item = Value> {
        self.rows.values().map(|row| row.value)
    }

    pub(super) const fn rows(&self) -> &BTreeMap<u64, Row> {
        &self.rows
    }

    // ----- inputs -----

    /// Rows that were told of before, and not deleted yet, are told of again.
    pub(super) fn on_start(&mut self, context: &mut Context<'_, Node>) {
        let bounds = context.disk().log_bounds(LOG);
        for number in bounds {
            let Ok(Some(Record::Row(value))) = context.disk().read_entry(LOG, number) else {
                // What is unreadable is beyond what is promised: it is as if the log ended before it.
                context.truncate_from(LOG, number);
                break;
            };
            let value = *value;
            context.fact(Fact::Kept { value });
            self.rows.insert(number, Row { value, is_kept: true, tries: 0, is_refused: false });
        }
        self.relay(context);
        context.set_timer(Timer::Relay, self.config.call_timeout);
    }

    /// A client wants something to be done, and the others to hear of it.
    pub(super) fn on_enqueue(&mut self, context: &mut Context<'_, Node>, op: OpId, value: Value) {
        let Ok(number) = self.commit.append(context, Record::Row(value)) else {
            return context.reply(op, Outcome::Refused(Refusal::Unavailable));
        };
        context.fault_point(FaultPoint::Outbox as usize);
        if self.config.has(Mutant::PublishBeforeCommit) {
            context.send(self.contact.server(), Message::Publish { number, value });
        }
        self.rows.insert(number, Row { value, is_kept: false, tries: 0, is_refused: false });
        if let Some(waiting) = self.commit.after_durable(context, Waiting { op, number }) {
            self.on_kept(context, waiting);
        }
    }

    pub(super) fn on_durable(&mut self, context: &mut Context<'_, Node>, sync: SyncId) {
        self.commit.on_durable(context, sync);
        while let Some(waiting) = self.commit.next_ready() {
            self.on_kept(context, waiting);
        }
    }

    fn on_kept(&mut self, context: &mut Context<'_, Node>, Waiting { op, number }: Waiting) {
        if let Some(row) = self.rows.get_mut(&number) {
            row.is_kept = true;
            context.fact(Fact::Kept { value: row.value });
        }
        context.reply(op, Outcome::Done);
        self.relay(context);
    }

    pub(super) fn on_message(&mut self, context: &mut Context<'_, Node>, from: NodeId, message: &Message) {
        self.contact.hear(from);
        match *message {
            Message::Published { number } => self.on_published(context, number),
            Message::NoRoom { number } => self.on_no_room(context, number),
            Message::Room => self.publish_refused(context),
            Message::Leader(leader) => {
                if self.contact.on_leader(leader) {
                    context.sometimes(Point::BrokerChanged as usize);
                    self.relay_again(context);
                }
            }
            Message::Credit { .. }
            | Message::Deliver { .. }
            | Message::Acknowledge(_)
            | Message::Return(_)
            | Message::Extend(_)
            | Message::Settled(_)
            | Message::Extended(_)
            | Message::Void(_)
            | Message::Apply(_)
            | Message::Applied(_)
            | Message::Fenced(_)
            | Message::Publish { .. }
            | Message::Raft(_) => panic!("{}, a producer, was sent {message:?} by {from}", self.node),
        }
    }

    /// What was published and not answered is published again.
    pub(super) fn on_relay(&mut self, context: &mut Context<'_, Node>) {
        context.set_timer(Timer::Relay, self.config.call_timeout);
        self.relay_again(context);
    }

    // ----- the relay -----

    /// The queue has it: the row may go, and all before it that may go, too.
    fn on_published(&mut self, context: &mut Context<'_, Node>, number: u64) {
        if self.rows.remove(&number).is_some() {
            context.count(Counter::Published as usize, 1);
            self.forget(context);
            self.relay(context);
            self.publish_refused(context);
        }
    }

    /// It waits for room, or for the timer.
    fn on_no_room(&mut self, context: &mut Context<'_, Node>, number: u64) {
        context.count(Counter::MessagesRefused as usize, 1);
        if let Some(row) = self.rows.get_mut(&number) {
            row.is_refused = true;
        }
    }

    /// There may be room for one: if there is, another is tried when it is answered.
    fn publish_refused(&mut self, context: &mut Context<'_, Node>) {
        let refused = self.rows.iter().take(WINDOW).find(|(_, row)| row.is_refused);
        if let Some(number) = refused.map(|(number, _)| *number) {
            self.publish(context, self.contact.server(), number);
        }
    }

    /// Deletes the rows before the first that is needed.
    fn forget(&self, context: &mut Context<'_, Node>) {
        let bounds = context.disk().log_bounds(LOG);
        let needed = self.rows.keys().next().copied().unwrap_or(bounds.end);
        if needed > bounds.start {
            context.truncate_before(LOG, needed);
        }
        context.gauge(Gauge::OutboxDepth as usize, self.rows.len() as u64);
    }

    /// Publishes the oldest rows, as far as they were not yet.
    fn relay(&mut self, context: &mut Context<'_, Node>) {
        let fresh = self.rows.iter().take(WINDOW).filter(|(_, row)| row.is_kept && row.tries == 0);
        let fresh: Vec<u64> = fresh.map(|(number, _)| *number).collect();
        for number in fresh {
            self.publish(context, self.contact.server(), number);
        }
        context.gauge(Gauge::OutboxDepth as usize, self.rows.len() as u64);
    }

    fn relay_again(&mut self, context: &mut Context<'_, Node>) {
        if self.rows.is_empty() {
            return;
        }
        let broker = self.contact.ask(self.config.brokers);
        let oldest = self.rows.iter().take(WINDOW).filter(|(_, row)| row.is_kept);
        let oldest: Vec<u64> = oldest.map(|(number, _)| *number).collect();
        for number in oldest {
            self.publish(context, broker, number);
        }
    }

    fn publish(&mut self, context: &mut Context<'_, Node>, broker: NodeId, number: u64) {
        let Some(row) = self.rows.get_mut(&number) else { return };
        (row.tries, row.is_refused) = (row.tries + 1, false);
        if row.tries > 1 {
            context.sometimes(Point::PublishedAgain as usize);
        }
        context.send(broker, Message::Publish { number, value: row.value });
        if self.config.has(Mutant::OutboxDeletedWhenSent) {
            self.rows.remove(&number);
            self.forget(context);
        }
    }
}
