//! What is checked, how long, and what is expected.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::check::history::DEFAULT_BUDGET;
use sim_core::{SimTime, Span};

use crate::text::units::{NodeList, Time};

/// What is checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Checks {
    /// The names of the invariants that are checked at every event. Default: all of the protocol's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invariants: Option<Vec<String>>,
    /// Whether the run must converge and serve after the faults. Default `Required`.
    pub liveness: Liveness,
    /// Which properties of what clients saw are checked at the end. Default `Usual`.
    pub history: HistoryChecks,
    /// How many steps each of those checks may take, at least 1; one that needs more is inconclusive. Default
    /// 5,000,000.
    pub history_budget: u64,
}

impl Default for Checks {
    fn default() -> Self {
        Self {
            invariants: None,
            liveness: Liveness::Required,
            history: HistoryChecks::Usual,
            history_budget: DEFAULT_BUDGET,
        }
    }
}

/// Which properties of what clients saw are checked at the end of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum HistoryChecks {
    /// All that there are for the service that clients ask.
    #[default]
    Usual,
    /// None.
    Off,
    /// Those with these names, such as `linearizability`.
    Only(Vec<String>),
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
/// 0 ──────── faults ───────►│ heal │──── convergence ────►│── steady ──►
///   the plan acts            all well   must serve again;    keeps its leader
///                                       ends as soon as it does
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Phases {
    /// How long faults may happen: above 0, up to 30 days. Default `10s`.
    pub faults: Time,
    /// What happens then. Default `Everything`.
    pub heal: Heal,
    /// How long the run has to converge and serve again: above 0, up to 30 days. Default `5s`.
    pub convergence: Time,
    /// How long the leader must stay the same after that, up to 30 days. Where only a core was healed, the others come
    /// back when this begins, at the end of `convergence`: they must not disturb the core. Default `0s`: nothing
    /// is asked.
    pub steady: Time,
}

impl Default for Phases {
    fn default() -> Self {
        Self {
            faults: Span::secs(10).into(),
            heal: Heal::Everything,
            convergence: Span::secs(5).into(),
            steady: Time::default(),
        }
    }
}

impl Phases {
    /// When the faults end.
    pub fn heal_at(&self) -> SimTime {
        SimTime::ZERO + self.faults.span()
    }

    /// When the run must have converged at the latest.
    pub fn converged_by(&self) -> SimTime {
        self.heal_at() + self.convergence.span()
    }

    /// When those outside a core that was healed come back.
    pub fn rejoin_at(&self) -> Option<SimTime> {
        let rejoins = matches!(self.heal, Heal::Core { .. }) && !self.steady.span().is_zero();
        rejoins.then(|| self.converged_by())
    }
}

/// What ends the fault phase.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Heal {
    /// Network, clocks and disks are well again; nodes that are down restart, spares never started aside.
    #[default]
    Everything,
    /// Like `Everything` for some nodes, which must then do without the others.
    Core {
        /// Which nodes.
        nodes: Core,
        /// What becomes of the others. Default `Down`.
        #[serde(default)]
        others: Others,
    },
    /// Nothing: faults that hold go on.
    Nothing,
}

/// The nodes that are well again after the faults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Core {
    /// A smallest majority of the members, drawn.
    Majority,
    /// A smallest majority without the node that leads when the faults end.
    MajorityWithoutLeader,
    /// These.
    Nodes(NodeList),
}

/// What becomes of the nodes outside the core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Others {
    /// They are down.
    #[default]
    Down,
    /// They run, and reach nobody.
    CutOff,
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
    /// A violation of this property: an invariant, a checker of the history, a liveness condition, or `panic`.
    Violation(String),
}
