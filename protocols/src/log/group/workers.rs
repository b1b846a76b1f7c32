//! The workers of a consumer: each handles one record at a time, and sees to it that it has its effect.

use serde::Serialize;
use sim_core::{Context, LocalTime};

use super::super::config::Guarantee;
use super::super::types::PartitionId;
use super::super::{Message, Node, Timer};
use super::consumer::Consumer;
use super::message::{Effect, GroupMessage};
use super::share::Share;

/// A record that is being handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(in super::super) struct Task {
    pub(in super::super) effect: Effect,
    /// Since when it had the partition: another tenure does not count it.
    pub(super) tenure: u64,
    pub(super) since: LocalTime,
}

/// What a worker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(in super::super) enum Worker {
    /// Nothing.
    Idle,
    /// It handles a record.
    Handles(Task),
    /// It waits for the store.
    Applies(Task),
}

impl Worker {
    /// In a word.
    pub(in super::super) const fn word(self) -> &'static str {
        match self {
            Self::Idle => "nothing",
            Self::Handles(_) => "handles",
            Self::Applies(_) => "applies",
        }
    }

    pub(in super::super) const fn task(self) -> Option<Task> {
        match self {
            Self::Handles(task) | Self::Applies(task) => Some(task),
            Self::Idle => None,
        }
    }
}

/// The records of a partition that workers have in hand since this tenure of it began.
pub(super) fn in_hand(workers: &[Worker], id: PartitionId, tenure: u64) -> impl Iterator<Item = u64> {
    let tasks = workers.iter().filter_map(|worker| worker.task());
    let is_of = move |task: &Task| task.effect.partition == id && task.tenure == tenure;
    tasks.filter(is_of).map(|task| task.effect.offset)
}

impl Consumer {
    /// Idle workers take what waits, of each partition in turn.
    pub(super) fn start_all(&mut self, context: &mut Context<'_, Node>) {
        for index in 0..self.config.workers {
            if self.workers[index as usize] == Worker::Idle {
                let Some(task) = self.next_task(context.now()) else { return };
                self.busy_since = self.busy_since.or(Some(task.since));
                self.workers[index as usize] = Worker::Handles(task);
                let service = self.config.service.sample(context.random().next_u64());
                context.set_timer(Timer::Worker(index), service);
            }
        }
    }

    /// The oldest record of the partition that has had least of it.
    fn next_task(&mut self, now: LocalTime) -> Option<Task> {
        let generation = self.generation?;
        let ready = self.shares.iter_mut().filter(|(_, share)| share.has_work());
        let (id, share) = ready.max_by_key(|(_, share)| share.backlog.len())?;
        let (offset, value) = share.backlog.pop_front()?;
        self.calls += 1;
        let attempt = self.life.wrapping_add(self.calls);
        if let Some(producing) = share.producing.as_deref_mut() {
            producing.take(attempt);
        }
        let effect = Effect { partition: *id, offset, value, generation, attempt };
        Some(Task { effect, tenure: share.tenure, since: now })
    }

    /// A worker's time is up: for its service, or its call.
    pub(in super::super) fn on_worker(&mut self, context: &mut Context<'_, Node>, index: u32) {
        match self.workers[index as usize] {
            Worker::Idle => unreachable!("worker {index} of {} waits for nothing", self.node),
            // At most once it asks once: it does not know whether the store has heard it.
            Worker::Applies(task) if self.config.guarantee == Guarantee::AtMostOnce => {
                self.finish(context, index, task);
            }
            Worker::Handles(task) if self.fails(context) => self.on_failed(context, index, task),
            Worker::Handles(task) if self.config.is_transactional() => self.produce(context, index, task),
            Worker::Handles(task) | Worker::Applies(task) => self.apply(context, index, task),
        }
    }

    /// Asks the store; again, if it does not answer.
    fn apply(&mut self, context: &mut Context<'_, Node>, index: u32, task: Task) {
        self.workers[index as usize] = Worker::Applies(task);
        context.set_timer(Timer::Worker(index), self.config.call_timeout);
        context.send(self.config.store(), Message::Group(GroupMessage::Apply(task.effect)));
    }

    fn worker_of(&self, effect: Effect) -> Option<(u32, Task)> {
        let mut all = (0..).zip(&self.workers);
        all.find_map(|(index, worker)| match worker {
            Worker::Applies(task) if task.effect == effect => Some((index, *task)),
            Worker::Applies(_) | Worker::Handles(_) | Worker::Idle => None,
        })
    }

    pub(super) fn on_applied(&mut self, context: &mut Context<'_, Node>, effect: Effect) {
        if let Some((index, task)) = self.worker_of(effect) {
            self.finish(context, index, task);
        }
    }

    /// A record is handled.
    pub(super) fn finish(&mut self, context: &mut Context<'_, Node>, index: u32, task: Task) {
        let id = task.effect.partition;
        if let Some(share) = self.shares.get_mut(&id).filter(|share| share.tenure == task.tenure) {
            share.finish(task.effect.offset);
        }
        self.be_idle(context, index);
        self.maybe_keep_in_transaction(context, id);
        self.maybe_drop(context, id);
    }

    /// Another worker was faster, and had an effect in a later generation, in which the partition is still its own: it asks
    /// again in that. Else somebody else has the partition, of which the next heartbeat will tell.
    pub(super) fn on_fenced(&mut self, context: &mut Context<'_, Node>, effect: Effect) {
        let Some((index, task)) = self.worker_of(effect) else { return };
        let is_same = |share: &Share| share.tenure == task.tenure;
        if let Some(generation) = self.generation.filter(|generation| *generation > effect.generation)
            && self.shares.get(&effect.partition).is_some_and(is_same)
        {
            let effect = Effect { generation, ..effect };
            return self.apply(context, index, Task { effect, ..task });
        }
        self.be_idle(context, index);
        self.maybe_drop(context, effect.partition);
        self.on_beat(context);
    }

    pub(super) fn be_idle(&mut self, context: &mut Context<'_, Node>, index: u32) {
        self.workers[index as usize] = Worker::Idle;
        context.cancel_timer(Timer::Worker(index));
        self.start_all(context);
        if self.workers.iter().all(|worker| *worker == Worker::Idle) {
            self.busy_since = None;
        }
    }
}
