//! A time or a plain number, as files write it and people read it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text::units::Time;
use crate::text::units::text_form::TextVisitor;

/// A time or a plain number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quantity {
    /// A time, in nanoseconds.
    Nanos(f64),
    /// A number without a unit.
    Number(f64),
}

/// A count as a float: what is measured here stays far below 2⁵³, where that would lose anything.
#[expect(clippy::cast_precision_loss, reason = "statistics of runs need no more than 53 bits")]
pub(super) const fn float(number: u64) -> f64 {
    number as f64
}

impl Quantity {
    /// The number, nanoseconds for a time.
    pub const fn raw(self) -> f64 {
        match self {
            Self::Nanos(number) | Self::Number(number) => number,
        }
    }
}

impl FromStr for Quantity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(time) = text.parse::<Time>() {
            return Ok(Self::Nanos(float(time.span().as_nanos())));
        }
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
        number
            .map(Self::Number)
            .ok_or_else(|| format!("`{text}` is neither a time nor a number of 0 or more"))
    }
}

/// Times with three decimals of a millisecond, numbers with five digits behind the point at most.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Nanos(nanos) if nanos >= 1e9 => write!(f, "{}s", trimmed(nanos / 1e9)),
            Self::Nanos(nanos) if nanos >= 1e6 || nanos == 0.0 => write!(f, "{}ms", trimmed(nanos / 1e6)),
            Self::Nanos(nanos) => write!(f, "{}us", trimmed(nanos / 1e3)),
            Self::Number(number) => f.write_str(&trimmed(number)),
        }
    }
}

fn trimmed(number: f64) -> String {
    let text = format!("{number:.5}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor::new("a time such as `150ms`, or a number", &["150ms"]))
    }
}
