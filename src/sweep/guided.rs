//! A guided search on all processors: batch after batch, each learned from before the next is made.

use std::ops::ControlFlow;

use scenarios::search::{Candidate, Search};
use scenarios::{Loaded, Report, RunOptions};

use super::{Done, Job, Sweep, processor};
use crate::interrupt;

/// How many runs do not know of each other. A constant, so that the number of threads changes nothing; large enough to keep
/// them busy, small beside a search.
const BATCH: u64 = 32;

impl Sweep<'_> {
    /// Runs what `search` asks for, up to `runs`, until `take` breaks, or Ctrl-C. `keep` makes of a report what is kept, or of
    /// what a panic said. `take` is told of each run in order, batch by batch; a batch ends early with a run of which `is_last`
    /// says so. What it costs to make and to learn from runs is part of their processor time.
    pub(crate) fn guided<'a, T: Send>(
        &self,
        search: &mut Search<'a>,
        runs: u64,
        keep: impl Fn(&Job<'_>, Result<Report, String>) -> T + Sync,
        is_last: impl Fn(&T) -> bool,
        mut take: impl FnMut(Done<T>, &'a Loaded, &Search<'a>) -> ControlFlow<()>,
    ) {
        let keep = |job: &Job<'_>, mut ended: Result<Report, String>| {
            let coverage =
                ended.as_mut().map(|report| std::mem::take(&mut report.coverage)).unwrap_or_default();
            (keep(job, ended), coverage)
        };
        let mut count = 0;
        while count < runs && !interrupt::is_asked() {
            let mut begun = processor::time();
            let batch = search.batch(BATCH.min(runs - count));
            let (candidates, options): (Vec<Candidate>, Vec<RunOptions>) =
                batch.into_iter().map(with_options).unzip();
            let jobs = (count..).zip(&candidates).zip(&options).map(|((index, candidate), options)| Job {
                index,
                loaded: search.ground(candidate),
                seed: candidate.seed,
                options,
            });
            let mut own_time = processor::time().saturating_sub(begun);
            let done = self.run_from(count, jobs, keep, |(kept, _)| is_last(kept), |_| {});
            for (candidate, Done { index, kept: (kept, coverage), processor_time }) in
                candidates.into_iter().zip(done)
            {
                begun = processor::time();
                let ground = search.ground(&candidate);
                search.learn(candidate, &coverage);
                own_time += processor::time().saturating_sub(begun);
                count += 1;
                let processor_time = processor_time + std::mem::take(&mut own_time);
                if take(Done { index, kept, processor_time }, ground, search).is_break() {
                    return;
                }
            }
        }
    }
}

/// The plan of a candidate moves to where runs look for it.
fn with_options(mut candidate: Candidate) -> (Candidate, RunOptions) {
    let replay = Some(std::mem::take(&mut candidate.plan));
    (candidate, RunOptions { replay, watches_coverage: true, ..RunOptions::PLAIN })
}
