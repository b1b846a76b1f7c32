//! Durations: `"150ms"`, `"-20ms"`, `"150ms..300ms"`.

use std::fmt;
use std::str::FromStr;

use sim_core::Span;

use super::UnitError;
use super::decimal::Quantity;
use super::text_form::text_form;

const DURATION: Quantity = Quantity {
    what: "a duration",
    allowed: "a number directly followed by `ns`, `us`, `ms`, `s`, `m` or `h`",
    units: &[
        ("ms", 1_000_000),
        ("ns", 1),
        ("us", 1_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ],
};

/// A length of time, 0 to about 584 years, exact to the nanosecond: `"150ms"`, `"1.5ms"`, `"0s"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(Span);

impl Time {
    /// The time as the engine's type.
    pub const fn span(self) -> Span {
        self.0
    }

    /// Whether it is no time at all: files leave that out.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    pub(crate) const fn is_zero(&self) -> bool {
        self.0.is_zero()
    }
}

impl From<Span> for Time {
    fn from(span: Span) -> Self {
        Self(span)
    }
}

impl FromStr for Time {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        Ok(Self(Span::nanos(DURATION.parse(text)?)))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

text_form!(
    Time,
    "a length of time with its unit: ns, us, ms, s, m or h",
    r"^\d+(\.\d+)?(ns|us|ms|s|m|h)$",
    ["150ms", "1.5s"]
);

/// A length of time with a sign, about ±292 years: `"-20ms"`, `"+20ms"`, `"20ms"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignedTime {
    nanos: i64,
}

impl SignedTime {
    /// The time in nanoseconds.
    pub const fn as_nanos(self) -> i64 {
        self.nanos
    }

    /// `nanos` nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self { nanos }
    }
}

impl FromStr for SignedTime {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let (sign, length) = match text.strip_prefix('-') {
            Some(length) => (-1, length),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        let nanos = sign * i128::from(DURATION.parse(length)?);
        let too_long = |_| DURATION.error(format!("`{text}` is beyond 292 years"), "1h");
        Ok(Self { nanos: i64::try_from(nanos).map_err(too_long)? })
    }
}

impl fmt::Display for SignedTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.nanos < 0 { "-" } else { "" };
        write!(f, "{sign}{}", Span::nanos(self.nanos.unsigned_abs()))
    }
}

text_form!(
    SignedTime,
    "a length of time, possibly negative, with its unit: ns, us, ms, s, m or h",
    r"^[+-]?\d+(\.\d+)?(ns|us|ms|s|m|h)$",
    ["-20ms", "1s"]
);

/// Two lengths of time, both included, low ≤ high: `"150ms..300ms"`. A single `"5ms"` is both ends at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimeRange {
    /// At most `high`.
    low: Span,
    high: Span,
}

impl TimeRange {
    /// From `low` to `high`, both included; `None` where `low` is longer.
    pub fn new(low: Span, high: Span) -> Option<Self> {
        (low <= high).then_some(Self { low, high })
    }

    /// The shortest length.
    pub const fn low(self) -> Span {
        self.low
    }

    /// The longest length.
    pub const fn high(self) -> Span {
        self.high
    }
}

impl FromStr for TimeRange {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let (low, high) = text.split_once("..").unwrap_or((text, text));
        let (low, high) = (end_of_range(low, high)?, end_of_range(high, low)?);
        Self::new(low, high).ok_or_else(|| {
            let problem = format!("`{text}` ends before it begins");
            DURATION.error(problem, format!("{high}..{low}"))
        })
    }
}

/// One end of a range. An end without a unit gets the one of the `other` end suggested: `150..300ms`.
fn end_of_range(end: &str, other: &str) -> Result<Span, UnitError> {
    let error = match end.parse::<Time>() {
        Ok(time) => return Ok(time.span()),
        Err(error) => error,
    };
    let unit = other.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    match format!("{end}{unit}").parse::<Time>() {
        Ok(time) => Err(DURATION.error(error.problem, time.to_string())),
        Err(_) => Err(error),
    }
}

impl fmt::Display for TimeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.low == self.high { self.low.fmt(f) } else { write!(f, "{}..{}", self.low, self.high) }
    }
}

text_form!(
    TimeRange,
    "a range of times, both ends included, or one time for a constant",
    r"^\d+(\.\d+)?(ns|us|ms|s|m|h)(\.\.\d+(\.\d+)?(ns|us|ms|s|m|h))?$",
    ["150ms..300ms", "5ms"]
);
