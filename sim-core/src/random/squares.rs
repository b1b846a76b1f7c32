//! The counter-based generator `Squares`, with five rounds and 64 bits of output.
//!
//! Source: Bernard Widynski, "Squares: A Fast Counter-Based RNG", arXiv:2004.06278v7, 2022.

use super::Key;

/// The `counter`-th number of the sequence that `key` selects. Five rounds of squaring, adding and swapping
/// halves; every counter is good, 0 included.
#[expect(clippy::inline_always, reason = "a dozen instructions, called once or more for each message")]
#[inline(always)]
pub const fn squares64(counter: u64, key: Key) -> u64 {
    let y = counter.wrapping_mul(key.raw());
    let z = y.wrapping_add(key.raw());
    let first = square_add(y, y).rotate_left(32);
    let second = square_add(first, z).rotate_left(32);
    let third = square_add(second, y).rotate_left(32);
    let fourth = square_add(third, z);
    fourth ^ square_add(fourth.rotate_left(32), y) >> 32
}

#[expect(clippy::inline_always, reason = "part of `squares64`")]
#[inline(always)]
const fn square_add(x: u64, weyl: u64) -> u64 {
    x.wrapping_mul(x).wrapping_add(weyl)
}

#[cfg(test)]
mod tests {
    use super::super::{KeySource, Purpose};
    use super::*;

    /// Computed with a separate program from the listing in the paper, with a key from its author's list.
    #[test]
    fn numbers_are_those_of_the_paper() {
        let cases: [(u64, u64); 7] = [
            (0, 0x0285_0902_c94f_51f6),
            (1, 0xf442_1dfd_78e2_aefe),
            (2, 0x242e_17e3_b700_b8b4),
            (1_000, 0x19d0_6510_2d28_3253),
            (1 << 32, 0xf1cd_3bc9_6c15_dda9),
            ((1 << 63) + 12_345, 0x370c_8d93_713e_4daf),
            (u64::MAX, 0xe724_4603_fe30_fad7),
        ];
        let key = Key::from_raw(0xfbe3_c695_413b_867f);
        for (counter, expected) in cases {
            assert_eq!(squares64(counter, key), expected, "counter {counter}");
        }
    }

    /// Mean and six standard deviations of the number of ones in `bits` fair bits.
    fn ones_range(bits: u32) -> std::ops::RangeInclusive<u32> {
        let (mean, six_deviations) = (bits / 2, 3 * bits.isqrt());
        mean - six_deviations..=mean + six_deviations
    }

    fn test_key() -> Key {
        KeySource::new(5).key(Purpose::Test, 0, 0)
    }

    #[test]
    fn every_bit_is_balanced() {
        const DRAWS: u32 = 10_000;
        for bit in 0..64 {
            let ones = (0..u64::from(DRAWS)).map(|counter| squares64(counter, test_key()) >> bit & 1);
            let ones = u32::try_from(ones.sum::<u64>()).expect("at most one a draw");
            assert!(ones_range(DRAWS).contains(&ones), "bit {bit} is set in {ones} of {DRAWS} draws");
        }
    }

    #[test]
    fn neighbouring_counters_differ_in_half_of_all_bits() {
        const PAIRS: u32 = 10_000;
        let differing: u32 = (0..u64::from(PAIRS))
            .map(|counter| squares64(counter, test_key()) ^ squares64(counter + 1, test_key()))
            .map(u64::count_ones)
            .sum();
        assert!(ones_range(64 * PAIRS).contains(&differing), "{differing} of {} bits differ", 64 * PAIRS);
    }

    #[test]
    fn neighbouring_keys_agree_in_no_pattern() {
        let source = KeySource::new(5);
        let differing: u32 = (0..10_000)
            .map(|who| (source.key(Purpose::Test, who, 0), source.key(Purpose::Test, who + 1, 0)))
            .map(|(left, right)| (squares64(9, left) ^ squares64(9, right)).count_ones())
            .sum();
        assert!(ones_range(640_000).contains(&differing), "{differing} of 640000 bits differ");
    }
}
