//! From a failure to the smallest run that fails in the same way.
//!
//! ```text
//! capsule ─ start ─► case ─ entries ─► fields ─► times ─┐   ─ finish ─► scenario, capsule
//!                     ▲                                 │
//!                     └───── until nothing helps ───────┘
//! ```
//!
//! | step | takes away |
//! | --- | --- |
//! | `entries` | faults and operations, by delta debugging ("Simplifying and Isolating Failure-Inducing Input", Zeller and Hildebrandt, IEEE TSE 2002): half of them, a quarter, … one |
//! | `fields` | fields of the scenario, nodes, clients, the end of the run |
//! | `times` | waiting between faults, and digits of their times |
//!
//! A candidate is kept if it fails *the same way*: the same property, and evidence that differs in names and numbers only
//! ([`Symptom`]). Draws are keyed, so taking one fault away leaves the rest of the run as it was until something depends
//! on it; without that, every candidate would be another run altogether.
//!
//! Candidates of a step are tried together and the first in their order wins, so who tries them in parallel gets the same
//! result. The same capsule always shrinks to the same run.

mod case;
mod entries;
mod fields;
mod finish;
mod start;
mod symptom;
#[cfg(test)]
mod tests;
mod times;
mod whole;

use serde::Serialize;

use self::case::is_operation;
pub use self::case::{Case, Outcome, Trial};
pub use self::finish::Shrunk;
pub use self::symptom::Symptom;
pub(crate) use self::whole::written_out;
use crate::capsule::Opened;
use crate::protocol::ProtocolTable;
use crate::run::{Report, RunOptions, run};

/// How often all steps are repeated, at most.
const ROUNDS_MAX: u32 = 8;
/// How many candidates are made at once, at most.
const BATCH: usize = 32;
/// How many of them are run before the first that fails is looked for.
const AT_ONCE: usize = 16;
/// With how many other seeds a candidate is tried: as many as make about this many events, within bounds.
const SEED_EVENTS: u64 = 600_000;
const SEEDS: (u64, u64) = (8, 1_000);
/// With how many a shorter fault phase is tried.
const SEEDS_OF_PHASES: u64 = 16;

/// Runs some candidates, at once or one after the other, and gives their outcomes in the same order.
pub type Runner<'a> = dyn FnMut(&Trial<'_>, &[Case]) -> Vec<Outcome> + 'a;

/// How large a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Size {
    /// Commands from outside, but for the heal at the end and what clients ask.
    pub faults: u64,
    /// Operations that clients invoked.
    pub operations: u64,
    /// Clients.
    pub clients: u32,
    /// Nodes.
    pub nodes: u32,
    /// Events.
    pub events: u64,
    /// Simulated time, in nanoseconds.
    pub simulated_ns: u64,
}

impl Size {
    fn of(report: &Report, clients: u32, heal_count: usize) -> Self {
        let commands = report.plan.entries().iter().filter(|entry| !is_operation(entry)).count();
        Self {
            faults: commands.saturating_sub(heal_count) as u64,
            operations: report.operations.invoked,
            clients,
            nodes: report.nodes,
            events: report.events,
            simulated_ns: report.simulated_ns,
        }
    }
}

/// How far shrinking is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How many runs were made.
    pub runs: u64,
    /// Faults left.
    pub faults: usize,
    /// Operations left; 0 while clients ask what the scenario draws.
    pub operations: usize,
}

/// Why a capsule cannot be shrunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Its run does not fail: it ends with this verdict.
    Passes(String),
    /// Its run fails, but not when its faults are written out as a scenario.
    NotWritable,
}

/// Makes a failing run smaller, step by step.
struct Shrinker<'run, 'a> {
    trial: &'run Trial<'a>,
    runner: &'run mut Runner<'a>,
    watch: &'run mut dyn FnMut(Progress),
    best: Case,
    /// With how many other seeds a candidate may fail as well.
    seeds: u64,
    spent: Spent,
    /// How many events it may take.
    events_max: u64,
}

/// What shrinking took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Spent {
    runs: u64,
    events: u64,
}

