//! A consumer: a member of the group that reads its partitions, handles records, has their effects, and keeps how far it has come.
//!
//! ```text
//!  0 ──────── kept ──────── done ─────────────── position
//!  │ nobody     │ handled,    │ in the backlog,   │ read next
//!  │ reads it   │ not kept    │ or in hand        │
//! ```
//!
//! | guarantee | keeps an offset | and starts where |
//! | --- | --- | --- |
//! | at most once | before it handles what is below | it was kept |
//! | at least once | from time to time, below all that is done | it was kept |
//! | effectively once | the same, and the store knows what it has had | it was kept |
//! | transactional | in a transaction with the results, see [`producing`](super::producing) | it was kept |
//!
//! What it was handling when it lost a partition it finishes: nobody can take back what a thread is doing. That is the zombie
//! against which the store is fenced.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use sim_core::{Context, LocalTime, NodeId, Span};

use super::super::config::{Config, GroupProtocol, Guarantee, Membership};
use super::super::metrics::Counter;
use super::super::mutants::Mutant;
use super::super::types::PartitionId;
use super::super::{Message, Node, Point, Timer};
use super::message::{Answer, GroupMessage, Request};
use super::producing::Producing;
use super::share::{Share, Stage};
use super::workers::{Task, Worker, in_hand};
use super::{Generation, Partitions};

/// A consumer. See the [module documentation](self).
#[derive(Clone, Serialize)]
pub struct Consumer {
    pub(super) node: NodeId,
    #[serde(skip)]
    pub(super) config: Arc<Config>,
    pub(super) life: u64,
    /// How often it has asked anything.
    pub(super) calls: u64,
    /// Whom it thinks to coordinate.
    pub(super) coordinator: NodeId,
    /// When the coordinator answered last.
    heard: LocalTime,
    /// The generation that it is a member of; `None`: it wants to join.
    pub(super) generation: Option<Generation>,
    /// Its last request to join, while it waits for an answer.
    joins: Option<u64>,
    /// After how long it asks again to be a member.
    join_wait: Span,
    /// The last request that was answered with what it has.
    told: u64,
    /// Whether it has to join again, as soon as it has given up what it must.
    must_rejoin: bool,
    pub(super) shares: BTreeMap<PartitionId, Share>,
    /// Who leads partitions, as far as it knows.
    pub(super) leaders: BTreeMap<PartitionId, NodeId>,
    /// With transactions: of which partitions it was told so since it last asked.
    pub(super) moved: BTreeSet<PartitionId>,
    /// Whether it has given something up since it said what it has.
    gave_up: bool,
    /// When it keeps next how far it has come.
    keeps_at: LocalTime,
    pub(super) workers: Vec<Worker>,
    /// Since when some worker has had something in hand all the time.
    pub(super) busy_since: Option<LocalTime>,
}

impl Consumer {
    pub(in super::super) fn boot(config: Arc<Config>, node: NodeId) -> Self {
        let workers = vec![Worker::Idle; config.workers as usize];
        let (coordinator, join_wait) = (config.broker(node.raw()), config.call_timeout);
        Self {
            node,
            config,
            life: 0,
            calls: 0,
            coordinator,
            heard: LocalTime::ZERO,
            generation: None,
            joins: None,
            join_wait,
            told: 0,
            must_rejoin: false,
            shares: BTreeMap::new(),
            leaders: BTreeMap::new(),
            moved: BTreeSet::new(),
            gave_up: false,
            keeps_at: LocalTime::ZERO,
            workers,
            busy_since: None,
        }
    }

    /// The partitions that it has.
    pub const fn shares(&self) -> &BTreeMap<PartitionId, Share> {
        &self.shares
    }

    /// Which generation it is a member of.
    pub const fn generation(&self) -> Option<Generation> {
        self.generation
    }

    pub(in super::super) fn workers(&self) -> &[Worker] {
        &self.workers
    }

    fn owned(&self) -> Partitions {
        self.shares.keys().copied().collect()
    }

    // ----- a life -----

    pub(in super::super) fn on_start(&mut self, context: &mut Context<'_, Node>) {
        self.life = context.random().next_u64();
        self.heard = context.now();
        self.keeps_at = context.now() + self.config.commit_interval;
        context.set_timer(Timer::Keep, self.config.commit_interval);
        self.on_beat(context);
    }

