//! Running a scenario: its phases, and what the run ends with.
//!
//! ```text
//! assemble ─► fault phase ─► heal ─► convergence ─► steady ─► history ─► report
//!              │ violation, panic, interrupt                            │
//!              └────────────────────────────────────────────────────────┴─► report
//! ```
//!
//! The heal is part of the plan (see [`plan`](crate::plan)), so it happens by itself; the runner only looks when. In
//! the convergence phase the liveness conditions are asked in order at a hundred instants, and the run ends at the
//! first at which all hold. Where the scenario asks for it, whoever leads then must go on leading for a while. What
//! clients saw is judged at the end.

mod budget;
mod healed;
pub(crate) mod history;
mod paused;
mod property;
mod report;
mod twice;
mod verdict;

use std::ops::ControlFlow;

use sim_core::check::{Baseline, CONDITIONS, LeaderIsKept, LivenessCondition, Violation, Work};
use sim_core::fault::Plan;
use sim_core::world::Stop;
use sim_core::{NodeId, SimTime, Simulation, Span};

pub use self::budget::Busiest;
pub use self::history::{Heard, ask, evidence, figures, points};
pub use self::paused::Paused;
pub use self::property::{Checked, properties};
pub use self::report::{
    BeyondPromise, MilestoneKind, Operations, PointReached, Report, ReportedMilestone, ReportedViolation,
};
pub use self::twice::{Divergence, Side, TwiceRun, first_divergence, run_twice};
pub use self::verdict::{Inconclusive, PANIC, Verdict, exit_code};
use crate::format::Scenario;
use crate::load::Loaded;
use crate::protocol::ProtocolTable;

/// How many events happen between two calls of the observer, at most.
pub const BATCH: u64 = 20_000;
/// How often the conditions are asked within the bound.
const LOOKS: u64 = 100;

/// How to run a scenario, beyond what it says itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunOptions {
    /// The plan to follow instead of a drawn one. It must fit: [`Plan::validate`].
    pub replay: Option<Plan>,
    /// Whether everything that happens is recorded.
    pub recording: Recording,
    /// How much is told of what a history is illegal by.
    pub evidence: HistoryEvidence,
    /// Whether it is watched what is reached in the abstract: [`Report::coverage`].
    pub watches_coverage: bool,
}

impl RunOptions {
    /// A drawn plan, nothing recorded or watched, all evidence.
    pub const PLAIN: Self = Self {
        replay: None,
        recording: Recording::Off,
        evidence: HistoryEvidence::Whole,
        watches_coverage: false,
    };
}

/// How much is told of what a history is illegal by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HistoryEvidence {
    /// All of it.
    #[default]
    Whole,
    /// The first line, which is enough to compare two failures: the rest takes more time than the run.
    FirstLine,
}

/// Whether everything that happens is recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recording {
    /// It is not: faster, and enough for a verdict.
    #[default]
    Off,
    /// It is, from the starts of the nodes on.
    On,
}

/// Called between batches of events; breaking off ends the run as inconclusive.
pub type Observer<'a> = dyn FnMut(&dyn Simulation) -> ControlFlow<()> + 'a;

/// A run that has ended.
pub struct Run {
    /// What came of it.
    pub report: Report,
    /// The world as it ended, with its trace if it was recorded. After a spent event budget, some events later.
    pub simulation: Box<dyn Simulation>,
}

/// Why a run has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It came to the end of its phases; it converged at this time if it had to.
    Finished { converged_at: Option<SimTime> },
    /// The simulation found a violation.
    Violated,
    /// It did not converge: this condition does not hold.
    NotLive(Violation),
    /// The event budget was spent.
    BudgetSpent,
    /// It was to stop here, and goes on later: nothing is said of it yet.
    Paused,
    /// Something else than a process panicked.
    Broken,
    /// The observer broke off.
    Interrupted,
}

/// Runs a scenario with a seed.
///
/// # Panics
/// If the scenario was not validated with this table, or the plan to replay does not fit it.
pub fn run(loaded: &Loaded, table: &ProtocolTable, seed: u64, options: &RunOptions) -> Run {
    run_observed(loaded, table, seed, options, &mut |_| ControlFlow::Continue(()))
}

/// Runs a scenario with a seed, and lets an observer look in between.
///
/// # Panics
/// As [`run`].
pub fn run_observed(
    loaded: &Loaded,
    table: &ProtocolTable,
    seed: u64,
    options: &RunOptions,
    observer: &mut Observer<'_>,
) -> Run {
    Paused::at_start(loaded, table, seed, options).finish(loaded, table, observer)
}

/// How far a run has come.
struct Underway {
    simulation: Box<dyn Simulation>,
    seen: Seen,
}

/// What was seen on the way that is needed later.
#[derive(Clone, Debug, Default)]
struct Seen {
    /// How things stood when the faults ended.
    since: Option<Box<Baseline>>,
    /// What there was to do when everything else had come to hold.
    work: Option<Vec<Work>>,
    /// When it had converged.
    converged_at: Option<SimTime>,
    /// Who led when whoever leads had to go on leading.
    steady: Option<Steady>,
}

/// Who has to go on leading, and in which epoch; nobody where nobody led.
#[derive(Clone, Copy, Debug)]
struct Steady(Option<(NodeId, u64)>);

struct Runner<'run, 'observer> {
    scenario: &'run Scenario,
    underway: &'run mut Underway,
    observer: &'run mut Observer<'observer>,
    /// After so many events it stops, to go on later.
    pause_at: u64,
}

