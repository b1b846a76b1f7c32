//! What each command does.

use super::core::Core;
use super::event::{Event, TimerEvent};
use super::host::{Intake, Spare};
use super::{Stop, World};
use crate::clock::ClockFault;
use crate::digest::Mark;
use crate::disk::{CrashLoss, DiskFault, FaultEffect, SyncCompletion, SyncHonesty};
use crate::fault::{Command, Entry, Moment, Target, TimerName, Trigger, Was};
use crate::fingerprint::fingerprint;
use crate::metrics::{Counter, Gauge};
use crate::milestone::Happening;
use crate::network::{Arrival, Forwarding};
use crate::process::{Process, Timer};
use crate::queue::{EventKey, EventQueue};
use crate::random::{Purpose, squares64};
use crate::status::{NodeStatus, Power};
use crate::trace::{Lifecycle, Record};
use crate::{Endpoint, NodeId, SimTime, Span, SyncId};

/// How soon it is looked again whether a timer is armed.
const LOOK_AGAIN_AFTER: Span = Span::millis(1);

impl<P: Process> World<P> {
    /// Decides what comes first: the event of `key`, the next command, or the end at `until`; does it, and says
    /// if the run pauses here.
    #[cold]
    #[inline(never)]
    pub(super) fn at_barrier(&mut self, key: Option<EventKey>, until: SimTime) -> Option<Stop> {
        let due = key.map_or(SimTime::MAX, EventKey::time);
        if let Some((moment, _)) = self.agenda.next()
            && moment.time <= until
            && self.comes_before_event(moment, due)
        {
            if let Some(key) = key {
                self.core.queue.push(key);
            }
            let (index, entry) = self.agenda.take_next().expect("the next entry was just seen");
            if self.is_due(index, &entry, moment.time, due) {
                self.core.pass_time(moment.time);
                self.apply_entry(index, &entry);
            }
            return None;
        }
        match key {
            Some(key) if due <= until => {
                self.pop(key);
                None
            }
            Some(key) => {
                self.core.queue.push(key);
                Some(Stop::Horizon)
            }
            None if self.agenda.next().is_some() => Some(Stop::Horizon),
            None => Some(Stop::Idle),
        }
    }

    fn comes_before_event(&self, moment: Moment, due: SimTime) -> bool {
        let events_before = if self.core.now == due { self.core.events_now } else { 0 };
        moment.time < due || (moment.time == due && events_before >= moment.after_events)
    }

    /// Whether an entry whose moment has come is to be applied now. One that comes before a timer fires is looked at until that
    /// is near: when it would be, as things stand; while the timer is not armed, when the next event (at `event`) or command
    /// may have armed it. Where neither comes, nothing will.
    fn is_due(&mut self, index: usize, entry: &Entry, now: SimTime, event: SimTime) -> bool {
        let (Trigger::Before { span, node, timer, until, .. }, None) = (entry.trigger, &entry.was) else {
            return true;
        };
        let next = if let Some(due) = self.core.timer_due(node, timer) {
            SimTime::from_nanos(due.as_nanos().saturating_sub(span.as_nanos()))
        } else {
            let act = self.agenda.next_act().unwrap_or(SimTime::MAX);
            event.min(act).max(now + LOOK_AGAIN_AFTER)
        };
        if now < next && next < until {
            self.agenda.come_due(index, Moment::before(next));
        }
        next <= now && now < until
    }

    /// Applies an entry of the plan: as it was, else as its targets are now.
    fn apply_entry(&mut self, index: usize, entry: &Entry) {
        let commands = match &entry.was {
            Some(was) => was.commands.clone(),
            None => self.resolve(entry),
        };
        let moment = self.moment();
        let was = Was { moment, place: self.agenda.next_place(moment), commands };
        for command in &was.commands {
            self.perform(command);
        }
        self.agenda.record(index, was);
    }

    /// Applies a command now, after the last event. It becomes part of the plan.
    pub fn apply(&mut self, command: Command) {
        let moment = self.moment();
        let place = self.agenda.next_place(moment);
        self.perform(&command);
        let asked = Command::<Target>::from(&command);
        let was = Some(Was { moment, place, commands: vec![command] });
        self.agenda.add_done(Entry { trigger: Trigger::At(moment), command: asked, was });
    }

    /// Lets time come to `time`, so that a command may be applied there: where events happened at that instant, to just after
    /// them, as files have no words for what stands between the events of an instant. It stays where something is due
    /// before that.
    pub fn pass_to(&mut self, time: SimTime) {
        let is_amid_events = time <= self.core.now && self.core.events_now > 0;
        let time = if is_amid_events { self.core.now + Span::nanos(1) } else { time };
        let event = self.core.queue.peek().map(EventKey::time);
        let act = self.agenda.next().map(|(moment, _)| moment.time);
        if [event, act].into_iter().flatten().all(|due| time <= due) {
            self.core.pass_time(time);
        }
    }

