//! The store: what messages have their effects on. It knows nothing of the queue but receipts.
//!
//! Effect and the knowledge of it are one record, so that they are on disk together: a transactional inbox. By which
//! key a repetition is known depends on what consumers promise:
//!
//! | guarantee | key | so that |
//! | --- | --- | --- |
//! | at most once | the delivery | a request that is sent twice has one effect |
//! | at least once | none | every request has an effect |
//! | effectively once | the message, as it was at first | whoever asks for it and how often, it has one effect |
//!
//! With the last, receipts are also fencing tokens within a group: a delivery that is older than one that the store has
//! seen has no effect any more.

use std::sync::Arc;

use serde::Serialize;
use sim_core::persist::PersistentMap;
use sim_core::{Context, NodeId, SyncId};

use super::command::Receipt;
use super::config::{Config, Guarantee};
use super::durable::{INBOX, LOG, Record};
use super::facts::{Effect, Fact};
use super::message::Message;
use super::metrics::Counter;
use super::mutants::Mutant;
use super::{FaultPoint, Node, Point};
use crate::replicated::Outbox;

/// What waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum Act {
    /// An effect is there, at this place in the log.
    Have(u64, Effect),
    /// A consumer is told that the effect of its delivery is there.
    Tell(NodeId, Receipt),
    /// A mutant's second write: that the effect was had.
    Keep(NodeId, Effect),
    /// Another mutant's second write: the effect itself.
    Cause(NodeId, Effect),
}

/// The store. See the [module documentation](self).
#[derive(Clone, Serialize)]
pub struct Store {
    node: NodeId,
    #[serde(skip)]
    config: Arc<Config>,
    /// The keys of what it has had.
    inbox: PersistentMap<u64, ()>,
    /// The greatest receipt of each group.
    fences: PersistentMap<u64, u64>,
    effect_count: u64,
    outbox: Outbox<Act>,
    is_dirty: bool,
}

impl Store {
    /// A store that remembers nothing yet.
    pub(super) fn boot(config: Arc<Config>, node: NodeId) -> Self {
        Self {
            node,
            config,
            inbox: PersistentMap::new(),
            fences: PersistentMap::new(),
            effect_count: 0,
            outbox: Outbox::default(),
            is_dirty: false,
        }
    }

    /// How many effects it has had.
    pub const fn effect_count(&self) -> u64 {
        self.effect_count
    }

    pub(super) const fn inbox(&self) -> &PersistentMap<u64, ()> {
        &self.inbox
    }

    pub(super) const fn fences(&self) -> &PersistentMap<u64, u64> {
        &self.fences
    }

    /// Reads all effects again.
    pub(super) fn on_start(&mut self, context: &mut Context<'_, Node>) {
        for index in context.disk().log_bounds(LOG) {
            let Ok(Some(Record::Effect(effect))) = context.disk().read_entry(LOG, index) else { break };
            let effect = *effect;
            self.have(effect);
            if !self.config.has(Mutant::InboxVolatile) && !self.keeps_keys_apart() {
                self.remember(effect);
            }
            context.fact(Fact::Effected { index, effect });
        }
        for index in context.disk().log_bounds(INBOX) {
            let Ok(Some(Record::Key(key))) = context.disk().read_entry(INBOX, index) else { break };
            let key = *key;
            self.inbox.insert(key, ());
        }
    }

    pub(super) fn on_message(&mut self, context: &mut Context<'_, Node>, from: NodeId, message: &Message) {
        match *message {
            Message::Apply(effect) => self.on_apply(context, from, effect),
            Message::Credit { .. }
            | Message::Deliver { .. }
            | Message::Acknowledge(_)
            | Message::Return(_)
            | Message::Extend(_)
            | Message::Settled(_)
            | Message::Extended(_)
            | Message::Void(_)
            | Message::Applied(_)
            | Message::Fenced(_)
            | Message::Leader(_)
            | Message::Publish { .. }
            | Message::Published { .. }
            | Message::NoRoom { .. }
            | Message::Room
            | Message::Raft(_) => panic!("{}, a store, was sent {message:?} by {from}", self.node),
        }
    }

