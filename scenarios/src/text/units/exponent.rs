//! Exponents: decimals with up to three places.

use std::fmt;
use std::str::FromStr;

use super::UnitError;
use super::decimal::{Decimal, exact_text};
use super::text_form::text_form;

const ALLOWED: &str = "a decimal from 0 to 10 with at most 3 places";
const THOUSAND: u32 = 1_000;

/// An exponent from 0 to 10, exact to a thousandth: `1`, `0.99`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exponent(u32);

impl Exponent {
    /// The exponent in thousandths.
    pub const fn thousandths(self) -> u32 {
        self.0
    }
}

/// One.
impl Default for Exponent {
    fn default() -> Self {
        Self(THOUSAND)
    }
}

impl FromStr for Exponent {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let wrong = || UnitError::new(format!("`{text}` is not an exponent"), ALLOWED, "1.2");
        let decimal = Decimal::parse(text).ok_or_else(wrong)?;
        let thousandths = decimal.times_exact(THOUSAND.into()).and_then(|all| u32::try_from(all).ok());
        thousandths.filter(|all| *all <= 10 * THOUSAND).map(Self).ok_or_else(wrong)
    }
}

impl fmt::Display for Exponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = exact_text(self.0.into(), THOUSAND.into());
        f.write_str(&text.expect("thousandths are decimals"))
    }
}

text_form!(Exponent, "an exponent from 0 to 10", r"^\d+(\.\d+)?$", ["1", "0.99"]);
