//! The effects of processes, one function each: what [`Context`](crate::Context) calls.

use super::core::Core;
use super::event::{Event, Scheduled, TimerEvent};
use super::host::HostDisk;
use crate::digest::Mark;
use crate::disk::{Disk, RegionId, WriteError};
use crate::fingerprint::fingerprint;
use crate::metrics::{Counter, Gauge, Opinion, Own};
use crate::process::{Process, Timer};
use crate::queue::{EventKey, EventQueue, Handle};
use crate::random::Stream;
use crate::service::Outcome;
use crate::status::Power;
use crate::{Endpoint, LocalTime, NodeId, OpId, SimTime, Span, SyncId};

impl<P: Process> Core<P> {
    #[inline]
    pub(crate) fn node_count(&self) -> usize {
        self.hosts.len()
    }

    #[inline(always)]
    pub(crate) fn monotonic(&self, node: NodeId) -> LocalTime {
        self.hosts[node.index()].monotonic(self.now)
    }

    pub(crate) fn wall(&self, node: NodeId) -> LocalTime {
        self.hosts[node.index()].wall(self.now)
    }

    pub(crate) fn clock_error(&self, node: NodeId) -> Span {
        self.hosts[node.index()].clock_error(self.now)
    }

    pub(crate) fn is_first_start(&self, node: NodeId) -> bool {
        self.hosts[node.index()].incarnation == 1
    }

    pub(crate) fn is_disk_lost(&self, node: NodeId) -> bool {
        self.hosts[node.index()].disk.as_ref().is_some_and(|host| host.disk.is_lost())
    }

    #[inline(always)]
    pub(crate) fn process_stream(&mut self, node: NodeId) -> &mut Stream {
        &mut self.hosts[node.index()].stream
    }

    // ----- timers -----

    #[inline(always)]
    pub(crate) fn set_timer(&mut self, node: NodeId, timer: P::Timer, delay: Span) {
        if !self.may_act() {
            return;
        }
        let host = &self.hosts[node.index()];
        let deadline = host.monotonic(self.now) + delay;
        let due = if host.has_true_clock() {
            self.now + delay
        } else {
            host.when_monotonic_reaches(deadline).map_or(SimTime::MAX, |due| due.max(self.now))
        };
        self.digest.effect(Mark::SetTimer, node.into(), timer_number(timer), due.as_nanos());
        self.arm(node, timer, deadline, due);
    }

    /// Arms a timer for `due`, re-using the key of an earlier setting where that comes up before.
    #[inline(always)]
    pub(super) fn arm(&mut self, node: NodeId, timer: P::Timer, deadline: LocalTime, due: SimTime) {
        let handle = self.timer_handle(node, timer);
        let order = self.next_order();
        let incarnation = self.hosts[node.index()].incarnation;
        let record = self.record;
        if let Some(handle) = handle
            && let Some(scheduled) = self.slab.lookup(handle)
            && let Event::Timer(armed) = &mut scheduled.event
        {
            if scheduled.tag == incarnation && armed.queued <= due && due != SimTime::MAX {
                (armed.deadline, armed.due, armed.order) = (deadline, due, order);
                scheduled.cause = record;
                return;
            }
            self.cancel_or_free(handle);
        }
        let is_parked = due == SimTime::MAX;
        let event = Event::Timer(TimerEvent { timer, deadline, due, order, queued: due });
        let me = Endpoint::from(node);
        let slot = self.slab.insert(Scheduled {
            from: me,
            to: me,
            cause: record,
            tag: incarnation,
            epoch: 0,
            event,
        });
        if !is_parked {
            self.queue.push(EventKey::new(due, order, slot));
        }
        let handle = self.slab.handle(slot);
        self.keep_timer_handle(node, timer, handle);
    }

    /// Takes a timer back. One without a key in the queue (parked, or in an inbox) is marked or freed.
    fn cancel_or_free(&mut self, handle: Handle) {
        let Some(scheduled) = self.slab.lookup(handle) else { return };
        match &scheduled.event {
            Event::Timer(timer) if timer.queued == SimTime::MAX && timer.due == SimTime::MAX => {
                self.slab.take(handle.slot());
            }
            _ => self.cancel(handle),
        }
    }