    /// The place in the run where it stands: now, after so many events of this instant.
    fn moment(&self) -> Moment {
        Moment { time: self.core.now, after_events: self.core.events_now }
    }

    /// Finds whom an entry means. What is random in that is keyed by the entry itself, so that other entries
    /// don't shift it.
    fn resolve(&self, entry: &Entry) -> Vec<Command> {
        let who = fingerprint(&(&entry.trigger, &entry.command));
        let draw = squares64(0, self.core.keys.key(Purpose::Targets, who, 0));
        let statuses = self.statuses();
        entry.command.resolve(&mut |target| target.resolve(&statuses, &self.domains, draw))
    }

    pub(super) fn statuses(&self) -> Vec<NodeStatus> {
        (0..self.core.node_count()).map(|index| self.status(node_at(index))).collect()
    }

    /// Does what a command says, and records that.
    fn perform(&mut self, command: &Command) {
        let text = self.core.teller.tell(command);
        tracing::debug!(now = %self.core.now, command = text, "command");
        let now = self.core.now;
        self.core.digest.effect(
            Mark::Command,
            Endpoint::from_raw(0),
            self.core.events_now,
            fingerprint(command),
        );
        self.core.digest.event(Mark::Command, now, Endpoint::from_raw(0), 0);
        self.core.metrics.increment(Counter::Commands);
        if let Some(coverage) = &mut self.core.coverage {
            coverage.on_command(command.name());
        }
        self.core.record_command(&text);
        self.core.note_milestone(Happening::Command(text));
        self.act(command);
    }

    fn act(&mut self, command: &Command) {
        match command {
            Command::Crash(node) => self.crash(*node),
            Command::CrashLosing { node, loss } => self.crash_losing(*node, *loss),
            Command::CrashAfterEffect { node, effects } => self.core.arm_crash(*node, *effects),
            Command::CrashAtPoint { node, point, nth } => self.core.arm_crash_at_point(*node, *point, *nth),
            Command::FireTimer { node, timer } => self.core.fire_timer(*node, *timer),
            Command::Restart(node) => self.restart(*node),
            Command::Pause(node) => self.core.pause(*node),
            Command::Resume(node) => self.core.resume(*node),
            Command::SlowDown { node, percent } => self.core.slow_down(*node, *percent),
            Command::Wipe(node) => self.fault_disk(*node, DiskFault::Wipe),
            Command::Clock { node, fault } => self.core.fault_clock(*node, fault),
            Command::Disk { node, fault } => self.fault_disk(*node, *fault),
            Command::Recover => self.recover(),
            Command::Issue { client, operation } => self.core.issue_by_hand(*client, operation.clone()),
            Command::Message { id, act } if self.core.act_on_flight(*id, *act) => {}
            Command::Cut { .. }
            | Command::Mend { .. }
            | Command::Partition { .. }
            | Command::HealPartition(_)
            | Command::HealAll
            | Command::Link { .. }
            | Command::AllLinks(_)
            | Command::Hold { .. }
            | Command::Release { .. }
            | Command::Message { .. } => self.core.fault_network(command),
        }
    }

    /// A node that runs already only forgets a crash that was armed.
    fn restart(&mut self, node: NodeId) {
        self.core.hosts[node.index()].crash_after = None;
        self.core.fault_points.disarm(node);
        self.core.hosts[node.index()].intake = self.core.intake_of(node);
        if self.core.hosts[node.index()].power == Power::Down {
            self.start(node);
        }
    }

    /// Faults that happen to a disk at rest stop the node first.
    fn fault_disk(&mut self, node: NodeId, fault: DiskFault) {
        if matches!(fault, DiskFault::Wipe | DiskFault::RollBack { .. }) {
            self.crash(node);
        }
        self.core.fault_disk(node, fault);
    }

    /// Everything heals; see [`Command::Recover`].
    fn recover(&mut self) {
        self.core.fault_network(&Command::HealAll);
        for index in 0..self.core.node_count() {
            let node = node_at(index);
            self.core.heal_host(node);
            let host = &self.core.hosts[index];
            if host.spare == Spare::Member || host.incarnation > 0 {
                self.restart(node);
            }
        }
    }
}

fn node_at(index: usize) -> NodeId {
    NodeId::new(u32::try_from(index).expect("node counts fit 31 bits"))
}

impl<P: Process> Core<P> {
    fn record_command(&mut self, text: &str) {
        self.record = self.records;
        self.records += 1;
        if let Some(trace) = &mut self.trace {
            trace.push(Record::command(self.now, None));
            trace.note(text);
        }
    }

