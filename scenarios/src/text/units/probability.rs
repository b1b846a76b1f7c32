//! Probabilities: decimals, held as exact ratios.

use std::fmt;
use std::str::FromStr;

use sim_core::random;

use super::UnitError;
use super::decimal::{Decimal, exact_text};
use super::text_form::TextVisitor;

const ALLOWED: &str = "a decimal from 0 to 1 with at most 18 places";

/// How likely something is, 0 to 1, as an exact ratio: `0.05` is 1 in 20.
///
/// A file may say it as a number or as text. A number arrives as a double, and its shortest decimal text is taken:
/// that is what was written, for up to 15 digits, and the same on every machine. Text is exact to 18 places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Probability(random::Probability);

impl Probability {
    /// The probability as the engine's type.
    pub const fn probability(self) -> random::Probability {
        self.0
    }
}

impl FromStr for Probability {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        text.parse().map(Self).map_err(|error| UnitError {
            problem: match error {
                random::ProbabilityError::AboveOne { .. } => format!("`{text}` is above 1"),
                random::ProbabilityError::TooManyDecimals { .. } => format!("`{text}` has too many decimals"),
                random::ProbabilityError::NotADecimal { .. }
                | random::ProbabilityError::ZeroDenominator { .. } => {
                    format!("`{text}` is not a probability")
                }
            },
            allowed: ALLOWED,
            hint: hint(text),
        })
    }
}

/// What a person who wrote `5%` or `5` meant.
fn hint(text: &str) -> String {
    let percent = Decimal::parse(text.trim_end_matches('%')).map(Decimal::ratio);
    let meant = percent.and_then(|(numerator, denominator)| {
        let (numerator, denominator) = (u128::from(numerator), u128::from(denominator) * 100);
        exact_text(numerator, denominator).filter(|_| numerator <= denominator)
    });
    format!("write `{}`", meant.as_deref().unwrap_or("0.05"))
}

impl fmt::Display for Probability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl serde::Serialize for Probability {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Probability {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor::new("a probability from 0 to 1", &["0.05"]))
    }
}

impl schemars::JsonSchema for Probability {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Probability".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "a probability from 0 to 1, as a number or as text",
            "oneOf": [
                { "type": "number", "minimum": 0, "maximum": 1 },
                { "type": "string", "pattern": r"^(0(\.\d+)?|1(\.0+)?)$" },
            ],
            "examples": [0.05],
        })
    }
}
