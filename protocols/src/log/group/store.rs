//! The store: what records have their effects on. Effect and the knowledge of it are one record, so that they are on disk
//! together.
//!
//! | guarantee | a repetition is known by | an older generation |
//! | --- | --- | --- |
//! | at most once, at least once | the attempt: a request that comes twice is one | has effects all the same |
//! | effectively once | partition and offset | is fenced |
//! | transactional | nothing: it reads results, see [`reader`](super::reader) | writes no results |

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use sim_core::persist::PersistentMap;
use sim_core::{Context, NodeId, SyncId};

use super::super::config::{Config, Guarantee};
use super::super::durable::{EFFECTS, Record};
use super::super::facts::Fact;
use super::super::metrics::Counter;
use super::super::mutants::Mutant;
use super::super::types::PartitionId;
use super::super::{FaultPoint, Message, Node, Point};
use super::Generation;
use super::message::{Answer, Effect, GroupMessage};
use super::reader::Reader;
use crate::group_commit::GroupCommit;

/// What waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum Act {
    /// An effect is there, at this place in the log.
    Have(u64, Effect),
    /// A consumer is told that an effect is there.
    Tell(NodeId, Effect),
}

/// The store. See the [module documentation](self).
#[derive(Clone, Serialize)]
pub struct Store {
    node: NodeId,
    #[serde(skip)]
    config: Arc<Config>,
    /// What it has had.
    inbox: PersistentMap<(PartitionId, u64, u64), ()>,
    /// The last generation that it has heard of each partition.
    fences: BTreeMap<PartitionId, Generation>,
    effect_count: u64,
    /// With transactions: how far it has read results.
    reader: Reader,
    commit: GroupCommit<Act>,
}

impl Store {
    pub(in super::super) fn boot(config: Arc<Config>, node: NodeId) -> Self {
        Self {
            node,
            reader: Reader::new(&config),
            config,
            inbox: PersistentMap::new(),
            fences: BTreeMap::new(),
            effect_count: 0,
            commit: GroupCommit::new(EFFECTS),
        }
    }

    /// How many effects it has had.
    pub const fn effect_count(&self) -> u64 {
        self.effect_count
    }

    /// The last generation that it has heard of each partition.
    pub const fn fences(&self) -> &BTreeMap<PartitionId, Generation> {
        &self.fences
    }

    pub(super) const fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// How far it has read results.
    pub const fn reader(&self) -> &Reader {
        &self.reader
    }

    pub(super) const fn reader_mut(&mut self) -> &mut Reader {
        &mut self.reader
    }

    /// Reads all effects again.
    pub(in super::super) fn on_start(&mut self, context: &mut Context<'_, Node>) {
        for index in context.disk().log_bounds(EFFECTS) {
            let effect = match context.disk().read_entry(EFFECTS, index) {
                Ok(Some(Record::Effect(effect))) => *effect,
                Ok(Some(Record::Result { partition, offset, effect })) => {
                    self.reader.pass(*partition, *offset);
                    *effect
                }
                Ok(
                    Some(Record::Image(_) | Record::Entry(_) | Record::Beginning { .. } | Record::Raft(_))
                    | None,
                )
                | Err(_) => break,
            };
            self.have(effect);
            if !self.config.has(Mutant::InboxForgotten) {
                self.inbox.insert(self.key(effect), ());
            }
            context.fact(Fact::Effected { index, effect });
        }
        self.start_reading(context);
    }

    pub(in super::super) fn on_message(
        &mut self,
        context: &mut Context<'_, Node>,
        from: NodeId,
        message: GroupMessage,
    ) {
        match message {
            GroupMessage::Apply(effect) => self.on_apply(context, from, effect),
            GroupMessage::Answer { answer: Answer::Results { partition, offset, found }, .. } => {
                self.on_results(context, from, partition, offset, &found);
            }
            GroupMessage::Answer { answer: Answer::Elsewhere { partition, leader }, .. } => {
                self.on_elsewhere(context, partition, leader);
            }
            GroupMessage::Request { .. }
            | GroupMessage::Answer { .. }
            | GroupMessage::Applied(_)
            | GroupMessage::Fenced(_) => {
                panic!("{}, a store, cannot get {message:?} from {from}", self.node)
            }
        }
    }

    fn on_apply(&mut self, context: &mut Context<'_, Node>, from: NodeId, effect: Effect) {
        if self.inbox.contains_key(&self.key(effect)) {
            context.sometimes(Point::EffectRepeated as usize);
            context.count(Counter::EffectsRepeated as usize, 1);
            return self.after_durable(context, Act::Tell(from, effect));
        }
        let fence = self.fences.get(&effect.partition);
        let is_fenced = self.config.guarantee == Guarantee::EffectivelyOnce;
        if is_fenced && fence.is_some_and(|fence| *fence > effect.generation) {
            context.sometimes(Point::EffectFenced as usize);
            context.count(Counter::EffectsFenced as usize, 1);
            return context.send(from, Message::Group(GroupMessage::Fenced(effect)));
        }
        if self.write(context, Record::Effect(effect), effect) {
            self.after_durable(context, Act::Tell(from, effect));
        }
    }

    /// Writes an effect down. Whether the disk had room for it.
    pub(super) fn write(&mut self, context: &mut Context<'_, Node>, record: Record, effect: Effect) -> bool {
        let Ok(index) = self.commit.append(context, record) else {
            context.note(|| format!("the disk is full, and {effect:?} is left out"));
            return false;
        };
        context.fault_point(FaultPoint::Effect as usize);
        if self.has_had(effect) {
            context.count(Counter::EffectsDuplicated as usize, 1);
        }
        self.have(effect);
        self.inbox.insert(self.key(effect), ());
        self.after_durable(context, Act::Have(index, effect));
        true
    }

    /// By what a repetition is known.
    fn key(&self, effect: Effect) -> (PartitionId, u64, u64) {
        let Effect { partition, offset, attempt, .. } = effect;
        match self.config.guarantee {
            Guarantee::AtMostOnce | Guarantee::AtLeastOnce | Guarantee::Transactional => {
                (partition, offset, attempt)
            }
            Guarantee::EffectivelyOnce => (partition, offset, 0),
        }
    }

    /// Whether the record has had an effect, by whatever attempt.
    fn has_had(&self, effect: Effect) -> bool {
        let first = self.inbox.iter_from((effect.partition, effect.offset, 0)).next();
        first.is_some_and(|((partition, offset, _), ())| {
            (*partition, *offset) == (effect.partition, effect.offset)
        })
    }

    fn have(&mut self, effect: Effect) {
        self.effect_count += 1;
        let fence = self.fences.entry(effect.partition).or_default();
        *fence = effect.generation.max(*fence);
    }

    fn after_durable(&mut self, context: &mut Context<'_, Node>, act: Act) {
        if let Some(act) = self.commit.after_durable(context, act) {
            perform(context, act);
        }
    }

    pub(in super::super) fn on_durable(&mut self, context: &mut Context<'_, Node>, sync: SyncId) {
        self.commit.on_durable(context, sync);
        while let Some(act) = self.commit.next_ready() {
            perform(context, act);
        }
    }
}

fn perform(context: &mut Context<'_, Node>, act: Act) {
    match act {
        Act::Have(index, effect) => {
            context.count(Counter::Effects as usize, 1);
            context.fact(Fact::Effected { index, effect });
        }
        Act::Tell(to, effect) => context.send(to, Message::Group(GroupMessage::Applied(effect))),
    }
}
