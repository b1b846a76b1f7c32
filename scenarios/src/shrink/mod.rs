//! From a failure to the smallest run that fails in the same way.
//!
//! ```text
//!              ┌────── kin ◄─────┐
//!              ▼                 │
//! capsule ─ start ─► cases ─ parts ─► the smallest ─ halves ─► entries ─► fields ─► times ─► seeds ─┐
//!                                         ▲                                                         │
//!                                         ├───────────────── until nothing helps ───────────────────┘
//!                                         └─ drops ─ finish ─► scenario, capsule
//! ```
//!
//! | step | does |
//! | --- | --- |
//! | `start` | writes out what was drawn, in four ways |
//! | `parts` | looks for the failure in short runs made of parts of the long one |
//! | `kin` | where no part fails, begins with shorter runs of the scenario, with other seeds |
//! | `halves` | takes away half of what happens in a long run, with many seeds |
//! | `entries` | takes away faults and operations, by delta debugging ("Simplifying and Isolating Failure-Inducing Input", Zeller and Hildebrandt, IEEE TSE 2002): half of them, a quarter, … one |
//! | `fields` | takes away fields of the scenario, nodes, clients, the end of the run |
//! | `times` | takes away waiting between faults, and digits of their times |
//! | `drops` | puts single lost messages in the place of what lost them |
//!
//! A run that fails by a rare coincidence is another run as soon as anything is taken away, and most of these do not fail.
//! So the cheapest comes first: short runs with many seeds, then halves of long ones; a pass that would take much of what is
//! left of `events_max` waits until the run is smaller.
//!
//! Each candidate that becomes the best one has been written as a file, loaded and run with all of its time to converge, so
//! what shrinking ends in repeats. While candidates are tried they have less of that time: who does not converge in all of it
//! does not in a part.
//!
//! A candidate is kept if it fails *the same way*: the same property, and evidence that differs in names and numbers only
//! ([`Symptom`]). Draws are keyed, so taking one fault away leaves the rest of the run as it was until something depends
//! on it; without that, every candidate would be another run altogether.
//!
//! Candidates of a step are tried together and the first in their order wins, so who tries them in parallel gets the same
//! result. The same capsule always shrinks to the same run.

mod case;
mod drops;
mod entries;
mod fields;
mod finish;
mod halves;
mod kin;
mod needs;
mod parts;
mod start;
mod symptom;
#[cfg(test)]
mod tests;
mod times;
mod whole;

use std::sync::Arc;

use serde::Serialize;
use sim_core::Span;
use sim_core::fault::Entry;

pub use self::case::{Case, Outcome, Trial};
use self::case::{Drawing, is_operation, time_of};
pub use self::finish::Shrunk;
use self::finish::Written;
pub use self::needs::{Family, needs};
use self::start::Starts;
pub use self::symptom::Symptom;
pub(crate) use self::whole::written_out;
use crate::capsule::Opened;
use crate::load::Loaded;
use crate::plan::lines::{Undoing, as_it_was};
use crate::protocol::ProtocolTable;
use crate::run::{HistoryEvidence, Report, Run, RunOptions, run};

/// How often all steps are repeated, at most.
const ROUNDS_MAX: u32 = 8;
/// How many candidates are made at once, at most.
const BATCH: usize = 32;
/// How many runs are handed over at once, at most.
const AT_ONCE: usize = 64;
/// What each way to begin may take of all, until one is chosen.
const BEGIN_SHARE: u64 = 12;
/// So many of the ways to begin are gone on with, but where hardly anything is left after a dear one.
const TRIED_MIN: usize = 2;
/// How many events rounder times may take, beyond all others.
const ROUNDING: u64 = 500_000;
/// A pass is put off if it may take more than one in so many of the events that are left: then all steps have some.
const PASS_SHARE: u64 = 8;
/// With how many other seeds a candidate is tried: as many as make about this many events, within bounds.
const SEED_EVENTS: u64 = 600_000;
const SEEDS: (u64, u64) = (8, 1_000);
/// With how many a shorter fault phase is tried.
const SEEDS_OF_PHASES: u64 = 16;

/// Runs some candidates, at once or one after the other, and gives their outcomes in the same order. What comes behind
/// the first that fails may be left out. `None`: no more are to be run.
pub type Runner<'a> = dyn FnMut(&Trial<'_>, &[Case]) -> Option<Vec<Outcome>> + 'a;

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
    /// What the capsule runs.
    first: &'run Loaded,
    best: Case,
    /// How many events the best case takes.
    best_events: u64,
    /// When the best case has failed.
    failed: Span,
    /// With how many other seeds a candidate may fail as well.
    seeds: u64,
    /// What a pass over all entries may cost.
    thrift: Thrift,
    spent: Spent,
    /// How many events it may take, now.
    events_max: u64,
    /// How many all of it may take.
    events_all: u64,
    /// Whether no more is to be run.
    is_broken_off: bool,
}

