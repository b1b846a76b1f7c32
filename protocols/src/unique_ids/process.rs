//! The inputs of a node.

use std::collections::VecDeque;
use std::sync::Arc;

use sim_core::disk::DiskPromise;
use sim_core::process::{self, Process};
use sim_core::service::{Operation, Outcome, Refusal};
use sim_core::status::Status;
use sim_core::view::{ViewBuilder, ViewRequest};
use sim_core::{Context, LocalTime, NodeId, OpId, Span, SyncId};
use strum::VariantNames;

use super::config::{Config, Kind, Regress};
use super::facts::Fact;
use super::generator::{Generator, Next, block};
use super::message::Message;
use super::metrics::{self, Counter, Latency};
use super::mutants::Mutant;
use super::{BOUND, Bound, FAULT_POINTS, FaultPoint, POINTS, Point, Timer, UniqueIds};
use crate::clocks::Timestamp;
use crate::draw;
use crate::group_commit::GroupCommit;

/// How long a node waits before it tries a full disk again, and between two looks at a clock that is back at most: it may be set right.
const LOOK_AGAIN: Span = Span::millis(20);

impl process::Timer for Timer {
    const NAMES: &'static [&'static str] = &["wait", "beat"];

    fn index(self) -> Option<usize> {
        match self {
            Self::Wait => Some(0),
            Self::Beat => Some(1),
        }
    }
}

impl Process for UniqueIds {
    type Config = Config;
    type Message = Message;
    type Timer = Timer;
    type Record = Bound;
    type Fact = Fact;

    const PROMISE: DiskPromise = DiskPromise::CRASH_FAULT;
    const POINTS: &'static [&'static str] = &POINTS;
    const FAULT_POINTS: &'static [&'static str] = &FAULT_POINTS;
    const COUNTERS: &'static [&'static str] = metrics::Counter::VARIANTS;
    const LATENCIES: &'static [&'static str] = metrics::Latency::VARIANTS;

    fn boot(config: &Config, node: NodeId) -> Self {
        Self {
            node,
            config: Arc::new(config.clone()),
            generator: Generator::after(0, config),
            bound: 0,
            wanted: 0,
            writes: GroupCommit::new(BOUND),
            waiting: VecDeque::new(),
        }
    }

    fn on_start(&mut self, context: &mut Context<'_, Self>) {
        self.recover(context);
        context.fact(Fact::Started { bound: self.bound });
        if let Kind::Hybrid { beat, .. } = self.config.kind {
            let phase = draw::phase(context.random(), beat);
            context.set_timer(Timer::Beat, phase);
        }
    }

    fn on_message(&mut self, context: &mut Context<'_, Self>, from: NodeId, message: Message) {
        match (message, self.config.kind) {
            (Message::Beat(time), Kind::Hybrid { .. }) => self.on_beat(context, time),
            (Message::Beat(_), Kind::Counter { .. } | Kind::Snowflake { .. }) => {
                panic!("{}, which has no hybrid clock, was sent {message:?} by {from}", self.node)
            }
        }
    }

    fn on_timer(&mut self, context: &mut Context<'_, Self>, timer: Timer) {
        match timer {
            Timer::Wait => self.serve(context),
            Timer::Beat => self.beat(context),
        }
    }

    fn on_request(&mut self, context: &mut Context<'_, Self>, op: OpId, operation: Operation) {
        if operation != Operation::UniqueId {
            return context.reply(op, Outcome::Refused(Refusal::Unsupported));
        }
        if self.waiting.len() >= self.config.waiting_max {
            return context.reply(op, Outcome::Refused(Refusal::Overloaded));
        }
        self.waiting.push_back(op);
        self.serve(context);
    }

    fn on_durable(&mut self, context: &mut Context<'_, Self>, sync: SyncId) {
        self.writes.on_durable(context, sync);
        while let Some(bound) = self.writes.next_ready() {
            self.reserved(context, bound);
        }
    }

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn status(&self) -> Status {
        Status { gauge: self.waiting.len() as u64, ..Status::peer("generator") }
    }

    fn view(&self, view: &mut ViewBuilder, _request: &ViewRequest) {
        self.show(view);
    }
}

impl UniqueIds {
    /// What is below the bound on disk may have been used.
    fn recover(&mut self, context: &mut Context<'_, Self>) {
        let Ok(Some(Bound(bound))) = context.disk().read_cell(BOUND) else { return };
        let bound = *bound;
        context.sometimes(Point::RestartedWithBound as usize);
        let used = if self.config.has(Mutant::BoundForgotten) {
            0
        } else if self.config.has(Mutant::BlockUsedAgain) {
            bound.saturating_sub(block(self.config.kind))
        } else {
            bound
        };
        (self.bound, self.wanted) = (bound, bound);
        self.generator = Generator::after(used, &self.config);
    }

    /// What it would give now, for invariants.
    pub(super) fn next_id(&self, wall: LocalTime) -> Option<u64> {
        match self.generator.next(&self.config, self.node, wall) {
            Next::Id { position, id } => (position < self.bound).then_some(id),
            Next::ClockBack(_) | Next::MillisecondFull => None,
        }
    }

