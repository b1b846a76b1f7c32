//! Many runs on all processors.
//!
//! ```text
//! jobs, in order ─► threads, one world each ─► results as they finish ─► the caller's thread
//!                     run, judge, keep            a bounded channel        in_order, tally, stop, …
//! ```
//!
//! A sweep goes through jobs (a scenario and a seed each). What is kept of each run is made on the thread that ran it, so
//! that reports with their plans are not kept by the thousand; its world is dropped there. Whoever takes the results
//! sees to their order: on how many processors a sweep runs changes nothing but its time. Ctrl-C ends it after the runs
//! under way, which break off; what was finished is kept. A run that panics where no verdict can be made of it is the end
//! of that run only.

mod course;
mod double_check;
mod folder;
mod grid;
mod guided;
mod in_order;
mod processor;
mod progress;
mod row;
mod stopwatch;
mod tally;
mod watch;

use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use rayon::{Scope, ThreadPool, ThreadPoolBuilder};
use scenarios::run::run_observed;
use scenarios::{Loaded, ProtocolTable, Report, RunOptions};

pub(crate) use self::course::{Course, End, Stops};
pub(crate) use self::double_check::DoubleCheck;
pub(crate) use self::folder::{Folder, Resume, Unequal, slug};
pub(crate) use self::grid::{Asked, Configuration, Grid, SideAsked, Varied, parse_seeds};
pub(crate) use self::in_order::InOrder;
pub(crate) use self::progress::Progress;
pub(crate) use self::row::Row;
pub(crate) use self::stopwatch::Stopwatch;
pub(crate) use self::tally::{Group, Rate, Tally, Verdicts, percent};
pub(crate) use self::watch::{Standing, Watch};
use crate::failure::Failure;
use crate::interrupt;

/// How many results may wait to be taken; then threads wait, too.
const WAITING_MAX: usize = 256;
/// How often the caller hears something while no run finishes.
const TICK: Duration = Duration::from_millis(100);

/// One run to do.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    /// The how-manieth of its sweep, from 0.
    pub(crate) index: u64,
    /// What is run.
    pub(crate) loaded: &'a Loaded,
    /// With which seed.
    pub(crate) seed: u64,
    /// How.
    pub(crate) options: &'a RunOptions,
}

/// A run that was done.
pub(crate) struct Done<T> {
    /// Which job it was.
    pub(crate) index: u64,
    /// What was kept of it.
    pub(crate) kept: T,
    /// How long a processor worked on it.
    pub(crate) processor_time: Duration,
}

/// What a sweep tells of.
pub(crate) enum News<T> {
    /// A run was done; not always in the order of jobs.
    Done(Done<T>),
    /// Nothing for a while.
    Tick,
}

/// Runs of scenarios that were loaded with a table.
pub(crate) struct Sweep<'a> {
    table: &'a ProtocolTable,
    /// `None`: a thread a processor.
    pool: Option<ThreadPool>,
}

impl<'a> Sweep<'a> {
    /// On all processors.
    pub(crate) const fn new(table: &'a ProtocolTable) -> Self {
        Self { table, pool: None }
    }

    /// On so many threads; on all processors where nobody says.
    pub(crate) fn on(table: &'a ProtocolTable, threads: Option<u16>) -> Result<Self, Failure> {
        let Some(threads) = threads.map(usize::from) else { return Ok(Self::new(table)) };
        let built = ThreadPoolBuilder::new().num_threads(threads).build();
        let pool =
            built.map_err(|error| Failure::Internal(format!("cannot start {threads} threads: {error}")))?;
        Ok(Self { table, pool: Some(pool) })
    }

    /// On how many threads it runs.
    pub(crate) fn threads(&self) -> usize {
        self.pool.as_ref().map_or_else(rayon::current_num_threads, ThreadPool::current_num_threads)
    }

    /// Runs jobs in order until `is_last` says so of one, or they are all done, or Ctrl-C; `keep` makes of a report what
    /// is kept. Jobs are numbered from 0. The results are those of the first jobs, none left out.
    pub(crate) fn run<T: Send>(
        &self,
        jobs: impl Iterator<Item = Job<'a>> + Send,
        keep: impl Fn(&Job<'_>, Report) -> T + Sync,
        is_last: impl Fn(&T) -> bool,
        progress: &mut Progress,
    ) -> Vec<Done<T>> {
        let keep = |job: &Job<'_>, ended: Result<Report, String>| match ended {
            Ok(report) => keep(job, report),
            Err(panic) => panic!("seed {} of `{}`: {panic}", job.seed, job.loaded.scenario.name),
        };
        self.run_from(0, jobs, keep, is_last, |count| progress.show(count))
    }

    /// Like [`Sweep::run`], but jobs are numbered from `first`, `keep` also makes something of what a panic said, and `show`
    /// is told how many runs are done.
    fn run_from<'b, T: Send>(
        &self,
        first: u64,
        jobs: impl Iterator<Item = Job<'b>> + Send,
        keep: impl Fn(&Job<'_>, Result<Report, String>) -> T + Sync,
        is_last: impl Fn(&T) -> bool,
        mut show: impl FnMut(usize),
    ) -> Vec<Done<T>> {
        let mut all: Vec<Done<T>> = Vec::new();
        let mut waiting = InOrder::starting_at(first);
        self.stream(jobs, keep, |news| {
            if let News::Done(done) = news {
                waiting.put(done.index, done);
            }
            while let Some((_, done)) = waiting.next() {
                let was_last = is_last(&done.kept);
                all.push(done);
                if was_last {
                    return ControlFlow::Break(());
                }
            }
            show(all.len());
            ControlFlow::Continue(())
        });
        all
    }

