//! A world whose every step is chosen, by a person or by a script: what the choices hold, and what else a network
//! may do to a message.
//!
//! [`World::enabled`] and [`World::take`] are for exhaustive exploration, which needs no contents. Who tells a story
//! wants to say "deliver the vote of n2", so here each choice comes with what it holds. Timers are all here, also
//! those that the node's clock would not fire next.

use std::collections::BTreeSet;

use super::World;
use super::core::Core;
use super::event::{Event, Scheduled};
use super::explore::choice_kind;
use crate::fault::MessageAct;
use crate::fingerprint::fingerprint;
use crate::metrics::Counter;
use crate::network::DropReason;
use crate::process::{Message, Process};
use crate::queue::{EventKey, EventQueue};
use crate::service::{Operation, Outcome};
use crate::simulation::{Choice, ChoiceKind, InFlight};
use crate::trace::Record;
use crate::{MessageId, NodeId, OpId, SimTime, Span, SyncId};

/// Something that could happen next, and what it holds.
pub struct Prospect<'a, P: Process> {
    /// What [`World::take`], [`World::lose`] and [`World::double`] are given.
    pub choice: Choice,
    /// When it is due; it may be taken before and after.
    pub due: SimTime,
    /// Its place in the order in which everything was scheduled, where ties are first-in-first-out. No two
    /// prospects of a run share one, unless a timer is moved.
    pub order: u64,
    /// What it holds.
    pub content: Content<'a, P>,
}

/// What a [`Prospect`] holds.
pub enum Content<'a, P: Process> {
    /// A message from node to node.
    Message(&'a P::Message),
    /// A timer.
    Timer(P::Timer),
    /// A sync that completes.
    Durable(SyncId),
    /// A client's operation, on its way to a node.
    Request(OpId, &'a Operation),
    /// A node's answer, on its way to a client.
    Reply(OpId, &'a Outcome),
    /// The handling of an input that waits.
    Handler,
    /// The next step of a client.
    Client,
}

impl<'a, P: Process> Content<'a, P> {
    /// The message, if this is one.
    pub fn message(&self) -> Option<&'a P::Message> {
        if let Self::Message(message) = self { Some(message) } else { None }
    }

    /// The timer, if this is one.
    pub fn timer(&self) -> Option<P::Timer> {
        if let Self::Timer(timer) = self { Some(*timer) } else { None }
    }
}

impl<P: Process> World<P> {
    /// Everything that could happen next, in the order in which it was scheduled.
    pub fn prospects(&self) -> Vec<Prospect<'_, P>> {
        let core = &self.core;
        let waiting = core.waiting_slots();
        let all = core.queue.keys().map(|key| (key, core.slab_at(key.slot())));
        let live = all.filter(|(key, scheduled)| core.is_live(scheduled) && !waiting.contains(&key.slot()));
        let mut prospects: Vec<_> = live
            .map(|(key, scheduled)| prospect(key.slot(), key.time(), key.sequence(), scheduled))
            .collect();
        prospects.sort_by_key(|prospect| prospect.order);
        prospects
    }

    /// What is on its way, in the order in which it was sent; what waits on links that are held comes
    /// last, in the order in which it came there.
    pub fn in_flight(&self) -> Vec<InFlight> {
        let trace = self.core.trace.as_deref();
        let travelling = |prospect: Prospect<'_, P>| {
            let kind = match prospect.content {
                Content::Message(message) => P::Message::KINDS[usize::from(message.kind())],
                Content::Request(..) => "request",
                Content::Reply(..) => "reply",
                Content::Timer(_) | Content::Durable(_) | Content::Handler | Content::Client => return None,
            };
            let Choice { slot, from, to, .. } = prospect.choice;
            let scheduled = self.core.slab_at(slot);
            let sent = trace.and_then(|trace| trace.get(scheduled.cause)).map(Record::at);
            let id = MessageId { from, to, ordinal: scheduled.tag };
            let due = (!self.core.held.contains(&slot)).then_some(prospect.due);
            Some(InFlight { id, sent, due, kind, slot })
        };
        let core = &self.core;
        let held = core.held.iter().map(|slot| prospect(*slot, core.now, u64::MAX, core.slab_at(*slot)));
        self.prospects().into_iter().chain(held).filter_map(travelling).collect()
    }

    /// What something that is on its way says; `None` where it is so no longer.
    pub fn describe_flight(&self, flight: &InFlight) -> Option<String> {
        let scheduled = self.core.slab.get(flight.slot)?;
        let id = MessageId { from: scheduled.from, to: scheduled.to, ordinal: scheduled.tag };
        match &scheduled.event {
            _ if id != flight.id => None,
            Event::Message(message) => Some(message.describe()),
            Event::Request(request) => Some(request.1.to_string()),
            Event::Reply(reply) => Some(reply.1.to_string()),
            Event::Timer(_) | Event::Durable(_) | Event::Handler | Event::Client(_) | Event::Cancelled => {
                None
            }
        }
    }

    /// A message in flight is lost here.
    ///
    /// # Panics
    /// If the choice is no message in flight.
    pub fn lose(&mut self, choice: Choice) {
        self.core.assert_in_flight(choice);
        self.core.lose_flight(choice.slot);
    }

    /// A message in flight is doubled: the copy is due with it, and comes after it.
    ///
    /// # Panics
    /// If the choice is no message in flight.
    pub fn double(&mut self, choice: Choice) {
        self.core.assert_in_flight(choice);
        self.core.double_flight(choice.slot);
    }

    /// A client's operation sets out for a node, past what the client itself keeps: it neither waits for the answer
    /// nor asks again, and the history does not hold it.
    pub fn ask(&mut self, op: OpId, node: NodeId, operation: Operation) {
        self.core.record = u32::MAX;
        let (content, size) = (fingerprint(&op), operation.size());
        let event = Event::Request(Box::new((op, operation)));
        self.core.transmit(op.client.into(), node.into(), content, size, event);
    }

    /// Time passes and nothing happens: what was due meanwhile is late.
    pub fn pass(&mut self, span: Span) {
        let until = self.core.now + span;
        self.core.pass_time(until);
    }
}

