//! The lives of a node's memory.

use std::fmt;

use serde::Serialize;

/// Which life a node is in: another one whenever it has lost what was on its disk. To the others a node in a new life is
/// somebody new, who has promised and said nothing. All but the first are drawn at random, so that two are equal with a
/// chance of 2⁻³².
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Life(u32);

impl Life {
    /// That of a node which has lost nothing.
    pub const FIRST: Self = Self(0);

    /// Size on disk and on the wire in bytes.
    pub const SIZE: u64 = 4;

    /// A new one, from a uniform draw.
    pub fn drawn(draw: u64) -> Self {
        let bits = u32::try_from(draw >> 32).expect("32 bits are left");
        Self(bits.max(1))
    }

    /// Whether nothing was ever lost. By reference, as serde asks whether to skip a field.
    pub const fn is_first(&self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_first() { f.write_str("first") } else { write!(f, "{:08x}", self.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawn_life_is_never_the_first() {
        for draw in [0, 1, u64::from(u32::MAX), u64::MAX] {
            assert!(!Life::drawn(draw).is_first(), "{draw}");
        }
        assert_eq!(
            (Life::FIRST.to_string(), Life::drawn(1 << 36).to_string()),
            ("first".into(), "00000010".into())
        );
    }
}