/// Shrinks the run of a capsule, with about `events_max` events in all runs at most. `watch` hears of progress.
///
/// # Errors
/// If the run does not fail, or cannot be written as a scenario.
pub fn shrink(
    opened: &Opened,
    table: &ProtocolTable,
    events_max: u64,
    runner: &mut Runner<'_>,
    watch: &mut dyn FnMut(Progress),
) -> Result<Shrunk, Refusal> {
    let options = RunOptions { replay: Some(opened.capsule.plan.clone()), ..RunOptions::default() };
    let first = run(&opened.loaded, table, opened.capsule.seed, &options);
    let symptom =
        Symptom::of(&first.report).ok_or_else(|| Refusal::Passes(first.report.verdict.to_string()))?;
    let longest = first.report.events.saturating_mul(2).saturating_add(100_000);
    let trial = Trial { table, symptom, events_max: longest };
    let mut spent = Spent::default();
    let mut smallest: Option<Shrunk> = None;
    let starts = start::cases(opened, first.simulation.as_ref(), &trial.symptom.property, table);
    for (index, best) in starts.into_iter().enumerate() {
        if smallest.as_ref().is_some_and(|shrunk| index >= start::EXPLICIT && shrunk.is_small()) {
            break;
        }
        // Half of what is left, so that each has something.
        let events_max = spent.events + events_max.saturating_sub(spent.events) / 2;
        let (runner, watch) = (&mut *runner, &mut *watch);
        let mut shrinker = Shrinker { trial: &trial, runner, watch, best, seeds: 0, spent, events_max };
        let shrunk = shrinker.fails().then(|| shrinker.shrink(opened, &first.report)).flatten();
        spent = shrinker.spent;
        smallest = match (smallest, shrunk) {
            (Some(one), Some(other)) if other.weight() >= one.weight() => Some(one),
            (one, other) => other.or(one),
        };
    }
    smallest.map(|smallest| Shrunk { runs: spent.runs, ..smallest }).ok_or(Refusal::NotWritable)
}

impl Shrinker<'_, '_> {
    /// Whether the case to begin with fails.
    fn fails(&mut self) -> bool {
        let case = self.best.clone();
        self.try_all(&[case]).is_some()
    }

    fn shrink(&mut self, opened: &Opened, first: &Report) -> Option<Shrunk> {
        self.without_convergence();
        self.with_sooner_heal();
        for _ in 0..ROUNDS_MAX {
            let mut is_smaller = self.without_entries();
            is_smaller |= self.without_fields();
            is_smaller |= self.sooner();
            is_smaller |= self.with_other_seeds();
            if !is_smaller || self.is_spent() {
                break;
            }
        }
        // What reads well is worth some more.
        self.events_max = self.events_max.saturating_add(self.events_max / 4);
        self.rounder();
        self.finish(opened, first)
    }

    /// What the draws of one seed need, those of another may not: the failure is the same.
    fn with_other_seeds(&mut self) -> bool {
        let events = self.trial.report(&self.best.loaded, self.best.seed, Some(self.best.plan())).events;
        self.seeds = (SEED_EVENTS / events.max(1)).clamp(SEEDS.0, SEEDS.1);
        let is_smaller = self.without_entries() | self.with_fewer_nodes() | self.with_fewer_clients();
        self.seeds = 0;
        is_smaller
    }

    const fn is_spent(&self) -> bool {
        self.spent.events >= self.events_max
    }

    /// Makes the first of `cases` that fails the best one, and says which it was.
    fn try_all(&mut self, cases: &[Case]) -> Option<usize> {
        if cases.is_empty() || self.is_spent() {
            return None;
        }
        let seeded: Vec<Case>;
        let each = usize::try_from(self.seeds + 1).expect("few seeds");
        let tried = if self.seeds == 0 {
            cases
        } else {
            let seeds = |case: &Case| (0..self.seeds).map(|seed| case.with_seed(seed)).collect::<Vec<_>>();
            seeded = cases.iter().flat_map(|case| std::iter::once(case.clone()).chain(seeds(case))).collect();
            &seeded
        };
        let found = self.first_failing(tried);
        if let Some(index) = found {
            self.best = tried[index].clone();
        }
        let operations = self.best.entries.iter().filter(|entry| is_operation(entry)).count();
        let faults = self.best.entries.len() - operations;
        (self.watch)(Progress { runs: self.spent.runs, faults, operations });
        found.map(|index| index / each)
    }

    /// The first of `cases` that fails. What comes after it costs nothing, though it may have been run at the same time.
    fn first_failing(&mut self, cases: &[Case]) -> Option<usize> {
        for (chunk, cases) in cases.chunks(AT_ONCE).enumerate() {
            for (index, outcome) in (self.runner)(self.trial, cases).into_iter().enumerate() {
                self.spent.runs += 1;
                self.spent.events += outcome.events;
                if outcome.fails {
                    return Some(chunk * AT_ONCE + index);
                }
            }
            if self.is_spent() {
                break;
            }
        }
        None
    }

    /// The same where there may be many, each with what it is called: the next batch is made when the one before has
    /// failed to fail.
    fn try_each<T>(&mut self, cases: impl Iterator<Item = (T, Case)>) -> Option<T> {
        let mut cases = cases.peekable();
        while cases.peek().is_some() && !self.is_spent() {
            let (mut names, batch): (Vec<T>, Vec<Case>) = cases.by_ref().take(BATCH).unzip();
            if let Some(index) = self.try_all(&batch) {
                return Some(names.swap_remove(index));
            }
        }
        None
    }
}
