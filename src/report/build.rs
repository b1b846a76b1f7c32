//! From a run to its document.

use std::collections::BTreeMap;

use scenarios::Verdict;
use scenarios::run::{MilestoneKind, ReportedMilestone, ReportedViolation};
use sim_core::Span;
use sim_core::fault::{Plan, Teller};

use super::{
    Damage, Metrics, REPORT_VERSION, Replayed, Report, TimelineLine, Twice, VerdictKind, VerdictSummary,
    ViolationSummary, WallTime,
};
use crate::exit_code::ExitCode;
use crate::session::{Ran, Session};

impl Report {
    /// What `ran` was.
    pub(crate) fn new(session: &Session<'_>, ran: &Ran, twice: Option<Twice>) -> Self {
        let run = &ran.run.report;
        let place = ran.panic_place.as_deref();
        Self {
            report_version: REPORT_VERSION,
            splitbrain_version: env!("CARGO_PKG_VERSION"),
            scenario: session.summary(),
            seed: run.seed,
            verdict: verdict(&run.verdict, place, twice.as_ref()),
            violations: run.violations.iter().map(|violation| summary(violation, place)).collect(),
            beyond_promise: run.beyond_promise.iter().map(Damage::from).collect(),
            digest: run.digest.to_string(),
            events: run.events,
            simulated_ns: run.simulated_ns,
            converged_ns: run.converged_ns,
            wall: WallTime::of(ran),
            timeline: timeline(run),
            metrics: Metrics::of(ran.run.simulation.metrics(), ran.run.simulation.now()),
            history: session.figures(ran).into_iter().map(|(name, figures)| (name, figures.into())).collect(),
            twice,
            replayed: None,
            points: run.points.iter().map(|point| (point.name.clone(), point.count)).collect(),
            fault_points: run.fault_points.iter().map(|point| (point.name.clone(), point.count)).collect(),
            replay: session.replay_command(),
        }
    }

    /// Says whether this is the run that a capsule keeps. One of the same version that is not repeats nothing.
    pub(crate) fn compare(&mut self, replayed: Replayed) {
        if !replayed.equal && replayed.made_by == self.splitbrain_version {
            let text =
                "not the run of the capsule: it was changed by hand, or is of another build".to_owned();
            let exit_code = ExitCode::INTERNAL.number();
            self.verdict = VerdictSummary { kind: "non-determinism", text, exit_code };
        }
        self.replayed = Some(replayed);
    }

    /// What the program exits with.
    pub(crate) fn code(&self) -> ExitCode {
        let found = ExitCode::ALL.into_iter().find(|(code, _)| code.number() == self.verdict.exit_code);
        found.expect("verdicts end with documented codes").0
    }
}

/// The verdict; that a run was not the same twice comes before all that it says.
fn verdict(verdict: &Verdict, panic_place: Option<&str>, twice: Option<&Twice>) -> VerdictSummary {
    if let Some(Twice { equal: false, .. }) = twice {
        let text = "not deterministic: run twice, it was not the same".to_owned();
        let kind = VerdictKind::NonDeterminism;
        return VerdictSummary { kind: kind.name(), text, exit_code: kind.code().number() };
    }
    let kind = VerdictKind::from(verdict);
    let code = kind.code();
    let place = panic_place.filter(|_| code == ExitCode::INTERNAL);
    VerdictSummary {
        kind: kind.name(),
        text: format!("{verdict}{}", in_brackets(place)),
        exit_code: code.number(),
    }
}

fn summary(violation: &ReportedViolation, panic_place: Option<&str>) -> ViolationSummary {
    let place = panic_place.filter(|_| violation.property == scenarios::run::PANIC);
    ViolationSummary {
        property: violation.property.clone(),
        at_ns: violation.at_ns,
        event: violation.event,
        node: violation.node.clone(),
        evidence: format!("{}{}", violation.evidence, in_brackets(place)),
    }
}

/// The place of a panic, where there is one.
fn in_brackets(place: Option<&str>) -> String {
    place.map_or_else(String::new, |place| format!(" (at {place})"))
}

/// What mattered and what was violated, in order of time.
fn timeline(run: &scenarios::Report) -> Vec<TimelineLine> {
    let asked = asked(&run.plan);
    let mut lines: Vec<TimelineLine> = run.milestones.iter().map(TimelineLine::from).collect();
    for line in lines.iter_mut().filter(|line| line.kind == "command") {
        if let Some(asked) = asked.get(&(line.at_ns, line.text.clone())) {
            line.text = format!("{} (asked: {asked})", line.text);
        }
    }
    lines.extend(run.violations.iter().map(TimelineLine::from));
    lines.sort_by_key(|line| (line.at_ns, line.event));
    lines
}

/// By time and text, what was asked of commands that say something else: `crash leader` became `crash n4`.
fn asked(plan: &Plan) -> BTreeMap<(u64, String), String> {
    let applied = plan.entries().iter().filter_map(|entry| Some((entry, entry.was.as_ref()?)));
    let mut applied: Vec<_> = applied.collect();
    applied.sort_by_key(|(_, was)| (was.moment, was.place));
    let mut texts = BTreeMap::new();
    let mut teller = Teller::default();
    for (entry, was) in applied {
        let asked = entry.command.telling();
        for command in &was.commands {
            let text = teller.tell(command);
            let says_the_same = command.telling() == asked;
            if !says_the_same {
                texts.insert((was.moment.time.as_nanos(), text), asked.clone());
            }
        }
    }
    texts
}

impl From<&ReportedMilestone> for TimelineLine {
    fn from(milestone: &ReportedMilestone) -> Self {
        let kind = match milestone.kind {
            MilestoneKind::Leads => "leads",
            MilestoneKind::Campaigns => "campaigns",
            MilestoneKind::Follows => "follows",
            MilestoneKind::Crashed => "crash",
            MilestoneKind::Restarted => "restart",
            MilestoneKind::Command => "command",
        };
        let ReportedMilestone { at_ns, event, node, text, .. } = milestone.clone();
        Self { at_ns, event, kind, node, text }
    }
}

impl From<&ReportedViolation> for TimelineLine {
    fn from(violation: &ReportedViolation) -> Self {
        let ReportedViolation { property, at_ns, event, node, evidence } = violation.clone();
        Self { at_ns, event, kind: "violation", node, text: format!("{property}: {evidence}") }
    }
}

impl From<&scenarios::run::BeyondPromise> for Damage {
    fn from(harmed: &scenarios::run::BeyondPromise) -> Self {
        Self { node: harmed.node.clone(), damage: harmed.damage.clone() }
    }
}

impl WallTime {
    fn of(ran: &Ran) -> Self {
        let nanos = ran.wall.as_nanos().max(1);
        let events = u128::from(ran.run.report.events) * u128::from(Span::secs(1).as_nanos());
        let bounded = |number: u128| u64::try_from(number).unwrap_or(u64::MAX);
        Self { elapsed_ns: bounded(nanos), events_per_second: bounded(events / nanos) }
    }
}
