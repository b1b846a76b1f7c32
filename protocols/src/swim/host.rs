//! The process that a membership is part of.
//!
//! A [`Membership`](super::Membership) sends, waits and writes by way of its [`Host`]. [`Swim`](super::Swim) is the membership that
//! is a process by itself; a process that has other things to do as well, such as a server of a chain, holds a membership, hands it the
//! inputs that are for it, and asks it who is alive.

use sim_core::disk::RegionId;
use sim_core::metrics::Opinion;
use sim_core::process::Process;
use sim_core::{Context, NodeId, Span};

use super::facts::Fact;
use super::message::Message;
use super::metrics::Counter;
use super::{FaultPoint, Point, Record, Timer};

/// A process with a membership: how what that says becomes what the process says.
pub trait Host: Process {
    /// Whether the process has the points and counters of a membership, in its order, and is as good a failure detector as that is. Else
    /// nobody hears of them.
    const IS_MEASURED: bool;
    /// Where in the process's `FAULT_POINTS` those of a membership begin; `None` if they are not there.
    const FAULT_POINTS_AT: Option<usize>;
    /// The region of its incarnation, a cell.
    const INCARNATION: RegionId;

    /// A message of the membership.
    fn message(message: Message) -> Self::Message;
    /// A timer of the membership.
    fn timer(timer: Timer) -> Self::Timer;
    /// A record of the membership.
    fn record(record: Record) -> Self::Record;
    /// The membership's record in a record of the process; `None` if it is another's.
    fn as_record(record: &Self::Record) -> Option<Record>;
    /// A statement of the membership; `None` where nobody is to hear of it.
    fn fact(fact: Fact) -> Option<Self::Fact>;
}

/// What a membership does to its context beyond writing.
pub(super) trait Acts {
    /// Sends a message.
    fn transmit(&mut self, to: NodeId, message: Message);
    /// Arms a timer, or moves it.
    fn arm(&mut self, timer: Timer, delay: Span);
    /// Disarms a timer.
    fn disarm(&mut self, timer: Timer);
    /// States what just happened.
    fn state(&mut self, fact: Fact);
    /// A situation worth reaching was reached.
    fn reach(&mut self, point: Point);
    /// A crash is worth trying here.
    fn reach_fault(&mut self, point: FaultPoint);
    /// Counts.
    fn tally(&mut self, counter: Counter, amount: u64);
    /// Tells how many members it takes for well, and what it takes one for that changes.
    fn assess(&mut self, watched: u64, change: Option<(NodeId, Opinion)>);
}

impl<H: Host> Acts for Context<'_, H> {
    fn transmit(&mut self, to: NodeId, message: Message) {
        self.send(to, H::message(message));
    }

    fn arm(&mut self, timer: Timer, delay: Span) {
        self.set_timer(H::timer(timer), delay);
    }

    fn disarm(&mut self, timer: Timer) {
        self.cancel_timer(H::timer(timer));
    }

    fn state(&mut self, fact: Fact) {
        if let Some(fact) = H::fact(fact) {
            self.fact(fact);
        }
    }

    fn reach(&mut self, point: Point) {
        if H::IS_MEASURED {
            self.sometimes(point as usize);
        }
    }

    fn reach_fault(&mut self, point: FaultPoint) {
        if let Some(first) = H::FAULT_POINTS_AT {
            self.fault_point(first + point as usize);
        }
    }

    fn tally(&mut self, counter: Counter, amount: u64) {
        if H::IS_MEASURED {
            self.count(counter as usize, amount);
        }
    }

    fn assess(&mut self, watched: u64, change: Option<(NodeId, Opinion)>) {
        if H::IS_MEASURED {
            if let Some((member, opinion)) = change {
                self.judge(member, opinion);
            }
            self.watch(watched);
        }
    }
}
