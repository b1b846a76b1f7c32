//! Everything of a world but its processes: what a [`Context`](crate::Context) acts on.

use tracing::trace;

use super::client::Client;
use super::event::{Event, Scheduled};
use super::host::{Intake, NodeHost};
use super::points::FaultPoints;
use super::setup::HostTiming;
use crate::coverage::Coverage;
use crate::digest::{Digest, Mark};
use crate::fault::Teller;
use crate::history::History;
use crate::leadership::Leadership;
use crate::metrics::{Counter, Gauge, Metrics};
use crate::milestone::{Happening, Milestone};
use crate::network::{Arrival, DropReason, Network, Sending};
use crate::persist::AppendLog;
use crate::process::{Message, Process, Timer};
use crate::queue::{EventKey, EventQueue, Handle, Slab, Ties, WorldQueue};
use crate::random::KeySource;
use crate::status::Power;
use crate::trace::{Payload, Record, Trace, TraceKind};
use crate::{Endpoint, MessageId, NodeId, OpId, SimTime, SyncId};

/// No limit on the effects of a handler.
pub(crate) const UNLIMITED: u32 = u32::MAX;

/// How an event enters digest and trace.
#[derive(Clone, Copy)]
pub(super) struct Noted {
    pub(super) kind: TraceKind,
    pub(super) mark: Mark,
    pub(super) detail: u32,
}

/// The shared state of a world.
pub(crate) struct Core<P: Process> {
    pub(super) now: SimTime,
    /// The next sequence number of the queue.
    pub(super) sequence: u64,
    /// Live pops so far.
    pub(super) events: u64,
    /// What has happened at this instant: events, and arrivals that were dropped or held. Commands stand between
    /// these, so that one which follows a drop follows it in a replay as well.
    pub(super) events_now: u32,
    /// The record of the event under way: the cause of its effects.
    pub(super) record: u32,
    /// How many records there are, drops included; counted whether or not a trace keeps them.
    pub(super) records: u32,
    /// Where the event under way happens, for the report of a panic.
    pub(super) place: Endpoint,
    /// Something has panicked, and it was a process.
    pub(crate) is_process_to_blame: bool,
    pub(super) queue: WorldQueue,
    pub(super) slab: Slab<Scheduled<P>>,
    /// Cancelled entries whose keys are still in the queue.
    pub(super) cancelled: usize,
    pub(super) ties: Ties,
    /// How ties were ordered before each re-seeding, with the first sequence number that was ordered otherwise.
    pub(super) former_ties: Vec<(u64, Ties)>,
    pub(super) network: Network,
    pub(super) keys: KeySource,
    pub(super) digest: Digest,
    pub(super) hosts: Vec<NodeHost<P>>,
    /// Plain timers: `node × PLAIN_COUNT + index`.
    pub(super) timers: Vec<Handle>,
    /// Facts stated by the handler under way.
    pub(super) facts: Vec<P::Fact>,
    /// How many more effects the handler under way may have; [`UNLIMITED`] unless a crash is armed.
    pub(super) effects_left: u32,
    /// A handler tried one effect more than it was allowed.
    pub(super) is_cut: bool,
    pub(super) timing: HostTiming,
    pub(super) clients: Vec<Client>,
    pub(super) metrics: Metrics,
    pub(super) leadership: Leadership,
    pub(super) history: History,
    pub(super) milestones: AppendLog<Milestone>,
    /// Says what commands do.
    pub(super) teller: Teller,
    pub(super) trace: Option<Box<Trace>>,
    /// What was reached in the abstract, where somebody wants to know.
    pub(super) coverage: Option<Box<Coverage>>,
    /// How often each of the protocol's points was reached.
    pub(super) points: Vec<u64>,
    /// When each of them was reached first.
    pub(super) points_first: Vec<Option<SimTime>>,
    pub(super) fault_points: FaultPoints,
    /// The run loop has to look up: something was violated, or a command came due.
    pub(super) must_look: bool,
    /// Messages that arrived on held links, in order of arrival.
    pub(super) held: Vec<u32>,
}

