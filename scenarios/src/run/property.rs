//! What a run is checked for: the properties of all three kinds of checker, in one list.

use sim_core::check::{About, CONDITIONS};

use super::history;
use crate::format::{Heal, Liveness, Scenario};
use crate::protocol::ProtocolTable;

/// When a property is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// At every event: an invariant.
    Always,
    /// When the history is judged.
    ByHistory,
    /// In the convergence phase: a liveness condition.
    AtConvergence,
}

/// What a run of the scenario is checked for, in the order in which it is reported.
///
/// # Panics
/// If the scenario was not validated with this table.
pub fn properties(scenario: &Scenario, table: &ProtocolTable) -> Vec<(Checked, About)> {
    let kind = table.find(scenario.protocol.name()).expect("`validate` found the protocol in the table");
    let checks = &scenario.checks;
    let is_wanted = |about: &About| {
        checks.invariants.as_ref().is_none_or(|wanted| wanted.iter().any(|name| name == about.name))
    };
    let invariants = kind.about().invariants.into_iter().filter(is_wanted);
    let histories = history::wanted(scenario, table).into_iter().map(|checker| *checker.about());
    let conditions =
        CONDITIONS.iter().filter(|_| must_converge(scenario)).map(|condition| *condition.about());
    let invariants = invariants.map(|about| (Checked::Always, about));
    let histories = histories.map(|about| (Checked::ByHistory, about));
    invariants.chain(histories).chain(conditions.map(|about| (Checked::AtConvergence, about))).collect()
}

/// Whether a run must converge after its faults.
pub(super) fn must_converge(scenario: &Scenario) -> bool {
    scenario.phases.heal != Heal::Nothing && scenario.checks.liveness == Liveness::Required
}
