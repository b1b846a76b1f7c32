//! A consumer: it takes messages from the broker, handles them, and has their effects at the store.
//!
//! ```text
//!  broker ── Deliver ──► backlog ──► a worker:  handles it for its service time
//!         ◄─ Credit ──── (bounded)               ── Apply ──► store ── Applied ──► ── Acknowledge ──► broker
//! ```
//!
//! | guarantee | a worker |
//! | --- | --- |
//! | at most once | acknowledges, waits for `Settled`, handles the message, has its effect |
//! | at least once, effectively once | handles the message, has its effect, acknowledges |
//!
//! Handling fails by chance, and always for poison: then the message is returned. Backpressure is the credit that a
//! consumer gives: what it holds beyond its time counts against it, and a consumer that is stalled pauses.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use serde::Serialize;
use sim_core::service::Value;
use sim_core::{Context, LocalTime, NodeId};

use super::command::{MessageId, Receipt, Session};
use super::config::{Config, Guarantee, Shedding};
use super::facts::{Effect, Fact};
use super::message::Message;
use super::metrics::Counter;
use super::mutants::Mutant;
use super::{Node, Point, Timer};
use crate::contact::Contact;

/// A message that it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Job {
    pub(super) receipt: Receipt,
    pub(super) origin: MessageId,
    pub(super) value: Value,
    /// Until when it may be handled, by its own clock: not before the broker thinks so.
    pub(super) until: LocalTime,
}

impl Job {
    const fn effect(self) -> Effect {
        Effect { receipt: self.receipt, origin: self.origin, value: self.value }
    }
}

/// What a worker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Worker {
    /// Nothing.
    Idle,
    /// It has acknowledged, and waits for the broker to say so.
    Claims(Job),
    /// It handles a message.
    Handles(Job),
    /// It waits for the store.
    Applies(Job),
    /// It pauses.
    Stalls,
}

impl Worker {
    /// What it has in hand.
    pub(super) const fn job(self) -> Option<Job> {
        match self {
            Self::Claims(job) | Self::Handles(job) | Self::Applies(job) => Some(job),
            Self::Idle | Self::Stalls => None,
        }
    }
}

/// A consumer. See the [module documentation](self).
#[derive(Clone, Serialize)]
pub struct Consumer {
    node: NodeId,
    #[serde(skip)]
    config: Arc<Config>,
    session: Session,
    contact: Contact,
    /// How often it has told its credit.
    credit_number: u64,
    backlog: VecDeque<Job>,
    workers: Vec<Worker>,
    /// The deliveries that are with it, in backlog or with a worker: one that arrives twice is known.
    taken: BTreeSet<Receipt>,
    /// How many messages it has handled since its last pause.
    handled_count: u32,
}

impl Consumer {
    /// A consumer that holds nothing.
    pub(super) fn boot(config: Arc<Config>, node: NodeId) -> Self {
        let workers = vec![Worker::Idle; config.workers as usize];
        let session = Session(0);
        let (backlog, taken) = (VecDeque::new(), BTreeSet::new());
        Self {
            node,
            config,
            session,
            contact: Contact::new(),
            credit_number: 0,
            backlog,
            workers,
            taken,
            handled_count: 0,
        }
    }

    pub(super) const fn backlog(&self) -> &VecDeque<Job> {
        &self.backlog
    }

    pub(super) fn workers(&self) -> &[Worker] {
        &self.workers
    }

