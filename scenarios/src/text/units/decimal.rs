//! Exact decimal numbers with an optional unit: what all quantities are read from and printed with.

use std::fmt;

use super::UnitError;

/// More decimals than this are refused: no quantity here resolves finer, and 10¹⁸ fits a `u64`.
const DECIMALS_MAX: u32 = 18;

/// `digits / 10^scale`, not negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    digits: u64,
    scale: u32,
}

impl Decimal {
    /// `whole.fraction`, both optional digits but not both missing. `None` for anything else, and beyond 64 bits.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let fraction = fraction.trim_end_matches('0');
        let scale = u32::try_from(fraction.len()).ok().filter(|scale| *scale <= DECIMALS_MAX)?;
        let digits = format!("{whole}{fraction}").parse().ok()?;
        Some(Self { digits, scale })
    }

    /// This number times `factor`, where that is a whole number of 64 bits.
    pub(super) fn times_exact(self, factor: u64) -> Option<u64> {
        let product = u128::from(self.digits) * u128::from(factor);
        let divisor = 10_u128.pow(self.scale);
        if product.is_multiple_of(divisor) { u64::try_from(product / divisor).ok() } else { None }
    }

    /// This number as numerator and denominator, in lowest terms.
    pub(super) fn ratio(self) -> (u64, u64) {
        reduce(u128::from(self.digits), 10_u128.pow(self.scale))
            .expect("digits and a power of ten up to 10^18 fit 64 bits")
    }
}

/// `numerator / denominator` in lowest terms, where both then fit 64 bits.
pub(super) fn reduce(numerator: u128, denominator: u128) -> Option<(u64, u64)> {
    assert!(denominator > 0, "a ratio has a positive denominator");
    let divisor = greatest_common_divisor(numerator, denominator);
    Some((u64::try_from(numerator / divisor).ok()?, u64::try_from(denominator / divisor).ok()?))
}

fn greatest_common_divisor(mut left: u128, mut right: u128) -> u128 {
    while right != 0 {
        (left, right) = (right, left % right);
    }
    left
}

/// The exact decimal text of `numerator / denominator`, where that has at most 18 decimals.
pub(super) fn exact_text(numerator: u128, denominator: u128) -> Option<String> {
    let (whole, mut rest) = (numerator / denominator, numerator % denominator);
    let mut text = whole.to_string();
    for decimal in 0..=DECIMALS_MAX {
        if rest == 0 {
            return Some(text);
        }
        if decimal == 0 {
            text.push('.');
        }
        rest *= 10;
        text.push_str(&(rest / denominator).to_string());
        rest %= denominator;
    }
    None
}

/// A unit's name and its size in the smallest one.
pub(super) type Unit = (&'static str, u64);

/// A kind of quantity: its words for errors and its units, the one to suggest first.
pub(super) struct Quantity {
    /// With its article: `a duration`.
    pub(super) what: &'static str,
    /// The `allowed` part of errors.
    pub(super) allowed: &'static str,
    /// All units; the first is suggested where nothing better is known.
    pub(super) units: &'static [Unit],
}

impl Quantity {
    /// `text`, a decimal directly followed by a unit, in smallest units.
    pub(super) fn parse(&self, text: &str) -> Result<u64, UnitError> {
        let (decimal, unit) = self.split(text)?;
        decimal.times_exact(unit.1).ok_or_else(|| {
            let problem = format!("`{text}` is too large, or finer than {} resolves", self.what);
            self.error(problem, self.example())
        })
    }

    /// The number and the unit of `text`.
    pub(super) fn split(&self, text: &str) -> Result<(Decimal, Unit), UnitError> {
        let start = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, name) = text.split_at(start);
        let Some(decimal) = Decimal::parse(number) else {
            return Err(self.error(format!("`{text}` is not {}", self.what), self.example()));
        };
        match self.units.iter().find(|unit| unit.0 == name) {
            Some(unit) => Ok((decimal, *unit)),
            None => Err(self.unit_error(text, number, name)),
        }
    }

    fn unit_error(&self, text: &str, number: &str, name: &str) -> UnitError {
        let problem = if name.is_empty() {
            format!("`{text}` has no unit")
        } else {
            format!("`{text}` has the unknown unit `{name}`")
        };
        self.error(problem, format!("{number}{}", self.nearest_unit(name)))
    }

    /// The unit with the longest common beginning, whatever the case, then the shortest: `sec` is `s`, `kb` is `KiB`.
    fn nearest_unit(&self, name: &str) -> &'static str {
        let name = name.replace(['µ', 'μ'], "u").to_lowercase();
        let common = |unit: &str| {
            unit.to_lowercase().chars().zip(name.chars()).take_while(|(left, right)| left == right).count()
        };
        let mut nearest = self.units[0].0;
        for (unit, _) in self.units.iter().filter(|unit| common(unit.0) > 0) {
            let (here, best) = (common(unit), common(nearest));
            if here > best || (here == best && unit.len() < nearest.len()) {
                nearest = unit;
            }
        }
        nearest
    }

    /// An error about this kind of quantity.
    pub(super) fn error(&self, problem: String, instead: impl AsRef<str>) -> UnitError {
        UnitError::new(problem, self.allowed, instead.as_ref())
    }

    fn example(&self) -> String {
        format!("10{}", self.units[0].0)
    }
}

/// Writes `amount` in the largest of `units` that divides it, the smallest standing last.
pub(super) fn write_in_largest(f: &mut fmt::Formatter<'_>, amount: u64, units: &[Unit]) -> fmt::Result {
    let fits = |unit: &&Unit| amount != 0 && amount.is_multiple_of(unit.1);
    let (name, size) = units.iter().find(fits).or(units.last()).expect("a quantity has units");
    write!(f, "{}{name}", amount / size)
}
