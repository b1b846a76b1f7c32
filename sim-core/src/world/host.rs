//! The simulated host of one process: power, clocks, random stream, disk, inbox.

use std::collections::VecDeque;

use hashbrown::HashTable;

use crate::clock::NodeClock;
use crate::disk::Disk;
use crate::process::Process;
use crate::queue::Handle;
use crate::random::Stream;
use crate::status::{NodeStatus, Power, Status};
use crate::{LocalTime, SimTime, Span};

/// Timers with a payload, each with where it waits.
pub(super) type PayloadTimers<P> = HashTable<(<P as Process>::Timer, Handle)>;

/// The simulated host of one process.
///
/// What every event needs comes first and fits one cache line: with a thousand nodes the rest stays out of the
/// processor's way.
#[repr(C, align(64))]
pub struct NodeHost<P: Process> {
    pub(super) power: Power,
    pub(super) intake: Intake,
    pub(super) spare: Spare,
    pub(super) incarnation: u32,
    /// The next handler that makes effects is cut after so many of them.
    pub(super) crash_after: Option<u32>,
    pub(super) stream: Stream,
    /// `None` shows true time.
    pub(super) clock: Option<Box<NodeClock>>,
    pub(super) disk: Option<Box<HostDisk<P>>>,
    pub(super) inbox: Option<Box<Inbox>>,
    // From here on, what few events need.
    /// Found by their fingerprints. How they lie there is nowhere to be seen: who walks them puts them in order.
    pub(super) payload_timers: Option<Box<PayloadTimers<P>>>,
    /// Draws of this host's disk and service times; its ordinals run on over restarts.
    pub(super) disk_stream: Stream,
    pub(super) service_stream: Stream,
    /// Service times are multiplied by this many hundredths; 100 is the proper speed. Disks have a factor of their
    /// own ([`SlowFactor`](crate::disk::SlowFactor)).
    pub(super) slow_percent: u32,
    /// As it was after the last event that stated facts, and after starts and crashes.
    pub(super) status: Option<NodeStatus>,
}

/// The disk and the writes that the next sync has to pay for.
pub(super) struct HostDisk<P: Process> {
    pub(super) disk: Disk<P::Record>,
    pub(super) unpaid_writes: u32,
}

/// Whether an input that arrives is handled at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Intake {
    /// Handle it now, in the event of its arrival.
    Direct,
    /// The same, but count its effects: a crash is armed after some of them.
    Watched,
    /// Put it into the inbox.
    Queued,
    /// Drop it: the node is down.
    Closed,
}

/// Whether a node takes part from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spare {
    /// Started with the run, and again by `recover`.
    Member,
    /// Down until a command starts it.
    Reserve,
}

/// Inputs that wait for the processor, in order of arrival. They stay in the slab; these are their slots.
#[derive(Clone, Debug, Default)]
pub(super) struct Inbox {
    pub(super) slots: VecDeque<u32>,
    /// A handler-start event is under way.
    pub(super) is_busy: bool,
}

impl<P: Process> NodeHost<P> {
    /// This host at a glance, with what its process says of itself.
    pub(super) fn status_with(&self, process: Option<Status>) -> NodeStatus {
        NodeStatus { power: self.power, incarnation: self.incarnation, process }
    }

    pub(super) fn new(
        clock: Option<NodeClock>,
        stream: Stream,
        disk_stream: Stream,
        service_stream: Stream,
    ) -> Self {
        Self {
            power: Power::Down,
            incarnation: 0,
            intake: Intake::Closed,
            spare: Spare::Member,
            clock: clock.map(Box::new),
            stream,
            disk_stream,
            service_stream,
            slow_percent: 100,
            crash_after: None,
            status: None,
            disk: None,
            inbox: None,
            payload_timers: None,
        }
    }

    /// Whether the host runs.
    pub fn power(&self) -> Power {
        self.power
    }

    /// How many times the node has been started, from 1; 0 for a spare never started.
    pub fn incarnation(&self) -> u32 {
        self.incarnation
    }

    /// Whether the clocks show true time.
    #[inline(always)]
    pub(super) fn has_true_clock(&self) -> bool {
        self.clock.as_ref().is_none_or(|clock| clock.is_true())
    }

    /// What the monotonic clock shows.
    #[inline(always)]
    pub fn monotonic(&self, now: SimTime) -> LocalTime {
        self.clock.as_ref().map_or(LocalTime::from_nanos(now.as_nanos()), |clock| clock.monotonic(now))
    }

    /// What the wall clock shows.
    pub fn wall(&self, now: SimTime) -> LocalTime {
        self.clock.as_ref().map_or(LocalTime::from_nanos(now.as_nanos()), |clock| clock.wall(now))
    }

    /// How far the wall clock says it may be off.
    pub fn clock_error(&self, now: SimTime) -> Span {
        self.clock.as_ref().map_or(Span::ZERO, |clock| clock.error_bound(now))
    }

    /// When the monotonic clock shows `deadline`, as far as is known now; `None` while it stands still.
    pub(super) fn when_monotonic_reaches(&self, deadline: LocalTime) -> Option<SimTime> {
        match &self.clock {
            None => Some(SimTime::from_nanos(deadline.as_nanos())),
            Some(clock) => clock.when_monotonic_reaches(deadline),
        }
    }

    /// The disk; `None` where nothing was ever written.
    pub fn disk(&self) -> Option<&Disk<P::Record>> {
        self.disk.as_deref().map(|host_disk| &host_disk.disk)
    }

    /// How many inputs wait in the inbox.
    pub fn inbox_length(&self) -> usize {
        self.inbox.as_deref().map_or(0, |inbox| inbox.slots.len())
    }

    pub(super) fn inbox_mut(&mut self) -> &mut Inbox {
        self.inbox.get_or_insert_default()
    }
}

impl<P: Process> Clone for NodeHost<P> {
    fn clone(&self) -> Self {
        Self {
            power: self.power,
            incarnation: self.incarnation,
            intake: self.intake,
            spare: self.spare,
            clock: self.clock.clone(),
            stream: self.stream.clone(),
            disk_stream: self.disk_stream.clone(),
            service_stream: self.service_stream.clone(),
            slow_percent: self.slow_percent,
            crash_after: self.crash_after,
            status: self.status,
            disk: self.disk.as_ref().map(|host_disk| {
                Box::new(HostDisk { disk: host_disk.disk.clone(), unpaid_writes: host_disk.unpaid_writes })
            }),
            inbox: self.inbox.clone(),
            payload_timers: self.payload_timers.clone(),
        }
    }
}