    /// Runs jobs, and has `take` told of each as it is done, until it breaks, or they are all done, or Ctrl-C. `keep`
    /// makes of a report what is kept, or of what a panic said. After a break, runs under way are broken off and lost.
    pub(crate) fn stream<'b, T: Send>(
        &self,
        jobs: impl Iterator<Item = Job<'b>> + Send,
        keep: impl Fn(&Job<'_>, Result<Report, String>) -> T + Sync,
        take: impl FnMut(News<T>) -> ControlFlow<()>,
    ) {
        let (sender, receiver) = mpsc::sync_channel(WAITING_MAX);
        let work = Work { table: self.table, jobs: Mutex::new(jobs), keep, is_over: AtomicBool::new(false) };
        let threads = self.threads();
        self.in_scope(|scope| {
            for _ in 0..threads {
                let (work, sender) = (&work, sender.clone());
                scope.spawn(move |_| work.work(&sender));
            }
            drop(sender);
            hand_over(&receiver, take);
            // Who waits for room in the channel must not wait for ever.
            drop(receiver);
            work.is_over.store(true, Ordering::Relaxed);
        });
    }

    /// Runs all jobs of a grid, unless Ctrl-C ends it, and hands `take` what is kept of each as it is done. A line says how far
    /// it is.
    pub(crate) fn whole<T: AsRef<Row> + Send>(
        &self,
        grid: &'a Grid,
        watch: &Stopwatch,
        keep: impl Fn(&Job<'_>, Result<Report, String>) -> T + Sync,
        mut take: impl FnMut(T),
    ) {
        let mut line = Watch::new(grid.len());
        let mut standing = Standing { total: grid.len(), ..Standing::default() };
        self.stream((0..grid.len()).map(|index| grid.job(index)), keep, |news| {
            if let News::Done(done) = news {
                let row = done.kept.as_ref();
                standing.runs += 1;
                standing.failures += u64::from(row.is_failure());
                standing.simulated_ns += u128::from(row.simulated_ns);
                take(done.kept);
            }
            standing.elapsed = watch.elapsed();
            line.show(&standing);
            ControlFlow::Continue(())
        });
        line.clear();
    }

    /// Does something here that may spawn on the threads of this sweep.
    fn in_scope<'scope>(&self, begin: impl FnOnce(&Scope<'scope>)) {
        match &self.pool {
            Some(pool) => pool.in_place_scope(begin),
            None => rayon::in_place_scope(begin),
        }
    }
}

/// Tells of what comes in, until nothing more does or nobody wants more.
fn hand_over<T>(receiver: &Receiver<Done<T>>, mut take: impl FnMut(News<T>) -> ControlFlow<()>) {
    loop {
        let news = match receiver.recv_timeout(TICK) {
            Ok(done) => News::Done(done),
            Err(RecvTimeoutError::Timeout) => News::Tick,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        if take(news).is_break() {
            return;
        }
    }
}

/// What the threads of a sweep share.
struct Work<'a, J, K> {
    table: &'a ProtocolTable,
    jobs: Mutex<J>,
    keep: K,
    /// Nobody takes results any more.
    is_over: AtomicBool,
}

impl<'b, J: Iterator<Item = Job<'b>>, K> Work<'_, J, K> {
    /// Does one job after the other, on one thread.
    fn work<T>(&self, results: &SyncSender<Done<T>>)
    where
        K: Fn(&Job<'_>, Result<Report, String>) -> T,
    {
        while !self.must_end() {
            let job = self.jobs.lock().expect("jobs are counted, which does not panic").next();
            let Some(done) = job.and_then(|job| self.done(&job)) else { return };
            if results.send(done).is_err() {
                return;
            }
        }
    }

    fn must_end(&self) -> bool {
        interrupt::is_asked() || self.is_over.load(Ordering::Relaxed)
    }

    /// Does a job; `None` if it was broken off.
    fn done<T>(&self, job: &Job<'_>) -> Option<Done<T>>
    where
        K: Fn(&Job<'_>, Result<Report, String>) -> T,
    {
        let mut was_cut = false;
        let mut observer = |_: &dyn sim_core::Simulation| {
            was_cut |= self.must_end();
            if was_cut { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let begun = processor::time();
        let ended = crate::panics::catch(|| {
            run_observed(job.loaded, self.table, job.seed, job.options, &mut observer).report
        });
        if was_cut {
            return None;
        }
        let kept = (self.keep)(job, ended);
        let processor_time = processor::time().saturating_sub(begun);
        Some(Done { index: job.index, kept, processor_time })
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
        let jobs = || {
            (100..200).map(|seed| Job {
                index: seed - 100,
                loaded: &loaded,
                seed,
                options: &RunOptions::PLAIN,
            })
        };
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
