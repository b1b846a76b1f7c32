//! What a run ended with, in a word.

use std::fmt;

use scenarios::Verdict;
use scenarios::run::Inconclusive;
use serde::{Deserialize, Serialize};

use crate::exit_code::ExitCode;

/// What a run ended with, in a word. The order is that of summaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum VerdictKind {
    /// Nothing was violated.
    Pass,
    /// What the scenario expects to be violated was.
    ExpectedViolation,
    /// What the scenario expects to be violated was not.
    ExpectationMissed,
    /// Safety was violated.
    Violation,
    /// A process panicked.
    Panic,
    /// It did not converge in time after the faults.
    Liveness,
    /// Nodes lost more than the protocol promises to survive.
    BeyondPromise,
    /// It was given up.
    Inconclusive,
    /// Ctrl-C.
    Interrupted,
    /// Run twice, it was not the same.
    NonDeterminism,
    /// The simulator is wrong.
    InternalError,
}

impl VerdictKind {
    /// All of them.
    pub(crate) const ALL: [Self; 11] = [
        Self::Pass,
        Self::ExpectedViolation,
        Self::ExpectationMissed,
        Self::Violation,
        Self::Panic,
        Self::Liveness,
        Self::BeyondPromise,
        Self::Inconclusive,
        Self::Interrupted,
        Self::NonDeterminism,
        Self::InternalError,
    ];

    /// As documents have it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::ExpectedViolation => "expected-violation",
            Self::ExpectationMissed => "expectation-missed",
            Self::Violation => "violation",
            Self::Panic => "panic",
            Self::Liveness => "liveness",
            Self::BeyondPromise => "beyond-promise",
            Self::Inconclusive => "inconclusive",
            Self::Interrupted => "interrupted",
            Self::NonDeterminism => "non-determinism",
            Self::InternalError => "internal-error",
        }
    }

    /// What a program that ends with it exits with.
    pub(crate) const fn code(self) -> ExitCode {
        match self {
            Self::Pass | Self::ExpectedViolation => ExitCode::PASS,
            Self::ExpectationMissed | Self::Violation | Self::Panic | Self::Liveness => ExitCode::VIOLATION,
            Self::BeyondPromise => ExitCode::BEYOND_PROMISE,
            Self::Inconclusive => ExitCode::INCONCLUSIVE,
            Self::Interrupted => ExitCode::INTERRUPTED,
            Self::NonDeterminism | Self::InternalError => ExitCode::INTERNAL,
        }
    }

    /// Whether something went wrong: a violation, or the simulator itself.
    pub(crate) const fn is_failure(self) -> bool {
        matches!(self.code(), ExitCode::VIOLATION | ExitCode::INTERNAL)
    }
}

impl From<&Verdict> for VerdictKind {
    fn from(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::Pass,
            Verdict::ExpectedViolation { .. } => Self::ExpectedViolation,
            Verdict::ExpectationMissed { .. } => Self::ExpectationMissed,
            Verdict::Violation { .. } => Self::Violation,
            Verdict::Panic { .. } => Self::Panic,
            Verdict::Liveness { .. } => Self::Liveness,
            Verdict::BeyondPromise => Self::BeyondPromise,
            Verdict::Inconclusive { reason: Inconclusive::Interrupted } => Self::Interrupted,
            Verdict::Inconclusive {
                reason:
                    Inconclusive::EventBudget { .. }
                    | Inconclusive::History { .. }
                    | Inconclusive::EngineLimit { .. },
            } => Self::Inconclusive,
            Verdict::InternalError { .. } => Self::InternalError,
        }
    }
}

impl fmt::Display for VerdictKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_documents_and_in_order() {
        assert!(VerdictKind::ALL.is_sorted());
        for kind in VerdictKind::ALL {
            let text = serde_json::to_string(&kind).expect("a word");
            assert_eq!(text, format!("\"{}\"", kind.name()));
        }
    }
}
