//! What is due reaches its place: one function a kind of event.

use std::hint::black_box;

use super::core::Noted;
use super::event::{Event, Scheduled};
use super::host::Intake;
use super::{World, effects};
use crate::SimTime;
use crate::context::Context;
use crate::digest::Mark;
use crate::metrics::Counter;
use crate::network::{Arrival, DropReason, Transport};
use crate::process::{Message, Process};
use crate::queue::{EventKey, EventQueue};
use crate::status::Power;
use crate::trace::TraceKind;

/// More nodes than this do not fit the caches.
const CROWD: usize = 4_096;
/// The most events that are read ahead of: what they need must still be in the cache when they come.
const AHEAD_MAX: usize = 64;

impl<P: Process> World<P> {
    /// Handles one key: usually one event, none where its slot was cancelled or its timer was moved.
    #[inline(always)]
    pub(super) fn pop(&mut self, key: EventKey) {
        self.maybe_read_ahead();
        match self.core.slab_event(key.slot()) {
            Event::Message(_) => self.on_message_due(key),
            Event::Timer(_) => self.on_timer_due(key),
            Event::Request(_)
            | Event::Reply(_)
            | Event::Durable(_)
            | Event::Handler
            | Event::Client(_)
            | Event::Cancelled => self.pop_rare(key),
        }
    }

    #[inline(never)]
    fn pop_rare(&mut self, key: EventKey) {
        let slot = key.slot();
        match self.core.slab_event(slot) {
            Event::Message(_) | Event::Timer(_) => unreachable!("messages and timers are told apart before"),
            Event::Request(_) => self.on_arrival(key, Arriving::REQUEST),
            Event::Reply(_) => self.on_reply_arrival(key),
            Event::Durable(_) => self.on_durable_due(key),
            Event::Handler => self.on_handler_start(key),
            Event::Client(_) => self.on_client_due(key),
            Event::Cancelled => {
                self.core.slab.take(slot);
                self.core.cancelled = self.core.cancelled.saturating_sub(1);
            }
        }
    }

    /// A message reaches its node: the way of most events, without a detour where nothing is in the way.
    #[inline(always)]
    fn on_message_due(&mut self, key: EventKey) {
        let to = self.core.slab_at(key.slot()).to;
        let node = to.node().expect("messages go to nodes");
        if !self.core.network.is_open() || self.core.hosts[node.index()].intake != Intake::Direct {
            return self.on_arrival(key, Arriving::MESSAGE);
        }
        self.core.begin_event(key.time());
        self.core.metrics.increment(Counter::MessagesDelivered);
        let Scheduled { from, cause, event, .. } = self.core.slab.take(key.slot());
        let Event::Message(message) = event else { unreachable!("the slot holds a message") };
        self.core.note_event(Arriving::MESSAGE.noted(u32::from(message.kind())), to, from, cause);
        let process = self.processes[node.index()].as_mut().expect("a running node has a process");
        let from = from.node().expect("only nodes send messages");
        Context::during(&mut self.core, node, |context| process.on_message(context, from, message));
        self.after_plain_handler(node);
    }

    /// In a crowd, slots and hosts come from memory, not from a cache. So when the queue has opened a bucket, what is
    /// needed soon is read in one go, and the processor waits for all of it at once. Changes nothing.
    #[inline(always)]
    fn maybe_read_ahead(&mut self) {
        if self.processes.len() > CROWD && self.read_ahead_of != self.core.queue.opened() {
            self.read_ahead_of = self.core.queue.opened();
            self.read_ahead();
        }
    }

    /// The slots of the bucket after this one, and the nodes that this one's slots name. These slots were read when the
    /// bucket before was opened, so nothing that is read here waits for anything else.
    #[inline(never)]
    fn read_ahead(&self) {
        for key in self.core.queue.later().iter().take(AHEAD_MAX) {
            black_box(self.core.slab.read(key.slot()));
        }
        for key in self.core.queue.soon().iter().rev().take(AHEAD_MAX) {
            let Some(scheduled) = self.core.slab.get(key.slot()) else { continue };
            let Some(node) = scheduled.to.node() else { continue };
            black_box(self.core.hosts[node.index()].intake);
            black_box(self.core.hosts[node.index()].stream.counter());
            black_box(self.core.network.peek_ordinal(node.into()));
            black_box(self.processes[node.index()].is_some());
        }
    }

