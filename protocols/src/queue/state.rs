//! The queue as a pure state machine: a command at a time goes in, what came of it comes out.
//!
//! It has no clock, no timer and no randomness: the time comes with each command, and [`Queue::next_due`] says when
//! the next one is wanted. Equal commands at equal times make equal queues, so that a log of them is the queue: a
//! broker keeps such a log on its disk, or several of them by Raft. A clone is cheap.
//!
//! ```text
//!             delay over                taken                   acknowledged
//!  enqueue ──► delayed ──► waiting/ready ─────► held ──────────────────────────► gone
//!                  ▲             ▲               │ timeout, failure
//!                  └─────────────┴───────────────┤
//!                    retry delay                 └── after max-receives of them ─► dead letter
//! ```
//!
//! | index | answers in O(log n) | of |
//! | --- | --- | --- |
//! | `ready` | who is next | messages that can be taken, by priority and number |
//! | `due` | what happens next by itself | deadlines: visibility, delay, time to live, deduplication |
//! | `groups` | who is next in a group | the numbers of a group's messages in order; those that are gone are skipped |
//!
//! A message that comes back goes to its place, not to the end. With groups only the first message of each is ever
//! ready: it holds back the others until it is gone.

mod group;
mod message;

use serde::Serialize;
use sim_core::persist::PersistentMap;
use sim_core::service::Value;
use sim_core::{ClientId, LocalTime, OpId, Span};

use super::command::{Cause, Command, Event, Events, Holder, MessageId, Receipt};
use super::config::{Overflow, Rules};
use super::mutants::Mutant;
use group::Line;
pub use message::{Message, Stage};

/// What happens by itself at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
enum Due {
    /// A delivery runs out of time.
    Visibility(MessageId),
    /// A message has waited for its delay.
    Available(MessageId),
    /// A message has waited for too long.
    Expiry(MessageId),
    /// A value is no duplicate any more.
    Forget(Value),
}

/// Who goes first: a lower priority number, then who came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Rank {
    priority: u32,
    message: MessageId,
}

/// How many messages there ever were, by what became of them. Messages that came back from the dead letters count as
/// sent again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Taken in.
    pub sent: u64,
    /// Done with.
    pub acknowledged: u64,
    /// Made dead letters; those that came back still count.
    pub dead_lettered: u64,
    /// Gone because they waited for too long.
    pub expired: u64,
    /// Gone because there was no room.
    pub dropped: u64,
}

/// A message that has failed too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DeadLetter {
    /// The message that it was at first.
    pub origin: MessageId,
    /// What it says.
    pub value: Value,
    /// After how many deliveries.
    pub deliveries: u32,
}

/// A queue. See the [module documentation](self).
#[derive(Clone, Debug, Serialize)]
pub struct Queue {
    rules: Rules,
    /// The latest time that a command came with.
    now: LocalTime,
    /// The number of the last message.
    last: MessageId,
    messages: PersistentMap<MessageId, Message>,
    /// How many of them are held.
    held_count: u64,
    ready: PersistentMap<Rank, ()>,
    due: PersistentMap<(LocalTime, Due), ()>,
    groups: PersistentMap<u64, Line>,
    /// What was sent within the deduplication window.
    known: PersistentMap<Value, ()>,
    /// How many messages each holds, who holds any.
    held: PersistentMap<Holder, u32>,
    /// What each client was given last, and by which of its operations.
    given: PersistentMap<ClientId, (u32, Receipt)>,
    dead: PersistentMap<MessageId, DeadLetter>,
    tally: Tally,
}

/// Equal when they will answer alike.
impl PartialEq for Queue {
    fn eq(&self, other: &Self) -> bool {
        (self.now, self.last, self.tally) == (other.now, other.last, other.tally)
            && (self.rules, self.held_count) == (other.rules, other.held_count)
            && self.messages == other.messages
            && self.dead == other.dead
            && self.known == other.known
            && self.due == other.due
            && self.given == other.given
    }
}

impl Eq for Queue {}

