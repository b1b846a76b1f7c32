//! How a member with a partition writes transactions: results of what it handles, and how far it has come.
//!
//! ```text
//!  asks ── Begun ──> handles ── from time to time, or to give up ──> closes ── all is written ──> keeps ── Written ──> ends
//!                       ▲                                                                                                │
//!                       ╰───────────────────────────────── Ended: in the next epoch ─────────────────────────────────────╯
//! ```
//!
//! A transaction begins with the first result, when the coordinator knows of the partition that it goes to, and of that of
//! offsets. To end it no worker takes anything new: it commits exactly the records from where it began on. Where one has failed
//! and others after it are done, it is tried again first. Where records were gone before they were handled there may be no
//! result: then the transaction **opens** with the partition of offsets alone. Whoever is told that its epoch is over is no
//! member any more, loses what it has, and joins anew.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use sim_core::{Context, LocalTime, NodeId};

use super::super::config::Config;
use super::super::mutants::Mutant;
use super::super::producers::WINDOW;
use super::super::transaction::{End, ProducerEpoch, Stamp, TransactionalId, Written};
use super::super::types::PartitionId;
use super::super::{Node, Timer};
use super::consumer::Consumer;
use super::message::{Effect, Request};
use super::share::Share;
use super::workers::{Task, in_hand};

/// How many results are on their way at a time (Kafka: 5 batches).
const UNWRITTEN_MAX: usize = 50;

/// How far a member is with the transaction of a partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Producing {
    /// Its epoch; none before it has begun.
    epoch: Option<ProducerEpoch>,
    phase: Phase,
    /// The partitions of the transaction, as far as it knows that the coordinator does.
    added: BTreeSet<PartitionId>,
    /// Results that no leader has said to be written, by their sequence numbers, and when they were last sent.
    unwritten: BTreeMap<u64, (Effect, LocalTime)>,
    /// The sequence numbers of what is in hand or not written, and how many were settled before each was taken.
    unsettled: BTreeMap<u64, u64>,
    /// How many sequence numbers are settled: written, or given up.
    settled: u64,
    /// When it last asked to begin, or for the end.
    asked_at: LocalTime,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum Phase {
    /// Workers handle records.
    Handles,
    /// It asks for a transaction without results.
    Opens,
    /// What is in hand is to be done first, and all results written.
    Closes,
    /// It writes down how far it has come.
    Keeps {
        /// Which write that is.
        sequence: u64,
        /// Everything below is done.
        offset: u64,
    },
    /// It wants to commit.
    Ends {
        /// Everything below is kept then.
        offset: u64,
    },
}

impl Producing {
    pub(super) fn new(now: LocalTime) -> Self {
        let (added, unwritten) = (BTreeSet::new(), BTreeMap::new());
        let (unsettled, settled) = (BTreeMap::new(), 0);
        Self { epoch: None, phase: Phase::Handles, added, unwritten, unsettled, settled, asked_at: now }
    }

    /// Its epoch; none before it has begun.
    pub const fn epoch(&self) -> Option<ProducerEpoch> {
        self.epoch
    }

    /// Whether a worker may take the record at this offset, where `highest` is the last one that is done before others: while the
    /// transaction ends only one that has failed.
    pub(super) fn may_take(&self, offset: u64, highest: Option<&u64>) -> bool {
        let is_of_it = match self.phase {
            Phase::Handles => true,
            Phase::Closes => highest.is_some_and(|highest| offset < *highest),
            Phase::Opens | Phase::Keeps { .. } | Phase::Ends { .. } => false,
        };
        is_of_it && self.unwritten.len() < UNWRITTEN_MAX && self.beside_oldest() < WINDOW
    }

    /// How many results may have been written since the oldest one was taken that is in hand or not written. As long as a leader
    /// remembers as many, it takes that one.
    fn beside_oldest(&self) -> usize {
        let settled = self.unsettled.values().next().map_or(0, |before| self.settled - before);
        usize::try_from(settled).map_or(usize::MAX, |settled| settled + self.unsettled.len())
    }

    /// A worker takes a record, whose result has this sequence number.
    pub(super) fn take(&mut self, sequence: u64) {
        self.unsettled.insert(sequence, self.settled);
    }

    /// The result with this sequence number is written, or there is none.
    pub(super) fn settle(&mut self, sequence: u64) {
        self.settled += u64::from(self.unsettled.remove(&sequence).is_some());
    }

    /// The partition whose leader it asks to begin, or for the end.
    fn asks(&self, config: &Config) -> Option<PartitionId> {
        match self.phase {
            Phase::Handles if self.epoch.is_none() => config.transactions_partition(),
            Phase::Handles | Phase::Closes => None,
            Phase::Keeps { .. } => Some(config.offsets_partition()),
            Phase::Opens | Phase::Ends { .. } => config.transactions_partition(),
        }
    }

