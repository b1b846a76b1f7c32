//! A run that may be the smaller one: a scenario without faults of its own, a seed, and what happens to it.

use std::ops::ControlFlow;
use std::sync::Arc;

use sim_core::fault::{Command, Entry, Plan, Target};
use sim_core::network::PartitionId;
use sim_core::service::Operation;
use sim_core::{SimTime, Simulation};

use super::symptom::Symptom;
use crate::load::{Loaded, load};
use crate::plan::lines::partitions;
use crate::protocol::ProtocolTable;
use crate::run::{HistoryEvidence, Report, RunOptions, run_observed};
use crate::text::text_with;

/// A candidate.
#[derive(Clone, Debug)]
pub struct Case {
    /// The scenario: it draws nothing, and has no faults of its own but its heal.
    pub loaded: Arc<Loaded>,
    /// What everything else is drawn from.
    pub seed: u64,
    /// What happens to it, in order.
    pub entries: Vec<Arc<Entry>>,
}

impl Case {
    /// Its plan: what its scenario file says, with the numbers that partitions have there.
    pub fn plan(&self) -> Plan {
        let known = partitions(&self.entries);
        let number = |id: PartitionId| {
            let place = known.iter().take_while(|other| **other < id).count();
            PartitionId::new(u32::try_from(place).expect("a plan has few partitions"))
        };
        let entry = |entry: &Arc<Entry>| {
            let mut entry = Entry::clone(entry);
            if let Command::Partition { name, .. } | Command::HealPartition(name) = &mut entry.command {
                *name = number(*name);
            }
            entry
        };
        Plan::new(self.entries.iter().map(entry).collect(), Vec::new())
    }

    /// The same with other entries.
    pub fn with_entries(&self, entries: Vec<Arc<Entry>>) -> Self {
        Self { entries, ..self.clone() }
    }

    /// The same in a scenario with this text; `None` where that is no valid scenario.
    pub fn with_text(&self, text: &str, table: &ProtocolTable) -> Option<Self> {
        let loaded = load("shrunk", text.as_bytes(), &[], table).ok()?;
        Some(Self { loaded: Arc::new(loaded), ..self.clone() })
    }

    /// The same with one field set, `nodes=3`; `None` where that is no valid scenario.
    pub fn with_set(&self, set: &str, table: &ProtocolTable) -> Option<Self> {
        self.with_text(&text_with(self.loaded.value_text(), &[set])?, table)
    }

    /// The same with another seed.
    pub(super) fn with_seed(&self, seed: u64) -> Self {
        Self { seed, ..self.clone() }
    }

    /// Whether its plan fits its scenario, and could stand in it: scenarios have faults in their fault phase.
    fn fits(&self, plan: &Plan) -> bool {
        let scenario = &self.loaded.scenario;
        let heal_at = scenario.phases.heal_at();
        let is_in_phase = |entry: &Entry| entry.moment().is_none_or(|moment| moment.time < heal_at);
        plan.entries().iter().all(is_in_phase)
            && plan.validate(scenario.nodes, scenario.clients.total()).is_ok()
    }
}

/// Whether a command is a client's operation, and not a fault: what administrators ask is a fault.
pub(super) fn is_operation(entry: &Entry) -> bool {
    matches!(
        &entry.command,
        Command::<Target>::Issue { operation, .. } if !matches!(operation, Operation::Admin(_))
    )
}

/// When an entry happens; those with a condition come last.
pub(super) fn time_of(entry: &Entry) -> SimTime {
    entry.moment().map_or(SimTime::MAX, |moment| moment.time)
}

/// What decides which faults a case has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drawing {
    /// Its entries: nothing is drawn.
    Nothing,
    /// Its scenario; it has no entries.
    Scenario,
}

/// Decides whether a case fails as the first run did.
pub struct Trial<'a> {
    pub(super) table: &'a ProtocolTable,
    pub(super) symptom: Symptom,
    pub(super) drawing: Drawing,
    /// More events than this are no smaller run.
    pub(super) events_max: u64,
}

/// What came of a candidate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Whether it fails as the first run did.
    pub fails: bool,
    /// How many events it took to know.
    pub events: u64,
}

impl Trial<'_> {
    /// Runs a case.
    pub fn outcome(&self, case: &Case) -> Outcome {
        let plan = match self.drawing {
            Drawing::Nothing => Some(case.plan()),
            Drawing::Scenario => None,
        };
        if plan.as_ref().is_some_and(|plan| !case.fits(plan)) {
            return Outcome::default();
        }
        let report = self.report(&case.loaded, case.seed, plan, HistoryEvidence::FirstLine);
        Outcome { fails: self.is_same(&report), events: report.events }
    }

    /// Whether a run ended as the first did.
    pub(super) fn is_same(&self, report: &Report) -> bool {
        Symptom::of(report).as_ref() == Some(&self.symptom)
    }

    /// Runs a scenario; one that takes too many events is broken off, and has no verdict.
    pub(super) fn report(
        &self,
        loaded: &Loaded,
        seed: u64,
        replay: Option<Plan>,
        evidence: HistoryEvidence,
    ) -> Report {
        let mut observer = |simulation: &dyn Simulation| {
            if simulation.events() > self.events_max {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let options = RunOptions { replay, evidence, ..RunOptions::default() };
        run_observed(loaded, self.table, seed, &options, &mut observer).report
    }
}
