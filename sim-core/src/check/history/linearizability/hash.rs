//! The numbers that sets and states are hashed with. Fixed, so that a search takes the same way on every machine.

/// Odd constants with well-spread bits, from the fractional parts of square roots.
const FIRST: u64 = 0x9E37_79B9_7F4A_7C15;
const SECOND: u64 = 0xBB67_AE85_84CA_A73B;

/// 128 well-mixed bits for a word. A set of words is hashed to the exclusive or of theirs, as Zobrist hashed the
/// pieces on a board: putting one in or taking it out costs one operation.
#[inline]
pub(in crate::check::history) const fn spread(word: u64) -> u128 {
    (finish(word ^ FIRST) as u128) << 64 | finish(word.wrapping_mul(SECOND) ^ SECOND) as u128
}

/// The hash of an operation in a set of operations: other bits than those of a value with the same number, so that
/// an operation and a part of a state never cancel out.
#[inline]
pub(in crate::check::history) const fn spread_call(index: u32) -> u128 {
    spread(index as u64).rotate_left(23)
}

/// 128 well-mixed bits for two words in this order.
#[inline]
pub(in crate::check::history) const fn spread_pair(first: u64, second: u64) -> u128 {
    spread(first.wrapping_add(1)).rotate_left(41) ^ spread(second)
}

/// The finisher of `SplitMix64` (Steele, Lea, Flood, 2014).
#[inline]
const fn finish(word: u64) -> u64 {
    let word = word.wrapping_add(FIRST);
    let word = (word ^ word >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ word >> 31
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn words_and_pairs_have_hashes_of_their_own() {
        let words: BTreeSet<u128> = (0..1_000).map(spread).collect();
        assert_eq!(words.len(), 1_000);
        let pairs: BTreeSet<u128> =
            (0..50).flat_map(|first| (0..50).map(move |second| spread_pair(first, second))).collect();
        assert_eq!(pairs.len(), 2_500);
    }

    #[test]
    fn a_bit_flips_about_half_of_them() {
        for bit in 0..64 {
            let flipped = (spread(0x77) ^ spread(0x77 ^ 1 << bit)).count_ones();
            assert!((32..=96).contains(&flipped), "bit {bit}: {flipped}");
        }
    }
}
