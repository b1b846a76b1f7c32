//! A quantile table that is as fine in the tails as it is in the middle.
//!
//! Each half of the draws is cut into octaves of the distance from its end, and each octave into 64 equal
//! pieces:
//!
//! ```text
//! probability beyond:  0 … 2⁻³³   2⁻³²      2⁻³¹   …   1/8        1/4                 1/2
//!                      cap |  64  |    64    |  …  |    64    |         64         |
//! ```
//!
//! So a piece is at most 1/64 of the probability beyond it, also at the 99.99th percentile, where a table of equal
//! pieces would need a hundred times the points. Finding the piece takes one count of leading zeros. Between two
//! points the value is interpolated linearly; beyond the last octave it stays at the cap.

use super::quantile::{Family, Tail};

/// Octaves in a half: tails from 2⁻³³ to ½.
const OCTAVES: usize = 32;
/// Pieces of an octave, as a power of two.
const PIECE_BITS: u32 = 6;
const PIECES: usize = 1 << PIECE_BITS;
/// Points of a half, with the one at ½.
const POINTS: usize = OCTAVES * PIECES + 1;

/// Both halves, as values in nanoseconds by ascending probability of what is beyond them. They meet in the
/// median: the lower half ascends to it, the upper half descends to it. 32 KiB, of which draws seldom touch more than 5.
#[derive(Debug, PartialEq)]
pub(super) struct Table {
    lower: Vec<u64>,
    upper: Vec<u64>,
}

impl Table {
    /// Evaluates the quantiles of `family`.
    pub(super) fn new(family: &Family) -> Self {
        let half = |side: fn(f64) -> Tail| -> Vec<u64> {
            (0..POINTS).map(|point| family.quantile(side(probability_at(point)))).collect()
        };
        Self { lower: half(Tail::Lower), upper: half(Tail::Upper) }
    }

    /// The quantile at `draw / 2⁶⁴`, in nanoseconds.
    #[inline]
    pub(super) fn sample(&self, draw: u64) -> u64 {
        let in_lower_half = draw >> 63 == 0;
        let (points, beyond) = if in_lower_half { (&self.lower, draw) } else { (&self.upper, !draw) };
        let (point, fraction) = locate(beyond);
        interpolate(points[point], points[point + 1], fraction)
    }

    /// What [`Table::sample`] gives in the table of `family`, by evaluating two of its four thousand points.
    pub(super) fn sample_once(family: &Family, draw: u64) -> u64 {
        let in_lower_half = draw >> 63 == 0;
        let side: fn(f64) -> Tail = if in_lower_half { Tail::Lower } else { Tail::Upper };
        let (point, fraction) = locate(if in_lower_half { draw } else { !draw });
        let [from, to] = [point, point + 1].map(|point| family.quantile(side(probability_at(point))));
        interpolate(from, to, fraction)
    }
}

/// The point before a tail of `beyond / 2⁶⁴` (below ½), and how far it is to the next one, in units of 2⁻³².
#[inline]
fn locate(beyond: u64) -> (usize, u64) {
    // Tails of less than 2⁻³³ count as that much: the cap.
    let beyond = beyond.max(1 << 31);
    let zeros = beyond.leading_zeros();
    let octave = OCTAVES - zeros as usize;
    let within_octave = beyond << zeros << 1;
    let piece = (within_octave >> (u64::BITS - PIECE_BITS)) as usize;
    (octave * PIECES + piece, within_octave << PIECE_BITS >> 32)
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "a weighted mean of two 64-bit values has 64 bits")]
fn interpolate(from: u64, to: u64, fraction: u64) -> u64 {
    let rest = (1 << 32) - fraction;
    ((u128::from(from) * u128::from(rest) + u128::from(to) * u128::from(fraction)) >> 32) as u64
}

/// The tail at a point. Exact: a small integer times a power of two.
#[expect(clippy::cast_precision_loss, reason = "at most 128 and 2³², both exact")]
fn probability_at(point: usize) -> f64 {
    let (octave, piece) = (point / PIECES, point % PIECES);
    let whole = (PIECES + piece) as f64 / PIECES as f64;
    whole * (1_u64 << octave) as f64 / (1_u64 << (OCTAVES + 1)) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_ascend_from_the_cap_to_the_median() {
        assert_eq!(probability_at(0).to_bits(), (1.0 / 8_589_934_592.0_f64).to_bits());
        assert_eq!(probability_at(POINTS - 1).to_bits(), 0.5_f64.to_bits());
        assert!((1..POINTS).all(|point| probability_at(point - 1) < probability_at(point)));
    }

    #[test]
    fn a_tail_lies_between_its_points() {
        for beyond in (31..63).flat_map(|bit| [1 << bit, (1 << bit) + 12_345, (2_u64 << bit) - 1]) {
            let (point, fraction) = locate(beyond);
            let tail = ratio(beyond);
            let (before, after) = (probability_at(point), probability_at(point + 1));
            assert!((before..=after).contains(&tail), "{tail} is not in {before}..={after}");
            assert!(fraction < 1 << 32, "fraction {fraction} of 2³²");
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "compared with a tolerance of a whole piece")]
    fn ratio(beyond: u64) -> f64 {
        beyond as f64 / 18_446_744_073_709_551_616.0
    }
}
