//! A test that fails as the run does: a scenario, a seed, and what it must end with.

use schemars::JsonSchema;
use serde::Serialize;
use sim_core::Simulation;

use super::Judge;
use crate::shrink;

/// A regression test.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Regression {
    /// The scenario as a file, which expects the violation; `null` where the failure depends on times that files cannot
    /// write: then the capsule is the test.
    pub scenario: Option<String>,
    /// The seed to run it with.
    pub seed: u64,
    /// What it ends with while the bug is there.
    pub verdict: String,
    /// The line of the scenario to take out when the bug is mended: from then on it must pass.
    pub expectation: String,
}

/// Writes it. `ran` is the world of the capsule, at its end.
pub(super) fn write(judge: &Judge<'_>, ran: &dyn Simulation) -> Regression {
    let property = &judge.symptom.property;
    Regression {
        scenario: shrink::written_out(judge.opened, ran, &judge.symptom, judge.table, judge.events_max),
        seed: judge.seed(),
        verdict: format!("pass: violates {property}, as expected"),
        expectation: format!("expect: Violation(\"{property}\")"),
    }
}
