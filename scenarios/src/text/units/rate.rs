//! Rates and clock drifts: `"1000/s"`, `"200ppm"`.

use std::fmt;
use std::str::FromStr;

use sim_core::Span;

use super::UnitError;
use super::decimal::{Quantity, Unit, exact_text, reduce};
use super::text_form::text_form;

const RATE: Quantity = Quantity {
    what: "a rate",
    allowed: "a number directly followed by `/s`, `/m`, `/h`, `/ms`, `/us` or `/ns`",
    units: &[
        ("/s", 1_000_000_000),
        ("/m", 60_000_000_000),
        ("/h", 3_600_000_000_000),
        ("/ms", 1_000_000),
        ("/us", 1_000),
        ("/ns", 1),
    ],
};

/// The units that a rate is printed in; the first that gives a finite decimal is taken.
const PRINTED: [Unit; 3] = [RATE.units[0], RATE.units[1], RATE.units[2]];

/// How often something happens, exactly: `"1000/s"`, `"2/m"`, `"0.1/s"`. Zero is never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    /// In lowest terms with the nanoseconds of `period`.
    count: u64,
    /// Not zero.
    period: Span,
}

impl Rate {
    /// How many happen in each [`Rate::period`]; 0 where nothing ever does.
    pub const fn count(self) -> u64 {
        self.count
    }

    /// The time in which [`Rate::count`] happen: never zero, and in lowest terms, so that equal rates are equal.
    pub const fn period(self) -> Span {
        self.period
    }

    fn from_ratio(count: u128, nanos: u128) -> Option<Self> {
        let (count, nanos) = reduce(count, nanos)?;
        Some(Self { count, period: Span::nanos(nanos) })
    }
}

impl FromStr for Rate {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let (decimal, (_, unit)) = RATE.split(text)?;
        let (numerator, denominator) = decimal.ratio();
        Self::from_ratio(u128::from(numerator), u128::from(denominator) * u128::from(unit))
            .ok_or_else(|| RATE.error(format!("`{text}` is too rare"), "1/h"))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let period = u128::from(self.period.as_nanos());
        let text = PRINTED.iter().find_map(|(name, unit)| {
            let number = exact_text(u128::from(self.count) * u128::from(*unit), period)?;
            Some(format!("{number}{name}"))
        });
        f.write_str(&text.expect("a rate is a decimal with at most 18 places of one of its units"))
    }
}

text_form!(
    Rate,
    "how often: so many a second, minute or hour",
    r"^\d+(\.\d+)?/(ns|us|ms|s|m|h)$",
    ["1000/s", "2/m"]
);

const DRIFT: Quantity = Quantity {
    what: "a drift",
    allowed: "a whole number between -999999 and 999999, directly followed by `ppm`",
    units: &[("ppm", 1)],
};

/// Parts per million, -999,999 to 999,999: `"200ppm"`, `"-50ppm"`. A clock never stops or runs backwards by drift.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ppm {
    /// Within ±[`PPM_MAX`].
    parts: i32,
}

const PPM_MAX: i32 = 999_999;

impl Ppm {
    /// So many parts per million; `None` beyond ±999,999.
    pub const fn new(parts: i32) -> Option<Self> {
        if parts.unsigned_abs() <= PPM_MAX.unsigned_abs() { Some(Self { parts }) } else { None }
    }

    /// The parts per million, negative where a clock is slow.
    pub const fn parts(self) -> i32 {
        self.parts
    }
}

impl FromStr for Ppm {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let (sign, size) = match text.strip_prefix('-') {
            Some(size) => (-1, size),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        let parts = i32::try_from(DRIFT.parse(size)?).ok().filter(|parts| *parts <= PPM_MAX);
        let parts = parts.ok_or_else(|| DRIFT.error(format!("`{text}` is out of range"), "200ppm"))?;
        Ok(Self { parts: sign * parts })
    }
}

impl fmt::Display for Ppm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ppm", self.parts)
    }
}

text_form!(Ppm, "parts per million, possibly negative", r"^[+-]?\d+ppm$", ["200ppm", "-50ppm"]);