    #[inline]
    pub(crate) fn cancel_timer(&mut self, node: NodeId, timer: P::Timer) {
        if !self.may_act() {
            return;
        }
        self.digest.effect(Mark::CancelTimer, node.into(), timer_number(timer), 0);
        let incarnation = self.hosts[node.index()].incarnation;
        if let Some(handle) = self.timer_handle(node, timer)
            && self.slab.lookup(handle).is_some_and(|scheduled| {
                scheduled.tag == incarnation && matches!(scheduled.event, Event::Timer(_))
            })
        {
            self.cancel_or_free(handle);
        }
    }

    #[inline(always)]
    fn timer_handle(&self, node: NodeId, timer: P::Timer) -> Option<Handle> {
        if let Some(index) = timer.index() {
            return Some(self.timers[Self::timer_place(node, index)]);
        }
        let timers = self.hosts[node.index()].payload_timers.as_ref()?;
        timers.find(fingerprint(&timer), |(known, _)| *known == timer).map(|(_, handle)| *handle)
    }

    /// The handles of all timers that a node has set, whatever became of them, in no order.
    pub(super) fn timer_handles(&self, node: NodeId) -> impl Iterator<Item = Handle> {
        let plain = (0..P::Timer::NAMES.len()).map(move |index| self.timers[Self::timer_place(node, index)]);
        let payload = self.hosts[node.index()].payload_timers.iter().flat_map(|timers| timers.iter());
        plain.chain(payload.map(|(_, handle)| *handle))
    }

    #[inline(always)]
    fn keep_timer_handle(&mut self, node: NodeId, timer: P::Timer, handle: Handle) {
        if let Some(index) = timer.index() {
            self.timers[Self::timer_place(node, index)] = handle;
            return;
        }
        let timers = self.hosts[node.index()].payload_timers.get_or_insert_default();
        let place = |(known, _): &(P::Timer, Handle)| fingerprint(known);
        timers.entry(fingerprint(&timer), |(known, _)| *known == timer, place).insert((timer, handle));
    }

    // ----- disk -----

    pub(crate) fn disk(&mut self, node: NodeId) -> &Disk<P::Record> {
        &self.host_disk(node).disk
    }

    pub(super) fn host_disk(&mut self, node: NodeId) -> &mut HostDisk<P> {
        let model = &self.timing.disk;
        self.hosts[node.index()]
            .disk
            .get_or_insert_with(|| Box::new(HostDisk { disk: Disk::new(&model.model), unpaid_writes: 0 }))
    }

    /// Writes to the disk; `None` where the handler was cut before. The next sync pays for what was written, and not
    /// for what was refused.
    pub(crate) fn write_disk<T>(
        &mut self,
        node: NodeId,
        region: RegionId,
        content: u64,
        act: impl FnOnce(&mut Disk<P::Record>) -> Result<T, WriteError>,
    ) -> Result<Option<T>, WriteError> {
        if !self.may_act() {
            return Ok(None);
        }
        self.digest.effect(Mark::Write, node.into(), u32::from(region.raw()), content);
        let host_disk = self.host_disk(node);
        let written = act(&mut host_disk.disk)?;
        host_disk.unpaid_writes += 1;
        self.metrics.increment(Counter::DiskWrites);
        self.metrics.rise(Gauge::UnsyncedWrites, self.now, 1);
        Ok(Some(written))
    }

    /// Changes the disk by a write that needs no space, so that it is never refused.
    pub(crate) fn change_disk(
        &mut self,
        node: NodeId,
        region: RegionId,
        content: u64,
        act: impl FnOnce(&mut Disk<P::Record>),
    ) {
        let changed = self.write_disk(node, region, content, |disk| {
            act(disk);
            Ok(())
        });
        changed.expect("only a write that needs space is refused");
    }

    pub(crate) fn sync(&mut self, node: NodeId, region: RegionId) -> SyncId {
        if !self.may_act() {
            return SyncId::new(u32::MAX);
        }
        self.digest.effect(Mark::Sync, node.into(), u32::from(region.raw()), 0);
        let latency = self.sync_latency(node);
        let now = self.now;
        let pending = self.host_disk(node).disk.begin_sync(region, now, latency);
        if let Some(due) = pending.due {
            self.schedule_durable(node, pending.id, due);
        }
        pending.id
    }

