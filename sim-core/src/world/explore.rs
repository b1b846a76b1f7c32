//! Exhaustive exploration: what could happen next, whatever the clocks say, and what state the world is in.

use std::collections::BTreeSet;

use super::World;
use super::core::Core;
use super::event::{Event, Scheduled};
use crate::fingerprint::{fold, state_fingerprint};
use crate::process::Process;
use crate::queue::{EventKey, EventQueue, Handle};
use crate::simulation::{Choice, ChoiceKind};
use crate::status::Power;
use crate::{Endpoint, NodeId, SimTime, SyncId};

impl<P: Process> World<P> {
    /// Everything that could happen next: each message in flight, each armed timer, each sync and each client's
    /// step, in order of slot. Timers of one node that are due later than another of the same node are left
    /// out: a process's own clock orders them; so are syncs that the device does after others. What waits in an
    /// inbox or on a held link is no choice: the handler's start is, or the command that releases it.
    pub fn enabled(&self) -> Vec<Choice> {
        let waiting = self.core.waiting_slots();
        let live = self.core.slab.iter().filter(|(_, scheduled)| self.core.is_live(scheduled));
        live.filter(|(slot, _)| !waiting.contains(slot))
            .filter(|(slot, scheduled)| self.core.is_first_timer(*slot, scheduled))
            .map(|(slot, scheduled)| Choice {
                slot,
                kind: choice_kind(scheduled),
                from: scheduled.from,
                to: scheduled.to,
            })
            .collect()
    }

    /// Makes a choice happen now. Time moves to when it was due, if that is later.
    ///
    /// # Panics
    /// If the choice is not [enabled](World::enabled).
    pub fn take(&mut self, choice: Choice) {
        let core = &mut self.core;
        assert!(core.is_live(core.slab_at(choice.slot)), "a choice that is enabled can happen");
        assert!(!core.waiting_slots().contains(&choice.slot), "what waits for its turn is no choice");
        let at = core.due_of(choice.slot).max(core.now);
        core.queue.retain(|key| key.slot() != choice.slot);
        let order = core.settle_timer(choice.slot, at);
        self.pop(EventKey::new(at, order, choice.slot));
    }

    /// The state of the world as exploration sees it: processes, durable contents, messages in flight as a
    /// multiset, armed timers. No time, sequence or counters.
    pub fn state_fingerprint(&self) -> u64 {
        let mut state = 0;
        for (index, process) in self.processes.iter().enumerate() {
            let print = process.as_ref().map_or(0, state_fingerprint);
            let disk = self.core.hosts[index].disk().map_or(0, state_fingerprint);
            state = fold(state, print, disk);
        }
        for client in &self.core.clients {
            state = fold(state, client.state_fingerprint(), 0);
        }
        let flying = self.core.slab.iter().filter(|(_, scheduled)| self.core.is_live(scheduled));
        let sum = flying.map(|(_, scheduled)| print_of(scheduled)).fold(0_u64, u64::wrapping_add);
        fold(state, sum, 0)
    }
}

impl<P: Process> Core<P> {
    /// Whether something scheduled still counts.
    pub(super) fn is_live(&self, scheduled: &Scheduled<P>) -> bool {
        let node_lives = |node: NodeId| {
            let host = &self.hosts[node.index()];
            host.power == crate::status::Power::Running && host.incarnation == scheduled.tag
        };
        match &scheduled.event {
            Event::Message(_) | Event::Request(_) | Event::Reply(_) | Event::Client(_) => true,
            Event::Timer(_) | Event::Handler => scheduled.to.node().is_some_and(node_lives),
            Event::Durable(sync) => {
                let node = scheduled.to.node().filter(|node| node_lives(*node));
                node.is_some_and(|node| self.is_next_sync(node, *sync))
            }
            Event::Cancelled => false,
        }
    }

    /// Whether the device does this sync before all others that are under way; none while it is stalled.
    fn is_next_sync(&self, node: NodeId, sync: SyncId) -> bool {
        let first = self.hosts[node.index()].disk().and_then(|disk| disk.pending_syncs().next());
        first.is_some_and(|first| first.id == sync && first.due.is_some())
    }

    /// What has arrived but waits: in inboxes, and on links that are held.
    pub(super) fn waiting_slots(&self) -> BTreeSet<u32> {
        let inboxes = self.hosts.iter().filter_map(|host| host.inbox.as_deref());
        inboxes.flat_map(|inbox| &inbox.slots).chain(&self.held).copied().collect()
    }

    /// How much travels, or waits on links that are held.
    pub(super) fn flying_count(&self) -> u64 {
        let inboxes = self.hosts.iter().filter_map(|host| host.inbox.as_deref());
        let arrived: BTreeSet<u32> = inboxes.flat_map(|inbox| &inbox.slots).copied().collect();
        let travels = |scheduled: &Scheduled<P>| {
            matches!(scheduled.event, Event::Message(_) | Event::Request(_) | Event::Reply(_))
        };
        let all = self.slab.iter();
        all.filter(|(slot, scheduled)| travels(scheduled) && !arrived.contains(slot)).count() as u64
    }

    /// Whether this is no timer, or the first of its node to fire.
    fn is_first_timer(&self, slot: u32, scheduled: &Scheduled<P>) -> bool {
        let Event::Timer(timer) = &scheduled.event else { return true };
        let due = (timer.due, timer.order);
        timer.due != SimTime::MAX
            && self.slab.iter().all(|(other_slot, other)| match &other.event {
                Event::Timer(other_timer) => {
                    let has_fired = other_timer.queued == SimTime::MAX;
                    other_slot == slot
                        || has_fired
                        || other.to != scheduled.to
                        || other.tag != scheduled.tag
                        || (other_timer.due, other_timer.order) > due
                }
                _ => true,
            })
    }