impl<P: Process> Core<P> {
    /// Moves time to an event and counts it.
    #[inline(always)]
    pub(super) fn begin_event(&mut self, at: SimTime) {
        debug_assert!(at >= self.now, "time went back from {} to {at}", self.now);
        self.events_now = if at == self.now { self.events_now + 1 } else { 1 };
        self.now = at;
        self.events += 1;
    }

    /// Digests and records the event under way, and makes it the cause of what follows. `peer` is the other end
    /// of a link, or the subject itself; `detail` depends on the kind (see [`TraceKind`]).
    #[inline(always)]
    pub(super) fn note_event(&mut self, noted: Noted, subject: Endpoint, peer: Endpoint, cause: u32) {
        self.digest.event(noted.mark, self.now, subject, peer.raw() ^ noted.detail.rotate_left(16));
        self.place = subject;
        self.record = self.records;
        self.records = self.records.wrapping_add(1);
        if self.trace.is_some() {
            self.keep_record(noted, subject, peer, cause);
        }
    }

    #[inline(never)]
    fn keep_record(&mut self, noted: Noted, subject: Endpoint, peer: Endpoint, cause: u32) {
        let (at, cause, detail) = (self.now, known(cause), noted.detail);
        let node = |end: Endpoint| end.node().expect("requests, syncs and handlers have a node");
        let op =
            |end: Endpoint| OpId { client: end.client().expect("operations have a client"), ordinal: detail };
        let record = match noted.kind {
            TraceKind::Delivery => Record::delivery(at, cause, peer, subject, detail.to_le_bytes()[0]),
            TraceKind::TimerFired => Record::timer_fired(at, cause, subject, usize::try_from(detail).ok()),
            TraceKind::Durable => Record::durable(at, cause, node(subject), SyncId::new(detail)),
            TraceKind::Request => Record::request(at, cause, node(subject), op(peer)),
            TraceKind::Reply => Record::reply(at, cause, node(peer), op(subject)),
            TraceKind::HandlerStart => Record::handler_start(at, cause, node(subject)),
            TraceKind::Drop
            | TraceKind::Start
            | TraceKind::Crash
            | TraceKind::Restart
            | TraceKind::Pause
            | TraceKind::Resume
            | TraceKind::Command => unreachable!("{:?} is no event of the queue", noted.kind),
        };
        self.trace.as_mut().expect("recording is on").push(record);
    }

    /// Moves time to something that is no event of the run but changes what a command after it would do.
    pub(super) fn pass_happening(&mut self, at: SimTime) {
        self.pass_time(at);
        self.events_now += 1;
    }

    /// Moves time without an event: a command is applied.
    pub(super) fn pass_time(&mut self, at: SimTime) {
        if at > self.now {
            self.now = at;
            self.events_now = 0;
        }
    }

    /// Puts something into slab and queue.
    #[inline(always)]
    pub(super) fn schedule(&mut self, at: SimTime, scheduled: Scheduled<P>) -> u32 {
        let slot = self.slab.insert(scheduled);
        let order = self.next_order();
        self.queue.push(EventKey::new(at, order, slot));
        slot
    }

    #[inline(always)]
    pub(super) fn next_order(&mut self) -> u64 {
        let order = self.ties.order(self.sequence);
        self.sequence += 1;
        order
    }

    /// The sequence number that got this place, whatever the key was when it did. Where two keys would explain a place,
    /// which is one in a million millions, it is the later one's.
    pub(super) fn sequence_of(&self, order: u64) -> u64 {
        let (mut until, mut ties) = (self.sequence, self.ties);
        for &(since, former) in self.former_ties.iter().rev() {
            let sequence = ties.sequence(order);
            if (since..until).contains(&sequence) {
                return sequence;
            }
            (until, ties) = (since, former);
        }
        ties.sequence(order)
    }

