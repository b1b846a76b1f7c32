//! A run under a person's hand: it plays at some speed, goes by single events, forwards and back, takes commands,
//! and never forgets what was tried.
//!
//! ```text
//! branch 0   ●━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━▶ head     the run as the scenario has it
//!            keyframes ┆        ┆        ┆
//! branch 1             └─ crash n1 ━━━━━━━━━━▶ head      something was done there by hand
//!                                    ▲
//!                                  cursor                 what is shown
//! ```
//!
//! What was computed is never computed differently: any moment is a keyframe's copy and what followed, done again, and
//! the digest is compared where both are known. Each act by hand begins a branch, so that to undo is to go back to the
//! branch before, and nothing is lost.
//!
//! Nothing here knows of a window. How long a frame took decides how far a run gets, never what happens in it: a run
//! cut into other frames has the same digest.

mod bookmarks;
mod branch;
mod by_hand;
mod hunt;
mod judge;
mod jump;
mod moment;
mod pace;
mod parting;
mod recorded;
mod samples;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use scenarios::explain::{Inquiry, Question};
use scenarios::export::Names;
use scenarios::format::Expectation;
use scenarios::protocol::ProtocolKind;
use scenarios::run::{Checked, PANIC, Recording as Traced, properties};
use scenarios::text::{Diagnostic, Override};
use scenarios::{Loaded, ProtocolTable, Scenario, Verdict, assemble_recording};
use sim_core::check::About;
use sim_core::fault::Plan;
use sim_core::simulation::Recording;
use sim_core::trace::Record;
use sim_core::world::Stop;
use sim_core::{SimTime, Simulation};

use self::bookmarks::Bookmarks;
use self::branch::Branch;
pub use self::branch::BranchId;
pub(crate) use self::by_hand::BranchInfo;
use self::hunt::Hunt;
pub(crate) use self::hunt::Search;
pub(crate) use self::judge::{Finding, Judged};
use self::jump::From;
pub(crate) use self::jump::{Direction, Landmark};
use self::moment::{EVER, Moment};
pub(crate) use self::pace::{Playback, Speed};
pub(crate) use self::samples::Samples;

/// How many events happen in a frame at most. Where more are due, time passes slower than asked for.
const FRAME_EVENTS_MAX: u64 = 20_000;

/// A recording holds no more events: it is data in memory, and a file.
pub(crate) const RECORDED_EVENTS_MAX: u64 = 200_000;
/// How many views of nodes a recording takes, about, where there are so many events.
const RECORDED_VIEWS_MAX: u64 = 8_000;

/// How many lines a story has at most.
const STORY_LINES_MAX: usize = 30;

/// One scenario, and everything that was tried with it.
pub struct Session {
    loaded: Loaded,
    table: Arc<ProtocolTable>,
    seed: u64,
    /// The scenario with what the seed draws.
    configured: Scenario,
    /// Of its protocol: the plain timers, and the places in handlers where a plan can act.
    timers: Vec<&'static str>,
    fault_points: Vec<&'static str>,
    /// Never empty; the first has no origin.
    branches: Vec<Branch>,
    /// From where the run starts, which is the first branch or one with an edited plan, to the one whose future is gone
    /// towards.
    path: Vec<BranchId>,
    cursor: Cursor,
    playback: Playback,
    speed: Speed,
    /// Up to when things were let happen: at or after the last event, which is the simulation's own time.
    playhead: SimTime,
    goal: Option<Goal>,
    /// The search for a seed that breaks something.
    hunt: Option<Hunt>,
    search: Option<Search>,
    trouble: Option<String>,
    /// How many events were done again to show the last moment that was asked for.
    redone: u64,
    /// What the checkers of the history said last.
    judged: Option<Judged>,
    /// What is shown, where that is no run.
    recording: Option<Recording>,
    /// What the run is checked for.
    properties: Vec<(Checked, About)>,
    /// Moments that a person wants to come back to.
    pub(crate) bookmarks: Bookmarks,
}