    /// In a word.
    pub const fn word(&self) -> &'static str {
        match (self.epoch, self.phase) {
            (None, _) => "begins",
            (Some(_), Phase::Handles) => "handles",
            (Some(_), Phase::Opens) => "opens",
            (Some(_), Phase::Closes) => "closes",
            (Some(_), Phase::Keeps { .. }) => "keeps",
            (Some(_), Phase::Ends { .. }) => "ends",
        }
    }
}

/// The partition whose leader is asked because of a result: where it goes, once the coordinator of transactions knows that.
fn target(config: &Config, added: &BTreeSet<PartitionId>, effect: &Effect) -> Option<PartitionId> {
    let partition = config.results_partition_for(effect.value);
    if added.contains(&partition) { Some(partition) } else { config.transactions_partition() }
}

impl Consumer {
    /// What it has of a transactional id, in this epoch.
    fn producing(&mut self, id: TransactionalId, epoch: ProducerEpoch) -> Option<&mut Producing> {
        let producing = self.shares.get_mut(&id.partition())?.producing.as_deref_mut()?;
        (producing.epoch == Some(epoch)).then_some(producing)
    }

    /// Asks the leader of a partition, as far as it knows who that is.
    fn ask_leader(&mut self, context: &mut Context<'_, Node>, partition: PartitionId, request: Request) {
        let first = self.config.replicas(partition).next().unwrap_or(self.coordinator);
        let leader = *self.leaders.entry(partition).or_insert(first);
        self.ask(context, leader, request);
    }

    fn ask_transactions(&mut self, context: &mut Context<'_, Node>, request: Request) {
        if let Some(partition) = self.config.transactions_partition() {
            self.ask_leader(context, partition, request);
        }
    }

    /// Somebody else leads a partition: what it asks for there it asks for again, soon.
    pub(super) fn on_moved(&mut self, context: &mut Context<'_, Node>, partition: PartitionId) {
        if !self.config.is_transactional() {
            return;
        }
        self.moved.insert(partition);
        let config = Arc::clone(&self.config);
        for (id, share) in &mut self.shares {
            let Some(producing) = share.producing.as_deref_mut() else { continue };
            if producing.asks(&config) == Some(partition) {
                producing.asked_at = LocalTime::ZERO;
            }
            let added = &producing.added;
            for (effect, sent_at) in producing.unwritten.values_mut() {
                if target(&config, added, effect) == Some(partition) {
                    *sent_at = LocalTime::ZERO;
                }
            }
            context.set_timer(Timer::Share(*id), config.poll_interval);
        }
    }

    /// Whom it asked in vain may not lead any more: the next one is asked, if it has not been told who leads.
    fn try_next(&mut self, partition: PartitionId) {
        if self.moved.remove(&partition) {
            return;
        }
        let next = |leader: &NodeId| self.config.broker(leader.raw());
        if let Some(leader) = self.leaders.get(&partition).map(next) {
            self.leaders.insert(partition, leader);
        }
    }

    // ----- the beginning -----

    /// It has got a partition: first it fences whoever had it, then it asks how far that one has come.
    pub(super) fn begin_producing(&mut self, context: &mut Context<'_, Node>, id: PartitionId) {
        let Some(share) = self.shares.get(&id) else { return };
        let (tenure, now) = (share.tenure, context.now());
        let Some(producing) = share.producing.as_deref() else { return };
        context.set_timer(Timer::Share(id), self.config.call_timeout);
        if producing.epoch.is_some() {
            self.ask_coordinator(context, Request::Ask { partition: id });
            return;
        }
        if now.since(producing.asked_at) >= self.config.call_timeout {
            self.config.transactions_partition().into_iter().for_each(|partition| self.try_next(partition));
        }
        if let Some(producing) = self.shares.get_mut(&id).and_then(|share| share.producing.as_deref_mut()) {
            producing.asked_at = now;
        }
        self.ask_transactions(context, Request::Begin { id: TransactionalId::of(id), tenure });
    }

    pub(super) fn on_begun(
        &mut self,
        context: &mut Context<'_, Node>,
        number: u64,
        id: TransactionalId,
        epoch: ProducerEpoch,
    ) {
        let share = self.shares.get_mut(&id.partition()).filter(|share| share.has_asked(number));
        let Some(producing) = share.and_then(|share| share.producing.as_deref_mut()) else { return };
        if producing.epoch.is_none() {
            producing.epoch = Some(epoch);
            self.on_share(context, id.partition());
        }
    }

    // ----- results -----

