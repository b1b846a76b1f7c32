//! Why a run failed, for a person.
//!
//! ```text
//! capsule ─ run ─► failure ─ moment ─► causal past ─ retold ─► story, picture
//!                    │         └─► states side by side
//!                    ├─ evidence ─► longest legal prefix
//!                    ├─ runs without one fault ─► which faults it needs
//!                    ├─ runs from snapshots, with other seeds ─► when it became inevitable
//!                    └─► a regression test
//! ```
//!
//! | module | says |
//! | --- | --- |
//! | `moment` | at which event it shows, and which nodes and operations are concerned |
//! | `lasts` | where something is missing, what happened for the last time |
//! | `past` | what of the run that event depends on, and what of that is worth telling |
//! | `faults` | which faults it fails the same way without |
//! | `retold` | the run once more, stopped at what is told: what messages said, what changed |
//! | `story` | that in sentences |
//! | `picture` | that as a space-time diagram: lanes, dots, lines and bands, not yet drawn |
//! | `states` | how the nodes stood |
//! | `inevitable` | from which event on nearly every other future fails, too |
//! | `regression` | a scenario that fails like this |
//! | `inquiry` | of a run that has not ended, how it came to any event of it: a story as above, and nothing else |
//!
//! A run fails *the same way* if the same property is violated and the evidence differs in names and numbers only
//! ([`Symptom`]). Everything follows from the capsule and the options: the same explanation on however many processors.

mod changes;
mod faults;
mod inevitable;
mod inquiry;
mod lasts;
mod moment;
mod past;
mod picture;
mod regression;
mod retold;
mod states;
mod story;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use sim_core::Simulation;
use sim_core::check::About;
use sim_core::fault::Plan;

pub use self::inevitable::{Bracket, Inevitability, Share, WANTED_PERCENT};
pub use self::inquiry::{Inquiry, Question};
pub use self::moment::LegalPrefix;
use self::moment::Moment;
use self::past::Past;
pub use self::picture::{Arrow, Band, BandKind, Dot, Picture};
pub use self::regression::Regression;
use self::retold::Retold;
pub use self::states::{NodeState, Row, States};
pub use self::story::{Line, LineKind, Story};
use crate::assemble::assemble_recording;
use crate::capsule::Opened;
use crate::configure::Configured;
use crate::protocol::ProtocolTable;
use crate::run::{
    HistoryEvidence, Observer, Paused, Recording, Report, Run, RunOptions, properties, run_observed,
};
use crate::shrink::Symptom;

/// How much is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// With how many seeds a moment is tried, fewer in long runs; 0: the search for the moment is left out.
    pub samples: u32,
    /// About how many events all runs with other seeds may have together; and all runs without a fault.
    pub events_max: u64,
    /// How many lines the story has at most.
    pub lines_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { samples: 40, events_max: 8_000_000, lines_max: 45 }
    }
}

/// Why a run failed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Explanation {
    /// What was violated.
    pub failure: Failure,
    /// The digest of the run: the capsule's, unless that was changed by hand or is of another version.
    pub digest: String,
    /// How it came to that, in sentences.
    pub story: Story,
    /// The same as a diagram.
    pub picture: Picture,
    /// How the nodes stood when it showed.
    pub states: States,
    /// When it became inevitable; `null` where that was not asked for, or the run cannot be copied.
    pub inevitable: Option<Inevitability>,
    /// How far the history is legal; `null` unless it is a history that failed, and its checker looks for a legal order.
    pub legal_prefix: Option<LegalPrefix>,
    /// A test that fails like this.
    pub regression: Regression,
    /// How many runs it took.
    pub runs: u64,
    /// Whether all of them were made: not if somebody broke it off.
    pub is_complete: bool,
}