    fn on_apply(&mut self, context: &mut Context<'_, Node>, from: NodeId, effect: Effect) {
        if self.key(effect).is_some_and(|key| self.inbox.contains_key(&key)) {
            context.sometimes(Point::EffectRepeated as usize);
            context.count(Counter::EffectsRepeated as usize, 1);
            return self.after_durable(context, Act::Tell(from, effect.receipt));
        }
        if self.is_fenced(effect) {
            context.sometimes(Point::EffectFenced as usize);
            context.count(Counter::EffectsFenced as usize, 1);
            return context.send(from, Message::Fenced(effect.receipt));
        }
        if self.config.has(Mutant::MarkBeforeEffect) && self.key(effect).is_some() {
            return self.mark(context, effect, Act::Cause(from, effect));
        }
        self.cause(context, from, effect);
    }

    /// Whether a mutant writes what it has had into a region of its own.
    fn keeps_keys_apart(&self) -> bool {
        self.config.has(Mutant::DualWrite) || self.config.has(Mutant::MarkBeforeEffect)
    }

    /// A mutant notes that it has had a message, and does the next thing when that is on disk.
    fn mark(&mut self, context: &mut Context<'_, Node>, effect: Effect, then: Act) {
        let key = self.key(effect).expect("mutants keep keys");
        if context.append(INBOX, Record::Key(key)).is_ok() {
            self.is_dirty = true;
            self.remember(effect);
            self.after_durable(context, then);
        }
    }

    fn cause(&mut self, context: &mut Context<'_, Node>, from: NodeId, effect: Effect) {
        let Ok(index) = context.append(LOG, Record::Effect(effect)) else {
            return context.note(|| format!("the disk is full, and {effect:?} of {from} is left out"));
        };
        context.fault_point(FaultPoint::Effect as usize);
        self.is_dirty = true;
        self.have(effect);
        self.after_durable(context, Act::Have(index, effect));
        if self.config.has(Mutant::DualWrite) && self.key(effect).is_some() {
            return self.after_durable(context, Act::Keep(from, effect));
        }
        self.remember(effect);
        self.after_durable(context, Act::Tell(from, effect.receipt));
    }

    /// By what a repetition is known; `None`: by nothing.
    fn key(&self, effect: Effect) -> Option<u64> {
        match self.config.guarantee {
            Guarantee::AtMostOnce => Some(effect.receipt.ticket()),
            Guarantee::AtLeastOnce => None,
            Guarantee::EffectivelyOnce => Some(effect.origin.0),
        }
    }

    fn is_fenced(&self, effect: Effect) -> bool {
        let group = self.config.rules.group_of(effect.value);
        let fence = group.and_then(|group| self.fences.get(&group));
        self.config.guarantee == Guarantee::EffectivelyOnce
            && fence.is_some_and(|fence| *fence > effect.receipt.ticket())
    }

    /// Counts an effect, and shuts out older deliveries of its group.
    fn have(&mut self, effect: Effect) {
        self.effect_count += 1;
        if let Some(group) = self.config.rules.group_of(effect.value) {
            let fence = self.fences.get(&group).copied().unwrap_or(0);
            self.fences.insert(group, fence.max(effect.receipt.ticket()));
        }
    }

    fn remember(&mut self, effect: Effect) {
        if let Some(key) = self.key(effect) {
            self.inbox.insert(key, ());
        }
    }

    // ----- the disk -----

    pub(super) fn on_durable(&mut self, context: &mut Context<'_, Node>, sync: SyncId) {
        if self.outbox.end(sync).is_some() {
            while let Some(act) = self.outbox.next_ready() {
                self.perform(context, act);
            }
            self.flush(context);
        }
    }

    fn after_durable(&mut self, context: &mut Context<'_, Node>, act: Act) {
        if let Some(act) = self.outbox.hold(act, self.is_dirty) {
            self.perform(context, act);
        }
        self.flush(context);
    }

    fn flush(&mut self, context: &mut Context<'_, Node>) {
        if self.is_dirty && self.outbox.flushes_under_way() == 0 {
            self.is_dirty = false;
            if self.keeps_keys_apart() {
                context.sync(INBOX);
            }
            let sync = context.sync(LOG);
            self.outbox.begin(sync, ());
        }
    }

    fn perform(&mut self, context: &mut Context<'_, Node>, act: Act) {
        match act {
            Act::Have(index, effect) => {
                context.count(Counter::Effects as usize, 1);
                context.fact(Fact::Effected { index, effect });
            }
            Act::Tell(to, receipt) => context.send(to, Message::Applied(receipt)),
            Act::Keep(to, effect) => self.mark(context, effect, Act::Tell(to, effect.receipt)),
            Act::Cause(from, effect) => self.cause(context, from, effect),
        }
    }
}
