//! Time inside a simulation: integer nanoseconds, never the machine's clock.
//!
//! Three types keep three things apart that are easily mixed up:
//!
//! | type | is | seen by |
//! | --- | --- | --- |
//! | [`SimTime`] | true time since the start of the run | engine, checkers, tools |
//! | [`LocalTime`] | a reading of one node's clock, which may drift, step or freeze | processes |
//! | [`Span`] | a length of time | everyone |

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

use serde::{Deserialize, Serialize};

/// A length of time in nanoseconds, 0 to about 584 years.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(u64);

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// Longer than any run.
    pub const MAX: Self = Self(u64::MAX);

    /// `nanos` nanoseconds.
    pub const fn nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// `micros` microseconds; saturates at [`Span::MAX`].
    pub const fn micros(micros: u64) -> Self {
        Self(micros.saturating_mul(1_000))
    }

    /// `millis` milliseconds; saturates at [`Span::MAX`].
    pub const fn millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// `secs` seconds; saturates at [`Span::MAX`].
    pub const fn secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }

    /// The length in nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The length in seconds, rounded to a double; for people and plots, never for the engine.
    #[expect(clippy::cast_precision_loss, reason = "for display only")]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// Whether this is no time at all.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// This length times `factor`; saturates at [`Span::MAX`].
    pub const fn times(self, factor: u64) -> Self {
        Self(self.0.saturating_mul(factor))
    }

    /// The difference, or zero where `other` is longer.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Add for Span {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// The shortest exact text: `150ms`, `1.5s`, `250us`, `0s`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 4] = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"), (1, "ns")];
        if self.0 == 0 {
            return f.write_str("0s");
        }
        for (unit, name) in UNITS {
            let (whole, rest) = (self.0 / unit, self.0 % unit);
            if whole > 0 {
                return write_decimal(f, whole, rest, unit, name);
            }
        }
        Ok(())
    }
}

/// `whole.rest` with as many decimals as are needed and no more.
fn write_decimal(f: &mut fmt::Formatter<'_>, whole: u64, rest: u64, unit: u64, name: &str) -> fmt::Result {
    if rest == 0 {
        return write!(f, "{whole}{name}");
    }
    let digits = unit.ilog10() as usize;
    let decimals = format!("{rest:0digits$}");
    write!(f, "{whole}.{}{name}", decimals.trim_end_matches('0'))
}

macro_rules! instant {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(u64);

        impl $name {
            /// Nanosecond zero.
            pub const ZERO: Self = Self(0);
            /// Later than anything that happens.
            pub const MAX: Self = Self(u64::MAX);

            /// The instant `nanos` nanoseconds after zero.
            pub const fn from_nanos(nanos: u64) -> Self {
                Self(nanos)
            }

            /// Nanoseconds since zero.
            pub const fn as_nanos(self) -> u64 {
                self.0
            }

            /// The time since `earlier`, or zero if that is later.
            pub const fn since(self, earlier: Self) -> Span {
                Span::nanos(self.0.saturating_sub(earlier.0))
            }
        }

        impl Add<Span> for $name {
            type Output = Self;
            fn add(self, span: Span) -> Self {
                Self(self.0.saturating_add(span.as_nanos()))
            }
        }

        impl AddAssign<Span> for $name {
            fn add_assign(&mut self, span: Span) {
                *self = *self + span;
            }
        }

        impl Sub<Span> for $name {
            type Output = Self;
            fn sub(self, span: Span) -> Self {
                Self(self.0.saturating_sub(span.as_nanos()))
            }
        }

        /// As a [`Span`] since zero.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                Span::nanos(self.0).fmt(f)
            }
        }
    };
}

instant!(
    /// True time: nanoseconds since the start of the run. It moves only from one event to the next.
    SimTime
);
instant!(
    /// A reading of one node's clock, in nanoseconds. Two nodes' readings are not comparable. State
    /// fingerprints skip it (they know it by its serde name), so a process keeps instants only in this type.
    LocalTime
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_prints_its_shortest_exact_text() {
        let cases = [
            (Span::ZERO, "0s"),
            (Span::nanos(7), "7ns"),
            (Span::nanos(1_500), "1.5us"),
            (Span::millis(150), "150ms"),
            (Span::nanos(1_234_567), "1.234567ms"),
            (Span::secs(90), "90s"),
        ];
        for (span, text) in cases {
            assert_eq!(span.to_string(), text);
        }
    }

    #[test]
    fn instants_saturate_instead_of_wrapping() {
        assert_eq!(SimTime::MAX + Span::nanos(1), SimTime::MAX);
        assert_eq!(SimTime::ZERO - Span::nanos(1), SimTime::ZERO);
        assert_eq!(SimTime::from_nanos(3).since(SimTime::from_nanos(5)), Span::ZERO);
    }
}
