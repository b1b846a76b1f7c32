//! A moment of a run, and how a copy of an earlier one comes to it.

use sim_core::trace::Trace;
use sim_core::world::Stop;
use sim_core::{SimTime, Simulation, Span};

/// The last instant up to which a simulation can be let run.
pub(super) const EVER: SimTime = SimTime::from_nanos(u64::MAX - 1);

/// A moment of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// After so many events, before anything else.
    Events(u64),
    /// After all that happened up to this time.
    Time(SimTime),
    /// After the event or command that left this record.
    Record {
        /// Its number.
        number: u32,
        /// When it was.
        at: SimTime,
    },
}

impl Moment {
    /// Whether the simulation stands at this moment or before it.
    pub(super) fn is_ahead_of(self, simulation: &dyn Simulation) -> bool {
        match self {
            Self::Events(events) => simulation.events() <= events,
            Self::Time(time) => simulation.now() <= time,
            Self::Record { number, .. } => simulation.trace().map_or(0, Trace::len) <= number,
        }
    }

    /// Lets a copy that stands before this moment go on to it; past violations, which were shown when they happened first.
    pub(super) fn replay(self, simulation: &mut dyn Simulation) {
        match self {
            Self::Events(events) => replay(simulation, EVER, events),
            Self::Time(time) => replay(simulation, time, u64::MAX),
            Self::Record { at, .. } => {
                replay(simulation, SimTime::from_nanos(at.as_nanos().saturating_sub(1)), u64::MAX);
                while self.is_ahead_of(simulation) && simulation.now() <= at {
                    let (events, len) = (simulation.events(), simulation.trace().map_or(0, Trace::len));
                    simulation.run(at + Span::nanos(1), 1);
                    if simulation.events() == events && simulation.trace().map_or(0, Trace::len) == len {
                        break;
                    }
                }
            }
        }
    }
}

fn replay(simulation: &mut dyn Simulation, until: SimTime, events: u64) {
    loop {
        let left = events.saturating_sub(simulation.events());
        if left == 0 || simulation.run(until, left) != Stop::Violation {
            return;
        }
    }
}