    /// When something is due: a timer at its own time, not at that of a key it re-uses.
    fn due_of(&mut self, slot: u32) -> SimTime {
        if let Event::Timer(timer) = self.slab_event(slot) {
            return timer.due;
        }
        let mut due = SimTime::ZERO;
        self.queue.retain(|key| {
            if key.slot() == slot {
                due = key.time();
            }
            true
        });
        due
    }

    /// Exploration passes over things that were due; where the run goes on from there, they are due now, in the
    /// order they were.
    pub(super) fn maybe_catch_up(&mut self) {
        if self.queue.peek().is_none_or(|first| first.time() >= self.now) {
            return;
        }
        let (now, mut late) = (self.now, Vec::new());
        self.queue.retain(|key| {
            let is_late = key.time() < now;
            late.extend(is_late.then_some(key));
            !is_late
        });
        late.sort_unstable();
        let mut orders: Vec<u64> = late.iter().map(|_| self.next_order()).collect();
        orders.sort_unstable();
        for (key, order) in late.into_iter().zip(orders) {
            if let Event::Timer(timer) = &mut self.slab_mut(key.slot()).event {
                timer.queued = now;
                if timer.due <= now {
                    (timer.due, timer.order) = (now, order);
                }
            }
            self.queue.push(EventKey::new(now, order, key.slot()));
        }
    }

    /// Makes a timer look due now, so that taking it fires it; gives the order its key must have.
    fn settle_timer(&mut self, slot: u32, at: SimTime) -> u64 {
        match &mut self.slab_mut(slot).event {
            Event::Timer(timer) => {
                (timer.due, timer.queued) = (at, at);
                timer.order
            }
            _ => 0,
        }
    }
}

pub(super) fn choice_kind<P: Process>(scheduled: &Scheduled<P>) -> ChoiceKind {
    match &scheduled.event {
        Event::Message(_) => ChoiceKind::Message,
        Event::Timer(_) => ChoiceKind::Timer,
        Event::Durable(_) => ChoiceKind::Durable,
        Event::Request(_) => ChoiceKind::Request,
        Event::Reply(_) => ChoiceKind::Reply,
        Event::Handler => ChoiceKind::Handler,
        Event::Client(_) => ChoiceKind::Client,
        Event::Cancelled => unreachable!("what is cancelled is no choice"),
    }
}

/// The fingerprint of one thing in flight, its place included, its time not.
fn print_of<P: Process>(scheduled: &Scheduled<P>) -> u64 {
    let content = match &scheduled.event {
        Event::Message(message) => state_fingerprint(message),
        Event::Timer(timer) => state_fingerprint(&timer.timer),
        Event::Durable(sync) => state_fingerprint(sync),
        Event::Request(request) => state_fingerprint(request),
        Event::Reply(reply) => state_fingerprint(reply),
        Event::Client(wake) => wake.fingerprint(),
        Event::Handler | Event::Cancelled => 0,
    };
    let ends = u64::from(scheduled.from.raw()) << 32 | u64::from(scheduled.to.raw());
    let kind = match &scheduled.event {
        Event::Cancelled => 0,
        _ => choice_kind(scheduled) as u64 + 1,
    };
    fold(content, ends, kind)
}

impl<P: Process> Core<P> {
    #[inline(always)]
    pub(super) fn slab_at(&self, slot: u32) -> &Scheduled<P> {
        self.slab.get(slot).expect("a known slot is in use")
    }

    pub(super) fn slab_mut(&mut self, slot: u32) -> &mut Scheduled<P> {
        self.slab.get_mut(slot).expect("a key in the queue has its slot")
    }

    #[inline(always)]
    pub(super) fn slab_event(&self, slot: u32) -> &Event<P> {
        &self.slab_at(slot).event
    }

    #[inline(always)]
    pub(super) fn slab_ends(&self, slot: u32) -> (Endpoint, Endpoint) {
        let scheduled = self.slab_at(slot);
        (scheduled.from, scheduled.to)
    }

    /// The slots of a node's armed timers, in the order they were set. Those of a node that is down lie in the queue
    /// still, and are void.
    pub(super) fn armed_timers(&self, node: NodeId) -> Vec<u32> {
        if self.hosts[node.index()].power == Power::Down {
            return Vec::new();
        }
        let incarnation = self.hosts[node.index()].incarnation;
        let is_armed = |scheduled: &Scheduled<P>| match &scheduled.event {
            // One in an inbox has fired already.
            Event::Timer(timer) => timer.queued != SimTime::MAX || timer.due == SimTime::MAX,
            _ => false,
        };
        let of_now = |handle: &Handle| {
            let scheduled = self.slab.reach(*handle);
            scheduled.is_some_and(|scheduled| scheduled.tag == incarnation && is_armed(scheduled))
        };
        let mut slots: Vec<u32> = self.timer_handles(node).filter(of_now).map(Handle::slot).collect();
        slots.sort_by_key(|slot| match self.slab_event(*slot) {
            Event::Timer(timer) => self.sequence_of(timer.order),
            _ => unreachable!("the slot was just seen to hold a timer"),
        });
        slots
    }
}
