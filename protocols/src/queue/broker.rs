//! The broker: the queue on a disk, with the timers, answers and credit that the state machine knows nothing of.
//!
//! Every command goes the same way: into the log, through the queue, and what came of it is said once the log is on disk:
//! to producers (their confirm), to consumers (their deliveries), to clients. So a restart knows of everything that
//! anybody else can know of. Commands that come while a sync is under way are covered together by the next one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::Serialize;
use sim_core::service::{Outcome, Refusal, Value, queue};
use sim_core::{Context, LocalTime, NodeId, OpId, SyncId};

use super::command::{Cause, Command, Event, Events, Holder, Receipt, Session};
use super::config::{Config, Overflow};
use super::durable::{DISK_RETRY, LOG, Record, SNAPSHOT, Snapshot};
use super::facts::Fact;
use super::message::Message;
use super::metrics::{Counter, Gauge, Latency};
use super::mutants::Mutant;
use super::state::Queue;
use super::{FaultPoint, Node, Point, Timer};
use crate::replicated::Outbox;

/// Who waits for what comes of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum Asker {
    /// A client.
    Client(OpId),
    /// A consumer.
    Consumer(NodeId),
    /// Nobody but those whom the events concern.
    Nobody,
}

/// What came of a command whose log entry may not be on disk yet.
#[derive(Clone, Debug, Serialize)]
struct Result {
    index: u64,
    at: LocalTime,
    asker: Asker,
    events: Events,
}

/// What a consumer takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Window {
    pub(super) session: Session,
    pub(super) number: u64,
    /// How many messages it holds at most.
    pub(super) size: u32,
}