/// What is shown: some moment of a branch on the path.
struct Cursor {
    /// Which of the path.
    depth: usize,
    /// A copy; `None` for how things stand where the branch ends.
    earlier: Option<Box<dyn Simulation>>,
}

/// Something to come to that is not computed yet: some frames are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goal {
    Moment(Moment),
    /// The first one after where somebody stood.
    Landmark(Landmark, From),
}

impl Session {
    /// A paused run at time zero; `table` is the one that `loaded` was checked with.
    pub fn new(loaded: Loaded, table: Arc<ProtocolTable>, seed: u64) -> Self {
        Self::following(loaded, table, seed, None)
    }

    /// The same for a run that follows a plan, such as that of a capsule.
    pub fn following(loaded: Loaded, table: Arc<ProtocolTable>, seed: u64, plan: Option<&Plan>) -> Self {
        let configured = loaded.configured(seed, &table).scenario.clone();
        let samples = Samples::new(end(&configured));
        let start = assemble_recording(&configured, &table, seed, plan, Traced::On);
        Self::starting(loaded, table, seed, configured, Branch::new(start, None, &samples))
    }

    fn starting(
        loaded: Loaded,
        table: Arc<ProtocolTable>,
        seed: u64,
        configured: Scenario,
        start: Branch,
    ) -> Self {
        let properties = properties(&configured, &table);
        let about = table.find(configured.protocol.name()).map(ProtocolKind::about);
        let (timers, fault_points) =
            about.map(|about| (about.timers, about.fault_points)).unwrap_or_default();
        Self {
            loaded,
            table,
            seed,
            configured,
            timers,
            fault_points,
            branches: vec![start],
            path: vec![BranchId::FIRST],
            cursor: Cursor { depth: 0, earlier: None },
            playback: Playback::Paused,
            speed: Speed::REAL,
            playhead: SimTime::ZERO,
            goal: None,
            hunt: None,
            search: None,
            trouble: None,
            redone: 0,
            judged: None,
            recording: None,
            properties,
            bookmarks: Bookmarks::default(),
        }
    }

    /// The same scenario at time zero, paused. What was done by hand belongs to the run before; bookmarks stay where the
    /// seed does.
    pub(crate) fn renewed(&self, seed: u64) -> Self {
        let (loaded, table) = (self.loaded.clone(), Arc::clone(&self.table));
        let bookmarks = if seed == self.seed { self.bookmarks.clone() } else { Bookmarks::default() };
        Self { speed: self.speed, bookmarks, ..Self::new(loaded, table, seed) }
    }

    /// Takes the place of the run before.
    pub(crate) fn restart(&mut self, seed: u64) {
        *self = self.renewed(seed);
    }

    /// The scenario with other overrides of its file, at time zero, paused.
    ///
    /// # Errors
    /// If the scenario does not allow them.
    pub(crate) fn configured(&self, overrides: &[Override]) -> Result<Self, Box<Diagnostic>> {
        let loaded = self.loaded.reloaded(overrides, &self.table).map_err(Box::new)?;
        Ok(Self { speed: self.speed, ..Self::new(loaded, Arc::clone(&self.table), self.seed) })
    }

    /// Lets time pass from now on. Not where the simulation can't go on: something has panicked.
    pub(crate) fn play(&mut self) {
        self.goal = None;
        if self.can_go_on() {
            self.playhead = self.playhead.max(self.simulation().now());
            self.playback = Playback::Playing;
        }
    }

    /// Holds time, and ends what is being computed.
    pub(crate) fn pause(&mut self) {
        self.goal = None;
        self.give_up_hunt();
        self.playback = Playback::Paused;
    }

    /// Lets time pass at another pace.
    pub(crate) fn set_speed(&mut self, speed: Speed) {
        self.speed = speed;
    }

