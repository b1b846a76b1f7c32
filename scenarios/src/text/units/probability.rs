//! Probabilities: decimals, held as exact ratios.

use std::fmt;
use std::str::FromStr;

use super::UnitError;
use super::decimal::{Decimal, exact_text};
use super::text_form::TextVisitor;

const ALLOWED: &str = "a decimal from 0 to 1 with at most 18 places";

/// How likely something is, 0 to 1, as an exact ratio: `0.05` is 1 in 20.
///
/// A file may say it as a number or as text. A number arrives as a double, and its shortest decimal text is taken:
/// that is what was written, for up to 15 digits, and the same on every machine. Text is exact to 18 places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Probability {
    /// At most `denominator`, and in lowest terms with it.
    numerator: u64,
    denominator: u64,
}

impl Probability {
    /// The ratio's upper part.
    pub const fn numerator(self) -> u64 {
        self.numerator
    }

    /// The ratio's lower part: positive, and in lowest terms.
    pub const fn denominator(self) -> u64 {
        self.denominator
    }
}

impl FromStr for Probability {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let error = |problem| UnitError { problem, allowed: ALLOWED, hint: hint(text) };
        let decimal = Decimal::parse(text).ok_or_else(|| error(format!("`{text}` is not a probability")))?;
        let (numerator, denominator) = decimal.ratio();
        if numerator > denominator {
            return Err(error(format!("`{text}` is above 1")));
        }
        Ok(Self { numerator, denominator })
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
        let text = exact_text(u128::from(self.numerator), u128::from(self.denominator));
        f.write_str(&text.expect("the denominator divides 10^18"))
    }
}

impl serde::Serialize for Probability {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Probability {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor::new("a probability from 0 to 1"))
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