    // ----- ids -----

    /// Gives ids to those who wait, as long as there are any.
    fn serve(&mut self, context: &mut Context<'_, Self>) {
        while let Some(op) = self.waiting.front().copied() {
            let wall = context.wall();
            match self.generator.next(&self.config, self.node, wall) {
                Next::Id { position, id } => {
                    self.maybe_reserve(context, position);
                    if position >= self.bound && !self.may_use_early(position) {
                        context.sometimes(Point::BlockUsedUp as usize);
                        return;
                    }
                    self.generator.take(wall);
                    self.waiting.pop_front();
                    context.count(Counter::IdsGiven as usize, 1);
                    context.fact(Fact::Given(id));
                    context.reply(op, Outcome::Value(Some(id)));
                    context.fault_point(FaultPoint::IdGiven as usize);
                }
                Next::ClockBack(by) => return self.on_clock_back(context, by),
                Next::MillisecondFull => return context.set_timer(Timer::Wait, Span::millis(1)),
            }
        }
    }

    fn may_use_early(&self, position: u64) -> bool {
        self.config.has(Mutant::UsedBeforeReserved) && position < self.wanted
    }

    /// The wall clock shows a time that may be used up.
    fn on_clock_back(&mut self, context: &mut Context<'_, Self>, by: Span) {
        context.sometimes(Point::ClockBack as usize);
        let regress = match self.config.kind {
            Kind::Snowflake { regress, .. } => regress,
            Kind::Counter { .. } | Kind::Hybrid { .. } => unreachable!("only Snowflake has to be refused"),
        };
        match regress {
            Regress::Wait => context.set_timer(Timer::Wait, by.min(LOOK_AGAIN)),
            Regress::Refuse => {
                context.count(Counter::RefusedByClock as usize, self.waiting.len() as u64);
                for op in std::mem::take(&mut self.waiting) {
                    context.reply(op, Outcome::Refused(Refusal::Unavailable));
                }
            }
        }
    }

    // ----- blocks -----

    /// Reserves the next block when half of this one is gone, or more.
    fn maybe_reserve(&mut self, context: &mut Context<'_, Self>, position: u64) {
        let block = block(self.config.kind);
        let is_under_way = self.wanted > self.bound && position < self.wanted;
        if is_under_way || position + block / 2 < self.wanted {
            return;
        }
        let next = position.max(self.wanted) + block;
        if self.writes.replace(context, Bound(next)).is_err() {
            context.sometimes(Point::DiskFull as usize);
            return context.set_timer(Timer::Wait, LOOK_AGAIN);
        }
        context.fault_point(FaultPoint::BoundWritten as usize);
        context.begin(Latency::Reservation as usize, next);
        self.wanted = next;
        let held = self.writes.after_durable(context, next).is_none();
        assert!(held, "the bound {next} was just written, and waits for no flush");
    }

    /// A bound is on disk.
    fn reserved(&mut self, context: &mut Context<'_, Self>, bound: u64) {
        assert!(bound > self.bound, "the bound on disk rises, from {} to {bound}", self.bound);
        context.end(Latency::Reservation as usize, bound);
        context.count(Counter::BlocksReserved as usize, 1);
        self.bound = bound;
        context.fact(Fact::Reserved { bound });
        context.fault_point(FaultPoint::BeforeBlock as usize);
        self.serve(context);
    }

    // ----- hybrid clocks -----

    /// Tells another node what time it is. That is an event, too, and its time must be below the bound, so that after a crash this node gives no
    /// id that is smaller than what others may have heard.
    fn beat(&mut self, context: &mut Context<'_, Self>) {
        let Kind::Hybrid { beat, .. } = self.config.kind else { unreachable!("only hybrid clocks beat") };
        context.set_timer(Timer::Beat, beat);
        if self.config.node_count < 2 {
            return;
        }
        let (wall, to) = (context.wall(), draw::other(context.random(), self.node, self.config.node_count));
        if let Next::Id { position, .. } = self.generator.next(&self.config, self.node, wall) {
            self.maybe_reserve(context, position);
            if position < self.bound {
                self.generator.take(wall);
                context.send(to, Message::Beat(Timestamp::from_number(position)));
            }
        }
    }

    /// Another node says what time it is.
    fn on_beat(&mut self, context: &mut Context<'_, Self>, time: Timestamp) {
        let wall = context.wall();
        if self.config.has(Mutant::RemoteIgnored) {
            return context.fact(Fact::Heard(time));
        }
        match self.generator.observe(wall, time) {
            Ok(is_ahead) => {
                if is_ahead {
                    context.sometimes(Point::RemoteAhead as usize);
                }
                context.fact(Fact::Heard(time));
            }
            Err(error) => {
                context.sometimes(Point::TooFarAhead as usize);
                context.count(Counter::TimesRefused as usize, 1);
                context.note(|| error.to_string());
            }
        }
    }
}