    /// A message or request reaches its node.
    #[inline(never)]
    fn on_arrival(&mut self, key: EventKey, arriving: Arriving) {
        let (from, to) = self.core.slab_ends(key.slot());
        match self.core.network.arrive(from, to) {
            Arrival::Deliver => {}
            Arrival::Held => return self.hold_arrival(key),
            Arrival::Drop(reason) => return self.drop_arrival(key, reason),
        }
        let node = to.node().expect("messages and requests go to nodes");
        let intake = self.core.hosts[node.index()].intake;
        if intake == Intake::Closed {
            return self.drop_arrival(key, DropReason::NodeDown);
        }
        if self.core.network.has_connections() && self.is_reset(key.slot()) {
            return self.drop_arrival(key, DropReason::ConnectionReset);
        }
        self.core.begin_event(key.time());
        self.core.end_flight();
        self.core.metrics.increment(arriving.counter());
        if intake == Intake::Queued {
            return self.enqueue(node, key.slot(), arriving);
        }
        let scheduled = self.core.slab.take(key.slot());
        self.core.note_event(arriving.noted(detail_of(&scheduled)), to, from, scheduled.cause);
        self.handle(node, scheduled);
    }

    /// Whether either end of the link was started again since this was sent on it as a connection.
    #[cold]
    fn is_reset(&self, slot: u32) -> bool {
        let scheduled = self.core.slab_at(slot);
        let (from, to) = (scheduled.from, scheduled.to);
        let is_connection = self.core.network.transport(from, to) == Transport::Connection;
        is_connection && self.core.connection_epoch(from, to) != scheduled.epoch
    }

    /// Something arrives on a link that is held: it waits there.
    #[cold]
    fn hold_arrival(&mut self, key: EventKey) {
        self.core.pass_happening(key.time());
        self.core.held.push(key.slot());
    }

    /// Something arrives where it cannot be delivered. Time moves, but no event happens.
    #[cold]
    fn drop_arrival(&mut self, key: EventKey, reason: DropReason) {
        self.core.pass_happening(key.time());
        self.core.end_flight();
        let scheduled = self.core.slab.take(key.slot());
        self.core.note_drop(&scheduled, reason);
    }

    #[inline(always)]
    fn on_timer_due(&mut self, key: EventKey) {
        let slot = key.slot();
        let scheduled = self.core.slab.get_mut(slot).expect("a key in the queue has its slot");
        let Event::Timer(timer) = &mut scheduled.event else { unreachable!("the slot holds a timer") };
        let node = scheduled.to.node().expect("timers belong to nodes");
        let host = &self.core.hosts[node.index()];
        if scheduled.tag != host.incarnation || host.power == Power::Down {
            self.core.slab.take(slot);
            return;
        }
        if timer.order != key.sequence() {
            timer.queued = timer.due;
            let moved = EventKey::new(timer.due, timer.order, slot);
            self.core.queue.push(moved);
            return;
        }
        let (name, intake, cause) = (timer.timer, host.intake, scheduled.cause);
        if intake == Intake::Queued {
            timer.queued = SimTime::MAX;
        }
        self.core.begin_event(key.time());
        self.core.metrics.increment(Counter::TimersFired);
        if intake == Intake::Queued {
            return self.enqueue(node, slot, Arriving::TIMER);
        }
        self.core.slab.take(slot);
        let noted = Arriving::TIMER.noted(effects::timer_number(name));
        self.core.note_event(noted, node.into(), node.into(), cause);
        if intake == Intake::Watched {
            self.maybe_limit_effects(node);
        }
        let process = self.processes[node.index()].as_mut().expect("a running node has a process");
        Context::during(&mut self.core, node, |context| process.on_timer(context, name));
        self.after_handler(node);
    }

