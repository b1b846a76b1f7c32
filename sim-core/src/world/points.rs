//! Points: situations worth reaching, and fault points, where a plan can act.
//!
//! A fault point costs a count and a test while nobody watches. Watched points are those that a crash is armed for
//! ([`Command::CrashAtPoint`](crate::fault::Command::CrashAtPoint)), and all of them while an entry of the plan waits for
//! one to be reached.

use super::World;
use super::core::Core;
use crate::fault::{Moment, PointName};
use crate::process::Process;
use crate::status::Power;
use crate::{NodeId, SimTime};

/// What is known of the fault points of a protocol.
#[derive(Clone, Default)]
pub(super) struct FaultPoints {
    /// How often each was reached.
    pub(super) counts: Vec<u64>,
    /// Whether anything is to be done when one is reached.
    is_watched: bool,
    /// Whether the plan wants to know what is reached.
    is_awaited: bool,
    /// What was reached since the plan was told.
    reached: Vec<usize>,
    /// Crashes that are armed, at most one a node.
    crashes: Vec<PointCrash>,
}

/// A crash that is armed at a point.
#[derive(Clone, Copy)]
struct PointCrash {
    node: NodeId,
    point: usize,
    /// How many more times the node has to reach it.
    missing: u32,
}

impl FaultPoints {
    pub(super) fn new(count: usize) -> Self {
        Self { counts: vec![0; count], ..Self::default() }
    }

    /// Whether a crash is armed on `node`.
    pub(super) fn is_armed(&self, node: NodeId) -> bool {
        self.crashes.iter().any(|crash| crash.node == node)
    }

    /// Calls the crash of `node` off, if one is armed.
    pub(super) fn disarm(&mut self, node: NodeId) {
        self.crashes.retain(|crash| crash.node != node);
        self.settle();
    }

    fn arm(&mut self, crash: PointCrash) {
        self.crashes.retain(|armed| armed.node != crash.node);
        self.crashes.push(crash);
        self.settle();
    }

    fn settle(&mut self) {
        self.is_watched = self.is_awaited || !self.crashes.is_empty();
    }

    /// Whether `node` crashes here.
    fn strikes(&mut self, node: NodeId, point: usize) -> bool {
        let armed = self.crashes.iter_mut().find(|crash| crash.node == node && crash.point == point);
        armed.is_some_and(|crash| {
            crash.missing -= 1;
            crash.missing == 0
        })
    }
}

impl<P: Process> Core<P> {
    /// A handler reaches a situation that is worth reaching.
    pub(crate) fn reach_point(&mut self, point: usize) {
        assert!(point < P::POINTS.len(), "point {point} is not declared; there are {}", P::POINTS.len());
        self.points[point] += 1;
        self.points_first[point].get_or_insert(self.now);
    }

    /// A handler reaches a fault point; not where a crash cut it before.
    #[inline(always)]
    pub(crate) fn reach_fault_point(&mut self, node: NodeId, point: usize) {
        if self.is_cut {
            return;
        }
        self.fault_points.counts[point] += 1;
        if self.fault_points.is_watched {
            self.on_watched_point(node, point);
        }
    }

    #[cold]
    #[inline(never)]
    fn on_watched_point(&mut self, node: NodeId, point: usize) {
        if self.fault_points.is_awaited {
            self.fault_points.reached.push(point);
            self.must_look = true;
        }
        if self.fault_points.strikes(node, point) {
            self.fault_points.disarm(node);
            // What the handler does from here on never happens, and at its end the node crashes.
            (self.effects_left, self.is_cut) = (0, true);
        }
    }

    /// The node crashes when it reaches a point for the `nth` time from now on. Nothing happens if it is down, or the
    /// protocol has no such point.
    pub(super) fn arm_crash_at_point(&mut self, node: NodeId, name: PointName, nth: u32) {
        let point = P::FAULT_POINTS.iter().position(|known| *known == name.as_str());
        if let Some(point) = point
            && self.hosts[node.index()].power != Power::Down
        {
            self.fault_points.arm(PointCrash { node, point, missing: nth.max(1) });
            self.hosts[node.index()].intake = self.intake_of(node);
        }
    }
}

impl<P: Process> World<P> {
    /// Tells the plan which fault points were reached, so that entries that wait for one come due.
    #[inline]
    pub(super) fn hear_of_points(&mut self) {
        if !self.core.fault_points.reached.is_empty() {
            self.hear_of_each_point();
        }
    }

    #[cold]
    fn hear_of_each_point(&mut self) {
        let now = Moment { time: self.core.now, after_events: self.core.events_now };
        for point in std::mem::take(&mut self.core.fault_points.reached) {
            self.agenda.on_point(now, P::FAULT_POINTS[point]);
        }
        self.watch_points();
    }

    /// Watches all points as long as the plan waits for one.
    pub(super) fn watch_points(&mut self) {
        self.core.fault_points.is_awaited = self.agenda.awaits_points();
        self.core.fault_points.settle();
    }

    /// How often each of the protocol's points was reached.
    pub fn points(&self) -> Vec<(&'static str, u64)> {
        P::POINTS.iter().copied().zip(self.core.points.iter().copied()).collect()
    }

    /// When each of the protocol's points was reached first.
    pub fn points_first(&self) -> Vec<Option<SimTime>> {
        self.core.points_first.clone()
    }

    /// How often each of the protocol's fault points was reached.
    pub fn fault_points(&self) -> Vec<(&'static str, u64)> {
        P::FAULT_POINTS.iter().copied().zip(self.core.fault_points.counts.iter().copied()).collect()
    }
}