    /// It tells the coordinator that it lives, or joins. One that does not answer for a session may be somebody else by now.
    pub(in super::super) fn on_beat(&mut self, context: &mut Context<'_, Node>) {
        let interval = self.next_wait();
        context.set_timer(Timer::Beat, interval);
        if context.now().since(self.heard) > self.config.group_session {
            self.heard = context.now();
            self.coordinator = self.config.broker(self.coordinator.raw());
        }
        if self.is_stuck(context.now()) {
            return self.leave(context);
        }
        match self.generation {
            Some(_) if self.must_rejoin => self.maybe_rejoin(context),
            Some(generation) => {
                let owned = self.owned();
                self.ask_coordinator(context, Request::Beat { generation, owned });
            }
            None => self.join(context),
        }
    }

    /// How long it waits this time. Only the answer to its last request to join counts, and the way of that may be longer than
    /// that of a call: so each time it waits twice as long (KIP-580).
    fn next_wait(&mut self) -> Span {
        let (call, beat) = (self.config.call_timeout, self.config.group_heartbeat);
        if self.generation.is_some() {
            return beat;
        }
        if self.joins.is_some() {
            self.join_wait = self.join_wait.times(2).min(beat.max(call));
        }
        self.join_wait
    }

    /// Whether it has had a record in hand for so long that it must not go on as a member (Kafka: `max.poll.interval.ms`).
    fn is_stuck(&self, now: LocalTime) -> bool {
        let is_long = |task: Task| now.since(task.since) > self.config.poll_interval_max;
        if self.config.has(Mutant::BacklogCountsAsOne) {
            let max = self.config.poll_interval_max;
            return self.generation.is_some() && self.busy_since.is_some_and(|since| now.since(since) > max);
        }
        self.generation.is_some() && self.workers.iter().filter_map(|worker| worker.task()).any(is_long)
    }

    /// It goes by itself. A static member says nothing, and is somebody new: within its session it gets what it had.
    fn leave(&mut self, context: &mut Context<'_, Node>) {
        context.sometimes(Point::LeftStuck as usize);
        context.count(Counter::GroupLeaves as usize, 1);
        match self.config.membership {
            Membership::Dynamic => _ = self.ask_coordinator(context, Request::Leave),
            Membership::Static => self.life = context.random().next_u64(),
        }
        self.lose_all(context);
    }

    /// It is no member, and has nothing; what is in hand goes on.
    pub(super) fn lose_all(&mut self, context: &mut Context<'_, Node>) {
        (self.generation, self.joins, self.must_rejoin) = (None, None, false);
        self.join_wait = self.config.call_timeout;
        context.set_timer(Timer::Beat, self.config.call_timeout);
        for (id, share) in std::mem::take(&mut self.shares) {
            self.abandon(context, id, &share);
            context.cancel_timer(Timer::Share(id));
        }
    }

    /// It asks to be a member. One that is stuck waits until it is not.
    pub(super) fn join(&mut self, context: &mut Context<'_, Node>) {
        if self
            .workers
            .iter()
            .all(|worker| worker.task().is_none_or(|task| self.shares.contains_key(&task.effect.partition)))
        {
            let owned = self.owned();
            let number = self.ask_coordinator(context, Request::Join { owned });
            // By that it has said what it has.
            (self.joins, self.gave_up) = (Some(number), false);
        }
    }

    pub(super) fn ask_coordinator(&mut self, context: &mut Context<'_, Node>, request: Request) -> u64 {
        self.ask(context, self.coordinator, request)
    }

    pub(super) fn ask(&mut self, context: &mut Context<'_, Node>, to: NodeId, request: Request) -> u64 {
        self.calls += 1;
        let (life, number) = (self.life, self.calls);
        context.send(to, Message::Group(GroupMessage::Request { life, number, request }));
        number
    }

    // ----- answers -----

