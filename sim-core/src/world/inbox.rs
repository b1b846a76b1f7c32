//! Waiting for the processor: service times, pauses, bounded inboxes.
//!
//! An input that cannot be handled in the event of its arrival stays in the slab and waits in the node's inbox,
//! in order of arrival. While anything waits and the node runs, one *handler start* is scheduled: it handles the
//! input at the head, at the end of that input's service time. A crash before that loses the input.

use super::arrival::{Arriving, detail_of};
use super::core::Core;
use super::event::{Event, Scheduled};
use super::host::Intake;
use super::{World, effects};
use crate::metrics::{Counter, Gauge};
use crate::network::DropReason;
use crate::process::Process;
use crate::queue::EventKey;
use crate::status::Power;
use crate::trace::Lifecycle;
use crate::{Endpoint, NodeId, Span};

/// What a slowed node without a service time takes for one input before it is slowed.
const SLOWED_SERVICE: Span = Span::micros(10);

impl<P: Process> World<P> {
    /// Puts an input that has arrived into the inbox.
    #[inline(never)]
    pub(super) fn enqueue(&mut self, node: NodeId, slot: u32, arriving: Arriving) {
        let scheduled = self.core.slab_at(slot);
        let (from, cause, detail) = (scheduled.from, scheduled.cause, detail_of(scheduled));
        if self.core.is_inbox_full(node) && matches!(scheduled.event, Event::Message(_) | Event::Request(_)) {
            let lost = self.core.slab.take(slot);
            return self.core.note_drop(&lost, DropReason::InboxFull);
        }
        self.core.note_event(arriving.noted(detail), node.into(), from, cause);
        self.core.slab_mut(slot).cause = self.core.record;
        self.core.hosts[node.index()].inbox_mut().slots.push_back(slot);
        self.core.metrics.rise(Gauge::InboxDepth, self.core.now, 1);
        self.core.maybe_start_handler(node);
    }

    /// The processor is free for the input at the head of the inbox.
    pub(super) fn on_handler_start(&mut self, key: EventKey) {
        let event = self.core.slab.take(key.slot());
        let node = event.to.node().expect("handlers run on nodes");
        let host = &mut self.core.hosts[node.index()];
        if event.tag != host.incarnation || host.power == Power::Down {
            return;
        }
        host.inbox_mut().is_busy = false;
        if host.power == Power::Paused {
            return self.core.pass_happening(key.time());
        }
        let Some(slot) = self.core.next_in_inbox(node) else {
            self.core.pass_happening(key.time());
            self.core.hosts[node.index()].intake = self.core.intake_of(node);
            return;
        };
        self.core.begin_event(key.time());
        let scheduled = self.core.slab.take(slot);
        self.core.note_event(Arriving::HANDLER.noted(0), node.into(), node.into(), scheduled.cause);
        self.handle(node, scheduled);
        if self.core.hosts[node.index()].power != Power::Down {
            self.core.maybe_start_handler(node);
            self.core.hosts[node.index()].intake = self.core.intake_of(node);
        }
    }
}

impl<P: Process> Core<P> {
    fn is_inbox_full(&self, node: NodeId) -> bool {
        let length = self.hosts[node.index()].inbox_length();
        self.timing.inbox_limit.is_some_and(|limit| length >= limit as usize)
    }

    /// Schedules the handler of the head of the inbox, unless one is under way or the node does not run.
    pub(super) fn maybe_start_handler(&mut self, node: NodeId) {
        let host = &mut self.hosts[node.index()];
        let is_running = host.power == Power::Running;
        let inbox = host.inbox_mut();
        if inbox.is_busy || inbox.slots.is_empty() || !is_running {
            return;
        }
        inbox.is_busy = true;
        let at = self.now + self.service_time(node);
        let tag = self.hosts[node.index()].incarnation;
        let me = Endpoint::from(node);
        self.schedule(
            at,
            Scheduled { from: me, to: me, cause: self.record, tag, epoch: 0, event: Event::Handler },
        );
    }

    fn service_time(&mut self, node: NodeId) -> Span {
        let host = &mut self.hosts[node.index()];
        let stream = &mut host.service_stream;
        let mut span = self.timing.service.sample_with(|| stream.next_u64());
        if host.slow_percent != 100 {
            span = effects::scale(span.max(SLOWED_SERVICE), host.slow_percent);
        }
        span
    }

    /// Takes the first input of the inbox that still counts: timers may have been cancelled while they waited.
    fn next_in_inbox(&mut self, node: NodeId) -> Option<u32> {
        loop {
            let slot = self.hosts[node.index()].inbox_mut().slots.pop_front()?;
            self.metrics.fall(Gauge::InboxDepth, self.now, 1);
            if !matches!(self.slab_event(slot), Event::Cancelled) {
                return Some(slot);
            }
            self.slab.take(slot);
        }
    }

    /// Gives up everything that waits: the node has crashed.
    pub(super) fn clear_inbox(&mut self, node: NodeId) {
        let Some(inbox) = self.hosts[node.index()].inbox.take() else { return };
        self.metrics.add(Counter::InputsLost, inbox.slots.len() as u64);
        self.metrics.fall(Gauge::InboxDepth, self.now, inbox.slots.len() as u64);
        for slot in inbox.slots {
            self.slab.take(slot);
        }
    }

    /// The node pauses: what arrives waits.
    pub(super) fn pause(&mut self, node: NodeId) {
        let host = &mut self.hosts[node.index()];
        if host.power == Power::Running {
            host.power = Power::Paused;
            host.intake = Intake::Queued;
            self.record_lifecycle(node, Lifecycle::Pause);
        }
    }

    /// The node goes on with what has waited, in order.
    pub(super) fn resume(&mut self, node: NodeId) {
        if self.hosts[node.index()].power == Power::Paused {
            self.hosts[node.index()].power = Power::Running;
            self.record_lifecycle(node, Lifecycle::Resume);
            self.maybe_start_handler(node);
            self.hosts[node.index()].intake = self.intake_of(node);
        }
    }
}