    pub(super) fn record_lifecycle(&mut self, node: NodeId, change: Lifecycle) {
        let cause = self.record;
        self.record = self.records;
        self.records += 1;
        if let Some(trace) = &mut self.trace {
            trace.push(Record::lifecycle(self.now, super::core::known(cause), node, change));
        }
    }

    // ----- nodes -----

    /// A node gets power and a fresh random stream. Its process is the world's to boot.
    pub(super) fn power_on(&mut self, node: NodeId) {
        self.place = node.into();
        let host = &mut self.hosts[node.index()];
        host.power = Power::Running;
        host.incarnation += 1;
        let incarnation = host.incarnation;
        host.stream = self.keys.stream(Purpose::Process, u64::from(node.raw()), incarnation);
        self.hosts[node.index()].intake = self.intake_of(node);
        self.network.set_forwarding(node, Forwarding::On);
        self.metrics.rise(Gauge::NodesUp, self.now, 1);
        self.digest.event(Mark::Start, self.now, node.into(), incarnation);
        if incarnation == 1 {
            self.record_lifecycle(node, Lifecycle::Start);
        } else {
            self.metrics.increment(Counter::Restarts);
            self.record_lifecycle(node, Lifecycle::Restart);
            self.leadership.on_restart(self.now, node);
            self.metrics.on_restart(self.now, node);
            self.note_milestone(Happening::Restarted(node));
        }
    }

    /// A node loses power: inbox and timers are void, the disk loses what its model says. Returns whether it
    /// had any.
    pub(super) fn power_off(&mut self, node: NodeId, loss: CrashLoss) -> bool {
        let host = &mut self.hosts[node.index()];
        if host.power == Power::Down {
            return false;
        }
        host.power = Power::Down;
        host.intake = Intake::Closed;
        host.crash_after = None;
        host.payload_timers = None;
        self.fault_points.disarm(node);
        self.clear_inbox(node);
        self.lose_unsynced(node, loss);
        self.metrics.fall(Gauge::NodesUp, self.now, 1);
        self.metrics.forget_process(self.now, node);
        self.network.set_forwarding(node, Forwarding::Off);
        self.digest.event(Mark::Crash, self.now, node.into(), self.hosts[node.index()].incarnation);
        self.metrics.increment(Counter::Crashes);
        self.record_lifecycle(node, Lifecycle::Crash);
        self.leadership.on_crash(&mut self.metrics, self.now, node);
        self.note_milestone(Happening::Crashed(node));
        true
    }

    fn lose_unsynced(&mut self, node: NodeId, loss: CrashLoss) {
        let host = &mut self.hosts[node.index()];
        let stream = &mut host.disk_stream;
        if let Some(host_disk) = &mut host.disk {
            host_disk.unpaid_writes = 0;
            let before = host_disk.disk.unsynced_in_all();
            host_disk.disk.crash(loss, &mut || stream.next_u64());
            let after = host_disk.disk.unsynced_in_all();
            self.metrics.shift(Gauge::UnsyncedWrites, self.now, before, after);
        }
    }

    fn arm_crash(&mut self, node: NodeId, effects: u32) {
        if self.hosts[node.index()].power != Power::Down {
            self.hosts[node.index()].crash_after = Some(effects);
            self.hosts[node.index()].intake = self.intake_of(node);
        }
    }

    fn slow_down(&mut self, node: NodeId, percent: u32) {
        self.hosts[node.index()].slow_percent = percent.max(100);
        self.hosts[node.index()].intake = self.intake_of(node);
    }

    fn heal_host(&mut self, node: NodeId) {
        self.hosts[node.index()].crash_after = None;
        self.fault_points.disarm(node);
        self.slow_down(node, 100);
        self.resume(node);
        self.fault_clock(node, &ClockFault::Heal);
        if self.hosts[node.index()].disk.is_some() {
            self.fault_disk(node, DiskFault::Unstall);
            self.fault_disk(node, DiskFault::Slow(crate::disk::SlowFactor::NORMAL));
            self.fault_disk(node, DiskFault::Sync(SyncHonesty::Honest));
            let capacity = self.timing.disk.model.capacity;
            self.fault_disk(node, DiskFault::Capacity(capacity));
            self.host_disk(node).disk.call_off_misdirects();
        }
    }

    // ----- clocks -----

    fn fault_clock(&mut self, node: NodeId, fault: &ClockFault) {
        let now = self.now;
        let outcome = self.hosts[node.index()].clock.get_or_insert_default().apply(now, fault);
        outcome.unwrap_or_else(|error| panic!("clock faults are checked before a run: {error}"));
        self.reschedule_timers(node);
    }