impl Queue {
    /// An empty queue.
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            now: LocalTime::ZERO,
            last: MessageId(0),
            messages: PersistentMap::new(),
            held_count: 0,
            ready: PersistentMap::new(),
            due: PersistentMap::new(),
            groups: PersistentMap::new(),
            known: PersistentMap::new(),
            held: PersistentMap::new(),
            given: PersistentMap::new(),
            dead: PersistentMap::new(),
            tally: Tally::default(),
        }
    }

    /// Lets come due what is due `now`, performs a command, and says what came of both, in order. A time before that of
    /// an earlier command counts as that.
    pub fn apply(&mut self, now: LocalTime, command: Command) -> Events {
        self.now = self.now.max(now);
        let mut events = Events::new();
        self.come_due(&mut events);
        match command {
            Command::Enqueue(value) => self.enqueue(value, &mut events),
            Command::Receive { holder, count } => self.receive(holder, count, &mut events),
            Command::Dequeue(op) => self.dequeue(op, &mut events),
            Command::Acknowledge(receipt) => self.acknowledge(receipt, &mut events),
            Command::Return(receipt) => self.on_return(receipt, &mut events),
            Command::Extend(receipt) => self.extend(receipt, &mut events),
            Command::Redrive => self.redrive(&mut events),
            Command::Expire => {}
        }
        events
    }

    // ----- queries -----

    /// When something comes due by itself next; `None`: never.
    #[inline]
    pub fn next_due(&self) -> Option<LocalTime> {
        self.first_due().map(|(at, _)| at)
    }

    /// Whether somebody could take a message now.
    #[inline]
    pub fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Whether there is no room for another message.
    pub fn is_full(&self) -> bool {
        let spare = u64::from(self.rules.has(Mutant::CapacityOff));
        self.rules.capacity.is_some_and(|capacity| self.messages.len() >= u64::from(capacity) + spare)
    }

    /// Whether this was sent within the deduplication window.
    pub fn is_known(&self, value: Value) -> bool {
        self.known.contains_key(&value)
    }

    /// How many messages `holder` holds.
    #[inline]
    pub fn held_by(&self, holder: Holder) -> u32 {
        self.held.get(&holder).copied().unwrap_or(0)
    }

    /// How many messages are not held, and how many are.
    pub const fn depth(&self) -> (u64, u64) {
        (self.messages.len() - self.held_count, self.held_count)
    }

    /// The number of the last message that was taken in; 0 before the first.
    pub const fn last(&self) -> MessageId {
        self.last
    }

    /// The messages, by number.
    pub const fn messages(&self) -> &PersistentMap<MessageId, Message> {
        &self.messages
    }

    /// The dead letters, by the number that they had.
    pub const fn dead_letters(&self) -> &PersistentMap<MessageId, DeadLetter> {
        &self.dead
    }

    /// What became of all messages.
    pub const fn tally(&self) -> Tally {
        self.tally
    }

    /// The latest time that a command came with.
    pub const fn now(&self) -> LocalTime {
        self.now
    }

    // ----- mutants -----

    /// What a broker that keeps no counts on its disk knows after a restart.
    pub(super) fn forget_counts(&mut self) {
        let all: Vec<MessageId> = self.messages.iter().map(|(message, _)| *message).collect();
        for message in all {
            self.messages.get_mut(&message).expect("it was just listed").failures = 0;
        }
    }

    /// What a broker that keeps no deduplication table on its disk knows after a restart.
    pub(super) fn forget_known(&mut self) {
        self.known = PersistentMap::new();
    }

    // ----- commands -----

    fn enqueue(&mut self, value: Value, events: &mut Events) {
        if self.is_known(value) {
            return events.push(Event::Duplicate { value });
        }
        if self.is_full() && !self.make_room(events) {
            return events.push(Event::Full);
        }
        if let Some(window) = self.rules.deduplication {
            self.known.insert(value, ());
            self.due.insert((self.now + window, Due::Forget(value)), ());
        }
        let message = self.take_in(value, None);
        events.push(Event::Enqueued { message, value });
        if self.rules.overflow == Overflow::DropTail && self.is_over() {
            self.settle(message);
            self.tally.dropped += 1;
            events.push(Event::Dropped { message });
        }
    }

    /// Whether there are more messages than there is room for.
    fn is_over(&self) -> bool {
        self.rules.capacity.is_some_and(|capacity| self.messages.len() > u64::from(capacity))
    }

    /// Whether a full queue takes a message all the same.
    fn make_room(&mut self, events: &mut Events) -> bool {
        match self.rules.overflow {
            Overflow::Block | Overflow::Reject => false,
            Overflow::DropTail => true,
            Overflow::DropHead => {
                let Some(Rank { message, .. }) = self.first_ready() else { return false };
                self.settle(message);
                self.tally.dropped += 1;
                events.push(Event::Dropped { message });
                true
            }
        }
    }

    /// A message enters, under a new number.
    fn take_in(&mut self, value: Value, origin: Option<MessageId>) -> MessageId {
        self.last = MessageId(self.last.0 + 1);
        let id = self.last;
        let expires = self.rules.time_to_live.map(|time| self.now + time);
        let message = Message::new(value, origin.unwrap_or(id), expires);
        self.messages.insert(id, message);
        if let Some(at) = expires {
            self.due.insert((at, Due::Expiry(id)), ());
        }
        if let Some(group) = self.rules.group_of(value) {
            self.line(group).join(id);
        }
        let is_ignored = self.rules.has(Mutant::DelayIgnored);
        self.put_back(id, if is_ignored { Span::ZERO } else { self.rules.delay });
        self.tally.sent += 1;
        id
    }

    fn receive(&mut self, holder: Holder, count: u32, events: &mut Events) {
        for _ in 0..count {
            let Some(rank) = self.first_ready() else { return };
            events.push(self.deliver(rank, holder));
        }
    }

    fn dequeue(&mut self, op: OpId, events: &mut Events) {
        let holder = Holder::Client(op.client);
        if let Some((ordinal, receipt)) = self.given.get(&op.client)
            && *ordinal == op.ordinal
            && let Some(until) = self.held_until(*receipt)
        {
            let message = self.messages.get(&receipt.message).expect("it is held");
            let (origin, value) = (message.origin, message.value);
            return events.push(Event::Delivered { receipt: *receipt, origin, value, holder, until });
        }
        let Some(rank) = self.first_ready() else { return events.push(Event::Empty) };
        let event = self.deliver(rank, holder);
        let Event::Delivered { receipt, .. } = event else { unreachable!("what was ready is delivered") };
        self.given.insert(op.client, (op.ordinal, receipt));
        events.push(event);
    }

    /// The message that is ready and goes first is held.
    fn deliver(&mut self, rank: Rank, holder: Holder) -> Event {
        self.ready.remove(&rank);
        let id = rank.message;
        let visibility = self.rules.visibility;
        let until = if self.rules.has(Mutant::VisibilityShort) {
            self.now + Span::nanos(visibility.as_nanos() / 2)
        } else {
            self.now + visibility
        };
        let message = self.messages.get_mut(&id).expect("what is ready is in the queue");
        assert_eq!(message.stage, Stage::Waiting, "{id} is ready, and not waiting");
        message.deliveries += 1;
        message.stage = Stage::Held { until, holder };
        let receipt = Receipt { message: id, delivery: message.deliveries };
        let (value, origin) = (message.value, message.origin);
        self.due.insert((until, Due::Visibility(id)), ());
        self.count_held(holder, 1);
        Event::Delivered { receipt, origin, value, holder, until: self.now + visibility }
    }

    fn acknowledge(&mut self, receipt: Receipt, events: &mut Events) {
        let Some(holder) = self.holder_of(receipt).or_else(|| self.stale_holder(receipt)) else {
            return events.push(Event::Void { receipt });
        };
        self.settle(receipt.message);
        self.tally.acknowledged += 1;
        events.push(Event::Acknowledged { receipt, holder });
    }

    fn on_return(&mut self, receipt: Receipt, events: &mut Events) {
        if self.held_until(receipt).is_none() {
            return events.push(Event::Void { receipt });
        }
        if self.rules.has(Mutant::CountResetOnReturn) {
            self.messages.get_mut(&receipt.message).expect("it is held").failures = 0;
        }
        self.end_delivery(receipt.message, Cause::Failure, events);
    }

    fn extend(&mut self, receipt: Receipt, events: &mut Events) {
        let Some(old) = self.held_until(receipt) else { return events.push(Event::Void { receipt }) };
        let until = self.now + self.rules.visibility;
        let message = self.messages.get_mut(&receipt.message).expect("it is held");
        let Stage::Held { holder, .. } = message.stage else { unreachable!("it is held") };
        message.stage = Stage::Held { until, holder };
        self.due.remove(&(old, Due::Visibility(receipt.message)));
        self.due.insert((until, Due::Visibility(receipt.message)), ());
        events.push(Event::Extended { receipt, until });
    }

    fn redrive(&mut self, events: &mut Events) {
        while !self.is_full()
            && let Some((from, DeadLetter { value, origin, .. })) = self.first_dead()
        {
            self.dead.remove(&from);
            let message = self.take_in(value, Some(origin));
            events.push(Event::Redriven { from, message, value });
        }
    }

    // ----- time -----

    fn come_due(&mut self, events: &mut Events) {
        while let Some((at, due)) = self.first_due()
            && at <= self.now
        {
            self.due.remove(&(at, due));
            match due {
                Due::Visibility(message) => self.end_delivery(message, Cause::Timeout, events),
                Due::Available(message) => self.on_available(message),
                Due::Expiry(message) => self.on_expiry(message, events),
                Due::Forget(value) => _ = self.known.remove(&value),
            }
        }
    }

    fn on_available(&mut self, id: MessageId) {
        self.messages.get_mut(&id).expect("what is due is in the queue").stage = Stage::Waiting;
        self.offer(id);
    }

    /// A message that is held does not expire, unless it comes back.
    fn on_expiry(&mut self, id: MessageId, events: &mut Events) {
        let message = self.messages.get(&id).expect("what is due is in the queue");
        match message.stage {
            Stage::Held { .. } => {}
            Stage::Waiting | Stage::Delayed { .. } => self.expire(id, events),
        }
    }

    fn expire(&mut self, id: MessageId, events: &mut Events) {
        self.settle(id);
        if !self.rules.has(Mutant::ExpiryUncounted) {
            self.tally.expired += 1;
        }
        events.push(Event::Expired { message: id });
    }

    /// A delivery has ended without success: the message goes back to its place, or to the dead letters.
    fn end_delivery(&mut self, id: MessageId, cause: Cause, events: &mut Events) {
        let message = self.messages.get_mut(&id).expect("what is held is in the queue");
        let Stage::Held { until, holder } = message.stage else {
            panic!("{id} is {:?}, and a delivery of it ends", message.stage)
        };
        message.failures += 1;
        message.stage = Stage::Waiting;
        let receipt = Receipt { message: id, delivery: message.deliveries };
        let (failures, expires) = (message.failures, message.expires);
        self.due.remove(&(until, Due::Visibility(id)));
        self.count_held(holder, -1);
        events.push(Event::Returned { receipt, holder, cause });
        if self.rules.max_receives.is_some_and(|most| failures >= most) {
            self.bury(id, events);
        } else if expires.is_some_and(|at| at <= self.now) {
            self.expire(id, events);
        } else {
            let waits = cause == Cause::Failure && !self.rules.has(Mutant::RequeueToHead);
            self.put_back(id, if waits { self.rules.retry_delay } else { Span::ZERO });
        }
    }

    fn bury(&mut self, id: MessageId, events: &mut Events) {
        let Message { value, origin, deliveries, .. } = self.settle(id);
        self.dead.insert(id, DeadLetter { origin, value, deliveries });
        self.tally.dead_lettered += 1;
        events.push(Event::DeadLettered { message: id, value });
    }

    // ----- places -----

    fn first_due(&self) -> Option<(LocalTime, Due)> {
        self.due.iter().next().map(|(key, ())| *key)
    }

    fn first_dead(&self) -> Option<(MessageId, DeadLetter)> {
        self.dead.iter().next().map(|(id, letter)| (*id, *letter))
    }

    fn first_ready(&self) -> Option<Rank> {
        self.ready.iter().next().map(|(rank, ())| *rank)
    }

    fn rank(&self, id: MessageId, value: Value) -> Rank {
        let is_ignored = self.rules.has(Mutant::PriorityIgnored);
        let priority = if is_ignored { 0 } else { self.rules.priority_of(value) };
        Rank { priority, message: id }
    }

    /// A message that nobody holds can be taken after a delay.
    fn put_back(&mut self, id: MessageId, delay: Span) {
        if delay.is_zero() {
            return self.offer(id);
        }
        let until = self.now + delay;
        self.messages.get_mut(&id).expect("it is in the queue").stage = Stage::Delayed { until };
        self.due.insert((until, Due::Available(id)), ());
    }

    /// A message is ready, if it waits for nothing but somebody to take it.
    fn offer(&mut self, id: MessageId) {
        let message = self.messages.get(&id).expect("what is offered is in the queue");
        let value = message.value;
        let is_first = match self.rules.group_of(value) {
            Some(group) => self.line(group).first() == Some(id) || self.rules.has(Mutant::GroupParallel),
            None => true,
        };
        if is_first && self.messages.get(&id).is_some_and(|message| message.stage == Stage::Waiting) {
            self.ready.insert(self.rank(id, value), ());
        }
    }

    /// A message is gone from the queue, and the next of its group may be ready.
    fn settle(&mut self, id: MessageId) -> Message {
        let message = self.messages.remove(&id).expect("what is settled is in the queue");
        match message.stage {
            Stage::Waiting => _ = self.ready.remove(&self.rank(id, message.value)),
            Stage::Delayed { until } => _ = self.due.remove(&(until, Due::Available(id))),
            Stage::Held { until, holder } => {
                self.due.remove(&(until, Due::Visibility(id)));
                self.count_held(holder, -1);
            }
        }
        if let Some(at) = message.expires {
            self.due.remove(&(at, Due::Expiry(id)));
        }
        if let Some(group) = self.rules.group_of(message.value) {
            self.leave_line(group);
        }
        message
    }

    fn line(&mut self, group: u64) -> &mut Line {
        if !self.groups.contains_key(&group) {
            self.groups.insert(group, Line::default());
        }
        self.groups.get_mut(&group).expect("it was put there")
    }

    /// Those at the head of a group that are gone leave it, and the next is offered.
    fn leave_line(&mut self, group: u64) {
        let line = self.groups.get_mut(&group).expect("a message of a group is in its line");
        let messages = &self.messages;
        match line.skip(|id| !messages.contains_key(&id)) {
            Some(first) => self.offer(first),
            None => _ = self.groups.remove(&group),
        }
    }

    fn count_held(&mut self, holder: Holder, change: i32) {
        let before = self.held_by(holder);
        let after = before.checked_add_signed(change).expect("who gives a message back holds one");
        if after == 0 {
            self.held.remove(&holder);
        } else {
            self.held.insert(holder, after);
        }
        self.held_count =
            self.held_count.checked_add_signed(change.into()).expect("as many are given back as are held");
    }

    /// Until when a message is held by this receipt; `None` if it is void.
    fn held_until(&self, receipt: Receipt) -> Option<LocalTime> {
        let message = self.messages.get(&receipt.message)?;
        match message.stage {
            Stage::Held { until, .. } => (message.deliveries == receipt.delivery).then_some(until),
            Stage::Waiting | Stage::Delayed { .. } => None,
        }
    }

    fn holder_of(&self, receipt: Receipt) -> Option<Holder> {
        let message = self.messages.get(&receipt.message)?;
        match message.stage {
            Stage::Held { holder, .. } => (message.deliveries == receipt.delivery).then_some(holder),
            Stage::Waiting | Stage::Delayed { .. } => None,
        }
    }

    /// The mutant's: whoever has held the message before may acknowledge it for who does now.
    fn stale_holder(&self, receipt: Receipt) -> Option<Holder> {
        let message = self.messages.get(&receipt.message).filter(|_| self.rules.has(Mutant::StaleReceipt))?;
        match message.stage {
            Stage::Held { holder, .. } => Some(holder),
            Stage::Waiting | Stage::Delayed { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests;
