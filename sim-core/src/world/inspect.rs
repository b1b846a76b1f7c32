//! Looking at a host: clocks, timers, inbox, disk. Nothing in a run needs this.

use super::World;
use super::core::Core;
use super::event::{Event, Scheduled, TimerEvent};
use super::host::NodeHost;
use crate::clock::NodeClock;
use crate::disk::{Disk, Record, RegionId, RegionKind};
use crate::process::{Message, Process, Timer};
use crate::simulation::{ArmedTimer, ClockView, HostView, RegionView, Waiting};
use crate::{NodeId, SimTime};

impl<P: Process> World<P> {
    /// What there is of a node beside its process. Takes time in proportion to all that is pending in the world.
    pub fn host_view(&self, node: NodeId) -> HostView {
        let (core, host) = (&self.core, &self.core.hosts[node.index()]);
        let disk = host.disk();
        HostView {
            clock: clock_view(host, core.now),
            timers: core.armed_timers(node).into_iter().map(|slot| core.armed_timer(slot)).collect(),
            inbox: core.waiting(node),
            regions: disk.into_iter().flat_map(region_views).collect(),
            syncs: disk.into_iter().flat_map(Disk::pending_syncs).map(|sync| sync.due).collect(),
            slow_percent: host.slow_percent,
        }
    }
}

impl<P: Process> Core<P> {
    fn armed_timer(&self, slot: u32) -> ArmedTimer {
        let Event::Timer(TimerEvent { timer, deadline, due, .. }) = self.slab_event(slot) else {
            unreachable!("the slot was just seen to hold a timer")
        };
        let due = Some(*due).filter(|due| *due != SimTime::MAX);
        ArmedTimer { name: timer_name(*timer), due, deadline: *deadline }
    }

    /// What waits in the inbox; timers that were cancelled meanwhile are left out.
    fn waiting(&self, node: NodeId) -> Vec<Waiting> {
        let inbox = self.hosts[node.index()].inbox.as_deref();
        let slots = inbox.into_iter().flat_map(|inbox| &inbox.slots);
        slots.filter_map(|slot| waiting(self.slab_at(*slot))).collect()
    }
}

fn waiting<P: Process>(scheduled: &Scheduled<P>) -> Option<Waiting> {
    let (kind, text) = match &scheduled.event {
        Event::Message(message) => (P::Message::KINDS[usize::from(message.kind())], message.describe()),
        Event::Request(request) => ("request", format!("{} {}", request.0, request.1)),
        Event::Timer(timer) => ("timer", timer_name(timer.timer)),
        Event::Durable(sync) => ("durable", format!("sync {}", sync.raw())),
        Event::Reply(_) | Event::Handler | Event::Client(_) | Event::Cancelled => return None,
    };
    Some(Waiting { from: scheduled.from, kind, text })
}

fn timer_name<T: Timer>(timer: T) -> String {
    timer.index().map_or_else(|| format!("{timer:?}"), |index| T::NAMES[index].to_owned())
}

fn clock_view<P: Process>(host: &NodeHost<P>, now: SimTime) -> ClockView {
    let clock = host.clock.as_deref();
    ClockView {
        monotonic: host.monotonic(now),
        wall: host.wall(now),
        error: host.clock_error(now),
        drift_ppm: clock.map_or(0, NodeClock::drift_ppm),
        is_frozen: clock.is_some_and(NodeClock::is_frozen),
    }
}

fn region_views<R: Record>(disk: &Disk<R>) -> impl Iterator<Item = RegionView> {
    disk.regions().map(|(region, kind)| RegionView {
        region,
        kind,
        seen: disk.places(region),
        durable: durable_places(disk, region, kind),
        unsynced: disk.unsynced(region),
    })
}

fn durable_places<R: Record>(disk: &Disk<R>, region: RegionId, kind: RegionKind) -> std::ops::Range<u64> {
    let slots = match kind {
        RegionKind::Log => disk.durable_log(region),
        RegionKind::Blob => disk.durable_blob(region),
        RegionKind::Cell => return 0..u64::from(disk.durable_cell(region).is_some()),
    };
    slots.map_or(0..0, |slots| slots.first_index()..slots.end_index())
}
