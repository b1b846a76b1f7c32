//! A run under a person's hand: it plays at some speed, goes by single events, takes commands, begins again.
//!
//! Nothing here knows of a window. How long a frame took decides how far a run gets, never what happens in it: a run
//! cut into other frames has the same digest.

use std::fmt;
use std::time::Duration;

use scenarios::format::Expectation;
use scenarios::run::PANIC;
use scenarios::{Loaded, ProtocolTable, Verdict, assemble};
use sim_core::fault::Command;
use sim_core::simulation::Unable;
use sim_core::world::Stop;
use sim_core::{SimTime, Simulation, Span};

/// How many events happen in a frame at most. Where more are due, time passes slower than asked for.
const FRAME_EVENTS_MAX: u64 = 10_000;

/// How fast simulated time passes, in thousandths of the time on the wall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Speed(u32);

impl Speed {
    /// What a person can choose from, slowest first. Messages take about a millisecond, so slow is useful.
    pub(crate) const ALL: [Self; 6] =
        [Self(1), Self(10), Self(100), Self(1_000), Self(10_000), Self(100_000)];
    /// As fast as on the wall.
    pub(crate) const REAL: Self = Self(1_000);

    /// The simulated time that passes in a frame of this length.
    fn simulated(self, frame: Duration) -> Span {
        let nanos = frame.as_nanos() * u128::from(self.0) / 1_000;
        Span::nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// `0.01×`, `10×`.
impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×", f64::from(self.0) / 1_000.0)
    }
}

/// Whether time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Playback {
    /// It does.
    Playing,
    /// It does when a person says so.
    Paused,
    /// Nothing more happens, unless a command makes it.
    Idle,
}

/// One scenario, and its run as far as it has come.
pub(crate) struct Session {
    loaded: Loaded,
    table: ProtocolTable,
    seed: u64,
    simulation: Box<dyn Simulation>,
    playback: Playback,
    speed: Speed,
    /// Up to when things were let happen: at or after the last event, which is the simulation's own time.
    playhead: SimTime,
}

impl Session {
    /// A paused run at time zero; `table` is the one that `loaded` was checked with.
    pub(crate) fn new(loaded: Loaded, table: ProtocolTable, seed: u64) -> Self {
        let simulation = assemble(&loaded.configured(seed, &table).scenario, &table, seed, None);
        Self {
            loaded,
            table,
            seed,
            simulation,
            playback: Playback::Paused,
            speed: Speed::REAL,
            playhead: SimTime::ZERO,
        }
    }

    /// Begins again at time zero, paused.
    pub(crate) fn restart(&mut self, seed: u64) {
        let configured = self.loaded.configured(seed, &self.table);
        self.simulation = assemble(&configured.scenario, &self.table, seed, None);
        self.seed = seed;
        self.playhead = SimTime::ZERO;
        self.playback = Playback::Paused;
    }

    /// Lets time pass from now on. Not where the simulation can't go on: something has panicked.
    pub(crate) fn play(&mut self) {
        if self.simulation.capabilities().step {
            self.playback = Playback::Playing;
        }
    }

    /// Holds time.
    pub(crate) fn pause(&mut self) {
        self.playback = Playback::Paused;
    }

    /// Lets time pass at another pace.
    pub(crate) fn set_speed(&mut self, speed: Speed) {
        self.speed = speed;
    }

    /// A frame of this length has passed on the wall: goes on as far as that means, if it plays. A violation pauses.
    pub(crate) fn on_frame(&mut self, frame: Duration) {
        if self.playback != Playback::Playing {
            return;
        }
        self.playhead += self.speed.simulated(frame);
        match self.simulation.run(self.playhead, FRAME_EVENTS_MAX) {
            Stop::Horizon => {}
            // What was not reached is not owed, or a slow machine would fall behind for ever.
            Stop::Budget => self.playhead = self.simulation.now(),
            stop @ (Stop::Violation | Stop::Broken | Stop::Idle) => self.halt(stop),
        }
    }

    /// Pauses, and goes on by one event.
    pub(crate) fn step(&mut self) {
        let stop = self.simulation.step();
        self.halt(stop);
    }

    /// Applies a command after the last event. It becomes part of the plan.
    ///
    /// # Errors
    /// If this simulation takes no commands (any more).
    pub(crate) fn apply(&mut self, command: Command) -> Result<(), Unable> {
        self.simulation.apply(command)?;
        if self.playback == Playback::Idle {
            self.playback = Playback::Paused;
        }
        Ok(())
    }

    fn halt(&mut self, stop: Stop) {
        self.playhead = self.simulation.now();
        self.playback = match stop {
            Stop::Idle => Playback::Idle,
            Stop::Horizon | Stop::Budget | Stop::Violation | Stop::Broken => Playback::Paused,
        };
    }

    /// What the run comes to, where that is certain already; else nothing was violated so far. Whether it would
    /// converge in time is judged by runs without a person in them.
    pub(crate) fn verdict(&self) -> Option<Verdict> {
        if let Some(verdict) = self.simulation.breakdown().and_then(Verdict::of_breakdown) {
            return Some(verdict);
        }
        let first = self.simulation.violations().first();
        let expect = &self.loaded.scenario.expect;
        match (first, first.map(|violation| violation.property.clone())) {
            (_, Some(property)) if *expect == Expectation::Violation(property.clone()) => {
                Some(Verdict::ExpectedViolation { property })
            }
            _ if !self.simulation.beyond_promise().is_empty() => Some(Verdict::BeyondPromise),
            (Some(first), _) if first.property == PANIC => {
                Some(Verdict::Panic { message: first.evidence.clone() })
            }
            (_, property) => property.map(|property| Verdict::Violation { property }),
        }
    }

