//! Fault points and timers of protocols: `"before-apply"`, `"election"`.

use std::fmt;
use std::str::FromStr;

use sim_core::fault;

use super::UnitError;
use super::text_form::text_form;

/// The name of a fault point or of a timer; `splitbrain list protocols` shows those of each protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PointName(fault::PointName);

impl PointName {
    /// This name.
    pub const fn new(name: fault::PointName) -> Self {
        Self(name)
    }

    /// The name as the engine's type.
    pub const fn name(self) -> fault::PointName {
        self.0
    }
}

impl FromStr for PointName {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        text.parse().map(Self).map_err(|_| {
            let problem = format!("`{text}` names no fault point and no timer");
            UnitError::new(problem, "lower-case letters, digits and `-`, up to 32", "before-apply")
        })
    }
}

impl fmt::Display for PointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

text_form!(
    PointName,
    "a fault point or a timer of the protocol",
    r"^[a-z0-9-]{1,32}$",
    ["before-apply", "election"]
);
