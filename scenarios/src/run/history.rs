//! Judging what clients saw, at the end of a run or at any moment of it.

use std::collections::BTreeMap;

use sim_core::check::history::Figures;
use sim_core::check::history::linearizability::Evidence;
use sim_core::check::{About, Answer, HistoryChecker, Violation, history};
use sim_core::history::History;
use sim_core::{OpId, SimTime, Simulation};

use super::HistoryEvidence;
use crate::assemble::workload;
use crate::format::{HistoryChecks, Scenario};
use crate::protocol::{ProtocolKind, ProtocolTable};

/// What the checkers of the history say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Judged {
    /// What does not hold.
    pub(crate) violations: Vec<Violation>,
    /// The first checker that could not tell, and why.
    pub(crate) undecided: Option<(String, String)>,
}

/// What one checker says of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The property.
    pub about: &'static About,
    /// Whether it holds.
    pub answer: Answer,
}

/// All checkers of the service that clients of `scenario` ask; none where nobody asks.
pub(crate) fn checkers(scenario: &Scenario, kind: &dyn ProtocolKind) -> Vec<Box<dyn HistoryChecker>> {
    let service = workload(scenario, kind).map(|workload| workload.about().service);
    service.map(history::for_service).unwrap_or_default()
}

fn all(scenario: &Scenario, table: &ProtocolTable) -> Vec<Box<dyn HistoryChecker>> {
    let kind = table.find(scenario.protocol.name()).expect("`validate` found the protocol in the table");
    checkers(scenario, kind)
}

/// Those that the scenario wants.
pub(super) fn wanted(scenario: &Scenario, table: &ProtocolTable) -> Vec<Box<dyn HistoryChecker>> {
    let mut all = all(scenario, table);
    all.retain(|checker| is_wanted(&scenario.checks.history, checker.about().name));
    all
}

/// Asks the checkers that the scenario wants about a history, each within `budget` steps.
///
/// # Panics
/// If the scenario was not validated with this table.
pub fn ask(
    scenario: &Scenario,
    table: &ProtocolTable,
    history: &History,
    budget: u64,
    evidence: HistoryEvidence,
) -> Vec<Heard> {
    let answer = |checker: &dyn HistoryChecker| match evidence {
        HistoryEvidence::Whole => checker.check(history, budget),
        HistoryEvidence::FirstLine => checker.check_briefly(history, budget),
    };
    let all = wanted(scenario, table);
    all.iter().map(|checker| Heard { about: checker.about(), answer: answer(checker.as_ref()) }).collect()
}

/// What the checkers of the service measure of a history, by property, each within `budget` steps: those as well that the
/// scenario does not want, for numbers are no verdict. Nothing where it wants none at all.
///
/// # Panics
/// If the scenario was not validated with this table.
pub fn figures(
    scenario: &Scenario,
    table: &ProtocolTable,
    history: &History,
    budget: u64,
) -> BTreeMap<&'static str, Figures> {
    if scenario.checks.history == HistoryChecks::Off {
        return BTreeMap::new();
    }
    let measured = all(scenario, table).into_iter();
    measured.filter_map(|checker| Some((checker.about().name, checker.figures(history, budget)?))).collect()
}

/// What the checker of a property has against a history, as operations; `None` where it has nothing, or proves it by
/// something else.
///
/// # Panics
/// If the scenario was not validated with this table.
pub fn evidence(
    scenario: &Scenario,
    table: &ProtocolTable,
    property: &str,
    history: &History,
    budget: u64,
) -> Option<Box<Evidence>> {
    find(scenario, table, property)?.evidence(history, budget)
}

/// Moments at which the operations of a history can have taken effect, so that the property holds; `None` where the
/// checker of it finds none within `budget` steps, or looks for none.
///
/// # Panics
/// If the scenario was not validated with this table.
pub fn points(
    scenario: &Scenario,
    table: &ProtocolTable,
    property: &str,
    history: &History,
    budget: u64,
) -> Option<BTreeMap<OpId, SimTime>> {
    find(scenario, table, property)?.points(history, budget)
}

fn find(scenario: &Scenario, table: &ProtocolTable, property: &str) -> Option<Box<dyn HistoryChecker>> {
    wanted(scenario, table).into_iter().find(|checker| checker.about().name == property)
}

/// Asks at the end of a run those that the scenario wants.
pub(super) fn judge(
    scenario: &Scenario,
    table: &ProtocolTable,
    simulation: &dyn Simulation,
    evidence: HistoryEvidence,
) -> Judged {
    let mut judged = Judged::default();
    let budget = scenario.checks.history_budget;
    for Heard { about, answer } in ask(scenario, table, simulation.history(), budget, evidence) {
        let property = about.name.to_owned();
        match answer {
            Answer::Pass => {}
            Answer::Violation(evidence) => judged.violations.push(Violation {
                property,
                at: simulation.now(),
                event: simulation.events(),
                node: None,
                evidence,
            }),
            Answer::Inconclusive(why) => {
                judged.undecided.get_or_insert((property, why));
            }
        }
    }
    judged
}

fn is_wanted(wanted: &HistoryChecks, name: &str) -> bool {
    match wanted {
        HistoryChecks::Usual => true,
        HistoryChecks::Off => false,
        HistoryChecks::Only(names) => names.iter().any(|wanted| wanted == name),
    }
}
