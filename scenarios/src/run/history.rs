//! Judging what clients saw, at the end of a run.

use sim_core::Simulation;
use sim_core::check::{Answer, HistoryChecker, Violation, history};

use super::HistoryEvidence;
use crate::assemble::workload;
use crate::format::{HistoryChecks, Scenario};
use crate::protocol::ProtocolKind;

/// What the checkers of the history say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Judged {
    /// What does not hold.
    pub(crate) violations: Vec<Violation>,
    /// The first checker that could not tell, and why.
    pub(crate) undecided: Option<(String, String)>,
}

/// All checkers of the service that clients of `scenario` ask; none where nobody asks.
pub(crate) fn checkers(scenario: &Scenario, kind: &dyn ProtocolKind) -> Vec<Box<dyn HistoryChecker>> {
    let service = workload(scenario, kind).map(|workload| workload.about().service);
    service.map(history::for_service).unwrap_or_default()
}

/// Asks those that the scenario wants.
pub(super) fn judge(
    scenario: &Scenario,
    kind: &dyn ProtocolKind,
    simulation: &dyn Simulation,
    evidence: HistoryEvidence,
) -> Judged {
    let mut judged = Judged::default();
    let mut all = checkers(scenario, kind);
    all.retain(|checker| is_wanted(&scenario.checks.history, checker.about().name));
    for checker in all {
        let property = checker.about().name.to_owned();
        let (history, budget) = (simulation.history(), scenario.checks.history_budget);
        let answer = match evidence {
            HistoryEvidence::Whole => checker.check(history, budget),
            HistoryEvidence::FirstLine => checker.check_briefly(history, budget),
        };
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