    /// All that it holds.
    fn jobs(&self) -> impl Iterator<Item = Job> + '_ {
        self.workers.iter().filter_map(|worker| worker.job()).chain(self.backlog.iter().copied())
    }

    /// How many messages it holds that it has not acknowledged.
    pub fn held_count(&self) -> u32 {
        let count = match self.config.guarantee {
            Guarantee::AtMostOnce => self.backlog.len(),
            Guarantee::AtLeastOnce | Guarantee::EffectivelyOnce => self.taken.len(),
        };
        u32::try_from(count).expect("fewer than there are numbers")
    }

    // ----- inputs -----

    pub(super) fn on_start(&mut self, context: &mut Context<'_, Node>) {
        self.session = Session(context.random().next_u64());
        self.on_credit(context);
        self.await_heartbeat(context);
    }

    fn await_heartbeat(&self, context: &mut Context<'_, Node>) {
        if let Some(heartbeat) = self.config.heartbeat {
            context.set_timer(Timer::Heartbeat, heartbeat);
        }
    }

    /// It says again how much it takes; to the next broker, if this one is silent.
    pub(super) fn on_credit(&mut self, context: &mut Context<'_, Node>) {
        let broker = self.contact.ask(self.config.brokers);
        self.credit_number += 1;
        let (session, number, window) = (self.session, self.credit_number, self.window(context.now()));
        context.send(broker, Message::Credit { session, number, window });
        context.set_timer(Timer::Credit, self.config.credit_interval);
    }

    /// A broker says who is in office.
    fn on_leader(&mut self, context: &mut Context<'_, Node>, leader: Option<NodeId>) {
        if self.contact.on_leader(leader) {
            context.sometimes(Point::BrokerChanged as usize);
            self.on_credit(context);
        }
    }

    /// What it holds beyond its time the broker does not count any more, so it counts that itself.
    fn window(&self, now: LocalTime) -> u32 {
        if self.config.has(Mutant::UnboundedPrefetch) {
            return u32::MAX;
        }
        let late = self.jobs().filter(|job| job.until <= now).count();
        self.config.prefetch.saturating_sub(u32::try_from(late).expect("fewer than there are numbers"))
    }

    /// It asks for more time for all that it holds.
    pub(super) fn on_heartbeat(&mut self, context: &mut Context<'_, Node>) {
        for job in self.jobs() {
            context.send(self.contact.server(), Message::Extend(job.receipt));
        }
        self.await_heartbeat(context);
    }

    pub(super) fn on_message(&mut self, context: &mut Context<'_, Node>, from: NodeId, message: &Message) {
        self.contact.hear(from);
        match *message {
            Message::Leader(leader) => self.on_leader(context, leader),
            Message::Deliver { session, receipt, origin, value } if session == self.session => {
                self.on_deliver(context, receipt, origin, value);
            }
            // To an earlier life: the message comes back by itself.
            Message::Deliver { .. } => context.sometimes(Point::LateDelivery as usize),
            Message::Settled(receipt) => self.on_settled(context, receipt),
            Message::Void(receipt) => self.on_void(context, receipt),
            Message::Extended(receipt) => self.on_extended(context, receipt),
            Message::Applied(receipt) => self.on_applied(context, receipt),
            Message::Fenced(receipt) => self.drop_job(context, receipt),
            Message::Credit { .. }
            | Message::Acknowledge(_)
            | Message::Return(_)
            | Message::Extend(_)
            | Message::Apply(_)
            | Message::Publish { .. }
            | Message::Published { .. }
            | Message::NoRoom { .. }
            | Message::Room
            | Message::Raft(_) => panic!("{}, a consumer, was sent {message:?} by {from}", self.node),
        }
    }

    fn on_deliver(
        &mut self,
        context: &mut Context<'_, Node>,
        receipt: Receipt,
        origin: MessageId,
        value: Value,
    ) {
        if self.taken.contains(&receipt) {
            return;
        }
        if self.held_count() >= self.config.prefetch && !self.config.has(Mutant::UnboundedPrefetch) {
            context.sometimes(Point::BacklogFull as usize);
            return context.count(Counter::DeliveriesShed as usize, 1);
        }
        let until = context.now() + self.config.rules.visibility;
        self.taken.insert(receipt);
        self.backlog.push_back(Job { receipt, origin, value, until });
        context.fact(Fact::Took { receipt, held: self.held_count() });
        self.start_all(context);
    }

    /// The broker has acknowledged, or taken back: only a claim waits for it.
    fn on_settled(&mut self, context: &mut Context<'_, Node>, receipt: Receipt) {
        if let Some((index, Worker::Claims(job))) = self.worker_of(receipt) {
            self.handle(context, index, job);
        }
    }

    /// A claim has come too late, or was heard before; what is handled already goes on.
    fn on_void(&mut self, context: &mut Context<'_, Node>, receipt: Receipt) {
        if let Some((_, Worker::Claims(_))) = self.worker_of(receipt) {
            self.drop_job(context, receipt);
        }
    }

    fn on_extended(&mut self, context: &mut Context<'_, Node>, receipt: Receipt) {
        let until = context.now() + self.config.rules.visibility;
        let in_hand = self.workers.iter_mut().filter_map(|worker| match worker {
            Worker::Claims(job) | Worker::Handles(job) | Worker::Applies(job) => Some(job),
            Worker::Idle | Worker::Stalls => None,
        });
        let held = in_hand.chain(self.backlog.iter_mut()).find(|job| job.receipt == receipt);
        if let Some(job) = held {
            job.until = until;
        }
    }

    fn on_applied(&mut self, context: &mut Context<'_, Node>, receipt: Receipt) {
        if let Some((index, Worker::Applies(_))) = self.worker_of(receipt) {
            if self.config.guarantee != Guarantee::AtMostOnce {
                context.send(self.contact.server(), Message::Acknowledge(receipt));
            }
            self.finish(context, index);
        }
    }

    /// Another delivery has come after this one.
    fn drop_job(&mut self, context: &mut Context<'_, Node>, receipt: Receipt) {
        if let Some((index, Worker::Claims(_) | Worker::Applies(_))) = self.worker_of(receipt) {
            self.finish(context, index);
        }
    }

    /// A worker's time is up: for its service, its call or its pause.
    pub(super) fn on_worker(&mut self, context: &mut Context<'_, Node>, index: u32) {
        match self.workers[index as usize] {
            Worker::Idle => unreachable!("worker {index} of {} waits for nothing", self.node),
            Worker::Stalls => self.be_idle(context, index),
            Worker::Claims(job) => {
                context.send(self.contact.server(), Message::Acknowledge(job.receipt));
                context.set_timer(Timer::Worker(index), self.config.call_timeout);
            }
            Worker::Handles(job) => self.on_handled(context, index, job),
            Worker::Applies(job) if self.is_late(context.now(), job) => {
                context.count(Counter::DeliveriesShed as usize, 1);
                self.finish(context, index);
            }
            Worker::Applies(job) => self.apply(context, index, job),
        }
    }

    // ----- workers -----

    fn worker_of(&self, receipt: Receipt) -> Option<(u32, Worker)> {
        let mut all = (0..).zip(self.workers.iter().copied());
        all.find(|(_, worker)| worker.job().is_some_and(|job| job.receipt == receipt))
    }

    /// Whether a job is left out because its time is over: after an acknowledgement it has all the time there is.
    fn is_late(&self, now: LocalTime, job: Job) -> bool {
        self.config.shedding == Shedding::Late
            && self.config.guarantee != Guarantee::AtMostOnce
            && job.until <= now
    }

    /// Idle workers take what waits.
    fn start_all(&mut self, context: &mut Context<'_, Node>) {
        for index in 0..self.config.workers {
            if self.workers[index as usize] == Worker::Idle {
                let Some(job) = self.next_job(context) else { return };
                self.start(context, index, job);
            }
        }
    }

    /// The next job that is not too late.
    fn next_job(&mut self, context: &mut Context<'_, Node>) -> Option<Job> {
        let now = context.now();
        while let Some(job) = self.backlog.pop_front() {
            if self.config.shedding == Shedding::Nothing || job.until > now {
                return Some(job);
            }
            self.taken.remove(&job.receipt);
            context.sometimes(Point::Shed as usize);
            context.count(Counter::DeliveriesShed as usize, 1);
        }
        None
    }

    fn start(&mut self, context: &mut Context<'_, Node>, index: u32, job: Job) {
        let claims = self.config.guarantee == Guarantee::AtMostOnce;
        if claims || self.config.has(Mutant::AckBeforeProcess) {
            context.send(self.contact.server(), Message::Acknowledge(job.receipt));
        }
        if claims && !self.config.has(Mutant::ProcessBeforeClaim) {
            self.workers[index as usize] = Worker::Claims(job);
            context.set_timer(Timer::Worker(index), self.config.call_timeout);
        } else {
            self.handle(context, index, job);
        }
    }

    fn handle(&mut self, context: &mut Context<'_, Node>, index: u32, job: Job) {
        self.workers[index as usize] = Worker::Handles(job);
        let service = self.config.service.sample(context.random().next_u64());
        context.set_timer(Timer::Worker(index), service);
    }

    fn on_handled(&mut self, context: &mut Context<'_, Node>, index: u32, job: Job) {
        let has_failed = context.random().chance(self.config.failure);
        if has_failed || self.config.is_poison(job.value) {
            context.sometimes(Point::Failed as usize);
            context.send(self.contact.server(), Message::Return(job.receipt));
            return self.finish(context, index);
        }
        self.apply(context, index, job);
    }

    /// Asks the store; again, if it does not answer.
    fn apply(&mut self, context: &mut Context<'_, Node>, index: u32, job: Job) {
        self.workers[index as usize] = Worker::Applies(job);
        context.set_timer(Timer::Worker(index), self.config.call_timeout);
        context.send(self.config.store(), Message::Apply(job.effect()));
    }

    /// A worker is done with its message, well or not.
    fn finish(&mut self, context: &mut Context<'_, Node>, index: u32) {
        self.handled_count += 1;
        if let Some(job) = self.workers[index as usize].job() {
            self.taken.remove(&job.receipt);
        }
        if let Some(stall) = self.config.stall.filter(|stall| self.handled_count >= stall.every) {
            context.sometimes(Point::Stalled as usize);
            self.handled_count = 0;
            self.workers[index as usize] = Worker::Stalls;
            return context.set_timer(Timer::Worker(index), stall.lasts);
        }
        context.cancel_timer(Timer::Worker(index));
        self.be_idle(context, index);
    }

    fn be_idle(&mut self, context: &mut Context<'_, Node>, index: u32) {
        self.workers[index as usize] = Worker::Idle;
        self.start_all(context);
    }
}
