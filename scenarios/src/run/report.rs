//! What came of a run, as data for people and programs.
//!
//! Names are written as everywhere (`n3`), times are nanoseconds since the start in fields that end in `_ns`, digests
//! are sixteen hexadecimal digits. Two runs of the same scenario, seed and plan have equal reports.

use serde::{Serialize, Serializer};
use sim_core::check::Violation;
use sim_core::fault::Plan;
use sim_core::metrics::{Counter, MetricsSummary};
use sim_core::milestone::{Happening, Milestone};
use sim_core::status::Standing;
use sim_core::{Digest, SimTime, Simulation};

use super::End;
use super::history::Judged;
use super::verdict::{Inconclusive, PANIC, Verdict};
use crate::configure::Configured;
use crate::format::Expectation;
use crate::load::Loaded;

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The scenario's name.
    pub scenario: String,
    /// The fingerprint of its text, overrides applied.
    #[serde(serialize_with = "hexadecimal")]
    pub scenario_digest: u64,
    /// The name of its protocol.
    pub protocol: String,
    /// How many nodes there are.
    pub nodes: u32,
    /// The seed.
    pub seed: u64,
    /// What it drew for the fields that the scenario lets it draw: `nodes=3`.
    pub drawn: Vec<String>,
    /// What the run ended with.
    pub verdict: Verdict,
    /// What a program that ends with this verdict exits with.
    pub exit_code: u8,
    /// What was violated, the first first; a liveness condition that does not hold as well.
    pub violations: Vec<ReportedViolation>,
    /// Of all that happened.
    #[serde(serialize_with = "text")]
    pub digest: Digest,
    /// How many events happened.
    pub events: u64,
    /// When the run ended.
    pub simulated_ns: u64,
    /// When it had converged after the faults; `None` where it did not have to, or did not.
    pub converged_ns: Option<u64>,
    /// What became of what clients asked.
    pub operations: Operations,
    /// What mattered, in order.
    pub milestones: Vec<ReportedMilestone>,
    /// What was counted and measured.
    pub metrics: MetricsSummary,
    /// What nodes lost beyond what the protocol promises to survive.
    pub beyond_promise: Vec<BeyondPromise>,
    /// The protocol's situations worth reaching.
    pub points: Vec<PointReached>,
    /// The protocol's places inside handlers where a plan can act.
    pub fault_points: Vec<PointReached>,
    /// All commands, with what they turned out to be: replaying this gives the same digest.
    pub plan: Plan,
    /// What was reached in the abstract, ascending ([`Simulation::coverage`]); empty where that was not watched. Numbers that
    /// only a search can use, so no report shows them.
    #[serde(skip)]
    pub coverage: Vec<u64>,
}

/// What became of what clients asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Operations {
    /// Asked.
    pub invoked: u64,
    /// Answered or refused.
    pub completed: u64,
    /// Given up with an unknown outcome.
    pub unknown: u64,
}

/// A property that was violated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportedViolation {
    /// Which one.
    pub property: String,
    /// When.
    pub at_ns: u64,
    /// At the how-manieth event, from 1.
    pub event: u64,
    /// At which node, where it was one.
    pub node: Option<String>,
    /// The values that show it.
    pub evidence: String,
}

/// Something that mattered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportedMilestone {
    /// When.
    pub at_ns: u64,
    /// After so many events.
    pub event: u64,
    /// What kind.
    pub kind: MilestoneKind,
    /// On which node, where it is about one.
    pub node: Option<String>,
    /// In words: `n3 is leader, epoch 4`.
    pub text: String,
}

/// What kind of thing mattered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MilestoneKind {
    /// A process leads.
    Leads,
    /// A process tries to lead.
    Campaigns,
    /// A process follows, or is one among equals.
    Follows,
    /// A node crashed.
    Crashed,
    /// A node started again.
    Restarted,
    /// A command was applied.
    Command,
}

/// How the disk of a node was harmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BeyondPromise {
    /// Whose disk.
    pub node: String,
    /// The worst that happened to it.
    pub damage: String,
}

/// A situation worth reaching.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PointReached {
    /// Which one.
    pub name: String,
    /// How often it was reached.
    pub count: u64,
    /// When it was reached first, where that is known: for measures, so no report shows it.
    #[serde(skip)]
    pub first_ns: Option<u64>,
}

impl Report {
    pub(super) fn new(
        loaded: &Loaded,
        configured: &Configured,
        seed: u64,
        simulation: &dyn Simulation,
        end: &End,
        history: &Judged,
    ) -> Self {
        let scenario = &configured.scenario;
        let violations: Vec<&Violation> = violations(simulation, history, end).collect();
        let verdict = judge(&scenario.expect, simulation, &violations, end, history);
        Self {
            scenario: scenario.name.clone(),
            scenario_digest: loaded.text_digest,
            protocol: scenario.protocol.name().to_owned(),
            nodes: scenario.nodes,
            seed,
            drawn: configured.drawn.iter().map(ToString::to_string).collect(),
            exit_code: verdict.exit_code(),
            verdict,
            violations: violations.into_iter().map(ReportedViolation::new).collect(),
            digest: simulation.digest(),
            events: simulation.events(),
            simulated_ns: simulation.now().as_nanos(),
            converged_ns: converged_ns(end),
            operations: Operations::of(simulation),
            milestones: simulation.milestones().iter().map(ReportedMilestone::new).collect(),
            metrics: simulation.metrics().summary(simulation.now()),
            beyond_promise: beyond_promise(simulation),
            points: points(simulation.points(), &simulation.points_first()),
            fault_points: points(simulation.fault_points(), &[]),
            plan: simulation.plan().clone(),
            coverage: simulation.coverage(),
        }
    }