/// What was violated.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Failure {
    /// The property.
    pub property: String,
    /// What it says, in a sentence.
    pub statement: String,
    /// Where it is from: paper and section.
    pub source: String,
    /// The verdict of the run.
    pub verdict: String,
    /// The values that show the violation.
    pub evidence: String,
    /// At which node, where it was one.
    pub node: Option<String>,
    /// After so many events it shows.
    pub event: u64,
    /// When that was.
    pub at_ns: u64,
    /// What happened then, in words.
    pub happening: String,
}

/// Why there is nothing to explain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The run does not fail: it ends with this verdict.
    Passes(String),
    /// It was broken off before anything was known.
    BrokenOff,
}

/// A run that tells something about the failure.
pub enum Job {
    /// The run with another plan.
    Replan(Plan),
    /// The rest of the run, as it would be with other draws.
    Branch(Paused),
}

/// What came of a [`Job`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Whether it fails the same way.
    pub fails: bool,
    /// How many events it took to know.
    pub events: u64,
}

/// Does some jobs, at once or one after the other, and gives what came of them in the same order; `None` if it was
/// broken off.
pub type Runner<'a> = dyn FnMut(&Judge<'_>, Vec<Job>) -> Option<Vec<Outcome>> + 'a;

/// Decides whether a run fails as that of the capsule does.
pub struct Judge<'a> {
    opened: &'a Opened,
    table: &'a ProtocolTable,
    configured: Arc<Configured>,
    symptom: Symptom,
    /// More events than this are no answer.
    events_max: u64,
}

impl Judge<'_> {
    /// Does a job.
    pub fn outcome(&self, job: Job) -> Outcome {
        let paused = match job {
            Job::Replan(plan) => self.at_start(plan),
            Job::Branch(paused) => paused,
        };
        let before = paused.simulation().events();
        let mut observer = |simulation: &dyn Simulation| {
            if simulation.events() > self.events_max {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let report = paused.finish(&self.opened.loaded, self.table, &mut observer).report;
        let fails = Symptom::of(&report).as_ref() == Some(&self.symptom);
        Outcome { fails, events: report.events - before }
    }

    fn plan(&self) -> &Plan {
        &self.opened.capsule.plan
    }

    fn seed(&self) -> u64 {
        self.opened.capsule.seed
    }

    fn at_start(&self, plan: Plan) -> Paused {
        let evidence = HistoryEvidence::FirstLine;
        let options = RunOptions { replay: Some(plan), evidence, ..RunOptions::default() };
        Paused::at_start(&self.opened.loaded, self.table, self.seed(), &options)
    }

    /// The run before its first event, to be gone through by hand.
    fn fresh(&self, recording: Recording) -> Box<dyn Simulation> {
        assemble_recording(&self.configured.scenario, self.table, self.seed(), Some(self.plan()), recording)
    }

    /// What a property says. A panic is no property of the tables.
    fn about(&self, property: &str) -> Option<About> {
        let mut known = properties(&self.configured.scenario, self.table).into_iter().map(|(_, about)| about);
        known.find(|about| about.name == property)
    }
}

/// What the runs beside the first took.
#[derive(Debug, Default)]
struct Spent {
    runs: u64,
    events: u64,
    is_broken_off: bool,
}

/// Has jobs done, and counts.
struct Laboratory<'run, 'a> {
    judge: &'run Judge<'a>,
    runner: &'run mut Runner<'a>,
    watch: &'run mut dyn FnMut(&str, u64),
    spent: Spent,
}

impl Laboratory<'_, '_> {
    /// How the jobs come out; `None` if that was broken off.
    fn outcomes(&mut self, what: &str, jobs: Vec<Job>) -> Option<Vec<Outcome>> {
        if self.spent.is_broken_off {
            return None;
        }
        let outcomes = (self.runner)(self.judge, jobs);
        self.spent.is_broken_off = outcomes.is_none();
        let outcomes = outcomes?;
        self.spent.runs += outcomes.len() as u64;
        self.spent.events += outcomes.iter().map(|outcome| outcome.events).sum::<u64>();
        (self.watch)(what, self.spent.runs);
        Some(outcomes)
    }
}

/// Explains the failure of a capsule. `observer` looks at the run while it is replayed, and may break that off; `watch` hears
/// what is done, and how many runs were made.
///
/// # Errors
/// If its run does not fail, or the replay was broken off.
pub fn explain<'a>(
    opened: &'a Opened,
    table: &'a ProtocolTable,
    options: &Options,
    observer: &mut Observer<'_>,
    runner: &mut Runner<'a>,
    watch: &mut dyn FnMut(&str, u64),
) -> Result<Explanation, Refusal> {
    watch("replaying", 0);
    let Run { report, simulation } = replayed(opened, table, observer).ok_or(Refusal::BrokenOff)?;
    let symptom = Symptom::of(&report).ok_or_else(|| Refusal::Passes(report.verdict.to_string()))?;
    let configured = opened.loaded.configured(opened.capsule.seed, table);
    let events_max = report.events.saturating_mul(2).saturating_add(100_000);
    let judge = Judge { opened, table, configured, symptom, events_max };
    let moment = Moment::find(&judge, &report, simulation.as_ref(), observer).ok_or(Refusal::BrokenOff)?;
    let mut laboratory = Laboratory { judge: &judge, runner, watch, spent: Spent::default() };
    let faults = faults::weigh(&mut laboratory, options, &moment);
    let all = past::depends_on(&moment);
    let inevitable = inevitable::search(&mut laboratory, options, &moment, &all);
    let spent = laboratory.spent;
    let turning = inevitable.as_ref().and_then(|found| moment.told.cause_of(found.event?));
    let past = Past::of(&moment, all, &faults, turning, options.lines_max);
    let retold = Retold::of(&judge, &moment, &past);
    let turn = turning.and_then(|turning| retold.scenes.get(&turning));
    let violation = &report.violations[0];
    let end = story::at_the_end(&moment, &violation.property, violation.node.clone(), &violation.evidence);
    let in_words = |found: Inevitability| Inevitability {
        happening: turn.map(|scene| scene.happening.clone()).or(found.happening),
        ..found
    };
    Ok(Explanation {
        failure: failure(&judge, &report, &moment, &retold),
        digest: report.digest.to_string(),
        story: Story::of(&moment, &past, &faults, &retold, Some(end), options.lines_max),
        picture: Picture::of(&moment, &past, &retold),
        states: States::of(&moment, &retold),
        inevitable: inevitable.map(in_words),
        regression: regression::write(&judge, simulation.as_ref()),
        legal_prefix: moment.legal_prefix(),
        runs: spent.runs + 1,
        is_complete: !spent.is_broken_off,
    })
}

