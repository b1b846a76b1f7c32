//! What is replicated, and the process that a replica is or is part of.
//!
//! A [`Replica`] sends, waits and writes by way of its [`Host`]. [`Raft`](super::Raft) is the replica that is a process by
//! itself, with the key-value store; a process that has other things to do as well, such as a broker, holds a replica
//! and hands it the inputs that are for it.

use sim_core::process::Process;
use sim_core::{Context, Span};

use super::durable::{Deferred, Record};
use super::facts::Fact;
use super::message::Message;
use super::metrics::{Counter, Gauge, Latency};
use super::{FaultPoint, Point, Replica, Timer};
use crate::replicated::Machine;

/// A state machine that Raft replicates.
pub trait Application: Machine {
    /// The process that its replicas are, or are part of.
    type Host: Host<App = Self>;
}

/// The messages of an application's replicas.
pub type MessageOf<A> = Message<<A as Machine>::Command, <A as Machine>::Item>;
/// The records of an application's replicas.
pub type RecordOf<A> = Record<<A as Machine>::Command, <A as Machine>::Item>;

/// What an application's replicas do once something is on disk.
pub(super) type DeferredOf<A> = Deferred<<A as Machine>::Command, <A as Machine>::Item>;

/// A process with a replica: how what the replica says becomes what the process says.
pub trait Host: Process {
    /// What is replicated.
    type App: Application<Host = Self>;

    /// Whether the process has the points, gauges, counters and latencies of a replica, in its order. Else nobody hears of
    /// them.
    const IS_MEASURED: bool;
    /// Where in the process's `FAULT_POINTS` those of a replica begin.
    const FAULT_POINTS_AT: usize;
    /// Where in the process's [numbers of kinds](Process::kind_of) those of a replica's statements begin, in its order.
    const FACT_KINDS_AT: u32;

    /// The replica; `None` where a process of this kind has none.
    fn replica(&self) -> Option<&Replica<Self::App>>;

    /// A message of the replica.
    fn message(message: MessageOf<Self::App>) -> Self::Message;
    /// A timer of the replica.
    fn timer(timer: Timer) -> Self::Timer;
    /// A record of the replica.
    fn record(record: RecordOf<Self::App>) -> Self::Record;
    /// The replica's record in a record of the process; `None` if it is another's.
    fn as_record(record: &Self::Record) -> Option<&RecordOf<Self::App>>;
    /// A statement of the replica.
    fn fact(fact: Fact) -> Self::Fact;
    /// What the replica states in a statement of the process; `None` if it is another's.
    fn as_fact(fact: &Self::Fact) -> Option<&Fact>;
}

/// What a replica does to its context beyond sending and writing.
pub(super) trait Acts {
    /// Arms a timer, or moves it.
    fn arm(&mut self, timer: Timer, delay: Span);
    /// Disarms a timer.
    fn disarm(&mut self, timer: Timer);
    /// A situation worth reaching was reached.
    fn reach(&mut self, point: Point);
    /// A crash is worth trying here.
    fn reach_fault(&mut self, point: FaultPoint);
    /// Sets a gauge.
    fn level(&mut self, gauge: Gauge, level: u64);
    /// Counts.
    fn tally(&mut self, counter: Counter, amount: u64);
    /// Something begins that takes a time.
    fn begins(&mut self, latency: Latency, key: u64);
    /// It ends.
    fn ends(&mut self, latency: Latency, key: u64);
    /// Nothing of it will end.
    fn abandons(&mut self, latency: Latency);
}

impl<H: Host> Acts for Context<'_, H> {
    #[inline]
    fn arm(&mut self, timer: Timer, delay: Span) {
        self.set_timer(H::timer(timer), delay);
    }

    fn disarm(&mut self, timer: Timer) {
        self.cancel_timer(H::timer(timer));
    }

    fn reach(&mut self, point: Point) {
        if H::IS_MEASURED {
            self.sometimes(point as usize);
        }
    }

    #[inline]
    fn reach_fault(&mut self, point: FaultPoint) {
        self.fault_point(H::FAULT_POINTS_AT + point as usize);
    }

    #[inline]
    fn level(&mut self, gauge: Gauge, level: u64) {
        if H::IS_MEASURED {
            self.gauge(gauge as usize, level);
        }
    }

    fn tally(&mut self, counter: Counter, amount: u64) {
        if H::IS_MEASURED {
            self.count(counter as usize, amount);
        }
    }

    #[inline]
    fn begins(&mut self, latency: Latency, key: u64) {
        if H::IS_MEASURED {
            self.begin(latency as usize, key);
        }
    }

    #[inline]
    fn ends(&mut self, latency: Latency, key: u64) {
        if H::IS_MEASURED {
            self.end(latency as usize, key);
        }
    }

    fn abandons(&mut self, latency: Latency) {
        if H::IS_MEASURED {
            self.abandon(latency as usize);
        }
    }
}