    /// Whether the next effect may happen; counts it where a crash is armed.
    #[inline(always)]
    pub(crate) fn may_act(&mut self) -> bool {
        self.effects_left == UNLIMITED || self.spend_effect()
    }

    #[cold]
    fn spend_effect(&mut self) -> bool {
        if self.effects_left == 0 {
            self.is_cut = true;
            return false;
        }
        self.effects_left -= 1;
        true
    }

    /// Sends a message between nodes.
    #[inline(always)]
    pub(crate) fn send(&mut self, from: NodeId, to: NodeId, message: P::Message) {
        if !self.may_act() {
            return;
        }
        let content = crate::fingerprint::fingerprint(&message);
        let size = message.size();
        self.metrics.increment(Counter::MessagesSent);
        self.metrics.add(Counter::BytesSent, size);
        self.transmit(from.into(), to.into(), content, size, Event::Message(message));
    }

    /// Hands something to the network: the one place where things are sent.
    #[inline(always)]
    pub(super) fn transmit(
        &mut self,
        from: Endpoint,
        to: Endpoint,
        content: u64,
        size: u64,
        event: Event<P>,
    ) {
        self.digest.effect(Mark::Send, from, to.raw(), content);
        let ordinal = self.network.next_ordinal(from, to);
        let id = MessageId { from, to, ordinal };
        let cause = self.record;
        if from != to
            && let Some(at) = self.network.send_plainly(self.now, id)
        {
            // Built in its place in the slab: a copy on the way there would cost a third of the whole event.
            self.schedule(at, Scheduled { from, to, cause, tag: ordinal, epoch: 0, event });
            return;
        }
        let epoch = if self.network.has_connections() { self.connection_epoch(from, to) } else { 0 };
        match self.sending(id, size) {
            Sending::Deliver { at } => {
                self.set_out(1);
                self.schedule(at, Scheduled { from, to, cause, tag: ordinal, epoch, event });
            }
            unusual => {
                self.transmit_unusually(unusual, Scheduled { from, to, cause, tag: ordinal, epoch, event });
            }
        }
    }

    /// Something sets out on a link.
    #[inline]
    pub(super) fn set_out(&mut self, count: u64) {
        if self.network.is_watched() {
            self.metrics.rise(Gauge::InFlight, self.now, count);
        }
    }

    /// Something has reached the end of its link, or is lost on its way.
    #[inline]
    pub(super) fn end_flight(&mut self) {
        if self.network.is_watched() {
            self.metrics.fall(Gauge::InFlight, self.now, 1);
        }
    }

    /// What the network does with a message; one to oneself does not go through it.
    #[inline]
    fn sending(&mut self, id: MessageId, size: u64) -> Sending {
        if id.from == id.to {
            Sending::Deliver { at: self.now }
        } else {
            self.network.send(self.now, id, size)
        }
    }

    #[cold]
    #[inline(never)]
    fn transmit_unusually(&mut self, sending: Sending, scheduled: Scheduled<P>) {
        match sending {
            Sending::Deliver { at } => {
                self.set_out(1);
                self.schedule(at, scheduled);
            }
            Sending::Twice { at, copy_at } => {
                self.set_out(2);
                self.metrics.increment(Counter::MessagesDuplicated);
                self.schedule(at, scheduled.clone());
                self.schedule(copy_at, scheduled);
            }
            Sending::Drop(reason) => self.note_drop(&scheduled, reason),
        }
    }

    /// How often either end of a link has been started again: a connection lives as long as this stays.
    #[cold]
    pub(super) fn connection_epoch(&self, from: Endpoint, to: Endpoint) -> u32 {
        let restarts = |end: Endpoint| {
            end.node().map_or(0, |node| self.hosts[node.index()].incarnation.saturating_sub(1))
        };
        restarts(from) + restarts(to)
    }