impl Runner<'_, '_> {
    fn run(&mut self) -> End {
        match self.run_phases() {
            Ok(converged_at) => End::Finished { converged_at },
            Err(end) => end,
        }
    }

    fn simulation(&self) -> &dyn Simulation {
        self.underway.simulation.as_ref()
    }

    /// Goes through the phases; says when the run converged if it had to.
    fn run_phases(&mut self) -> Result<Option<SimTime>, End> {
        let phases = &self.scenario.phases;
        let heal_at = phases.heal_at();
        // Up to the last instant before the heal, which stands before all events of its own instant.
        self.advance(SimTime::from_nanos(heal_at.as_nanos() - 1))?;
        if !property::must_converge(self.scenario) {
            return Ok(None);
        }
        let since = self.underway.seen.since.take().unwrap_or_else(|| Box::new(self.baseline()));
        self.underway.seen.since = Some(since.clone());
        // The heal itself, and what happens in its instant: then it shows who was healed.
        self.advance(heal_at)?;
        let since = Baseline { well: healed::core(self.scenario, self.simulation().plan()), ..*since };
        let converged_at = match self.underway.seen.converged_at {
            Some(converged_at) => converged_at,
            None => self.converge(heal_at, phases.convergence.span(), since.clone())?,
        };
        self.underway.seen.converged_at = Some(converged_at);
        self.stay_steady(converged_at, since)?;
        Ok(Some(converged_at))
    }

    /// Sees that whoever leads now goes on leading, for as long as the scenario asks for.
    fn stay_steady(&mut self, converged_at: SimTime, mut since: Baseline) -> Result<(), End> {
        let phases = &self.scenario.phases;
        let (steady, begin) = (phases.steady.span(), phases.rejoin_at().unwrap_or(converged_at));
        if steady.is_zero() {
            return Ok(());
        }
        self.advance(SimTime::from_nanos(begin.as_nanos() - 1))?;
        let Steady(leader) =
            self.underway.seen.steady.unwrap_or_else(|| Steady(since.leading(self.simulation())));
        self.underway.seen.steady = Some(Steady(leader));
        since.leader = leader;
        self.advance(begin + steady)?;
        match self.unmet(&LeaderIsKept, &since) {
            None => Ok(()),
            Some(violation) => Err(End::NotLive(violation)),
        }
    }

    /// Runs until all liveness conditions hold at once, at most for `bound`. When all hold for the first time it is seen what
    /// there is to do: that must be done too.
    fn converge(&mut self, heal_at: SimTime, bound: Span, mut since: Baseline) -> Result<SimTime, End> {
        let step = Span::nanos((bound.as_nanos() / LOOKS).max(1));
        let mut look_at = heal_at;
        // A run that goes on after a pause was looked at before.
        while look_at + step < self.simulation().now() {
            look_at += step;
        }
        loop {
            look_at = (look_at + step).min(heal_at + bound);
            self.advance(look_at)?;
            since.work.clone_from(&self.underway.seen.work);
            let mut unmet = self.first_unmet(&since);
            if unmet.is_none() && since.work.is_none() {
                since.work = Some(since.work(self.simulation()));
                self.underway.seen.work.clone_from(&since.work);
                unmet = self.first_unmet(&since);
            }
            match unmet {
                None => return Ok(look_at),
                Some(violation) if look_at == heal_at + bound => return Err(End::NotLive(violation)),
                Some(_) => {}
            }
        }
    }

    /// How things stand. Operations that clients still wait for count as invoked later: they must be answered too.
    fn baseline(&self) -> Baseline {
        let now = Baseline::of(self.simulation());
        let open = self.simulation().history().open_count() as u64;
        let in_doubt = healed::in_doubt(self.scenario, self.simulation().plan());
        Baseline { invoked: now.invoked.saturating_sub(open), in_doubt, ..now }
    }

    /// The first condition that does not hold.
    fn first_unmet(&self, since: &Baseline) -> Option<Violation> {
        CONDITIONS.iter().find_map(|condition| self.unmet(*condition, since))
    }

    /// How a condition does not hold, if it does not.
    fn unmet(&self, condition: &dyn LivenessCondition, since: &Baseline) -> Option<Violation> {
        let simulation = self.simulation();
        let evidence = condition.check(simulation, since).err()?;
        Some(Violation {
            property: condition.about().name.to_owned(),
            at: simulation.now(),
            event: simulation.events(),
            node: None,
            evidence,
        })
    }

    /// Lets time pass until `until`, in batches.
    fn advance(&mut self, until: SimTime) -> Result<(), End> {
        loop {
            let limit = self.scenario.limits.events.min(self.pause_at);
            let left = limit.saturating_sub(self.simulation().events());
            match self.underway.simulation.run(until, left.min(BATCH)) {
                Stop::Horizon | Stop::Idle => return Ok(()),
                Stop::Violation => return Err(End::Violated),
                Stop::Broken => return Err(End::Broken),
                Stop::Budget if left <= BATCH && limit == self.pause_at => return Err(End::Paused),
                Stop::Budget if left <= BATCH => return Err(End::BudgetSpent),
                Stop::Budget => {}
            }
            if (self.observer)(self.underway.simulation.as_ref()).is_break() {
                return Err(End::Interrupted);
            }
        }
    }
}

#[cfg(test)]
mod tests;
