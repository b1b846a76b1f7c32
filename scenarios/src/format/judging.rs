//! What is checked, how long, and what is expected.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::{SimTime, Span};

use crate::text::units::Time;

/// What is checked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Checks {
    /// The names of the invariants that are checked at every event. Default: all of the protocol's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invariants: Option<Vec<String>>,
    /// Whether the run must converge and serve after the faults. Default `Required`.
    pub liveness: Liveness,
}

/// Whether a run must converge after the faults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Liveness {
    /// It must, within `phases.convergence`.
    #[default]
    Required,
    /// It need not; the run ends with the faults.
    Ignored,
}

/// How long the parts of a run are.
///
/// ```text
/// 0 ──────── faults ───────►│ heal │──── convergence ────►
///   the plan acts            all well   must serve again; ends as soon as it does
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Phases {
    /// How long faults may happen: above 0, up to 30 days. Default `10s`.
    pub faults: Time,
    /// What happens then. Default `Everything`.
    pub heal: Heal,
    /// How long the run has to converge and serve again: above 0, up to 30 days. Default `5s`.
    pub convergence: Time,
}

impl Default for Phases {
    fn default() -> Self {
        Self { faults: Span::secs(10).into(), heal: Heal::Everything, convergence: Span::secs(5).into() }
    }
}

impl Phases {
    /// When the faults end.
    pub fn heal_at(&self) -> SimTime {
        SimTime::ZERO + self.faults.span()
    }
}

/// What ends the fault phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Heal {
    /// Network, clocks and disks are well again; nodes that are down restart, spares never started aside.
    #[default]
    Everything,
    /// Nothing: faults that hold go on.
    Nothing,
}

/// Where a run is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// How many events may happen, at least 1; a run that needs more is inconclusive. Default 20,000,000.
    pub events: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { events: 20_000_000 }
    }
}

/// What a run should end with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Expectation {
    /// No violation.
    #[default]
    Pass,
    /// A violation of this property: an invariant, a liveness condition, or `panic`.
    Violation(String),
}