/// A case that was begun with.
struct Begun {
    case: Case,
    events: u64,
}

/// Whether passes that would take much of what is left are put off: they cost less when the run is smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Thrift {
    /// They are.
    Saving,
    /// They are not: nothing else has helped.
    Spending,
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
    let trial = Trial { table, symptom, events_max: longest, drawing: Drawing::Nothing };
    let (loaded, seed) = (&opened.loaded, opened.capsule.seed);
    let starts = start::cases(loaded, seed, first.simulation.as_ref(), &trial.symptom.property, table);
    let mut all = Shrinker {
        trial: &trial,
        runner,
        watch,
        first: loaded,
        best: Case { loaded: Arc::new(loaded.clone()), seed, entries: Vec::new() },
        best_events: first.report.events,
        failed: Span::nanos(first.report.violations.first().map_or(0, |violation| violation.at_ns)),
        seeds: 0,
        thrift: Thrift::Saving,
        spent: Spent::default(),
        events_max,
        events_all: events_max,
        is_broken_off: false,
    };
    all.best_of(starts, &first).ok_or(Refusal::NotWritable)
}

impl Shrinker<'_, '_> {
    /// Begins in all ways that may be needed, and goes on with those that get smallest.
    fn best_of(&mut self, starts: Starts, first: &Run) -> Option<Shrunk> {
        let Starts { explicit, mut drawn } = starts;
        let mut begun = self.begun(explicit, first);
        if begun.is_empty() {
            begun = self.begun(std::mem::take(&mut drawn), first);
        }
        if Self::wants_kin(&begun, first) {
            begun.extend(self.begun_with_kin(first));
        }
        let mut smallest = self.smallest_of(begun, None, first);
        if !smallest.as_ref().is_some_and(Shrunk::is_small) {
            // Where operations are drawn there is less to take away.
            let begun = self.begun(drawn, first);
            smallest = self.smallest_of(begun, smallest, first);
        }
        smallest.map(|smallest| Shrunk { runs: self.spent.runs, ..smallest })
    }

    /// Begins with each of the cases, which are all one run: looks for short runs that fail. Leaves out those that do not fail.
    fn begun(&mut self, starts: Vec<Case>, ran: &Run) -> Vec<Begun> {
        let mut begun = Vec::new();
        for case in starts {
            self.begin_with(Begun { case, events: ran.report.events }, self.events_all / BEGIN_SHARE);
            if self.fails() {
                self.without_convergence();
                self.with_sooner_heal();
                self.by_parts(ran);
                begun.push(Begun { case: self.best.clone(), events: self.best_events });
            }
        }
        begun
    }

    /// Goes on with those that have the fewest events, until that is enough; `smallest` is what there is by now.
    fn smallest_of(
        &mut self,
        mut begun: Vec<Begun>,
        mut smallest: Option<Shrunk>,
        first: &Run,
    ) -> Option<Shrunk> {
        begun.sort_by_key(|begun| begun.events);
        for (index, begun) in begun.into_iter().enumerate() {
            // What is tiny by now, but was dear, another way will not make much smaller for less.
            let is_dear = self.spent.events > self.events_all / 2;
            let is_enough =
                |shrunk: &Shrunk| (is_dear && shrunk.is_tiny()) || (index >= TRIED_MIN && shrunk.is_small());
            if smallest.as_ref().is_some_and(is_enough) {
                break;
            }
            // Most of what is left, so that the next has something as well.
            self.begin_with(begun, self.events_all.saturating_sub(self.spent.events) * 2 / 3);
            let shrunk = self.shrink(&first.report);
            smallest = match (smallest, shrunk) {
                (Some(one), Some(other)) if other.weight() >= one.weight() => Some(one),
                (one, other) => other.or(one),
            };
        }
        smallest
    }

    /// Goes on with another case, and so many events.
    fn begin_with(&mut self, begun: Begun, share: u64) {
        self.best = begun.case;
        self.best_events = begun.events;
        self.thrift = Thrift::Saving;
        self.with_share(share);
    }

    /// Goes on with so many events, or what is left of all.
    fn with_share(&mut self, share: u64) {
        let left = self.events_all.saturating_sub(self.spent.events);
        self.events_max = self.spent.events + share.min(left);
    }

    /// Whether the case to begin with fails.
    fn fails(&mut self) -> bool {
        let case = self.best.clone();
        self.try_all(&[case]).is_some()
    }