impl<P: Process> Core<P> {
    fn assert_in_flight(&self, choice: Choice) {
        assert_eq!(choice.kind, ChoiceKind::Message, "only messages are lost and doubled on their way");
        let is_message = matches!(self.slab_event(choice.slot), Event::Message(_));
        assert!(is_message && !self.waiting_slots().contains(&choice.slot), "the message is in flight");
    }

    /// Acts on a message that is on its way, and on its copies; says whether it was. What waits on a link that is held can
    /// be lost or doubled there, but comes no sooner or later than the link lets it.
    pub(super) fn act_on_flight(&mut self, id: MessageId, act: MessageAct) -> bool {
        let slots = self.flights_of(id);
        for &slot in &slots {
            match act {
                MessageAct::Drop => self.lose_flight(slot),
                MessageAct::Duplicate => self.double_flight(slot),
                MessageAct::Delay(by) => self.move_flight(slot, |due| due + by),
                MessageAct::Deliver => {
                    let now = self.now;
                    self.move_flight(slot, |_| now);
                }
            }
        }
        !slots.is_empty()
    }

    /// Where a message and its copies lie, as long as they have not arrived; in the order of their slots.
    fn flights_of(&self, id: MessageId) -> Vec<u32> {
        let inboxes = self.hosts.iter().filter_map(|host| host.inbox.as_deref());
        let arrived: BTreeSet<u32> = inboxes.flat_map(|inbox| &inbox.slots).copied().collect();
        let is_meant = |scheduled: &Scheduled<P>| {
            let travels = matches!(scheduled.event, Event::Message(_) | Event::Request(_) | Event::Reply(_));
            travels && (scheduled.from, scheduled.to, scheduled.tag) == (id.from, id.to, id.ordinal)
        };
        let all = self.slab.iter().filter(|(slot, scheduled)| is_meant(scheduled) && !arrived.contains(slot));
        all.map(|(slot, _)| slot).collect()
    }

    fn lose_flight(&mut self, slot: u32) {
        self.queue.retain(|key| key.slot() != slot);
        self.held.retain(|held| *held != slot);
        self.end_flight();
        let lost = self.slab.take(slot);
        self.note_drop(&lost, DropReason::Targeted);
    }

    fn double_flight(&mut self, slot: u32) {
        let copy = self.slab_at(slot).clone();
        self.metrics.increment(Counter::MessagesDuplicated);
        self.set_out(1);
        if let Some(due) = self.due_of_flight(slot) {
            self.schedule(due, copy);
        } else {
            let copy = self.slab.insert(copy);
            self.held.push(copy);
        }
    }

    /// It is due at another time; not where it waits on a link that is held.
    fn move_flight(&mut self, slot: u32, to: impl FnOnce(SimTime) -> SimTime) {
        if let Some(due) = self.due_of_flight(slot) {
            self.queue.retain(|key| key.slot() != slot);
            let order = self.next_order();
            self.queue.push(EventKey::new(to(due), order, slot));
        }
    }

    /// `None` where it waits on a link that is held.
    fn due_of_flight(&self, slot: u32) -> Option<SimTime> {
        self.queue.keys().find(|key| key.slot() == slot).map(EventKey::time)
    }
}

fn prospect<P: Process>(
    slot: u32,
    mut due: SimTime,
    mut order: u64,
    scheduled: &Scheduled<P>,
) -> Prospect<'_, P> {
    let content = match &scheduled.event {
        Event::Message(message) => Content::Message(message),
        Event::Timer(timer) => {
            (due, order) = (timer.due, timer.order);
            Content::Timer(timer.timer)
        }
        Event::Durable(sync) => Content::Durable(*sync),
        Event::Request(request) => Content::Request(request.0, &request.1),
        Event::Reply(reply) => Content::Reply(reply.0, &reply.1),
        Event::Handler => Content::Handler,
        Event::Client(_) => Content::Client,
        Event::Cancelled => unreachable!("what is cancelled is no prospect"),
    };
    let choice = Choice { slot, kind: choice_kind(scheduled), from: scheduled.from, to: scheduled.to };
    Prospect { choice, due, order, content }
}