    /// A worker has a result, and goes on: that it is written is waited for before the transaction ends.
    pub(super) fn produce(&mut self, context: &mut Context<'_, Node>, index: u32, task: Task) {
        let (partition, now) = (task.effect.partition, context.now());
        let share = self.shares.get_mut(&partition).filter(|share| share.tenure == task.tenure);
        if let Some(producing) = share.and_then(|share| share.producing.as_deref_mut()) {
            producing.unwritten.insert(task.effect.attempt, (task.effect, now));
            self.send_result(context, task.effect);
            return self.finish(context, index, task);
        }
        // It has lost the partition, and the transaction with it.
        self.be_idle(context, index);
    }

    /// Sends a result to the leader of its partition. The coordinator has to know first where it goes.
    fn send_result(&mut self, context: &mut Context<'_, Node>, effect: Effect) {
        let id = TransactionalId::of(effect.partition);
        let partition = self.config.results_partition_for(effect.value);
        let producing = self.shares.get(&effect.partition).and_then(|share| share.producing.as_deref());
        let Some((producing, epoch)) = producing.and_then(|one| Some((one, one.epoch?))) else { return };
        if producing.added.contains(&partition) {
            let written = Arc::new(Written::Result { epoch, effect });
            return self.ask_leader(context, partition, Request::Produce { partition, written });
        }
        let partitions = [partition, self.config.offsets_partition()].into();
        self.ask_transactions(context, Request::AddPartitions { id, epoch, partitions });
    }

    /// Sends results again that were not written in time: whom it asked may not lead any more.
    fn send_results_again(&mut self, context: &mut Context<'_, Node>, id: PartitionId) {
        let (now, config, patience) = (context.now(), Arc::clone(&self.config), self.config.call_timeout);
        let Some(producing) = self.shares.get_mut(&id).and_then(|share| share.producing.as_deref_mut())
        else {
            return;
        };
        let (mut late, mut asked) = (Vec::new(), BTreeSet::new());
        for (effect, sent_at) in producing.unwritten.values_mut() {
            if now.since(*sent_at) >= patience {
                *sent_at = now;
                late.push(*effect);
                asked.extend(target(&config, &producing.added, effect));
            }
        }
        for partition in asked {
            self.try_next(partition);
        }
        if self.config.has(Mutant::RetryRenumbered) {
            self.renumber(id, &mut late);
        }
        for effect in late {
            self.send_result(context, effect);
        }
    }

    /// Gives results that are sent again new sequence numbers, by which no leader knows them.
    fn renumber(&mut self, id: PartitionId, late: &mut [Effect]) {
        let Some(producing) = self.shares.get_mut(&id).and_then(|share| share.producing.as_deref_mut())
        else {
            return;
        };
        for effect in late {
            let Some((mut unwritten, sent_at)) = producing.unwritten.remove(&effect.attempt) else {
                continue;
            };
            self.calls += 1;
            producing.settle(unwritten.attempt);
            unwritten.attempt = self.life.wrapping_add(self.calls);
            producing.take(unwritten.attempt);
            *effect = unwritten;
            producing.unwritten.insert(effect.attempt, (unwritten, sent_at));
        }
    }

    pub(super) fn on_added(
        &mut self,
        context: &mut Context<'_, Node>,
        id: TransactionalId,
        epoch: ProducerEpoch,
        partitions: &[PartitionId],
    ) {
        let config = Arc::clone(&self.config);
        let Some(producing) = self.producing(id, epoch) else { return };
        let is_new = |effect: &Effect| {
            let partition = config.results_partition_for(effect.value);
            partitions.contains(&partition) && !producing.added.contains(&partition)
        };
        let waiting: Vec<Effect> =
            producing.unwritten.values().map(|(effect, _)| *effect).filter(is_new).collect();
        producing.added.extend(partitions.iter().copied());
        if producing.phase == Phase::Opens {
            producing.phase = Phase::Closes;
        }
        for effect in waiting {
            self.send_result(context, effect);
        }
        self.maybe_keep_in_transaction(context, id.partition());
    }

    /// A result is written, or how far it has come.
    pub(super) fn on_written(
        &mut self,
        context: &mut Context<'_, Node>,
        id: TransactionalId,
        epoch: ProducerEpoch,
        sequence: u64,
    ) {
        let Some(producing) = self.producing(id, epoch) else { return };
        if let Phase::Keeps { sequence: mine, offset } = producing.phase
            && mine == sequence
        {
            producing.phase = Phase::Ends { offset };
            return self.ask_for_the_end(context, id.partition());
        }
        if producing.unwritten.remove(&sequence).is_some() {
            producing.settle(sequence);
            self.maybe_keep_in_transaction(context, id.partition());
            self.start_all(context);
        }
    }

    // ----- the end -----

