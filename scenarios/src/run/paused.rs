//! A run that stops on its way and goes on later, as it was or with other draws.
//!
//! ```text
//! start ──────────► event 300 ────────────► the end
//!                      ├─ seed 1 ──────► another end
//!                      └─ seed 2 ──────► another end
//! ```
//!
//! A branch keeps what has happened, what is on its way, the plan and what clients ask; all draws after the pause are
//! another seed's ([`Simulation::reseed`](sim_core::Simulation::reseed)). It goes through the rest of the phases and is
//! judged as every run is.

use std::ops::ControlFlow;
use std::sync::Arc;

use sim_core::Simulation;
use sim_core::simulation::Unable;

use super::{
    End, HistoryEvidence, Inconclusive, Observer, Report, Run, RunOptions, Runner, Seen, Underway, Verdict,
    budget, history,
};
use crate::assemble::assemble_recording;
use crate::configure::Configured;
use crate::load::Loaded;
use crate::protocol::ProtocolTable;

/// A run on its way. See the [module documentation](self).
pub struct Paused {
    configured: Arc<Configured>,
    seed: u64,
    evidence: HistoryEvidence,
    underway: Underway,
    /// What it ended with, once it has.
    end: Option<End>,
}

impl Paused {
    /// A run before its first event.
    ///
    /// # Panics
    /// As [`run`](super::run).
    pub fn at_start(loaded: &Loaded, table: &ProtocolTable, seed: u64, options: &RunOptions) -> Self {
        let configured = loaded.configured(seed, table);
        let replay = options.replay.as_ref();
        let mut simulation = assemble_recording(&configured.scenario, table, seed, replay, options.recording);
        if options.watches_coverage {
            simulation.watch_coverage();
        }
        let underway = Underway { simulation, seen: Seen::default() };
        Self { configured, seed, evidence: options.evidence, underway, end: None }
    }

    /// Goes on until so many events have happened in all, or to the end of the run; says whether that has come.
    pub fn go_on(&mut self, event: u64) -> bool {
        if self.end.is_none() {
            let end = self.runner(event, &mut |_| ControlFlow::Continue(())).run();
            self.end = (end != End::Paused).then_some(end);
        }
        self.end.is_some()
    }

    /// A copy of it.
    ///
    /// # Errors
    /// If the simulation cannot be copied.
    pub fn copy(&self) -> Result<Self, Unable> {
        let simulation = self.underway.simulation.fork()?;
        let seen = self.underway.seen.clone();
        Ok(Self {
            configured: self.configured.clone(),
            seed: self.seed,
            evidence: self.evidence,
            underway: Underway { simulation, seen },
            end: self.end.clone(),
        })
    }

    /// A copy that draws by another seed from here on.
    ///
    /// # Errors
    /// If the simulation cannot be copied, or draws nothing.
    pub fn branch(&self, seed: u64) -> Result<Self, Unable> {
        let mut copy = Self { end: None, ..self.copy()? };
        copy.underway.simulation.reseed(seed)?;
        Ok(copy)
    }

    /// Where it is.
    pub fn simulation(&self) -> &dyn Simulation {
        self.underway.simulation.as_ref()
    }

    /// Goes to the end, and judges the run. `loaded` and `table` are those it began with.
    pub fn finish(mut self, loaded: &Loaded, table: &ProtocolTable, observer: &mut Observer<'_>) -> Run {
        let end = self.end.take().unwrap_or_else(|| self.runner(u64::MAX, observer).run());
        let Self { configured, seed, evidence, underway: Underway { mut simulation, .. }, .. } = self;
        let scenario = &configured.scenario;
        let judged = match end {
            End::Finished { .. } | End::NotLive(_) | End::BudgetSpent => {
                history::judge(scenario, table, simulation.as_ref(), evidence)
            }
            // Something is violated already, or cannot be known, or nobody wants to know.
            End::Violated | End::Broken | End::Interrupted | End::Paused => history::Judged::default(),
        };
        let mut report = Report::new(loaded, &configured, seed, simulation.as_ref(), &end, &judged);
        if report.verdict == (Verdict::Inconclusive { reason: Inconclusive::EventBudget { busiest: None } }) {
            let busiest = budget::busiest(simulation.as_mut());
            report.set_verdict(Verdict::Inconclusive { reason: Inconclusive::EventBudget { busiest } });
        }
        Run { report, simulation }
    }

    fn runner<'run, 'observer>(
        &'run mut self,
        pause_at: u64,
        observer: &'run mut Observer<'observer>,
    ) -> Runner<'run, 'observer> {
        Runner { scenario: &self.configured.scenario, underway: &mut self.underway, observer, pause_at }
    }
}
