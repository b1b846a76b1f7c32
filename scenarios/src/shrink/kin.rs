//! Kin of a run: runs of the same scenario with other seeds that fail the same way.
//!
//! Some failures do not come about in any part of their run: what makes them hides among much that something else fails of
//! first. The same scenario with other seeds draws other faults, and with some of these it fails sooner:
//!
//! ```text
//! ──────────── the run ────────────────────╳
//! seed 0 ──────────────────│ broken off        at most half as long
//! seed 1 ────────────╳ kin
//! seed 2 ─────│                                at most half as long as that
//! seed 3 ──╳ kin
//! ```
//!
//! The shortest are gone on with as if they had been in the capsule.

use std::sync::Arc;

use super::case::{Case, Drawing, Trial};
use super::{AT_ONCE, Begun, Shrinker, start};
use crate::run::{Run, RunOptions, run};

/// What looking for kin may take of all, until some are found.
const SHARE: u64 = 8;
/// How many are gone on with.
const KIN_MAX: usize = 2;
/// How many seeds are tried, at most.
const SEEDS_MAX: u64 = 10_000;
/// Runs with fewer events than this are short enough.
const EVENTS_MIN: u64 = 2_000;
/// So many times shorter than the one before a run has to be.
const SHORTER: u64 = 2;

impl Shrinker<'_, '_> {
    /// Whether what was begun with is still so long that kin may be shorter.
    pub(super) fn wants_kin(begun: &[Begun], first: &Run) -> bool {
        let events = first.report.events;
        events >= EVENTS_MIN && begun.iter().all(|begun| begun.events * SHORTER > events)
    }

    /// Begins with the kin of the first run.
    pub(super) fn begun_with_kin(&mut self, first: &Run) -> Vec<Begun> {
        let seeds = self.kin(first.report.events);
        let (loaded, table) = (self.first, self.trial.table);
        let mut begun = Vec::new();
        for seed in seeds {
            let ran = run(loaded, table, seed, &RunOptions::default());
            self.spent.runs += 1;
            self.spent.events += ran.report.events;
            let starts =
                start::cases(loaded, seed, ran.simulation.as_ref(), &self.trial.symptom.property, table);
            begun.extend(self.begun(starts.explicit, &ran));
        }
        begun
    }

    /// Seeds of runs that fail the same way, each at most half as long as the one before.
    fn kin(&mut self, events: u64) -> Vec<u64> {
        self.with_share(self.events_all / SHARE);
        let mut found = Vec::new();
        let mut limit = events / SHORTER;
        let mut seed = 0;
        while found.len() < KIN_MAX && seed < SEEDS_MAX && !self.is_spent() {
            match self.first_that_draws(seed, limit) {
                Some((failing, events)) => {
                    found.push(failing);
                    limit = events / SHORTER;
                    seed = failing + 1;
                }
                None => seed += AT_ONCE as u64,
            }
        }
        found
    }

    /// The first of a batch of seeds with which the scenario itself fails the same way within so many events, and its events.
    fn first_that_draws(&mut self, seed: u64, events_max: u64) -> Option<(u64, u64)> {
        let symptom = self.trial.symptom.clone();
        let trial = Trial { table: self.trial.table, symptom, events_max, drawing: Drawing::Scenario };
        let loaded = Arc::new(self.first.clone());
        let case = Case { loaded, seed, entries: Vec::new() };
        let cases: Vec<Case> = (seed..seed + AT_ONCE as u64).map(|seed| case.with_seed(seed)).collect();
        let (index, events) = self.first_failing_of(&trial, &cases)?;
        Some((cases[index].seed, events))
    }
}