    /// The transaction is to end, once nothing is in hand and all is written.
    pub(super) fn end_transaction(&mut self, context: &mut Context<'_, Node>, id: PartitionId) {
        let Some(share) = self.shares.get_mut(&id) else { return };
        let has_come_on = share.done > share.kept;
        let Some(producing) = share.producing.as_deref_mut() else { return };
        let is_begun = !producing.added.is_empty() || !producing.unwritten.is_empty();
        if producing.phase == Phase::Handles && is_begun {
            producing.phase = Phase::Closes;
            return self.maybe_keep_in_transaction(context, id);
        }
        if producing.phase == Phase::Handles && has_come_on {
            producing.phase = Phase::Opens;
            return self.ask_for_the_end(context, id);
        }
        self.ask_again(context, id);
    }

    /// Writes down how far it has come, if that is to be done, nothing is in hand, and all is written.
    pub(super) fn maybe_keep_in_transaction(&mut self, context: &mut Context<'_, Node>, id: PartitionId) {
        let Some(share) = self.shares.get_mut(&id).filter(|share| share.can_keep()) else { return };
        let (tenure, offset) = (share.tenure, share.done);
        let is_ready = |one: &&mut Producing| one.phase == Phase::Closes && one.unwritten.is_empty();
        let Some(producing) = share.producing.as_deref_mut().filter(is_ready) else { return };
        if in_hand(&self.workers, id, tenure).next().is_some() {
            return;
        }
        self.calls += 1;
        let sequence = self.life.wrapping_add(self.calls);
        producing.phase = Phase::Keeps { sequence, offset };
        self.ask_for_the_end(context, id);
    }

    /// Sends and asks again what was not answered in time.
    pub(super) fn ask_again(&mut self, context: &mut Context<'_, Node>, id: PartitionId) {
        self.send_results_again(context, id);
        let Some(producing) = self.shares.get(&id).and_then(|share| share.producing.as_deref()) else {
            return;
        };
        if context.now().since(producing.asked_at) < self.config.call_timeout {
            return;
        }
        let Some(asked) = producing.asks(&self.config) else { return };
        self.try_next(asked);
        self.ask_for_the_end(context, id);
    }

    fn ask_for_the_end(&mut self, context: &mut Context<'_, Node>, partition: PartitionId) {
        let (id, now) = (TransactionalId::of(partition), context.now());
        let share = self.shares.get_mut(&partition);
        let Some(producing) = share.and_then(|share| share.producing.as_deref_mut()) else { return };
        let Some(epoch) = producing.epoch else { return };
        producing.asked_at = now;
        match producing.phase {
            Phase::Handles | Phase::Closes => {}
            Phase::Opens => {
                let partitions = [self.config.offsets_partition()].into();
                self.ask_transactions(context, Request::AddPartitions { id, epoch, partitions });
            }
            Phase::Keeps { sequence, offset } => {
                let written = Arc::new(Written::Offset { by: Stamp { id, epoch, sequence }, offset });
                let partition = self.config.offsets_partition();
                self.ask_leader(context, partition, Request::Produce { partition, written });
            }
            Phase::Ends { .. } => {
                self.ask_transactions(context, Request::End { id, epoch, end: End::Commit });
            }
        }
    }

    /// The transaction is committed: what it did is kept, and the next one may begin.
    pub(super) fn on_ended(
        &mut self,
        context: &mut Context<'_, Node>,
        id: TransactionalId,
        epoch: ProducerEpoch,
        next: ProducerEpoch,
    ) {
        let Some(producing) = self.producing(id, epoch) else { return };
        let Phase::Ends { offset } = producing.phase else { return };
        (producing.epoch, producing.phase) = (Some(next), Phase::Handles);
        producing.added.clear();
        if let Some(share) = self.shares.get_mut(&id.partition()) {
            share.kept = offset;
        }
        self.maybe_drop(context, id.partition());
        self.start_all(context);
    }

    /// Somebody else has the partition, or the coordinator has ended the transaction: it is no member any more.
    pub(super) fn on_superseded(
        &mut self,
        context: &mut Context<'_, Node>,
        id: TransactionalId,
        epoch: ProducerEpoch,
    ) {
        if self.producing(id, epoch).is_some() {
            self.lose_all(context);
            self.join(context);
        }
    }

    /// It has a partition no more: its transaction is to be aborted. If nobody hears that, whoever gets the partition sees to it.
    pub(super) fn abandon(&mut self, context: &mut Context<'_, Node>, partition: PartitionId, share: &Share) {
        let Some(producing) = share.producing.as_deref() else { return };
        let is_committing = matches!(producing.phase, Phase::Ends { .. });
        let is_begun = !producing.added.is_empty() || producing.phase == Phase::Opens;
        if let Some(epoch) = producing.epoch.filter(|_| is_begun && !is_committing) {
            let id = TransactionalId::of(partition);
            self.ask_transactions(context, Request::End { id, epoch, end: End::Abort });
        }
    }
}