/// The broker. See the [module documentation](self).
#[derive(Clone, Serialize)]
pub struct Broker {
    node: NodeId,
    #[serde(skip)]
    config: Arc<Config>,
    queue: Queue,
    /// What waits for the disk, and of a flush under way the snapshot that may be written after it.
    outbox: Outbox<Result, Option<Arc<Snapshot>>>,
    /// Whether the log has entries that no flush covers.
    is_dirty: bool,
    /// Up to where the log is in the snapshot on disk, and up to where in one that is being written.
    snapshot_upto: u64,
    snapshot_sync: Option<(SyncId, u64)>,
    /// Producers that wait for room, in order.
    parked: VecDeque<(OpId, Value)>,
    windows: BTreeMap<NodeId, Window>,
    /// Consumers that may have credit, each once, in the order of their turns.
    hungry: VecDeque<NodeId>,
    /// Whether the disk took no more when a message was to be delivered last.
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
            outbox: Outbox::default(),
            is_dirty: false,
            snapshot_upto: 0,
            snapshot_sync: None,
            parked: VecDeque::new(),
            windows: BTreeMap::new(),
            hungry: VecDeque::new(),
            is_refused: false,
            armed: None,
        }
    }

    /// The queue as it is once all that was written is on disk.
    pub const fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Whether nothing waits for the disk.
    pub fn is_settled(&self) -> bool {
        self.outbox.is_empty() && !self.is_dirty
    }

    /// A consumer that takes more while a message is ready, and the disk would let it have it.
    pub fn neglected(&self) -> Option<NodeId> {
        let is_neglecting = self.queue.has_ready() && !self.is_refused;
        self.windows.keys().copied().find(|node| is_neglecting && self.credit(*node).is_some())
    }

    pub(super) const fn windows(&self) -> &BTreeMap<NodeId, Window> {
        &self.windows
    }

    pub(super) fn parked_count(&self) -> u64 {
        self.parked.len() as u64
    }

    // ----- inputs -----

    /// Performs the commands of the log again, from the snapshot on.
    pub(super) fn on_start(&mut self, context: &mut Context<'_, Node>) {
        if let Ok(Some(Record::Snapshot(snapshot))) = context.disk().read_cell(SNAPSHOT) {
            let snapshot = Arc::clone(snapshot);
            self.snapshot_upto = snapshot.upto;
            self.queue = snapshot.queue.clone();
        }
        let end = context.disk().log_bounds(LOG).end;
        for index in self.snapshot_upto..end {
            let Ok(Some(Record::Command { at, command })) = context.disk().read_entry(LOG, index) else {
                break;
            };
            let (at, command) = (*at, *command);
            let events = self.queue.apply(at, command);
            context.fact(Fact::Recorded { index, at, events });
        }
        if self.config.has(Mutant::CountVolatile) {
            self.queue.forget_counts();
        }
        if self.config.has(Mutant::DedupInMemory) {
            self.queue.forget_known();
        }
        context.fact(Fact::Recovered);
        self.go_on(context);
    }

    pub(super) fn on_request(
        &mut self,
        context: &mut Context<'_, Node>,
        op: OpId,
        operation: queue::Operation,
    ) {
        match operation {
            queue::Operation::Enqueue(value) => self.on_enqueue(context, op, value),
            queue::Operation::Dequeue => self.record_for(context, op, Command::Dequeue(op)),
            queue::Operation::Acknowledge { receipt } => {
                self.record_for(context, op, Command::Acknowledge(Receipt::of_ticket(receipt)));
            }
            queue::Operation::Return { receipt } => {
                self.record_for(context, op, Command::Return(Receipt::of_ticket(receipt)));
            }
            queue::Operation::Redrive => self.record_for(context, op, Command::Redrive),
        }
        self.go_on(context);
    }

    pub(super) fn on_message(&mut self, context: &mut Context<'_, Node>, from: NodeId, message: Message) {
        match message {
            Message::Credit { session, number, window } => {
                self.on_credit(from, Window { session, number, size: window });
            }
            Message::Acknowledge(receipt) => self.record_of(context, from, Command::Acknowledge(receipt)),
            Message::Return(receipt) => self.record_of(context, from, Command::Return(receipt)),
            Message::Extend(receipt) => self.record_of(context, from, Command::Extend(receipt)),
            Message::Deliver { .. }
            | Message::Settled(_)
            | Message::Extended(_)
            | Message::Void(_)
            | Message::Apply(_)
            | Message::Applied(_)
            | Message::Fenced(_) => panic!("{}, a broker, was sent {message:?} by {from}", self.node),
        }
        self.go_on(context);
    }

    pub(super) fn on_deadline(&mut self, context: &mut Context<'_, Node>) {
        self.armed = None;
        let now = context.now();
        if self.queue.next_due().is_some_and(|due| due <= now)
            && self.record(context, Asker::Nobody, Command::Expire).is_none()
        {
            return context.set_timer(Timer::Deadline, DISK_RETRY);
        }
        self.go_on(context);
    }

    pub(super) fn on_durable(&mut self, context: &mut Context<'_, Node>, sync: SyncId) {
        if let Some((_, upto)) = self.snapshot_sync.take_if(|(waited, _)| *waited == sync) {
            self.snapshot_upto = upto;
            return context.truncate_before(LOG, upto);
        }
        let Some(snapshot) = self.outbox.end(sync) else { return };
        while let Some(result) = self.outbox.next_ready() {
            self.tell(context, result);
        }
        if let Some(snapshot) = snapshot {
            self.write_snapshot(context, snapshot);
        }
        self.go_on(context);
    }

    // ----- producers and consumers -----

    fn on_enqueue(&mut self, context: &mut Context<'_, Node>, op: OpId, value: Value) {
        if !self.queue.is_full() || self.queue.is_known(value) {
            return self.record_for(context, op, Command::Enqueue(value));
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
                self.record_for(context, op, Command::Enqueue(value));
            }
        }
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

    // ----- the log -----

    /// A command of a client. It is refused where the disk takes no more.
    fn record_for(&mut self, context: &mut Context<'_, Node>, op: OpId, command: Command) {
        if self.record(context, Asker::Client(op), command).is_none() {
            context.reply(op, Outcome::Refused(Refusal::Unavailable));
        }
    }

    /// A command of a consumer. It is as if it were lost where the disk takes no more.
    fn record_of(&mut self, context: &mut Context<'_, Node>, from: NodeId, command: Command) {
        if self.record(context, Asker::Consumer(from), command).is_none() {
            context.note(|| format!("the disk is full, and {command:?} of {from} is left out"));
        }
    }

    /// Writes a command to the log, performs it, and keeps what came of it until it is on disk. `None` if the disk takes
    /// no more: then nothing changes.
    fn record(&mut self, context: &mut Context<'_, Node>, asker: Asker, command: Command) -> Option<()> {
        let at = context.now().max(self.queue.now());
        let index = context.append(LOG, Record::Command { at, command }).ok()?;
        context.fault_point(FaultPoint::Command as usize);
        self.is_dirty = true;
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
        // Nothing is ready at once: the entry is not on disk.
        let at_once = self.outbox.hold(Result { index, at, asker, events }, self.is_dirty);
        assert!(at_once.is_none(), "entry {index} waits for no flush");
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

    /// What follows by itself: messages go to who has credit, producers to where there is room, the log to the disk.
    fn go_on(&mut self, context: &mut Context<'_, Node>) {
        self.serve(context);
        while !self.queue.is_full()
            && let Some((op, value)) = self.parked.pop_front()
        {
            self.record_for(context, op, Command::Enqueue(value));
            self.serve(context);
        }
        self.flush(context);
        self.arm(context);
        let (waiting, held) = self.queue.depth();
        context.gauge(Gauge::QueueDepth as usize, waiting);
        context.gauge(Gauge::MessagesInFlight as usize, held);
        context.gauge(Gauge::DeadLetters as usize, self.queue.dead_letters().len());
    }

    /// Messages that are ready go to consumers that have credit.
    fn serve(&mut self, context: &mut Context<'_, Node>) {
        while self.queue.has_ready()
            && let Some(node) = self.hungry.pop_front()
        {
            let Some((holder, count)) = self.credit(node) else { continue };
            self.is_refused =
                self.record(context, Asker::Nobody, Command::Receive { holder, count }).is_none();
            if self.is_refused {
                break;
            }
            if !self.config.has(Mutant::CreditForgotten) {
                self.feed(node);
            }
        }
    }

    fn flush(&mut self, context: &mut Context<'_, Node>) {
        if !self.is_dirty || self.outbox.flushes_under_way() > 0 {
            return;
        }
        self.is_dirty = false;
        let upto = context.disk().log_bounds(LOG).end;
        let is_long = upto - self.snapshot_upto >= self.config.snapshot_every;
        let snapshot = (is_long && self.snapshot_sync.is_none())
            .then(|| Arc::new(Snapshot { upto, queue: self.queue.clone() }));
        let sync = context.sync(LOG);
        self.outbox.begin(sync, snapshot);
    }

    /// All that is in the snapshot is on disk already, in the log.
    fn write_snapshot(&mut self, context: &mut Context<'_, Node>, snapshot: Arc<Snapshot>) {
        let upto = snapshot.upto;
        if context.replace(SNAPSHOT, Record::Snapshot(snapshot)).is_ok() {
            context.fault_point(FaultPoint::Snapshot as usize);
            self.snapshot_sync = Some((context.sync(SNAPSHOT), upto));
        }
    }

    fn arm(&mut self, context: &mut Context<'_, Node>) {
        let due = self.queue.next_due();
        if due == self.armed {
            return;
        }
        self.armed = due;
        match due {
            Some(due) => context.set_timer(Timer::Deadline, due.since(context.now())),
            None => context.cancel_timer(Timer::Deadline),
        }
    }

    // ----- answers -----

    /// What came of a command is on disk: all whom it concerns are told.
    fn tell(&mut self, context: &mut Context<'_, Node>, result: Result) {
        let Result { index, at, asker, events } = result;
        context.fact(Fact::Recorded { index, at, events: events.clone() });
        for event in &events {
            self.tell_event(context, asker, event);
        }
        if let (Asker::Client(op), true) = (asker, events.iter().all(|event| !answers(event))) {
            // A redrive, whose events are about messages.
            context.reply(op, Outcome::Done);
        }
    }

    fn tell_event(&self, context: &mut Context<'_, Node>, asker: Asker, event: &Event) {
        match *event {
            Event::Enqueued { value, .. } => {
                context.count(Counter::Enqueued as usize, 1);
                self.confirm(context, asker, value);
            }
            Event::Duplicate { value } => {
                context.sometimes(Point::Deduplicated as usize);
                context.count(Counter::MessagesDeduplicated as usize, 1);
                self.confirm(context, asker, value);
            }
            Event::Full => {
                if let Asker::Client(op) = asker {
                    refuse(context, op);
                }
            }
            Event::Delivered { .. } => deliver(context, asker, event),
            Event::Empty => reply(context, asker, Outcome::Value(None)),
            Event::Acknowledged { receipt, .. } => {
                context.count(Counter::MessagesAcknowledged as usize, 1);
                answer(context, asker, Outcome::Done, Message::Settled(receipt));
            }
            Event::Extended { receipt, .. } => {
                context.sometimes(Point::Extended as usize);
                answer(context, asker, Outcome::Done, Message::Extended(receipt));
            }
            Event::Void { receipt } => {
                context.sometimes(Point::VoidReceipt as usize);
                context.count(Counter::VoidReceipts as usize, 1);
                answer(context, asker, Outcome::Rejected, Message::Void(receipt));
            }
            Event::Returned { receipt, cause, .. } => on_returned(context, asker, receipt, cause),
            Event::DeadLettered { .. } => {
                context.sometimes(Point::DeadLettered as usize);
                context.count(Counter::MessagesDeadLettered as usize, 1);
            }
            Event::Expired { .. } => {
                context.sometimes(Point::Expired as usize);
                context.count(Counter::MessagesExpired as usize, 1);
            }
            Event::Dropped { .. } => {
                context.sometimes(Point::Dropped as usize);
                context.count(Counter::Discarded as usize, 1);
            }
            Event::Redriven { .. } => context.sometimes(Point::Redriven as usize),
        }
    }

    fn confirm(&self, context: &mut Context<'_, Node>, asker: Asker, value: Value) {
        if let Asker::Client(op) = asker
            && !self.config.has(Mutant::ConfirmBeforeSync)
        {
            context.fact(Fact::Confirmed { value });
            context.reply(op, Outcome::Done);
        }
    }
}

