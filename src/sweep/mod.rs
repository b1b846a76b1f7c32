//! Many runs on all processors.
//!
//! A sweep goes through jobs (a scenario and a seed each) in batches. What is kept of each run is made on the thread that
//! ran it, so that reports with their plans are not kept by the thousand. Results stand in the order of the jobs, and
//! what is found is always the first in that order: on how many processors a sweep runs changes nothing but its time.
//! Ctrl-C ends it after the runs under way, which break off; what was finished is kept.

mod processor;
mod progress;

use std::ops::ControlFlow;
use std::time::Duration;

use rayon::prelude::*;
use scenarios::run::run_observed;
use scenarios::{Loaded, ProtocolTable, Report, RunOptions};

pub(crate) use self::progress::Progress;
use crate::interrupt;

/// The first batch; small, because most of what is searched for is found soon.
const BATCH_MIN: usize = 8;
/// The largest batch: so much is run in vain at most.
const BATCH_MAX: usize = 256;

/// One run to do.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    /// What is run.
    pub(crate) loaded: &'a Loaded,
    /// With which seed.
    pub(crate) seed: u64,
}

/// A run that was done.
pub(crate) struct Done<T> {
    /// What was kept of it.
    pub(crate) kept: T,
    /// How long a processor worked on it.
    pub(crate) processor_time: Duration,
}

/// Runs of scenarios that were loaded with a table.
pub(crate) struct Sweep<'a> {
    table: &'a ProtocolTable,
}

impl<'a> Sweep<'a> {
    pub(crate) const fn new(table: &'a ProtocolTable) -> Self {
        Self { table }
    }

    /// Runs jobs in order until `is_last` says so of one, or they are all done, or Ctrl-C; `keep` makes of a report what
    /// is kept. The results are those of the first jobs, none left out.
    pub(crate) fn run<T: Send>(
        &self,
        jobs: impl Iterator<Item = Job<'a>>,
        keep: impl Fn(&Job<'_>, Report) -> T + Sync,
        is_last: impl Fn(&T) -> bool,
        progress: &mut Progress,
    ) -> Vec<Done<T>> {
        let mut jobs = jobs.peekable();
        let mut all: Vec<Done<T>> = Vec::new();
        let mut size = BATCH_MIN;
        while jobs.peek().is_some() && !interrupt::is_asked() {
            let batch: Vec<Job<'a>> = jobs.by_ref().take(size).collect();
            let done: Vec<Option<Done<T>>> = batch.par_iter().map(|job| self.done(job, &keep)).collect();
            for done in done {
                let Some(done) = done else { return all };
                all.push(done);
                if all.last().is_some_and(|done| is_last(&done.kept)) {
                    return all;
                }
            }
            progress.show(all.len());
            size = (size * 2).min(BATCH_MAX);
        }
        all
    }

    /// Does a job; `None` if Ctrl-C broke it off.
    fn done<T>(&self, job: &Job<'_>, keep: impl Fn(&Job<'_>, Report) -> T) -> Option<Done<T>> {
        let mut was_interrupted = false;
        let mut observer = |_: &dyn sim_core::Simulation| {
            was_interrupted |= interrupt::is_asked();
            if was_interrupted { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let begun = processor::time();
        let options = RunOptions::default();
        let report = run_observed(job.loaded, self.table, job.seed, &options, &mut observer).report;
        let processor_time = processor::time().saturating_sub(begun);
        (!was_interrupted).then(|| Done { kept: keep(job, report), processor_time })
    }
}

#[cfg(test)]
mod panics;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_those_of_the_first_jobs_in_order_up_to_the_last_one() {
        let table = ProtocolTable::builtin();
        let text =
            r#"Scenario(format_version: 1, name: "short", protocol: Echo(), phases: (faults: "100ms"))"#;
        let loaded = scenarios::load("short.ron", text.as_bytes(), &[], &table).expect("it is valid");
        let jobs = || (100..200).map(|seed| Job { loaded: &loaded, seed });
        let seeds = |last: u64| {
            let keep = |_: &Job<'_>, report: Report| (report.seed, report.digest);
            let mut progress = Progress::silent();
            let done = Sweep::new(&table).run(jobs(), keep, |(seed, _)| *seed == last, &mut progress);
            done.into_iter().map(|done| done.kept).collect::<Vec<_>>()
        };
        let all = seeds(u64::MAX);
        assert_eq!(all.iter().map(|(seed, _)| *seed).collect::<Vec<_>>(), (100..200).collect::<Vec<_>>());
        assert_eq!(seeds(157), all[..58], "the same again, and nothing behind the last");
    }
}
