//! What a run ends with.

use std::fmt;

use serde::Serialize;
use sim_core::world::Breakdown;

use super::Busiest;

/// The property that a panic of a process violates.
pub const PANIC: &str = "panic";

/// Exit codes of a program that ends with a verdict.
pub mod exit_code {
    /// The run passed, or violated what the scenario expects.
    pub const PASS: u8 = 0;
    /// A violation: of safety, of liveness, a panic in a process; or an expected violation that did not come.
    pub const VIOLATION: u8 = 1;
    /// The run was given up before it could be judged.
    pub const INCONCLUSIVE: u8 = 3;
    /// Nodes lost more than the protocol promises to survive, on disk or in memory, so nothing can be said of it.
    pub const BEYOND_PROMISE: u8 = 5;
    /// An invariant or the engine panicked: a bug in the simulator, of which no protocol is guilty.
    pub const INTERNAL: u8 = 70;
}

/// What a run ended with. As JSON an object with a `kind`: `{"kind": "violation", "property": "log-matching"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing was violated.
    Pass,
    /// What the scenario expects to be violated was.
    ExpectedViolation {
        /// Which property.
        property: String,
    },
    /// What the scenario expects to be violated was not.
    ExpectationMissed {
        /// Which property.
        property: String,
    },
    /// A safety property was violated.
    Violation {
        /// Which one.
        property: String,
    },
    /// A process panicked.
    Panic {
        /// What it said.
        message: String,
    },
    /// The run did not converge in time after the faults.
    Liveness {
        /// The first condition that did not hold.
        condition: String,
    },
    /// Nodes lost more than the protocol promises to survive, on disk or in memory.
    BeyondPromise,
    /// The run was given up.
    Inconclusive {
        /// Why.
        reason: Inconclusive,
    },
    /// An invariant or the engine panicked: the simulator is wrong, and nothing is said of the protocol.
    InternalError {
        /// What it said.
        message: String,
    },
}

/// Why a run could not be judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Inconclusive {
    /// More events happened than the scenario allows.
    EventBudget {
        /// What happened most; `None` if nothing more does.
        busiest: Option<Busiest>,
    },
    /// A checker of the history could not tell within its budget.
    History {
        /// Which one.
        checker: String,
        /// What it says.
        why: String,
    },
    /// The engine takes no more.
    EngineLimit {
        /// Of what: `more than 16777215 events pending`.
        limit: String,
    },
    /// Somebody broke it off.
    Interrupted,
}

impl Verdict {
    /// The verdict where something has panicked that is no process; a process is judged by its violation.
    pub fn of_breakdown(breakdown: &Breakdown) -> Option<Self> {
        match breakdown {
            Breakdown::Panic => None,
            Breakdown::Limit(limit) => {
                Some(Self::Inconclusive { reason: Inconclusive::EngineLimit { limit: limit.clone() } })
            }
            Breakdown::Bug(message) => Some(Self::InternalError { message: message.clone() }),
        }
    }

    /// The code that a program should exit with: one of [`exit_code`].
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Pass | Self::ExpectedViolation { .. } => exit_code::PASS,
            Self::ExpectationMissed { .. }
            | Self::Violation { .. }
            | Self::Panic { .. }
            | Self::Liveness { .. } => exit_code::VIOLATION,
            Self::BeyondPromise => exit_code::BEYOND_PROMISE,
            Self::Inconclusive { .. } => exit_code::INCONCLUSIVE,
            Self::InternalError { .. } => exit_code::INTERNAL,
        }
    }
}

/// A line for people: `violation of election-safety`.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass => f.write_str("pass"),
            Self::ExpectedViolation { property } => write!(f, "pass: violates {property}, as expected"),
            Self::ExpectationMissed { property } => {
                write!(f, "{property} was expected to be violated, and was not")
            }
            Self::Violation { property } => write!(f, "violation of {property}"),
            Self::Panic { message } => write!(f, "panic: {message}"),
            Self::Liveness { condition } => write!(f, "not live after the faults: {condition}"),
            Self::BeyondPromise => f.write_str("beyond promise: nodes lost more than the protocol survives"),
            Self::Inconclusive { reason } => write!(f, "inconclusive: {reason}"),
            Self::InternalError { message } => write!(f, "internal error: {message}"),
        }
    }
}

impl fmt::Display for Inconclusive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EventBudget { busiest: Some(busiest) } => {
                write!(f, "the event budget is spent; most often: {busiest}")
            }
            Self::EventBudget { busiest: None } => f.write_str("the event budget is spent"),
            Self::History { checker, why } => write!(f, "{checker} could not tell: {why}"),
            Self::EngineLimit { limit } => write!(f, "the engine's limit is reached: {limit}"),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}