    /// The scenario's name.
    pub(crate) fn name(&self) -> &str {
        &self.loaded.scenario.name
    }

    /// The scenario in a line; may be empty.
    pub(crate) fn summary(&self) -> &str {
        &self.loaded.scenario.summary
    }

    /// What decides everything but what is done by hand.
    pub(crate) const fn seed(&self) -> u64 {
        self.seed
    }

    /// Whether time passes.
    pub(crate) const fn playback(&self) -> Playback {
        self.playback
    }

    /// How fast it passes, if it does.
    pub(crate) const fn speed(&self) -> Speed {
        self.speed
    }

    /// The run, to look at.
    pub(crate) fn simulation(&self) -> &dyn Simulation {
        self.simulation.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use sim_core::NodeId;
    use sim_core::fault::Target;
    use sim_core::status::{NodeStatus, Power};

    use super::*;
    use crate::open;

    const FRAME: Duration = Duration::from_millis(16);

    fn session(seed: u64) -> Session {
        let table = ProtocolTable::builtin();
        let loaded = open::open("raft/leader-crash", &table).expect("the library has it");
        Session::new(loaded, table, seed)
    }

    fn play(session: &mut Session, frames: u32) {
        session.play();
        (0..frames).for_each(|_| session.on_frame(FRAME));
    }

    fn statuses(session: &Session) -> Vec<NodeStatus> {
        let mut statuses = Vec::new();
        session.simulation().statuses(&mut statuses);
        statuses
    }

    #[test]
    fn playing_lets_speed_times_frame_pass() {
        let mut session = session(1);
        session.set_speed(Speed(500));
        play(&mut session, 100);
        assert_eq!(session.playhead, SimTime::ZERO + Span::millis(800));
        let now = session.simulation().now();
        let lag = session.playhead.since(now);
        assert!(
            lag < Span::millis(100),
            "the last event, at {now}, is near the playhead {}",
            session.playhead
        );
    }

    #[test]
    fn a_paused_run_stands_still() {
        let mut session = session(1);
        play(&mut session, 10);
        session.pause();
        let before = (session.simulation().digest(), session.playhead);
        session.on_frame(FRAME);
        assert_eq!((session.simulation().digest(), session.playhead), before);
    }

    #[test]
    fn a_step_is_one_event_and_pauses() {
        let mut session = session(1);
        play(&mut session, 20);
        let before = session.simulation().events();
        session.step();
        assert_eq!(session.simulation().events(), before + 1);
        assert_eq!(session.playback(), Playback::Paused);
        assert_eq!(session.playhead, session.simulation().now());
    }

    #[test]
    fn how_a_run_is_cut_into_frames_does_not_change_it() {
        let mut slow = session(7);
        slow.set_speed(Speed(100));
        play(&mut slow, 1_000);
        let mut fast = session(7);
        play(&mut fast, 100);
        assert_eq!(slow.playhead, fast.playhead);
        assert_eq!(slow.simulation().digest(), fast.simulation().digest());
    }

    #[test]
    fn a_restart_with_the_same_seed_has_the_same_digest_and_another_seed_has_not() {
        let mut session = session(3);
        let mut digest_of = |seed| {
            session.restart(seed);
            play(&mut session, 200);
            session.simulation().digest()
        };
        let [first, other, again] = [3, 4, 3].map(&mut digest_of);
        assert_eq!(first, again);
        assert_ne!(first, other);
    }

    #[test]
    fn a_frame_with_more_events_than_its_budget_leaves_no_debt() {
        let mut session = session(1);
        session.play();
        session.on_frame(Duration::from_hours(1));
        assert_eq!(session.simulation().events(), FRAME_EVENTS_MAX);
        assert_eq!(session.playhead, session.simulation().now());
    }

    #[test]
    fn a_command_by_hand_acts_and_is_in_the_plan() {
        let mut session = session(1);
        play(&mut session, 100);
        let leader = Target::Leader.resolve(&statuses(&session), &[], 0)[0];
        let planned = session.simulation().plan().entries().len();
        session.apply(Command::Crash(leader)).expect("a world takes commands");
        assert_eq!(statuses(&session)[leader.index()].power, Power::Down);
        let entries = session.simulation().plan().entries();
        assert_eq!(entries.len(), planned + 1);
        let by_hand = |entry: &sim_core::fault::Entry| entry.command == Command::Crash(Target::Node(leader));
        assert!(entries.iter().any(by_hand), "{entries:?}");
    }

    #[test]
    fn a_restart_forgets_what_was_done_by_hand() {
        let mut session = session(1);
        let plan = session.simulation().plan().clone();
        session.apply(Command::Crash(NodeId::new(0))).expect("a world takes commands");
        session.restart(1);
        assert_eq!(*session.simulation().plan(), plan);
        assert_eq!(session.verdict(), None);
    }
}