    fn on_durable_due(&mut self, key: EventKey) {
        let scheduled = self.core.slab_at(key.slot());
        let Event::Durable(sync) = scheduled.event else { unreachable!("the slot holds a sync") };
        let node = scheduled.to.node().expect("syncs belong to nodes");
        let host = &self.core.hosts[node.index()];
        let is_void = scheduled.tag != host.incarnation || host.power == Power::Down;
        if is_void || !self.core.complete_sync(node, sync, key.time()) {
            self.core.slab.take(key.slot());
            return;
        }
        self.core.begin_event(key.time());
        self.core.metrics.increment(Counter::Syncs);
        if self.core.hosts[node.index()].intake == Intake::Queued {
            return self.enqueue(node, key.slot(), Arriving::DURABLE);
        }
        let scheduled = self.core.slab.take(key.slot());
        self.core.note_event(Arriving::DURABLE.noted(sync.raw()), node.into(), node.into(), scheduled.cause);
        self.handle(node, scheduled);
    }

    fn on_reply_arrival(&mut self, key: EventKey) {
        let (from, to) = self.core.slab_ends(key.slot());
        match self.core.network.arrive(from, to) {
            Arrival::Deliver => {}
            Arrival::Held => return self.hold_arrival(key),
            Arrival::Drop(reason) => return self.drop_arrival(key, reason),
        }
        if self.core.network.has_connections() && self.is_reset(key.slot()) {
            return self.drop_arrival(key, DropReason::ConnectionReset);
        }
        self.core.begin_event(key.time());
        self.core.end_flight();
        let scheduled = self.core.slab.take(key.slot());
        let Event::Reply(reply) = scheduled.event else { unreachable!("the slot holds a reply") };
        let (op, outcome) = *reply;
        self.core.note_event(Arriving::REPLY.noted(op.ordinal), to, from, scheduled.cause);
        self.core.on_client_reply(op.client, from, op, outcome);
    }

    fn on_client_due(&mut self, key: EventKey) {
        self.core.begin_event(key.time());
        let scheduled = self.core.slab.take(key.slot());
        let Event::Client(wake) = scheduled.event else { unreachable!("the slot holds a client's wake") };
        let client = scheduled.to.client().expect("wakes belong to clients");
        self.core.note_event(Arriving::WAKE.noted(u32::MAX), client.into(), client.into(), scheduled.cause);
        self.core.on_client_wake(client, wake);
    }
}

/// How an input that arrives is called in trace and digest.
#[derive(Clone, Copy)]
pub(super) struct Arriving(TraceKind, Mark);

impl Arriving {
    const MESSAGE: Self = Self(TraceKind::Delivery, Mark::Delivery);
    const REQUEST: Self = Self(TraceKind::Request, Mark::Request);
    const REPLY: Self = Self(TraceKind::Reply, Mark::Reply);
    const TIMER: Self = Self(TraceKind::TimerFired, Mark::Timer);
    const DURABLE: Self = Self(TraceKind::Durable, Mark::Durable);
    const WAKE: Self = Self(TraceKind::TimerFired, Mark::Client);
    pub(super) const HANDLER: Self = Self(TraceKind::HandlerStart, Mark::Handler);

    /// What counts the arrivals of messages and requests.
    const fn counter(self) -> Counter {
        if matches!(self.1, Mark::Request) { Counter::Requests } else { Counter::MessagesDelivered }
    }

    #[inline(always)]
    pub(super) fn noted(self, detail: u32) -> Noted {
        Noted { kind: self.0, mark: self.1, detail }
    }
}

/// What a trace record keeps of an input's content: the kind of a message.
#[inline(always)]
pub(super) fn detail_of<P: Process>(scheduled: &Scheduled<P>) -> u32 {
    match &scheduled.event {
        Event::Message(message) => u32::from(message.kind()),
        Event::Timer(timer) => effects::timer_number(timer.timer),
        Event::Durable(sync) => sync.raw(),
        Event::Request(request) => request.0.ordinal,
        Event::Reply(_) | Event::Handler | Event::Client(_) | Event::Cancelled => 0,
    }
}