    /// A frame of this length has passed on the wall: goes on as far as that means, if it plays or is on its way to
    /// something. A violation pauses. While it stands still, what clients saw is judged.
    pub(crate) fn on_frame(&mut self, frame: Duration) {
        if self.hunt.is_some() {
            self.go_on_hunting();
            return;
        }
        if let Some(goal) = self.goal {
            self.pursue(goal);
            return;
        }
        if self.playback != Playback::Playing {
            self.judge_unasked();
            return;
        }
        let until = match self.speed.simulated(frame) {
            Some(span) => self.playhead + span,
            None => EVER,
        };
        let stop = self.advance(until, FRAME_EVENTS_MAX);
        self.playhead = until;
        match stop {
            Stop::Horizon => {}
            // What was not reached is not owed, or a slow machine would fall behind for ever.
            Stop::Budget => self.playhead = self.simulation().now(),
            Stop::Violation | Stop::Broken | Stop::Idle => self.halt(stop),
        }
    }

    /// Pauses, and goes on by one event, or to the act by hand where one is next.
    pub(crate) fn step(&mut self) {
        self.goal = None;
        if self.enter_next() {
            self.halt(Stop::Budget);
            return;
        }
        let stop = self.advance(EVER, 1);
        self.halt(stop);
    }

    /// Pauses, and goes back by one event, or to before the act by hand that was last.
    pub(crate) fn step_back(&mut self) {
        if let Some((depth, events)) = self.one_back() {
            self.show(depth, Moment::Events(events));
        }
    }

    /// Shows how things stood after so many events of the present path: at once where that was computed, else in some
    /// frames.
    pub(crate) fn seek_events(&mut self, events: u64) {
        self.seek(Moment::Events(events));
    }

    /// Shows how things stood at a time of the present path.
    pub(crate) fn seek_time(&mut self, time: SimTime) {
        self.seek(Moment::Time(time));
        if self.goal.is_none() {
            self.playhead = time.max(self.simulation().now());
        }
    }

    /// Shows how things stood right after a record of the present path's trace.
    pub(crate) fn seek_record(&mut self, number: u32) {
        let record = self.run().trace().and_then(|trace| trace.get(number));
        if let Some(at) = record.map(Record::at) {
            self.seek(Moment::Record { number, at });
        }
    }

    fn seek(&mut self, moment: Moment) {
        let all = 0..self.path.len();
        let depth = all.rev().find(|depth| self.branch_at(*depth).has_begun_by(moment)).unwrap_or(0);
        if depth + 1 == self.path.len() && self.branch_at(depth).ends_before(moment) {
            self.pursue(Goal::Moment(moment));
        } else {
            self.show(depth, moment);
        }
    }

    /// Sets out to tell why something happened on the present path.
    pub(crate) fn inquire(&self, question: Question) -> Inquiry {
        let plan = self.run().plan();
        let start =
            |recording| assemble_recording(&self.configured, &self.table, self.seed, Some(plan), recording);
        Inquiry::new(question, &self.configured, start(Traced::On), start(Traced::Off), STORY_LINES_MAX)
    }

    /// What the run comes to, where that is certain already; else nothing was violated so far. Whether it would
    /// converge in time is judged by runs without a person in them.
    pub(crate) fn verdict(&self) -> Option<Verdict> {
        let simulation = self.simulation();
        if let Some(verdict) = simulation.breakdown().and_then(Verdict::of_breakdown) {
            return Some(verdict);
        }
        let seen = self.seen().iter().find(|violation| violation.at <= self.playhead);
        let first = simulation.violations().first().or(seen);
        let expect = &self.loaded.scenario.expect;
        match (first, first.map(|violation| violation.property.clone())) {
            (_, Some(property)) if *expect == Expectation::Violation(property.clone()) => {
                Some(Verdict::ExpectedViolation { property })
            }
            _ if !simulation.beyond_promise().is_empty() => Some(Verdict::BeyondPromise),
            (Some(first), _) if first.property == PANIC => {
                Some(Verdict::Panic { message: first.evidence.clone() })
            }
            (_, property) => property.map(|property| Verdict::Violation { property }),
        }
    }

