//! The broker: the queue behind a log, with the timers, answers and credit that the state machine knows nothing of.
//!
//! Every command goes the same way: into the log, through the queue, and what came of it is said once the log keeps it:
//! to producers (their confirm), to consumers (their deliveries), to clients. So whoever goes on from the log knows of
//! everything that anybody else can know of. What the log is, a [`Journal`] knows: a disk ([`super::standalone`]) or
//! Raft ([`super::replicated`]).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::mem;
use std::sync::Arc;

use serde::Serialize;
use sim_core::service::{Outcome, Refusal, Value, queue};
use sim_core::{Context, LocalTime, NodeId, OpId};

use super::answers::refuse;
use super::command::{Command, Event, Events, Holder, Receipt, Session};
use super::config::{Config, Overflow};
use super::durable::DISK_RETRY;
use super::facts::Fact;
use super::message::Message;
use super::metrics::{Gauge, Latency};
use super::mutants::Mutant;
use super::state::Queue;
use super::{Node, Point, Timer};

/// Who waits for what comes of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Asker {
    /// A client.
    Client(OpId),
    /// A consumer.
    Consumer(NodeId),
    /// A producer, for a row of its outbox.
    Producer(NodeId, u64),
    /// Nobody but those whom the events concern.
    Nobody,
}

/// What came of a command that the log may not keep yet.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Result {
    /// Where in the log: the how-manieth command it is.
    pub(super) index: u64,
    /// When, by the log's time.
    pub(super) at: LocalTime,
    pub(super) asker: Asker,
    pub(super) events: Events,
}

/// Where the commands go.
pub(super) trait Journal {
    /// Adds a command after the last. Returns whether it was taken: else nothing changes.
    fn append(&mut self, context: &mut Context<'_, Node>, at: LocalTime, command: Command) -> bool;

    /// Begins to keep what was added, after which the queue is this.
    fn keep(&mut self, context: &mut Context<'_, Node>, queue: &Queue);
}

/// The time by which commands are performed: it goes on where that of the log has come to, as the broker's clock does.
/// A broker that goes on with another's log knows nothing of how long nobody wrote to it: no time passed for messages.
#[derive(Clone, Copy, Debug, Serialize)]
struct LogTime {
    /// The log's time when the broker's clock was at `since`.
    base: LocalTime,
    since: LocalTime,
}

impl LogTime {
    /// The broker's clock itself.
    const OWN: Self = Self { base: LocalTime::ZERO, since: LocalTime::ZERO };

    fn at(self, now: LocalTime) -> LocalTime {
        self.base + now.since(self.since)
    }
}

/// What a consumer takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Window {
    pub(super) session: Session,
    pub(super) number: u64,
    /// How many messages it holds at most.
    pub(super) size: u32,
    /// When it said so.
    heard: LocalTime,
}

/// Who has not said for so many of its intervals what it takes is given nothing, until it is heard of again: what a consumer
/// that is down is given comes back as often as not, and is a dead letter that nobody has tried.
const SILENT_INTERVALS: u64 = 5;

/// The broker. See the [module documentation](self).
#[derive(Clone, Serialize)]
pub struct Broker {
    node: NodeId,
    #[serde(skip)]
    pub(super) config: Arc<Config>,
    queue: Queue,
    time: LogTime,
    /// How many commands the log has: the index of the next.
    end: u64,
    /// What waits for the log to keep it, in order.
    results: VecDeque<Result>,
    /// Producers that wait for room, in order.
    parked: VecDeque<(OpId, Value)>,
    /// Producers with an outbox that are to hear when there is room.
    turned_away: BTreeSet<NodeId>,
    windows: BTreeMap<NodeId, Window>,
    /// Consumers that may have credit, each once, in the order of their turns.
    hungry: VecDeque<NodeId>,
    /// Whether the log took no more when a message was to be delivered last.
    is_refused: bool,
    /// When the timer is due.
    armed: Option<LocalTime>,
}

impl Broker {
    /// A broker that remembers nothing yet.
    pub(super) fn boot(config: Arc<Config>, node: NodeId) -> Self {
        Self {
            node,
            queue: Queue::new(config.rules),
            config,
            time: LogTime::OWN,
            end: 0,
            results: VecDeque::new(),
            parked: VecDeque::new(),
            turned_away: BTreeSet::new(),
            windows: BTreeMap::new(),
            hungry: VecDeque::new(),
            is_refused: false,
            armed: None,
        }
    }

