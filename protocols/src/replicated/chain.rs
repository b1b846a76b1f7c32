//! The fingerprint of a prefix.

use std::fmt;

use serde::Serialize;
use sim_core::fingerprint::fingerprint;

/// The fingerprint of a sequence up to and including one entry. Two sequences have equal chains at an index if and only
/// if (up to hash collisions, 2⁻⁶⁴) they are equal up to that index, so that comparing prefixes takes no scan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Chain(pub u64);

impl Chain {
    /// The chain of nothing.
    pub const EMPTY: Self = Self(0);

    /// The chain after one more entry.
    #[inline]
    pub fn extend<E: Serialize>(self, entry: &E) -> Self {
        Self(fingerprint(&(self.0, entry)))
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_tells_every_difference_in_its_prefix_apart() {
        let chain = |entries: &[u64]| entries.iter().fold(Chain::EMPTY, Chain::extend);
        let all = [
            chain(&[]),
            chain(&[1]),
            chain(&[2]),
            chain(&[1, 2]),
            chain(&[2, 1]),
            chain(&[0]),
            chain(&[0, 0]),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(!all[at + 1..].contains(one), "chain {at} is met twice in {all:?}");
        }
    }
}