/// Whether an event answers who asked for its command; others may come with it, because something came due.
const fn answers(event: &Event) -> bool {
    match event {
        Event::Enqueued { .. }
        | Event::Duplicate { .. }
        | Event::Full
        | Event::Delivered { .. }
        | Event::Empty
        | Event::Acknowledged { .. }
        | Event::Void { .. }
        | Event::Extended { .. }
        | Event::Returned { cause: Cause::Failure, .. } => true,
        Event::Returned { cause: Cause::Timeout, .. }
        | Event::DeadLettered { .. }
        | Event::Expired { .. }
        | Event::Dropped { .. }
        | Event::Redriven { .. } => false,
    }
}

/// There is no room for a producer's message.
fn refuse(context: &mut Context<'_, Node>, op: OpId) {
    context.count(Counter::MessagesRefused as usize, 1);
    context.reply(op, Outcome::Refused(Refusal::Overloaded));
}

/// A message goes to who holds it now.
fn deliver(context: &mut Context<'_, Node>, asker: Asker, event: &Event) {
    let Event::Delivered { receipt, origin, value, holder, .. } = *event else {
        unreachable!("{event:?} is no delivery")
    };
    context.count(Counter::Deliveries as usize, 1);
    if receipt.delivery > 1 {
        context.sometimes(Point::Redelivered as usize);
        context.count(Counter::Redeliveries as usize, 1);
    }
    match holder {
        Holder::Consumer { node, session } => {
            context.send(node, Message::Deliver { session, receipt, origin, value });
        }
        Holder::Client(_) => {
            let (receipt, delivery) = (receipt.ticket(), receipt.delivery);
            reply(context, asker, Outcome::Received { receipt, value, delivery });
        }
    }
}

fn on_returned(context: &mut Context<'_, Node>, asker: Asker, receipt: Receipt, cause: Cause) {
    match cause {
        Cause::Timeout => {
            context.sometimes(Point::TimedOut as usize);
            context.count(Counter::VisibilityTimeouts as usize, 1);
        }
        Cause::Failure => {
            context.count(Counter::FailedDeliveries as usize, 1);
            answer(context, asker, Outcome::Done, Message::Settled(receipt));
        }
    }
}

fn reply(context: &mut Context<'_, Node>, asker: Asker, outcome: Outcome) {
    if let Asker::Client(op) = asker {
        context.reply(op, outcome);
    }
}

fn answer(context: &mut Context<'_, Node>, asker: Asker, outcome: Outcome, message: Message) {
    match asker {
        Asker::Client(op) => context.reply(op, outcome),
        Asker::Consumer(node) => context.send(node, message),
        Asker::Nobody => {}
    }
}