    /// The protocols that scenarios may use.
    pub(crate) const fn table(&self) -> &Arc<ProtocolTable> {
        &self.table
    }

    /// The plain timers of its protocol.
    pub(crate) fn timers(&self) -> &[&'static str] {
        &self.timers
    }

    /// The places in handlers of its protocol where a plan can act.
    pub(crate) fn fault_points(&self) -> &[&'static str] {
        &self.fault_points
    }

    /// What its protocol calls messages and timers.
    pub(crate) fn names(&self) -> Names {
        let kind = self.table.find(self.configured.protocol.name());
        Names::from(&kind.expect("the scenario was loaded with this table").about())
    }

    /// The scenario, as its file and overrides have it.
    pub(crate) const fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    /// The scenario's name.
    pub(crate) fn name(&self) -> &str {
        &self.loaded.scenario.name
    }

    /// The scenario in a line; may be empty.
    pub(crate) fn summary(&self) -> &str {
        &self.loaded.scenario.summary
    }

    /// The scenario with what the seed draws.
    pub(crate) const fn scenario(&self) -> &Scenario {
        &self.configured
    }

    /// What decides everything but what is done by hand.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Whether time passes.
    pub(crate) const fn playback(&self) -> Playback {
        self.playback
    }

    /// Whether it is on its way to something that was not computed yet.
    pub(crate) const fn is_seeking(&self) -> bool {
        self.goal.is_some()
    }

    /// How fast time passes, if it does.
    pub(crate) const fn speed(&self) -> Speed {
        self.speed
    }

    /// Up to when things were let happen.
    pub(crate) const fn playhead(&self) -> SimTime {
        self.playhead
    }

    /// What is shown.
    pub(crate) fn simulation(&self) -> &dyn Simulation {
        match &self.cursor.earlier {
            Some(copy) => copy.as_ref(),
            None => self.shown_branch().head(),
        }
    }

    /// How things stood before the last event, or before the act by hand that was last.
    pub(crate) fn before(&self) -> Option<Box<dyn Simulation>> {
        let (depth, events) = self.one_back()?;
        self.branch_at(depth).copy_at(Moment::Events(events)).ok().map(|(copy, _)| copy)
    }

    /// The present path as far as it was computed: its trace, history and milestones hold what is shown, and what comes after.
    pub(crate) fn run(&self) -> &dyn Simulation {
        self.branch_at(self.path.len() - 1).head()
    }

    /// Which branch the present path leads to.
    pub(crate) fn tip(&self) -> BranchId {
        *self.path.last().expect("a path has the first branch")
    }

    /// When a run without a person in it ends at the latest.
    pub(crate) fn end(&self) -> SimTime {
        end(&self.configured)
    }

    /// Up to when the present path is known: computed, or shown as standing still.
    pub(crate) fn known_until(&self) -> SimTime {
        self.run().now().max(self.playhead)
    }

    /// The metrics of the present path at regular times, as far as it was computed.
    pub(crate) fn samples(&self) -> &Samples {
        self.branch_at(self.path.len() - 1).samples()
    }

    /// What went wrong here, if anything did.
    pub(crate) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Whether time can go back.
    pub(crate) fn can_go_back(&self) -> bool {
        self.branches[0].can_go_back()
    }

    /// Whether there can be a next event.
    pub(crate) fn can_go_on(&self) -> bool {
        let is_at_end = self.recording.is_some() && self.cursor.earlier.is_none();
        self.cursor.earlier.is_some() || (self.simulation().capabilities().step && !is_at_end)
    }

    fn shown_branch(&self) -> &Branch {
        self.branch_at(self.cursor.depth)
    }

    fn branch_at(&self, depth: usize) -> &Branch {
        &self.branches[self.path[depth].0]
    }

