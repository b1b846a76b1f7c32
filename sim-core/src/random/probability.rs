//! Probabilities as exact ratios, decided by comparing integers.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Decimals that a probability may have after its point.
const DIGITS_MAX: usize = 18;
/// One, in units of the last of those decimals.
const DECIMAL_ONE: u64 = 10_u64.pow(18);

/// A probability: an exact ratio in lowest terms, 0 to 1.
///
/// [`Probability::hits`] compares a draw with the ratio scaled to 64 bits and rounded down, so it is off by less
/// than 2⁻⁶⁴; 0 never hits, 1 always does, and no other value does either.
///
/// In files it is the text that it prints as: `0.05`, or `1/3` where no decimal says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Probability {
    numerator: u64,
    denominator: u64,
    /// The number of draws, of 2⁶⁴, that hit. For [`Probability::ONE`] that is one more than fits: see `hits`.
    threshold: u64,
}

/// Why something is not a [`Probability`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProbabilityError {
    /// The text is no decimal number.
    #[error("`{text}` is not a probability: allowed are decimals from 0 to 1 such as `0`, `0.05` or `1`")]
    NotADecimal {
        /// What was read.
        text: String,
    },
    /// More decimals than can be kept exactly.
    #[error("`{text}` has more than 18 decimals; a probability has at most 18")]
    TooManyDecimals {
        /// What was read.
        text: String,
    },
    /// More than certain.
    #[error("{numerator}/{denominator} is more than 1; a probability is 0 to 1")]
    AboveOne {
        /// The part.
        numerator: u64,
        /// The whole, not 0.
        denominator: u64,
    },
    /// A ratio to nothing.
    #[error("{numerator}/0 is not a ratio; the denominator of a probability is at least 1")]
    ZeroDenominator {
        /// The part.
        numerator: u64,
    },
}

impl Probability {
    /// It never happens.
    pub const ZERO: Self = Self { numerator: 0, denominator: 1, threshold: 0 };
    /// It always happens.
    pub const ONE: Self = Self { numerator: 1, denominator: 1, threshold: u64::MAX };

    /// `numerator` of `denominator` times.
    ///
    /// # Errors
    ///
    /// If `denominator` is 0, or less than `numerator`.
    pub const fn from_ratio(numerator: u64, denominator: u64) -> Result<Self, ProbabilityError> {
        if denominator == 0 {
            return Err(ProbabilityError::ZeroDenominator { numerator });
        }
        if numerator > denominator {
            return Err(ProbabilityError::AboveOne { numerator, denominator });
        }
        Ok(Self::reduced(numerator, denominator))
    }

    /// The other half of what `Display` prints: a ratio, for those that no decimal says.
    fn from_ratio_text(part: &str, whole: &str, text: &str) -> Result<Self, ProbabilityError> {
        let number = |digits: &str| is_digits(digits).then(|| digits.parse().ok())?;
        let ratio = number(part).zip(number(whole));
        let (part, whole) = ratio.ok_or_else(|| ProbabilityError::NotADecimal { text: text.to_owned() })?;
        Self::from_ratio(part, whole)
    }

    /// The ratio in lowest terms, of which 0 ≤ `numerator` ≤ `denominator` ≠ 0 is known.
    #[expect(clippy::cast_possible_truncation, reason = "a ratio below 1 of 2⁶⁴ fits in 64 bits")]
    const fn reduced(numerator: u64, denominator: u64) -> Self {
        if numerator == denominator {
            return Self::ONE;
        }
        let divisor = greatest_common_divisor(numerator, denominator);
        let threshold = (((numerator as u128) << 64) / denominator as u128) as u64;
        Self { numerator: numerator / divisor, denominator: denominator / divisor, threshold }
    }

    /// Whether it happens, by a uniform 64-bit `draw`.
    #[inline]
    pub const fn hits(self, draw: u64) -> bool {
        draw < self.threshold || self.numerator == self.denominator
    }

    /// Whether it never happens.
    #[inline]
    pub const fn is_zero(self) -> bool {
        self.numerator == 0
    }

    /// The probability that it does not happen.
    pub const fn complement(self) -> Self {
        Self::reduced(self.denominator - self.numerator, self.denominator)
    }
}

const fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Reads a decimal from 0 to 1 with at most 18 decimals (`0`, `0.05`, `1.0`).
impl FromStr for Probability {
    type Err = ProbabilityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        if !is_digits(whole) || !is_digits(decimals) {
            return Err(ProbabilityError::NotADecimal { text: text.to_owned() });
        }
        if decimals.len() > DIGITS_MAX {
            return Err(ProbabilityError::TooManyDecimals { text: text.to_owned() });
        }
        let in_last_place = format!("{whole}{decimals:0<DIGITS_MAX$}");
        // What is too large for 64 bits is above 1 as well.
        let numerator = in_last_place.parse().unwrap_or(u64::MAX);
        Self::from_ratio(numerator, DECIMAL_ONE)
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The shortest exact decimal (`0.05`), or the ratio (`1/3`) where 18 decimals cannot say it.
impl fmt::Display for Probability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.numerator == self.denominator || self.numerator == 0 {
            return write!(f, "{}", self.numerator);
        }
        if !DECIMAL_ONE.is_multiple_of(self.denominator) {
            return write!(f, "{}/{}", self.numerator, self.denominator);
        }
        let decimals = format!("{:0DIGITS_MAX$}", self.numerator * (DECIMAL_ONE / self.denominator));
        write!(f, "0.{}", decimals.trim_end_matches('0'))
    }
}

