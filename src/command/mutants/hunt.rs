//! The hunt: which runs are made, and which of them catch a mutant.

use std::ops::ControlFlow;
use std::time::Duration;

use clap::ValueEnum;
use protocols::mutant::MutantAbout;
use scenarios::protocol::ProtocolKind;
use scenarios::search::Search;
use scenarios::text::Override;
use scenarios::{Loaded, ProtocolTable, Report, RunOptions, Verdict, library};
use serde::Serialize;
use sim_core::fingerprint::fingerprint;

use super::outcome::{Catch, Caught, Control, Failed, Start};
use crate::failure::{Failure, Usage};
use crate::sweep::{Done, Job, Progress, Sweep};

/// A protocol with the mutants of it that are hunted.
pub(super) struct Quarry {
    pub(super) protocol: String,
    pub(super) mutants: Vec<MutantAbout>,
}

impl Quarry {
    /// All mutants of all protocols.
    pub(super) fn all(table: &ProtocolTable) -> Vec<Self> {
        let abouts = table.iter().map(ProtocolKind::about);
        abouts.map(|about| Self { protocol: about.name, mutants: about.mutants }).collect()
    }

    /// `raft/commit-prior-term`, and so on.
    pub(super) fn names(&self) -> Vec<String> {
        self.mutants.iter().map(|mutant| format!("{}/{}", self.protocol, mutant.name)).collect()
    }
}

/// How the hunt is made: the same for all mutants.
pub(super) struct Hunt<'a> {
    pub(super) table: &'a ProtocolTable,
    pub(super) start_seed: u64,
    pub(super) starts: u32,
    pub(super) seeds: u64,
    pub(super) strategy: Strategy,
}

/// How the runs of a hunt are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Strategy {
    /// Each has a seed of its own, and the faults that it draws
    #[default]
    Random,
    /// Most are bred from runs that reached something new
    Guided,
}

/// A scenario that is hunted in, with its name in the library.
struct Ground {
    name: &'static str,
    /// With the mutant, if one is hunted.
    loaded: Loaded,
    right: Loaded,
}

/// What is kept of a run.
struct Ended {
    seed: u64,
    scenario: String,
    verdict: Verdict,
    property: Option<String>,
    /// What the right protocol violated in the same run, where this one violated something.
    right: Option<Failed>,
}

impl Ended {
    /// Whether the bug was caught: what the right protocol violates as well is no sign of it.
    const fn is_catch(&self) -> bool {
        is_failure(&self.verdict) && self.right.is_none()
    }
}

