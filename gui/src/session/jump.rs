//! Going to what matters: the next violation, election or fault, and the one before.

use sim_core::milestone::{Happening, Milestone};
use sim_core::status::Standing;
use sim_core::trace::{Record, Trace, TraceKind};
use sim_core::world::Stop;
use sim_core::{Endpoint, NodeId, SimTime};

use super::{Cursor, EVER, FRAME_EVENTS_MAX, Goal, Moment, Playback, Session};

/// What a person may want to go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Landmark {
    /// A property is violated.
    Violation,
    /// A process leads from here on.
    Election,
    /// A node crashes or restarts, or a command is applied.
    Fault,
    /// A message, request or reply arrives.
    Arrival,
    /// Anything happens at this node.
    At(NodeId),
}

/// Where somebody stands who wants to go elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct From {
    events: u64,
    time: SimTime,
    /// How many records there are up to there.
    records: u32,
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Towards the start.
    Back,
    /// Towards the end.
    Forward,
}

impl Landmark {
    fn is(self, milestone: &Milestone) -> bool {
        match (self, &milestone.what) {
            (Self::Election, Happening::Stands { status, .. }) => status.standing == Standing::Leader,
            (Self::Fault, Happening::Crashed(_) | Happening::Restarted(_) | Happening::Command(_)) => true,
            (Self::Violation | Self::Election | Self::Fault | Self::Arrival | Self::At(_), _) => false,
        }
    }

    /// Whether a record is one, of those that are found in the trace.
    fn is_record(self, record: &Record) -> bool {
        match self {
            Self::Arrival => {
                matches!(record.kind(), TraceKind::Delivery | TraceKind::Request | TraceKind::Reply)
            }
            Self::At(node) => record.subject() == Some(Endpoint::from(node)),
            Self::Violation | Self::Election | Self::Fault => false,
        }
    }

    /// The nearest record of a trace that is one: the last one before where somebody stands is what is shown there.
    fn nearest_record(self, direction: Direction, trace: &Trace, records: u32) -> Option<Moment> {
        let is_wanted = |number: &u32| trace.get(*number).is_some_and(|record| self.is_record(record));
        let number = match direction {
            Direction::Back => (0..records.saturating_sub(1)).rev().find(is_wanted),
            Direction::Forward => (records..trace.len()).find(is_wanted),
        }?;
        trace.get(number).map(|record| Moment::Record { number, at: record.at() })
    }

    /// The nearest in what was computed, seen from a moment that is shown.
    fn nearest(self, direction: Direction, session: &Session, from: From) -> Option<Moment> {
        let (run, From { time, records, .. }) = (session.run(), from);
        if self == Self::Violation {
            return nearest_violation(direction, session, from);
        }
        if matches!(self, Self::Arrival | Self::At(_)) {
            return self.nearest_record(direction, run.trace()?, records);
        }
        let mut wanted = run.milestones().iter().filter(|milestone| self.is(milestone));
        let found = match direction {
            Direction::Back => wanted.take_while(|milestone| milestone.at < time).last(),
            Direction::Forward => wanted.find(|milestone| milestone.at > time),
        };
        found.map(|milestone| Moment::Time(milestone.at))
    }
}

/// The nearest violation, of those at an event and of those that show at a time.
fn nearest_violation(direction: Direction, session: &Session, from: From) -> Option<Moment> {
    let at_events =
        session.run().violations().iter().map(|violation| {
            (violation.at, violation.event.cmp(&from.events), Moment::Events(violation.event))
        });
    let at_times = session
        .seen()
        .iter()
        .map(|violation| (violation.at, violation.at.cmp(&from.time), Moment::Time(violation.at)));
    let all = at_events.chain(at_times);
    let found = match direction {
        Direction::Back => all.filter(|(_, way, _)| way.is_lt()).max_by_key(|(at, ..)| *at),
        Direction::Forward => all.filter(|(_, way, _)| way.is_gt()).min_by_key(|(at, ..)| *at),
    };
    found.map(|(.., moment)| moment)
}

impl Session {
    /// Goes to the nearest landmark; forwards, computes until there is one.
    pub(crate) fn jump(&mut self, landmark: Landmark, direction: Direction) {
        let from = From { time: self.playhead, ..self.from() };
        match (landmark.nearest(direction, self, from), direction) {
            (Some(Moment::Time(time)), _) => self.seek_time(time),
            (Some(moment), _) => self.seek(moment),
            (None, Direction::Back) => {}
            (None, Direction::Forward) => self.pursue(Goal::Landmark(landmark, from)),
        }
    }

    fn from(&self) -> From {
        let simulation = self.simulation();
        let records = simulation.trace().map_or(0, Trace::len);
        From { events: simulation.events(), time: simulation.now(), records }
    }

    /// Computes at the end of the path, for a frame, towards a goal.
    pub(super) fn pursue(&mut self, goal: Goal) {
        self.goal = Some(goal);
        self.playback = Playback::Paused;
        self.cursor = Cursor { depth: self.path.len() - 1, earlier: None };
        let from = self.from();
        let (until, events) = match goal {
            Goal::Moment(Moment::Time(time)) => (time, u64::MAX),
            Goal::Moment(Moment::Events(events)) => (EVER, events.saturating_sub(from.events)),
            Goal::Moment(Moment::Record { .. }) => (EVER, u64::MAX),
            // Clients may ask for ever: what has not come by the end of the run is not looked for.
            Goal::Landmark(..) => (self.end(), u64::MAX),
        };
        let stop = self.advance(until, events.min(FRAME_EVENTS_MAX));
        self.playhead = self.simulation().now();
        let is_over = matches!(stop, Stop::Idle | Stop::Broken | Stop::Horizon);
        let found = match goal {
            // What clients saw is judged at the end, and may show long before it.
            Goal::Landmark(landmark @ Landmark::Violation, origin) => {
                if is_over && self.run().violations().is_empty() {
                    self.judge();
                }
                landmark.nearest(Direction::Forward, self, origin)
            }
            Goal::Landmark(landmark, _) => landmark.nearest(Direction::Forward, self, from),
            Goal::Moment(moment @ Moment::Events(events)) => {
                (self.simulation().events() >= events).then_some(moment)
            }
            Goal::Moment(moment) => is_over.then_some(moment),
        };
        if let Some(moment) = found {
            self.show(self.path.len() - 1, moment);
        }
        if let Some(Moment::Time(time)) = found {
            self.playhead = time.max(self.playhead);
        }
        if is_over {
            self.goal = None;
        }
    }
}