    fn shrink(&mut self, first: &Report) -> Option<Shrunk> {
        for _ in 0..ROUNDS_MAX {
            let mut is_smaller = self.thrift == Thrift::Saving && self.by_halves();
            is_smaller |= self.without_entries();
            is_smaller |= self.without_fields();
            is_smaller |= self.sooner();
            is_smaller |= self.with_other_seeds();
            if self.is_spent() || (!is_smaller && self.thrift == Thrift::Spending) {
                break;
            }
            self.thrift = if is_smaller { Thrift::Saving } else { Thrift::Spending };
        }
        // What reads well is worth some more.
        self.events_max += (self.events_max - self.spent.events.min(self.events_max)) / 4 + ROUNDING;
        self.as_they_were();
        self.with_single_drops();
        while self.without_a_field() {}
        self.rounder();
        self.finish(first)
    }

    /// Tries the faults at the nodes and times that they turned out to have, where they wait for something or name roles; keeps
    /// that where fewer are needed then. Without what made another one happen, one that waits may never come.
    fn as_they_were(&mut self) {
        let before = (self.best.clone(), self.best_events);
        let options = RunOptions { replay: Some(self.best.plan()), ..RunOptions::default() };
        let ran = run(&self.best.loaded, self.trial.table, self.best.seed, &options);
        let heal_at = self.best.loaded.scenario.phases.heal_at();
        let happened = ran.simulation.plan().entries().iter().flat_map(as_it_was);
        let mut concrete: Vec<Entry> = happened.filter(|entry| time_of(entry) < heal_at).collect();
        concrete.sort_by_key(time_of);
        let concrete: Vec<Arc<Entry>> = concrete.into_iter().map(Arc::new).collect();
        if concrete == before.0.entries || self.try_all(&[self.best.with_entries(concrete)]).is_none() {
            return;
        }
        self.without_entries();
        if self.best.entries.len() >= before.0.entries.len() {
            (self.best, self.best_events) = before;
        }
    }

    /// What the draws of one seed need, those of another may not: the failure is the same.
    fn with_other_seeds(&mut self) -> bool {
        self.seeds = self.seeds_within(SEED_EVENTS);
        let is_smaller = self.without_entries() | self.with_fewer_nodes() | self.with_fewer_clients();
        self.seeds = 0;
        is_smaller
    }

    /// With how many seeds a candidate has about so many events.
    fn seeds_within(&self, events: u64) -> u64 {
        (events / self.best_events.max(1)).clamp(SEEDS.0, SEEDS.1)
    }

    const fn is_spent(&self) -> bool {
        self.is_broken_off || self.spent.events >= self.events_max
    }

    /// Whether so many candidates are to be put off.
    const fn is_dear(&self, candidates: u64) -> bool {
        let cost = candidates.saturating_mul(self.seeds + 1).saturating_mul(self.best_events);
        let left = self.events_max.saturating_sub(self.spent.events);
        matches!(self.thrift, Thrift::Saving) && cost > left / PASS_SHARE
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
        let found = self.first_that_holds(tried);
        let operations = self.best.entries.iter().filter(|entry| is_operation(entry)).count();
        let faults = self.best.entries.len() - operations;
        (self.watch)(Progress { runs: self.spent.runs, faults, operations });
        found.map(|index| index / each)
    }

    /// Makes the first of `cases` that fails, also as a file, the best one.
    fn first_that_holds(&mut self, cases: &[Case]) -> Option<usize> {
        let mut begin = 0;
        while let Some((index, events)) = self.first_failing(&cases[begin..]) {
            begin += index + 1;
            if self.holds(&cases[begin - 1]) {
                self.best = cases[begin - 1].clone();
                self.best_events = events;
                return Some(begin - 1);
            }
        }
        None
    }

    /// The first of `cases` that fails, and its events. What comes after it costs nothing, though it may have been run at the
    /// same time.
    fn first_failing(&mut self, cases: &[Case]) -> Option<(usize, u64)> {
        self.first_failing_of(self.trial, cases)
    }

    /// The same by another trial.
    fn first_failing_of(&mut self, trial: &Trial<'_>, cases: &[Case]) -> Option<(usize, u64)> {
        for (chunk, cases) in cases.chunks(AT_ONCE).enumerate() {
            let Some(outcomes) = (self.runner)(trial, cases) else {
                self.is_broken_off = true;
                return None;
            };
            for (index, outcome) in outcomes.into_iter().enumerate() {
                self.spent.runs += 1;
                self.spent.events += outcome.events;
                if outcome.fails {
                    return Some((chunk * AT_ONCE + index, outcome.events));
                }
            }
            if self.is_spent() {
                break;
            }
        }
        None
    }

    /// Whether a case fails the same way when it is read from its file, which has as much time to converge as the first.
    fn holds(&mut self, case: &Case) -> bool {
        let Some(written) =
            Written::of(case, self.trial, self.first, "it", Undoing::Apart, HistoryEvidence::FirstLine)
        else {
            return false;
        };
        self.spent.runs += 1;
        self.spent.events += written.report.events;
        let is_same = self.trial.is_same(&written.report);
        if let Some(first) = written.report.violations.first().filter(|_| is_same) {
            self.failed = Span::nanos(first.at_ns);
        }
        is_same
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