    pub(in super::super) fn on_message(
        &mut self,
        context: &mut Context<'_, Node>,
        from: NodeId,
        message: GroupMessage,
    ) {
        match message {
            GroupMessage::Answer { life, number, answer } => {
                if life == self.life {
                    self.on_answer(context, from, number, answer);
                }
            }
            GroupMessage::Applied(effect) => self.on_applied(context, effect),
            GroupMessage::Fenced(effect) => self.on_fenced(context, effect),
            GroupMessage::Request { .. } | GroupMessage::Apply(_) => {
                panic!("{}, a consumer, cannot get {message:?} from {from}", self.node)
            }
        }
    }

    fn on_answer(&mut self, context: &mut Context<'_, Node>, from: NodeId, number: u64, answer: Answer) {
        if from == self.coordinator {
            self.heard = context.now();
        }
        match answer {
            Answer::Elsewhere { partition, leader } => {
                self.on_elsewhere(from, partition, leader);
                self.on_read(partition);
                self.on_moved(context, partition);
            }
            Answer::Assigned { generation, partitions } => {
                self.on_assigned(context, number, generation, &partitions);
            }
            Answer::Fine => {}
            // What the coordinator, or the one before, said before it said what it has.
            Answer::Rejoin | Answer::Unknown if number < self.told => {}
            Answer::Rejoin => self.on_rejoin(context),
            Answer::Unknown => {
                self.lose_all(context);
                self.join(context);
            }
            Answer::Kept { partition, offset } => self.on_kept(context, partition, offset),
            Answer::NotKept { partition } => self.on_not_kept(context, partition),
            Answer::Offset { partition, offset } => self.on_offset(context, number, partition, offset),
            Answer::Records { partition, offset, values } => {
                self.on_leader(from, partition);
                self.on_records(context, partition, offset, values);
            }
            Answer::Gone { partition, offset, begin, end } => {
                self.on_leader(from, partition);
                self.on_gone(context, partition, offset, begin..end);
            }
            Answer::Begun { id, epoch } => self.on_begun(context, number, id, epoch),
            Answer::Added { id, epoch, partitions } => self.on_added(context, id, epoch, &partitions),
            Answer::Written { id, epoch, sequence } => self.on_written(context, id, epoch, sequence),
            Answer::Ended { id, epoch, next } => self.on_ended(context, id, epoch, next),
            Answer::Superseded { id, epoch } => self.on_superseded(context, id, epoch),
            Answer::Results { .. } => panic!("{}, a consumer, cannot get {answer:?} from {from}", self.node),
        }
    }

    /// Somebody else leads, the partition of offsets or another one.
    fn on_elsewhere(&mut self, from: NodeId, partition: PartitionId, leader: Option<NodeId>) {
        let next = leader.unwrap_or_else(|| self.config.broker(from.raw()));
        if partition == self.config.offsets_partition() && self.coordinator == from {
            (self.coordinator, self.join_wait) = (next, self.config.call_timeout);
        } else if let Some(known) = self.leaders.get_mut(&partition).filter(|known| **known == from) {
            *known = next;
        }
    }

    /// The coordinator says what it has. What it has and is not to have it gives up. Only the newest word counts.
    fn on_assigned(
        &mut self,
        context: &mut Context<'_, Node>,
        number: u64,
        generation: Generation,
        partitions: &[PartitionId],
    ) {
        // An older request to join did not say what it has got since: whoever answers it may give that to others.
        let is_asked = match self.config.group {
            GroupProtocol::Eager | GroupProtocol::Cooperative => self.joins == Some(number),
            GroupProtocol::ServerSide => self.generation.is_some() || self.joins == Some(number),
        };
        if !is_asked || number <= self.told {
            return;
        }
        self.told = number;
        (self.generation, self.joins, self.must_rejoin) = (Some(generation), None, false);
        self.give_up(context, |id| !partitions.contains(&id));
        for id in partitions {
            if !self.shares.contains_key(id) {
                self.begin(context, *id);
            }
        }
        self.after_giving_up(context);
    }

    /// Somebody has come or gone. By the eager protocol everything is given up first.
    fn on_rejoin(&mut self, context: &mut Context<'_, Node>) {
        if self.generation.is_none() || self.must_rejoin {
            return;
        }
        self.must_rejoin = true;
        if self.config.group == GroupProtocol::Eager {
            self.give_up(context, |_| true);
        }
        self.maybe_rejoin(context);
    }