    /// Goes on from a log of its own, of `end` commands, after which the queue is this.
    pub(super) fn resume(&mut self, queue: Queue, end: u64) {
        (self.queue, self.end) = (queue, end);
    }

    /// Goes on from another's log: its time stood still until `now`.
    pub(super) fn take_over(&mut self, queue: Queue, end: u64, now: LocalTime) {
        self.time = LogTime { base: queue.now(), since: now };
        self.resume(queue, end);
    }

    /// The log's time when the broker's clock shows `now`; the queue's own stands still between two commands.
    pub(super) fn time_at(&self, now: LocalTime) -> LocalTime {
        self.time.at(now).max(self.queue.now())
    }

    /// The queue as it is once all that was added to the log is kept.
    pub const fn queue(&self) -> &Queue {
        &self.queue
    }

    /// How many commands made the queue what it is.
    pub const fn end(&self) -> u64 {
        self.end
    }

    /// A consumer that takes more while a message is ready, and the log would let it have it.
    pub fn neglected(&self) -> Option<NodeId> {
        let is_neglecting = self.queue.has_ready() && !self.is_refused;
        self.windows.keys().copied().find(|node| is_neglecting && self.credit(*node).is_some())
    }

    /// Somebody else is the broker: nothing comes due here, nothing is here to measure, and who waits for room here is sent on.
    /// Who waits for something that is in the log gets no answer, because the log may keep it.
    pub(super) fn retire(self, context: &mut Context<'_, Node>, leader: Option<NodeId>) {
        context.cancel_timer(Timer::Deadline);
        for gauge in [Gauge::QueueDepth, Gauge::MessagesInFlight, Gauge::DeadLetters] {
            context.gauge(gauge as usize, 0);
        }
        for (op, _) in self.parked {
            context.reply(op, Outcome::Redirect(leader));
        }
    }

    pub(super) const fn windows(&self) -> &BTreeMap<NodeId, Window> {
        &self.windows
    }

    pub(super) fn parked_count(&self) -> u64 {
        self.parked.len() as u64
    }

    // ----- inputs -----

    pub(super) fn on_request(
        &mut self,
        context: &mut Context<'_, Node>,
        journal: &mut impl Journal,
        op: OpId,
        operation: queue::Operation,
    ) {
        if let (queue::Operation::Enqueue(_), Some(producer)) =
            (operation, self.config.producer_of(op.client))
        {
            return context.reply(op, Outcome::Redirect(Some(producer)));
        }
        match operation {
            queue::Operation::Enqueue(value) => self.on_enqueue(context, journal, op, value),
            queue::Operation::Dequeue => self.record_for(context, journal, op, Command::Dequeue(op)),
            queue::Operation::Acknowledge { receipt } => {
                self.record_for(context, journal, op, Command::Acknowledge(Receipt::of_ticket(receipt)));
            }
            queue::Operation::Return { receipt } => {
                self.record_for(context, journal, op, Command::Return(Receipt::of_ticket(receipt)));
            }
            queue::Operation::Redrive => self.record_for(context, journal, op, Command::Redrive),
        }
        self.go_on(context, journal);
    }

    pub(super) fn on_message(
        &mut self,
        context: &mut Context<'_, Node>,
        journal: &mut impl Journal,
        from: NodeId,
        message: &Message,
    ) {
        match *message {
            Message::Credit { session, number, window } => {
                self.on_credit(from, Window { session, number, size: window, heard: context.now() });
            }
            Message::Publish { number, value } => self.on_publish(context, journal, from, number, value),
            Message::Acknowledge(receipt) => {
                self.record_of(context, journal, from, Command::Acknowledge(receipt));
            }
            Message::Return(receipt) => self.record_of(context, journal, from, Command::Return(receipt)),
            Message::Extend(receipt) => self.record_of(context, journal, from, Command::Extend(receipt)),
            Message::Deliver { .. }
            | Message::Settled(_)
            | Message::Extended(_)
            | Message::Void(_)
            | Message::Apply(_)
            | Message::Applied(_)
            | Message::Fenced(_)
            | Message::Leader(_)
            | Message::Published { .. }
            | Message::NoRoom { .. }
            | Message::Room
            | Message::Raft(_) => panic!("{}, a broker, was sent {message:?} by {from}", self.node),
        }
        self.go_on(context, journal);
    }