    /// Records a drop on the receiver's lane. It is an event of the trace but no pop, so it is not counted.
    #[cold]
    pub(super) fn note_drop(&mut self, lost: &Scheduled<P>, reason: DropReason) {
        let (from, to) = (lost.from, lost.to);
        self.digest.effect(Mark::Drop, to, from.raw(), reason as u64);
        self.metrics.increment(Counter::MessagesDropped);
        trace!(now = %self.now, %from, %to, %reason, "drop");
        self.records = self.records.wrapping_add(1);
        if let Some(trace) = &mut self.trace {
            let payload = payload_of(&lost.event);
            trace.push(Record::drop(self.now, known(lost.cause), from, to, payload, reason));
        }
    }

    /// Whether a message of a running `peer` would reach `node` now, but for loss on the way.
    pub(super) fn would_hear(&self, node: NodeId, peer: NodeId) -> bool {
        self.hosts[peer.index()].power == Power::Running
            && matches!(self.network.arrive(peer.into(), node.into()), Arrival::Deliver)
    }

    /// Adds to the list of what mattered.
    pub(super) fn note_milestone(&mut self, what: Happening) {
        trace!(now = %self.now, ?what, "milestone");
        self.milestones.push(Milestone { at: self.now, event: self.events, what });
    }

    /// Marks a slab entry dead; its key stays in the queue until it comes up or too many are dead.
    pub(super) fn cancel(&mut self, handle: Handle) {
        let Some(scheduled) = self.slab.lookup(handle) else { return };
        let was_queued = !matches!(&scheduled.event, Event::Timer(timer) if timer.queued == SimTime::MAX);
        scheduled.event = Event::Cancelled;
        if was_queued {
            self.cancelled += 1;
            self.maybe_compact();
        }
    }

    /// Drops the keys of cancelled entries once they are more than half of the queue.
    fn maybe_compact(&mut self) {
        if self.cancelled < 64 || self.cancelled * 2 < self.queue.len() {
            return;
        }
        let slab = &mut self.slab;
        self.queue.retain(|key| {
            let is_dead =
                slab.get(key.slot()).is_some_and(|scheduled| matches!(scheduled.event, Event::Cancelled));
            if is_dead {
                slab.take(key.slot());
            }
            !is_dead
        });
        self.cancelled = 0;
    }

    /// Where the handle of a plain timer lives.
    #[inline(always)]
    pub(super) fn timer_place(node: NodeId, index: usize) -> usize {
        node.index() * P::Timer::NAMES.len() + index
    }

    /// Whether inputs of `node` are handled as they arrive, given its power, timing and inbox.
    pub(super) fn intake_of(&self, node: NodeId) -> Intake {
        let host = &self.hosts[node.index()];
        match host.power {
            crate::status::Power::Down => Intake::Closed,
            crate::status::Power::Paused => Intake::Queued,
            crate::status::Power::Running => {
                let waits = host.inbox.as_ref().is_some_and(|inbox| inbox.is_busy || !inbox.slots.is_empty());
                if waits || self.timing.has_service_time() || host.slow_percent != 100 {
                    Intake::Queued
                } else if host.crash_after.is_some() || self.fault_points.is_armed(node) {
                    Intake::Watched
                } else {
                    Intake::Direct
                }
            }
        }
    }
}

/// The record that caused something, where one did: the first things of a run have no cause.
pub(super) fn known(cause: u32) -> Option<u32> {
    (cause != u32::MAX).then_some(cause)
}

/// What travels, as traces name it.
fn payload_of<P: Process>(event: &Event<P>) -> Payload {
    match event {
        Event::Message(message) => Payload::Message(message.kind()),
        Event::Request(_) => Payload::Request,
        Event::Reply(_) => Payload::Reply,
        Event::Timer(_) | Event::Durable(_) | Event::Handler | Event::Client(_) | Event::Cancelled => {
            unreachable!("only what travels is dropped")
        }
    }
}