    /// Joins again, by the eager protocol once it has nothing any more.
    fn maybe_rejoin(&mut self, context: &mut Context<'_, Node>) {
        if self.config.group != GroupProtocol::Eager || self.shares.is_empty() {
            self.join(context);
        }
    }

    // ----- partitions -----

    /// It has a partition, and asks how far anybody has come.
    fn begin(&mut self, context: &mut Context<'_, Node>, id: PartitionId) {
        self.calls += 1;
        let producing = self.config.is_transactional().then(|| Box::new(Producing::new(context.now())));
        let share = Share::new(self.calls, producing);
        self.shares.insert(id, share);
        self.on_share(context, id);
    }

    /// It reads no more of these partitions, and gives each up when what is in hand of it is done. At most once that is all that
    /// was claimed: nobody else handles it.
    fn give_up(&mut self, context: &mut Context<'_, Node>, which: impl Fn(PartitionId) -> bool) {
        let is_claimed = self.config.guarantee == Guarantee::AtMostOnce;
        for (_, share) in self.shares.iter_mut().filter(|(id, _)| which(**id)) {
            share.gives_up = true;
            if !is_claimed {
                share.backlog.clear();
            }
        }
        for id in self.owned().iter() {
            self.maybe_drop(context, *id);
        }
    }

    /// Gives up a partition of which nothing is in hand any more, once what is done is kept.
    pub(super) fn maybe_drop(&mut self, context: &mut Context<'_, Node>, id: PartitionId) {
        let Some(share) = self.shares.get(&id).filter(|share| share.gives_up) else { return };
        let (tenure, is_claiming) = (share.tenure, matches!(share.stage, Stage::Claims(_)));
        let is_in_hand = in_hand(&self.workers, id, tenure).next().is_some();
        if is_claiming || is_in_hand || !share.backlog.is_empty() {
            return;
        }
        if self.generation.is_some() && self.handled(share) > share.kept && share.can_keep() {
            self.keep(context, id);
            return context.set_timer(Timer::Share(id), self.config.poll_interval);
        }
        self.drop_share(context, id);
    }

    fn drop_share(&mut self, context: &mut Context<'_, Node>, id: PartitionId) {
        if let Some(share) = self.shares.remove(&id) {
            self.abandon(context, id, &share);
        }
        self.gave_up = true;
        context.cancel_timer(Timer::Share(id));
        self.after_giving_up(context);
    }

    /// Something was given up: the others want to know.
    fn after_giving_up(&mut self, context: &mut Context<'_, Node>) {
        if self.shares.values().any(|share| share.gives_up) {
            return;
        }
        match (self.config.group, self.generation) {
            (GroupProtocol::Eager, _) if self.must_rejoin && self.shares.is_empty() => self.join(context),
            (GroupProtocol::Cooperative, Some(_)) if self.gave_up => {
                // Until it is answered: the request may be lost, or have to wait for a worker.
                self.must_rejoin = true;
                self.join(context);
            }
            (GroupProtocol::ServerSide, Some(generation)) if self.gave_up => {
                self.gave_up = false;
                let owned = self.owned();
                self.ask_coordinator(context, Request::Beat { generation, owned });
            }
            (GroupProtocol::Eager | GroupProtocol::Cooperative | GroupProtocol::ServerSide, _) => {}
        }
    }

    /// Asks for the offset, for records, or again what was not answered.
    pub(in super::super) fn on_share(&mut self, context: &mut Context<'_, Node>, id: PartitionId) {
        let Some(share) = self.shares.get_mut(&id) else { return };
        share.end_pause(context.now());
        let (offset, is_full) = (share.position, share.is_full(&self.config));
        match share.stage {
            Stage::Asks | Stage::Works if share.gives_up => return self.maybe_drop(context, id),
            Stage::Asks if share.producing.is_some() => return self.begin_producing(context, id),
            Stage::Asks => {
                self.ask_coordinator(context, Request::Ask { partition: id });
            }
            Stage::Works if share.is_paused() => return self.wait_out_pause(context, id),
            Stage::Works if !is_full => self.read(context, id, offset),
            Stage::Claims(_) => return self.claim(context, id),
            // Backpressure: what is read waits for workers first.
            Stage::Works => context.sometimes(Point::ReadingPaused as usize),
        }
        self.ask_again(context, id);
        context.set_timer(Timer::Share(id), self.config.poll_interval);
    }