    pub(super) fn on_deadline(&mut self, context: &mut Context<'_, Node>, journal: &mut impl Journal) {
        self.armed = None;
        let (now, due) = (self.time.at(context.now()), self.queue.next_due());
        if due.is_some_and(|due| due <= now)
            && self.record(context, journal, Asker::Nobody, Command::Expire).is_none()
        {
            // It stays due, and is not to be armed again before that.
            self.armed = due;
            return context.set_timer(Timer::Deadline, DISK_RETRY);
        }
        self.go_on(context, journal);
    }

    /// The next result, if it is of a command before `end`.
    pub(super) fn next_result(&mut self, end: u64) -> Option<Result> {
        self.results.pop_front_if(|result| result.index < end)
    }

    // ----- producers and consumers -----

    fn on_enqueue(
        &mut self,
        context: &mut Context<'_, Node>,
        journal: &mut impl Journal,
        op: OpId,
        value: Value,
    ) {
        if !self.queue.is_full() || self.queue.is_known(value) {
            return self.record_for(context, journal, op, Command::Enqueue(value));
        }
        match self.config.rules.overflow {
            Overflow::Block => {
                context.sometimes(Point::Blocked as usize);
                if self.parked.iter().all(|(waiting, _)| *waiting != op) {
                    self.parked.push_back((op, value));
                }
            }
            Overflow::Reject => refuse(context, op),
            Overflow::DropHead | Overflow::DropTail => {
                self.record_for(context, journal, op, Command::Enqueue(value));
            }
        }
    }

    /// A row of a producer's outbox. Where the log takes no more it is as if it were lost.
    fn on_publish(
        &mut self,
        context: &mut Context<'_, Node>,
        journal: &mut impl Journal,
        from: NodeId,
        number: u64,
        value: Value,
    ) {
        let has_room = !self.queue.is_full() || self.queue.is_known(value);
        let may_wait = matches!(self.config.rules.overflow, Overflow::Block | Overflow::Reject);
        if !has_room && may_wait {
            self.turned_away.insert(from);
            return context.send(from, Message::NoRoom { number });
        }
        _ = self.record(context, journal, Asker::Producer(from, number), Command::Enqueue(value));
    }

    /// The latest word of a consumer's life counts; another life counts whenever it is heard of: of two that take turns
    /// the living one has the last word.
    fn on_credit(&mut self, node: NodeId, window: Window) {
        let before = self.windows.get(&node);
        if before.is_some_and(|known| known.session == window.session && known.number >= window.number) {
            return;
        }
        self.windows.insert(node, window);
        self.feed(node);
    }

    /// A consumer may have credit.
    fn feed(&mut self, node: NodeId) {
        if !self.hungry.contains(&node) && self.credit(node).is_some() {
            self.hungry.push_back(node);
        }
    }

    /// How many messages more a consumer takes, and in which of its lives; `None`: none.
    pub(super) fn credit(&self, node: NodeId) -> Option<(Holder, u32)> {
        let Window { session, size, .. } = *self.windows.get(&node)?;
        let holder = Holder::Consumer { node, session };
        let credit = size.saturating_sub(self.queue.held_by(holder));
        (credit > 0).then_some((holder, credit))
    }

    fn is_silent(&self, node: NodeId, now: LocalTime) -> bool {
        let most = self.config.credit_interval.times(SILENT_INTERVALS);
        self.windows.get(&node).is_some_and(|window| now.since(window.heard) > most)
    }

    // ----- the log -----

    /// A command of a client. It is refused where the log takes no more.
    fn record_for(
        &mut self,
        context: &mut Context<'_, Node>,
        journal: &mut impl Journal,
        op: OpId,
        command: Command,
    ) {
        if self.record(context, journal, Asker::Client(op), command).is_none() {
            context.reply(op, Outcome::Refused(Refusal::Unavailable));
        }
    }