/// The run of the capsule; `None` if that was broken off.
fn replayed(opened: &Opened, table: &ProtocolTable, observer: &mut Observer<'_>) -> Option<Run> {
    let replay = RunOptions { replay: Some(opened.capsule.plan.clone()), ..RunOptions::default() };
    let mut is_broken_off = false;
    let mut look = |simulation: &dyn Simulation| {
        let flow = observer(simulation);
        is_broken_off |= flow.is_break();
        flow
    };
    let run = run_observed(&opened.loaded, table, opened.capsule.seed, &replay, &mut look);
    (!is_broken_off).then_some(run)
}

fn failure(judge: &Judge<'_>, report: &Report, moment: &Moment, retold: &Retold) -> Failure {
    let violation = &report.violations[0];
    let about = judge.about(&violation.property);
    let text =
        |of: fn(&About) -> &'static str, otherwise: &str| about.as_ref().map_or(otherwise, of).to_owned();
    Failure {
        property: violation.property.clone(),
        statement: text(|about| about.statement, "a process does not panic"),
        source: text(|about| about.source, "the engine: a process that panics has a bug"),
        verdict: report.verdict.to_string(),
        evidence: violation.evidence.clone(),
        node: violation.node.clone(),
        event: moment.event,
        at_ns: moment.at.as_nanos(),
        happening: retold.last_words(),
    }
}