    fn on_offset(&mut self, context: &mut Context<'_, Node>, number: u64, id: PartitionId, offset: u64) {
        let Some(share) = self.shares.get_mut(&id).filter(|share| share.has_asked(number)) else { return };
        (share.position, share.done, share.kept) = (offset, offset, offset);
        share.stage = Stage::Works;
        self.on_share(context, id);
    }

    // ----- offsets -----

    /// From time to time it keeps how far it has come; sooner, where that was asked and not answered: the coordinator may be
    /// somebody else by now.
    pub(in super::super) fn on_keep(&mut self, context: &mut Context<'_, Node>) {
        let now = context.now();
        let is_time = now >= self.keeps_at;
        if is_time {
            self.keeps_at = now + self.config.commit_interval;
        }
        let mut wait = self.keeps_at.since(now);
        for id in self.owned().iter() {
            if is_time || self.shares.get(id).is_some_and(Share::is_keeping) {
                self.keep(context, *id);
            }
            if self.shares.get(id).is_some_and(Share::is_keeping) {
                wait = wait.min(self.config.call_timeout);
            }
        }
        context.set_timer(Timer::Keep, wait);
    }

    /// Below where everything counts as handled.
    fn handled(&self, share: &Share) -> u64 {
        if self.config.guarantee == Guarantee::AtMostOnce || self.config.has(Mutant::CommitPosition) {
            share.position
        } else if self.config.has(Mutant::CommitHighestDone) {
            share.done_above.last().map_or(share.done, |highest| highest + 1)
        } else {
            share.done
        }
    }

    pub(super) fn keep(&mut self, context: &mut Context<'_, Node>, id: PartitionId) {
        if self.config.is_transactional() {
            return self.end_transaction(context, id);
        }
        let Some((share, generation)) = self.shares.get(&id).zip(self.generation) else { return };
        let offset = self.handled(share);
        if offset > share.kept {
            self.ask_coordinator(context, Request::Keep { generation, partition: id, offset });
            if let Some(share) = self.shares.get_mut(&id) {
                share.keeps = offset;
            }
        }
    }

    /// At most once: what was read is kept as handled before it is.
    pub(super) fn claim(&mut self, context: &mut Context<'_, Node>, id: PartitionId) {
        let Some((share, generation)) = self.shares.get(&id).zip(self.generation) else { return };
        if let Stage::Claims(values) = &share.stage {
            let offset = share.position + values.len() as u64;
            self.ask_coordinator(context, Request::Keep { generation, partition: id, offset });
            context.set_timer(Timer::Share(id), self.config.call_timeout);
        }
    }

    fn on_kept(&mut self, context: &mut Context<'_, Node>, id: PartitionId, offset: u64) {
        let Some(share) = self.shares.get_mut(&id) else { return };
        share.kept = share.kept.max(offset);
        if let Stage::Claims(values) = &share.stage
            && offset == share.position + values.len() as u64
        {
            let values = Arc::clone(values);
            share.take(context, id, &values, &self.workers);
            share.stage = Stage::Works;
            self.start_all(context);
            return self.on_share(context, id);
        }
        self.maybe_drop(context, id);
    }

    /// Somebody else has the partition, or the generation is over: the next heartbeat will tell.
    fn on_not_kept(&mut self, context: &mut Context<'_, Node>, id: PartitionId) {
        if let Some(share) = self.shares.get_mut(&id) {
            share.keeps = share.kept;
            if let Stage::Claims(_) = share.stage {
                share.stage = Stage::Works;
            }
        }
        match self.shares.get(&id) {
            // What it has claimed before nobody else handles.
            Some(share) if share.gives_up && self.config.guarantee == Guarantee::AtMostOnce => {
                self.maybe_drop(context, id);
            }
            Some(share) if share.gives_up => self.drop_share(context, id),
            Some(_) | None => self.on_beat(context),
        }
    }
}