    /// What the device needs for the writes since the last sync and for this sync.
    fn sync_latency(&mut self, node: NodeId) -> Span {
        let writes = std::mem::take(&mut self.host_disk(node).unpaid_writes);
        let host = &mut self.hosts[node.index()];
        let stream = &mut host.disk_stream;
        let sync = self.timing.disk.sync.sample_with(|| stream.next_u64());
        let write = self.timing.disk.write.sample_with(|| stream.next_u64());
        sync + write.times(u64::from(writes))
    }

    pub(super) fn schedule_durable(&mut self, node: NodeId, sync: SyncId, due: SimTime) {
        let tag = self.hosts[node.index()].incarnation;
        let me = Endpoint::from(node);
        let event = Event::Durable(sync);
        self.schedule(due, Scheduled { from: me, to: me, cause: self.record, tag, epoch: 0, event });
    }

    // ----- answers, facts, remarks -----

    pub(crate) fn reply(&mut self, node: NodeId, op: OpId, outcome: Outcome) {
        if !self.may_act() {
            return;
        }
        self.metrics.increment(Counter::Replies);
        self.note_answer(node, op, &outcome);
        let content = fingerprint(&(op, &outcome));
        let size = outcome.size();
        self.transmit(node.into(), op.client.into(), content, size, Event::Reply(Box::new((op, outcome))));
    }

    pub(crate) fn outside_effect(&mut self, node: NodeId, outcome: &Outcome) {
        if !self.may_act() {
            return;
        }
        self.digest.effect(Mark::Effect, node.into(), 0, fingerprint(outcome));
        self.metrics.increment(Counter::OutsideEffects);
        if let Some(trace) = &mut self.trace {
            trace.note(format!("{node} acts on the outside world: {outcome:?}"));
        }
    }

    /// Facts after a cut are dropped: they may be about an effect that never happened, and the process dies anyway.
    #[inline(always)]
    pub(crate) fn state_fact(&mut self, fact: P::Fact) {
        if !self.is_cut {
            self.facts.push(fact);
        }
    }

    pub(crate) fn remark(&mut self, node: NodeId, text: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.note(format!("{node}: {}", text()));
        }
    }

    /// A level after a cut is dropped, as facts are.
    pub(crate) fn set_gauge(&mut self, node: NodeId, gauge: usize, value: u64) {
        if !self.is_cut {
            self.metrics.set_process_gauge(self.now, node, gauge, value);
        }
    }

    /// A process changes what it takes another one for; dropped after a cut, as facts are.
    pub(crate) fn judge(&mut self, node: NodeId, other: NodeId, opinion: Opinion) {
        let is_up = self.hosts.get(other.index()).is_some_and(|host| host.power != Power::Down);
        let Some((now, own)) = self.own_metrics() else { return };
        own.detection().judge(now, node, other, opinion, is_up);
    }

    /// What processes count and time; dropped after a cut, as facts are.
    #[inline]
    pub(crate) fn own_metrics(&mut self) -> Option<(SimTime, &mut Own)> {
        (!self.is_cut).then(|| (self.now, self.metrics.own_mut()))
    }
}

/// The word that stands for a timer in the digest.
#[inline(always)]
pub(super) fn timer_number<T: Timer>(timer: T) -> u32 {
    match timer.index() {
        Some(index) => u32::try_from(index).expect("a protocol has few plain timers"),
        None => payload_number(timer),
    }
}

#[inline(never)]
#[expect(clippy::cast_possible_truncation, reason = "half of a fingerprint is enough in the digest")]
fn payload_number<T: Timer>(timer: T) -> u32 {
    fingerprint(&timer) as u32 | 1 << 31
}

/// A time on a host that runs at so many hundredths of the proper duration.
pub(super) fn scale(span: Span, percent: u32) -> Span {
    if percent == 100 {
        return span;
    }
    Span::nanos((u128::from(span.as_nanos()) * u128::from(percent) / 100).try_into().unwrap_or(u64::MAX))
}