impl Hunt<'_> {
    /// Hunts one mutant; `None` if Ctrl-C came first.
    pub(super) fn mutant(
        &self,
        quarry: &Quarry,
        mutant: &MutantAbout,
        progress: &mut Progress,
    ) -> Result<Option<Caught>, Failure> {
        let name = format!("{}/{}", quarry.protocol, mutant.name);
        let set = format!("protocol.mutant={}", mutant.name);
        let grounds = self.grounds(&quarry.protocol, &[set])?;
        let ended = |job: &Job<'_>, report: Report| self.ended_beside_the_right(&grounds, job, report);
        let mut starts = Vec::new();
        for start in 0..self.starts {
            progress.begin(format!("{name}, start {} of {}", start + 1, self.starts));
            let done = self.hunted(&grounds, start, self.seeds, ended, Ended::is_catch, progress);
            let found = done.last().is_some_and(|done| done.kept.is_catch());
            if !found && (done.len() as u64) < self.seeds {
                return Ok(None);
            }
            starts.push(start_of(done, found));
        }
        Ok(Some(Caught::new(name, mutant, starts)))
    }

    /// Runs the right protocol with the first `seeds` of each start; `None` if Ctrl-C came first.
    pub(super) fn control(
        &self,
        quarry: &Quarry,
        seeds: u64,
        progress: &mut Progress,
    ) -> Result<Option<Control>, Failure> {
        let grounds = self.grounds(&quarry.protocol, &[])?;
        let ended = |job: &Job<'_>, report: Report| ended(&grounds, job, report);
        let mut control = Control::new(&quarry.protocol);
        for start in 0..self.starts {
            progress.begin(format!(
                "{} without a bug, start {} of {}",
                quarry.protocol,
                start + 1,
                self.starts
            ));
            let done = self.hunted(&grounds, start, seeds, ended, |_| false, progress);
            if (done.len() as u64) < seeds {
                return Ok(None);
            }
            for Done { kept, processor_time, .. } in done {
                control.add(&kept.verdict, processor_time, || failed(&kept));
            }
        }
        Ok(Some(control))
    }

    /// Runs in `grounds`, up to `runs` of them or to the last.
    fn hunted(
        &self,
        grounds: &[Ground],
        start: u32,
        runs: u64,
        keep: impl Fn(&Job<'_>, Report) -> Ended + Sync,
        is_last: impl Fn(&Ended) -> bool,
        progress: &mut Progress,
    ) -> Vec<Done<Ended>> {
        let sweep = Sweep::new(self.table);
        match self.strategy {
            Strategy::Random => {
                let jobs = self.jobs(grounds, start).take(usize::try_from(runs).unwrap_or(usize::MAX));
                sweep.run(jobs, keep, is_last, progress)
            }
            Strategy::Guided => {
                let loaded = grounds.iter().map(|ground| &ground.loaded).collect();
                let seed = fingerprint(&(self.start_seed, start));
                let mut search =
                    Search::new(loaded, self.table, seed).expect("scenarios that hunt draw faults");
                let keep = |job: &Job<'_>, ended: Result<Report, String>| match ended {
                    Ok(report) => keep(job, report),
                    Err(panic) => panic!("seed {} of `{}`: {panic}", job.seed, job.loaded.scenario.name),
                };
                let mut all = Vec::new();
                sweep.guided(&mut search, runs, keep, &is_last, |done, _, _| {
                    let was_last = is_last(&done.kept);
                    all.push(done);
                    progress.show(all.len());
                    if was_last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                });
                all
            }
        }
    }

    /// What is kept of a mutant's run; where it violated something, the right protocol runs with the same seed.
    fn ended_beside_the_right(&self, grounds: &[Ground], job: &Job<'_>, report: Report) -> Ended {
        let mut mutant = ended(grounds, job, report);
        if is_failure(&mutant.verdict) {
            let right = &ground_of(grounds, job).right;
            let report = scenarios::run(right, self.table, job.seed, job.options).report;
            let is_as_bad = is_failure(&report.verdict);
            mutant.right = is_as_bad.then(|| failed(&ended(grounds, job, report)));
        }
        mutant
    }

    /// The scenarios of the library in which the protocol is hunted.
    fn grounds(&self, protocol: &str, set: &[String]) -> Result<Vec<Ground>, Failure> {
        let overrides = set.iter().map(|text| Override::parse(text)).collect::<Result<Vec<_>, _>>()?;
        let mut found = Vec::new();
        for entry in library::all() {
            let load = |set| scenarios::load(entry.path, entry.text.as_bytes(), set, self.table);
            let plain = load(&[])?.scenario;
            if plain.hunt && plain.protocol.name() == protocol {
                found.push(Ground { name: entry.name, loaded: load(&overrides)?, right: load(&[])? });
            }
        }
        if found.is_empty() {
            let message = format!("no scenario of the library hunts in `{protocol}`");
            let hint = "add one that says `hunt: true`";
            return Err(Usage::new(message, "protocols that a scenario hunts in", hint).into());
        }
        Ok(found)
    }

    /// The runs of a start: the scenarios by turns, each run with a seed of its own.
    fn jobs<'b>(&self, grounds: &'b [Ground], start: u32) -> impl Iterator<Item = Job<'b>> + use<'b> {
        let start_seed = self.start_seed;
        grounds.iter().cycle().zip(0_u64..).map(move |(ground, place)| Job {
            index: place,
            loaded: &ground.loaded,
            // 53 bits, so that every reader of JSON keeps all of them.
            seed: fingerprint(&(start_seed, start, place)) >> 11,
            options: &RunOptions::PLAIN,
        })
    }
}

fn ended(grounds: &[Ground], job: &Job<'_>, report: Report) -> Ended {
    let property = report.violations.into_iter().next().map(|violation| violation.property);
    let scenario = ground_of(grounds, job).name.to_owned();
    Ended { seed: job.seed, scenario, verdict: report.verdict, property, right: None }
}

fn ground_of<'a>(grounds: &'a [Ground], job: &Job<'_>) -> &'a Ground {
    let ground = grounds.iter().find(|ground| std::ptr::eq(&raw const ground.loaded, job.loaded));
    ground.expect("jobs are made of these")
}

/// Safety, liveness, or a panic; not what is beyond the protocol's promise.
const fn is_failure(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::Violation { .. } | Verdict::Panic { .. } | Verdict::Liveness { .. } => true,
        Verdict::Pass
        | Verdict::ExpectedViolation { .. }
        | Verdict::ExpectationMissed { .. }
        | Verdict::BeyondPromise
        | Verdict::Inconclusive { .. }
        | Verdict::InternalError { .. } => false,
    }
}

fn start_of(done: Vec<Done<Ended>>, found: bool) -> Start {
    let seeds = done.len() as u64;
    let processor_time: Duration = done.iter().map(|done| done.processor_time).sum();
    let right_failed = done.iter().filter_map(|done| done.kept.right.clone()).collect();
    let last = done.into_iter().next_back().map(|done| done.kept).filter(|_| found);
    let caught = last.map(|ended| Catch {
        property: ended.property.unwrap_or_default(),
        scenario: ended.scenario,
        seed: ended.seed,
    });
    Start { seeds, processor_seconds: processor_time.as_secs_f64(), caught, right_failed }
}

fn failed(ended: &Ended) -> Failed {
    Failed { scenario: ended.scenario.clone(), seed: ended.seed, verdict: ended.verdict.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_protocol_has_a_scenario_to_hunt_in() {
        let table = ProtocolTable::builtin();
        let load = |entry: &library::Entry| scenarios::load(entry.path, entry.text.as_bytes(), &[], &table);
        let all = library::all().iter().map(|entry| load(entry).expect("the library is right").scenario);
        let hunted: Vec<_> = all.filter(|scenario| scenario.hunt).collect();
        for Quarry { protocol, .. } in Quarry::all(&table) {
            let is_hunted = hunted.iter().any(|scenario| scenario.protocol.name() == protocol);
            assert!(is_hunted, "no scenario hunts in {protocol}");
        }
    }
}