    /// Where the moment before the one that is shown lies: in which branch of the path, after how many events.
    fn one_back(&self) -> Option<(usize, u64)> {
        let (depth, events) = (self.cursor.depth, self.simulation().events());
        match (events > self.shown_branch().first, depth.checked_sub(1)) {
            (true, _) => Some((depth, events - 1)),
            (false, parent) => parent.map(|parent| (parent, events)),
        }
    }

    /// From where its run starts to this one.
    fn ancestry(&self, id: BranchId) -> Vec<BranchId> {
        let parent = |id: &BranchId| {
            let origin = self.branches[id.0].origin.as_ref()?;
            origin.deed.command().map(|_| origin.parent)
        };
        let mut path: Vec<BranchId> = std::iter::successors(Some(id), parent).collect();
        path.reverse();
        path
    }

    /// Where the path leaves the branch that is shown: after so many events; `u64::MAX` where it does not.
    fn leaves_at(&self) -> u64 {
        let next = self.path.get(self.cursor.depth + 1);
        next.map_or(u64::MAX, |id| self.branches[id.0].first)
    }

    /// If the next thing on the path is an act by hand: goes past it.
    fn enter_next(&mut self) -> bool {
        let is_there = self.simulation().events() >= self.leaves_at();
        if is_there {
            let depth = self.cursor.depth + 1;
            self.show_quietly(depth, Moment::Events(self.branch_at(depth).first));
        }
        is_there
    }

    /// Goes on along the path, up to a time or by so many events.
    fn advance(&mut self, until: SimTime, events: u64) -> Stop {
        let mut left = events;
        loop {
            let (before, leaves_at) = (self.simulation().events(), self.leaves_at());
            let most = left.min(leaves_at - before);
            let stop = if let Some(copy) = &mut self.cursor.earlier {
                copy.run(until, most)
            } else {
                let BranchId(index) = self.path[self.cursor.depth];
                self.branches[index].extend(until, most)
            };
            let now = self.simulation().events();
            left -= now - before;
            self.compare();
            if stop != Stop::Budget || left == 0 {
                return stop;
            }
            if now < leaves_at || !self.enter_next() {
                return stop;
            }
        }
    }

    /// A copy that has come to where a copy or the end of its branch was kept must be the same; where it is the end, it
    /// is no longer needed.
    fn compare(&mut self) {
        let depth = self.cursor.depth;
        let Some(copy) = &self.cursor.earlier else { return };
        let branch = self.branch_at(depth);
        let Some(kept) = branch.kept_at(copy.events()) else { return };
        let is_end = branch.head().events() == copy.events();
        if kept.digest() != copy.digest() {
            let (events, first, second) = (copy.events(), kept.digest(), copy.digest());
            self.trouble = Some(format!(
                "this run is not deterministic: after {events} events its digest was {first}, and when they were done again {second}"
            ));
        }
        if is_end {
            self.cursor.earlier = None;
        }
    }

    /// Shows a moment of a branch of the path that was computed.
    fn show(&mut self, depth: usize, moment: Moment) {
        self.goal = None;
        self.playback = Playback::Paused;
        self.show_quietly(depth, moment);
        self.playhead = self.simulation().now();
    }

    fn show_quietly(&mut self, depth: usize, moment: Moment) {
        let branch = self.branch_at(depth);
        if branch.ends_before(moment) {
            self.cursor = Cursor { depth, earlier: None };
            return;
        }
        match branch.copy_at(moment) {
            Ok((copy, redone)) => {
                self.redone = redone;
                self.cursor = Cursor { depth, earlier: Some(copy) };
                self.compare();
            }
            Err(unable) => self.trouble = Some(unable.to_string()),
        }
    }

    fn halt(&mut self, stop: Stop) {
        self.playhead = self.simulation().now();
        self.playback = match stop {
            Stop::Idle => Playback::Idle,
            Stop::Horizon | Stop::Budget | Stop::Violation | Stop::Broken => Playback::Paused,
        };
    }
}

/// When a run without a person in it ends at the latest.
fn end(scenario: &Scenario) -> SimTime {
    scenario.phases.converged_by() + scenario.phases.steady.span()
}