    pub(super) fn set_verdict(&mut self, verdict: Verdict) {
        self.exit_code = verdict.exit_code();
        self.verdict = verdict;
    }
}

/// What a run ended with. A violation that the scenario expects comes first; damage beyond the promise excuses all
/// other violations but forbids a pass.
fn judge(
    expect: &Expectation,
    simulation: &dyn Simulation,
    violations: &[&Violation],
    end: &End,
    history: &Judged,
) -> Verdict {
    let first = violations.first().copied();
    if let (Expectation::Violation(expected), Some(first)) = (expect, first)
        && *expected == first.property
    {
        return Verdict::ExpectedViolation { property: expected.clone() };
    }
    if *end == End::Interrupted {
        return Verdict::Inconclusive { reason: Inconclusive::Interrupted };
    }
    if let Some(verdict) = simulation.breakdown().and_then(Verdict::of_breakdown) {
        return verdict;
    }
    if !simulation.beyond_promise().is_empty() {
        return Verdict::BeyondPromise;
    }
    match (first, end, expect) {
        (Some(violation), End::NotLive(missed), _) if violation == missed => {
            Verdict::Liveness { condition: violation.property.clone() }
        }
        (Some(violation), _, _) if violation.property == PANIC => {
            Verdict::Panic { message: violation.evidence.clone() }
        }
        (Some(violation), _, _) => Verdict::Violation { property: violation.property.clone() },
        (None, End::BudgetSpent, _) => {
            Verdict::Inconclusive { reason: Inconclusive::EventBudget { busiest: None } }
        }
        (None, _, _) if history.undecided.is_some() => {
            let (checker, why) = history.undecided.clone().expect("just seen");
            Verdict::Inconclusive { reason: Inconclusive::History { checker, why } }
        }
        (None, _, Expectation::Violation(expected)) => {
            Verdict::ExpectationMissed { property: expected.clone() }
        }
        (None, _, Expectation::Pass) => Verdict::Pass,
    }
}

/// What the simulation found, then what clients saw, then what the runner missed.
fn violations<'run>(
    simulation: &'run dyn Simulation,
    history: &'run Judged,
    end: &'run End,
) -> impl Iterator<Item = &'run Violation> {
    let not_live = if let End::NotLive(violation) = end { Some(violation) } else { None };
    simulation.violations().iter().chain(&history.violations).chain(not_live)
}

fn converged_ns(end: &End) -> Option<u64> {
    if let End::Finished { converged_at } = end { converged_at.map(SimTime::as_nanos) } else { None }
}

fn beyond_promise(simulation: &dyn Simulation) -> Vec<BeyondPromise> {
    let harmed = simulation.beyond_promise().into_iter();
    harmed
        .map(|(node, damage)| BeyondPromise { node: node.to_string(), damage: damage.to_string() })
        .collect()
}

fn points(reached: Vec<(&'static str, u64)>, first: &[Option<SimTime>]) -> Vec<PointReached> {
    let first_ns = |index| first.get(index).copied().flatten().map(SimTime::as_nanos);
    let points = reached.into_iter().enumerate();
    points
        .map(|(index, (name, count))| PointReached {
            name: name.to_owned(),
            count,
            first_ns: first_ns(index),
        })
        .collect()
}

impl Operations {
    fn of(simulation: &dyn Simulation) -> Self {
        let count = |counter| simulation.metrics().counter(counter);
        Self {
            invoked: count(Counter::OperationsInvoked),
            completed: count(Counter::OperationsCompleted),
            unknown: count(Counter::OperationsUnknown),
        }
    }
}

impl ReportedViolation {
    fn new(violation: &Violation) -> Self {
        Self {
            property: violation.property.clone(),
            at_ns: violation.at.as_nanos(),
            event: violation.event,
            node: violation.node.map(|node| node.to_string()),
            evidence: violation.evidence.clone(),
        }
    }
}

impl ReportedMilestone {
    fn new(milestone: &Milestone) -> Self {
        let (kind, node, text) = match &milestone.what {
            Happening::Stands { node, status } => {
                let kind = match status.standing {
                    Standing::Leader => MilestoneKind::Leads,
                    Standing::Candidate => MilestoneKind::Campaigns,
                    Standing::Follower | Standing::Peer => MilestoneKind::Follows,
                };
                (kind, Some(node), format!("{node} is {}, epoch {}", status.role, status.epoch))
            }
            Happening::Crashed(node) => (MilestoneKind::Crashed, Some(node), format!("{node} crashes")),
            Happening::Restarted(node) => (MilestoneKind::Restarted, Some(node), format!("{node} restarts")),
            Happening::Command(text) => (MilestoneKind::Command, None, text.clone()),
        };
        let node = node.map(ToString::to_string);
        Self { at_ns: milestone.at.as_nanos(), event: milestone.event, kind, node, text }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn hexadecimal<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{number:016x}"))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn text<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(digest)
}