    /// The node's clock runs differently from here on: every armed timer is due at another true time.
    fn reschedule_timers(&mut self, node: NodeId) {
        for slot in self.armed_timers(node) {
            let Event::Timer(TimerEvent { timer, deadline, .. }) = self.slab_event(slot) else {
                unreachable!("the slot was just seen to hold a timer")
            };
            let (timer, deadline) = (*timer, *deadline);
            let host = &self.hosts[node.index()];
            let due = host.when_monotonic_reaches(deadline).map_or(SimTime::MAX, |due| due.max(self.now));
            self.arm(node, timer, deadline, due);
        }
    }

    /// When a plain timer of this name fires, as far as is known now; `None` where it is not armed, or its clock stands still.
    fn timer_due(&mut self, node: NodeId, name: TimerName) -> Option<SimTime> {
        let index = P::Timer::NAMES.iter().position(|known| *known == name.as_str())?;
        let handle = self.timers[Self::timer_place(node, index)];
        let incarnation = self.hosts[node.index()].incarnation;
        let is_up = self.hosts[node.index()].power != Power::Down;
        let scheduled = self.slab.lookup(handle).filter(|scheduled| is_up && scheduled.tag == incarnation)?;
        match &scheduled.event {
            // One without a key in the queue waits in the inbox: it has fired.
            Event::Timer(timer) => Some(timer.due).filter(|_| timer.queued != SimTime::MAX),
            _ => None,
        }
    }

    /// An armed timer is due now by the node's own clock.
    fn fire_timer(&mut self, node: NodeId, name: TimerName) {
        let armed = self.armed_timers(node).into_iter().find_map(|slot| match self.slab_event(slot) {
            Event::Timer(TimerEvent { timer, .. }) => {
                let known = timer.index().map(|index| P::Timer::NAMES[index]);
                (known == Some(name.as_str())).then_some(*timer)
            }
            _ => None,
        });
        if let Some(timer) = armed
            && self.hosts[node.index()].power != Power::Down
        {
            let deadline = self.hosts[node.index()].monotonic(self.now);
            self.arm(node, timer, deadline, self.now);
        }
    }

    // ----- disks -----

    fn fault_disk(&mut self, node: NodeId, fault: DiskFault) {
        let now = self.now;
        let disk = &mut self.host_disk(node).disk;
        let before = disk.unsynced_in_all();
        let effect = disk.apply(fault, now);
        let after = disk.unsynced_in_all();
        self.metrics.shift(Gauge::UnsyncedWrites, now, before, after);
        if let FaultEffect::Rescheduled(syncs) = effect {
            for sync in syncs {
                let due = sync.due.expect("a device that works again says when its syncs are done");
                self.schedule_durable(node, sync.id, due);
            }
        }
    }

    /// Whether a sync completes at `at`; `false` where the device was stalled or started over meanwhile.
    pub(super) fn complete_sync(&mut self, node: NodeId, sync: SyncId, at: SimTime) -> bool {
        let disk = &mut self.host_disk(node).disk;
        // Exploration may take a sync later than it was due.
        let pending = disk.pending_syncs().find(|pending| pending.id == sync);
        let Some(due) = pending.and_then(|pending| pending.due).filter(|due| *due <= at) else {
            return false;
        };
        // Of no other region anything changes, and a disk may have a thousand.
        let region = disk.region_of(sync).expect("a sync under way has one");
        let before = disk.unsynced(region);
        let completion = disk.complete(sync, due);
        let after = disk.unsynced(region);
        self.metrics.shift(Gauge::UnsyncedWrites, at, before, after);
        match completion {
            SyncCompletion::Durable | SyncCompletion::Lied => true,
            SyncCompletion::Void => false,
        }
    }

    // ----- network -----

    fn fault_network(&mut self, command: &Command) {
        let node_count = u32::try_from(self.node_count()).expect("node counts fit 31 bits");
        for fault in command.network_faults(node_count) {
            let outcome = self.network.apply(&fault);
            outcome.unwrap_or_else(|error| panic!("plans are checked before a run: {error}"));
        }
        self.release_held();
    }

    /// Messages that wait in front of their receiver arrive now, in the order they came, where they may.
    fn release_held(&mut self) {
        let mut free = Vec::new();
        for slot in std::mem::take(&mut self.held) {
            let (from, to) = self.slab_ends(slot);
            let is_held = self.network.arrive(from, to) == Arrival::Held;
            if is_held { &mut self.held } else { &mut free }.push(slot);
        }
        // Whatever the rule for ties, what waited in a line comes out as a line.
        let mut orders: Vec<u64> = free.iter().map(|_| self.next_order()).collect();
        orders.sort_unstable();
        for (slot, order) in free.into_iter().zip(orders) {
            self.queue.push(EventKey::new(self.now, order, slot));
        }
    }
}