    /// A command of a consumer. It is as if it were lost where the log takes no more.
    fn record_of(
        &mut self,
        context: &mut Context<'_, Node>,
        journal: &mut impl Journal,
        from: NodeId,
        command: Command,
    ) {
        if self.record(context, journal, Asker::Consumer(from), command).is_none() {
            context.note(|| format!("the log takes no more, and `{command}` of {from} is left out"));
        }
    }

    /// Adds a command to the log, performs it, and holds what came of it until the log keeps it. `None` if it takes no more:
    /// then nothing changes.
    fn record(
        &mut self,
        context: &mut Context<'_, Node>,
        journal: &mut impl Journal,
        asker: Asker,
        command: Command,
    ) -> Option<()> {
        let at = self.time.at(context.now()).max(self.queue.now());
        if !journal.append(context, at, command) {
            return None;
        }
        let events = self.queue.apply(at, command);
        for event in &events {
            self.time(context, event);
        }
        if self.config.has(Mutant::ConfirmBeforeSync)
            && let (Command::Enqueue(value), Asker::Client(op)) = (command, asker)
        {
            context.fact(Fact::Confirmed { value });
            context.reply(op, Outcome::Done);
        }
        self.results.push_back(Result { index: self.end, at, asker, events });
        self.end += 1;
        Some(())
    }

    /// What is measured where it happens, and who has credit again.
    fn time(&mut self, context: &mut Context<'_, Node>, event: &Event) {
        match *event {
            Event::Enqueued { message, .. } | Event::Redriven { message, .. } => {
                context.begin(Latency::Waiting as usize, message.0);
                context.begin(Latency::Sojourn as usize, message.0);
            }
            Event::Delivered { receipt, .. } => context.end(Latency::Waiting as usize, receipt.message.0),
            Event::Acknowledged { receipt, holder } => {
                context.end(Latency::Sojourn as usize, receipt.message.0);
                self.feed_holder(holder);
            }
            Event::Returned { holder, .. } => self.feed_holder(holder),
            Event::Duplicate { .. }
            | Event::Full
            | Event::Empty
            | Event::Void { .. }
            | Event::Extended { .. }
            | Event::DeadLettered { .. }
            | Event::Expired { .. }
            | Event::Dropped { .. } => {}
        }
    }

    fn feed_holder(&mut self, holder: Holder) {
        match holder {
            Holder::Consumer { node, .. } => self.feed(node),
            Holder::Client(_) => {}
        }
    }

    /// What follows by itself: messages go to who has credit, producers to where there is room, the log to where it is kept.
    pub(super) fn go_on(&mut self, context: &mut Context<'_, Node>, journal: &mut impl Journal) {
        self.serve(context, journal);
        while !self.queue.is_full()
            && let Some((op, value)) = self.parked.pop_front()
        {
            self.record_for(context, journal, op, Command::Enqueue(value));
            self.serve(context, journal);
        }
        if !self.queue.is_full() {
            for producer in mem::take(&mut self.turned_away) {
                context.send(producer, Message::Room);
            }
        }
        journal.keep(context, &self.queue);
        self.arm(context);
        let (waiting, held) = self.queue.depth();
        context.gauge(Gauge::QueueDepth as usize, waiting);
        context.gauge(Gauge::MessagesInFlight as usize, held);
        context.gauge(Gauge::DeadLetters as usize, self.queue.dead_letters().len());
    }

    /// Messages that are ready go to consumers that have credit.
    fn serve(&mut self, context: &mut Context<'_, Node>, journal: &mut impl Journal) {
        while self.queue.has_ready()
            && let Some(node) = self.hungry.pop_front()
        {
            if self.is_silent(node, context.now()) {
                self.windows.remove(&node);
            }
            let Some((holder, count)) = self.credit(node) else { continue };
            self.is_refused =
                self.record(context, journal, Asker::Nobody, Command::Receive { holder, count }).is_none();
            if self.is_refused {
                self.hungry.push_front(node);
                break;
            }
            if !self.config.has(Mutant::CreditForgotten) {
                self.feed(node);
            }
        }
    }

    fn arm(&mut self, context: &mut Context<'_, Node>) {
        let due = self.queue.next_due();
        if due == self.armed {
            return;
        }
        self.armed = due;
        match due {
            Some(due) => context.set_timer(Timer::Deadline, due.since(self.time.at(context.now()))),
            None => context.cancel_timer(Timer::Deadline),
        }
    }
}