impl Serialize for Probability {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Probability {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let read = match text.split_once('/') {
            Some((part, whole)) => Self::from_ratio_text(part, whole, &text),
            None => text.parse(),
        };
        read.map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<Probability, ProbabilityError> {
        text.parse()
    }

    #[test]
    fn decimals_are_read_exactly() {
        let cases =
            [("0", 0, 1), ("0.0", 0, 1), ("0.05", 1, 20), ("1", 1, 1), ("1.000", 1, 1), ("0.5", 1, 2)];
        for (text, numerator, denominator) in cases {
            assert_eq!(parse(text), Probability::from_ratio(numerator, denominator), "{text}");
        }
        let least = parse("0.000000000000000001").expect("18 decimals are allowed");
        assert!(!least.is_zero() && least.hits(17) && !least.hits(18), "10⁻¹⁸ is 18.4 of 2⁶⁴ draws");
    }

    #[test]
    fn what_is_no_probability_is_refused_with_the_reason() {
        for text in ["", "5%", "-0.1", "+0.5", ".5", "1.", "0,5", "1e-3", "0.5 ", "half"] {
            assert_eq!(parse(text), Err(ProbabilityError::NotADecimal { text: text.to_owned() }));
        }
        for text in ["1.000000000000000001", "2", "99999999999999999999999"] {
            assert!(matches!(parse(text), Err(ProbabilityError::AboveOne { .. })), "{text}");
        }
        assert!(matches!(parse("0.0000000000000000001"), Err(ProbabilityError::TooManyDecimals { .. })));
        assert_eq!(Probability::from_ratio(3, 0), Err(ProbabilityError::ZeroDenominator { numerator: 3 }));
        let message = parse("5%").expect_err("percentages are refused").to_string();
        assert!(message.contains("decimals from 0 to 1"), "{message}");
    }

    #[test]
    fn zero_never_hits_and_one_always_does() {
        for draw in [0, 1, u64::MAX / 2, u64::MAX - 1, u64::MAX] {
            assert!(!Probability::ZERO.hits(draw) && Probability::ONE.hits(draw), "draw {draw}");
        }
    }

    #[test]
    fn nothing_else_is_certain() {
        let almost_never = Probability::from_ratio(1, u64::MAX).expect("below 1");
        let almost_always = almost_never.complement();
        assert!(almost_never.hits(0) && !almost_never.hits(1));
        assert!(almost_always.hits(0) && !almost_always.hits(u64::MAX));
    }

    #[test]
    fn a_ratio_that_no_decimal_says_prints_as_a_ratio() {
        assert_eq!(Probability::from_ratio(2, 6).expect("below 1").to_string(), "1/3");
    }

    #[test]
    fn what_stands_in_a_file_and_is_no_probability_is_refused() {
        for text in ["2", "3/2", "1/0", "1/", "/3", "+1/3", "half", "1/99999999999999999999"] {
            let error = serde_json::from_value::<Probability>(text.into()).expect_err(text);
            assert!(error.to_string().contains("probability"), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn every_ratio_is_read_back_from_ron_and_json(part: u64, whole in 1..=u64::MAX) {
            let probability = Probability::from_ratio(part.min(whole), whole).expect("at most 1");
            let ron = ron::to_string(&probability).expect("it is a text");
            prop_assert_eq!(ron::from_str(&ron), Ok(probability));
            let json = serde_json::to_string(&probability).expect("it is a text");
            prop_assert_eq!(serde_json::from_str::<Probability>(&json).ok(), Some(probability));
        }

        #[test]
        fn decimals_print_back_and_complements_cancel(last_place in 0..=DECIMAL_ONE) {
            let probability = Probability::from_ratio(last_place, DECIMAL_ONE).expect("at most 1");
            prop_assert_eq!(parse(&probability.to_string()), Ok(probability));
            prop_assert_eq!(probability.complement().complement(), probability);
        }

        #[test]
        fn either_it_or_its_complement_hits_most_draws(part in 0..=1_000_u64, draw: u64) {
            let probability = Probability::from_ratio(part, 1_000).expect("at most 1");
            // The complement counts from the other end of the draws.
            let other = probability.complement().hits(!draw);
            let at_the_edge = draw.abs_diff(probability.threshold) <= 1;
            prop_assert!(probability.hits(draw) != other || at_the_edge);
        }
    }
}
