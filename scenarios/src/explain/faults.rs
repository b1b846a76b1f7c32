//! Which faults a failure needs: the run is made once more without each of them.
//!
//! A fault that it fails without may still have helped: another one may have done the same. So what is not needed is told
//! more briefly, and not denied. In a run with many faults none is tried: whatever changes the rest of a long run may keep it
//! from failing, so that nearly each of them would count as needed. Shrinking leaves few, and then it says something.

use std::collections::{BTreeMap, BTreeSet};

use sim_core::SimTime;
use sim_core::fault::{Command, Entry, LinkFault, Plan, Target};

use super::moment::Moment;
use super::{Job, Laboratory, Options};

/// Where there were faults at more moments, none is tried.
const TRIED_MAX: usize = 20;

/// What is known of the faults before a failure.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    /// At how many instants there were faults.
    pub(super) moments: usize,
    /// Whether the failure needs the commands of an instant, for those that were tried.
    needed: BTreeMap<SimTime, bool>,
    /// The instants at which nothing was done but to end other faults.
    ending: BTreeSet<SimTime>,
}

impl Faults {
    /// Where none is tried, of so many instants.
    pub(super) fn untried(plan: &Plan, moments: usize) -> Self {
        Self { moments, needed: BTreeMap::new(), ending: ending(plan) }
    }

    /// Whether all that was done from outside at this instant ends other faults.
    pub(super) fn only_end_others(&self, at: SimTime) -> bool {
        self.ending.contains(&at)
    }

    /// Whether the failure needs what was done from outside at this instant; `None` where that was not tried.
    pub(super) fn is_needed(&self, at: SimTime) -> Option<bool> {
        self.needed.get(&at).copied()
    }

    /// How many instants were tried, and at how many of them something was needed.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.needed.len(), self.needed.values().filter(|is_needed| **is_needed).count())
    }
}

/// Tries the run without what was done from outside at each instant before the failure, if these runs together have about
/// as many events as may be.
pub(super) fn weigh(laboratory: &mut Laboratory<'_, '_>, options: &Options, moment: &Moment) -> Faults {
    let plan = moment.told.simulation.plan();
    let instants = instants(plan, moment.at, laboratory.judge.configured.scenario.phases.heal_at());
    let not_tried = Faults::untried(plan, instants.len());
    let is_affordable = moment.event.saturating_mul(instants.len() as u64) <= options.events_max;
    if instants.len() > TRIED_MAX || !is_affordable {
        return not_tried;
    }
    let jobs = instants.iter().map(|at| Job::Replan(without(plan, *at))).collect();
    match laboratory.outcomes("trying without each fault", jobs) {
        None => not_tried,
        Some(outcomes) => {
            let needed = instants.into_iter().zip(outcomes.iter().map(|outcome| !outcome.fails)).collect();
            Faults { needed, ..not_tried }
        }
    }
}

/// When something was done from outside up to a moment, and before everything heals.
pub(super) fn instants(plan: &Plan, at: SimTime, heal_at: SimTime) -> Vec<SimTime> {
    let faults = plan.entries().iter().filter(|entry| is_fault(entry));
    let mut instants: Vec<SimTime> = faults.filter_map(happened_at).collect();
    instants.retain(|instant| *instant <= at && *instant < heal_at);
    instants.sort_unstable();
    instants.dedup();
    instants
}

/// The plan without the faults of an instant. What clients ask stays.
fn without(plan: &Plan, at: SimTime) -> Plan {
    let kept = plan.entries().iter().filter(|entry| !is_fault(entry) || happened_at(entry) != Some(at));
    Plan::new(kept.cloned().collect(), plan.clients().to_vec())
}

/// The instants at which all that was done ended other faults.
fn ending(plan: &Plan) -> BTreeSet<SimTime> {
    let mut instants: BTreeMap<SimTime, bool> = BTreeMap::new();
    for was in plan.entries().iter().filter_map(|entry| entry.was.as_ref()) {
        let all_end = was.commands.iter().all(ends_others);
        instants.entry(was.moment.time).and_modify(|ends| *ends &= all_end).or_insert(all_end);
    }
    instants.into_iter().filter(|(_, ends)| *ends).map(|(at, _)| at).collect()
}

/// Whether a command ends what others began, other than that a node comes back.
fn ends_others(command: &Command) -> bool {
    let is_off = |fault: &LinkFault| match fault {
        LinkFault::Loss(probability)
        | LinkFault::Duplicate(probability)
        | LinkFault::Reorder { probability, .. } => probability.is_none(),
        LinkFault::LatencyPercent(percent) => *percent == 100,
    };
    match command {
        Command::Mend { .. } | Command::HealPartition(_) | Command::Release { .. } => true,
        Command::Link { fault, .. } | Command::AllLinks(fault) => is_off(fault),
        Command::SlowDown { percent, .. } => *percent == 100,
        _ => false,
    }
}

fn happened_at(entry: &Entry) -> Option<SimTime> {
    entry.was.as_ref().map(|was| was.moment.time)
}

fn is_fault(entry: &Entry) -> bool {
    !matches!(entry.command, Command::<Target>::Issue { .. })
}
