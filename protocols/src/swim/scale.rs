//! What grows with the logarithm of the group, in integers: how long a suspicion stands, how often an update is passed on,
//! how seldom members sync.

use sim_core::Span;

/// Bits behind the point of [`log2`].
const FRACTION: u32 = 48;
/// log10(2) · 2⁶⁰.
const LOG10_OF_2: u128 = 347_063_955_532_709_820;
/// Makes up for what [`log2`] rounds off, a 2³⁰-th of a thousandth: only powers of ten have a logarithm that is a whole number of
/// thousandths.
const GUARD: u128 = 1 << (FRACTION + 60 - 30);

/// The logarithm to base 2 of `number`, above 0, in units of 2⁻⁴⁸, rounded down: the mantissa is squared once for each bit.
fn log2(number: u32) -> u64 {
    let whole = number.ilog2();
    let mut mantissa = u128::from(number) << (62 - whole);
    let mut result = u64::from(whole);
    for _ in 0..FRACTION {
        mantissa = (mantissa * mantissa) >> 62;
        let bit = u32::from(mantissa >= 1 << 63);
        mantissa >>= bit;
        result = result << 1 | u64::from(bit);
    }
    result
}

/// The logarithm to base 10 of `number`, above 0, in thousandths, rounded down.
pub(super) fn log10_thousandths(number: u32) -> u64 {
    let thousandths = (u128::from(log2(number)) * LOG10_OF_2 * 1_000 + GUARD) >> (FRACTION + 60);
    u64::try_from(thousandths).expect("the logarithm of a 32-bit number is below 10")
}

/// How often a member passes an update on in a group of so many: `mult` · ⌈log10(n + 1)⌉. That logarithm is the number of digits
/// of n.
pub(super) fn retransmit_limit(mult: u32, members: u32) -> u32 {
    mult.saturating_mul(members.checked_ilog10().map_or(0, |log| log + 1))
}

/// How long a suspicion stands at least: `mult` · max(1, log10 n) protocol periods.
pub(super) fn suspicion_min(mult: u32, members: u32, period: Span) -> Span {
    let thousandths = log10_thousandths(members.max(1)).max(1_000);
    let product = u128::from(period.as_nanos()) * u128::from(mult) * u128::from(thousandths) / 1_000;
    Span::nanos(u64::try_from(product).unwrap_or(u64::MAX))
}

/// How long a suspicion stands that so many others have `confirmed` of the `wanted` (LHA-Suspicion):
/// max − (max − min) · log(confirmed + 1) / log(wanted + 1), in whole milliseconds, and never below `min`.
pub(super) fn suspicion_left(min: Span, max: Span, confirmed: u32, wanted: u32) -> Span {
    if wanted == 0 {
        return min;
    }
    let width = u128::from(max.saturating_sub(min).as_nanos());
    let shrunk = width * u128::from(log2(confirmed + 1)) / u128::from(log2(wanted + 1));
    let left = max.saturating_sub(Span::nanos(u64::try_from(shrunk).unwrap_or(u64::MAX)));
    Span::millis(left.as_nanos() / 1_000_000).max(min)
}

/// By how much longer than usual members wait between two syncs in a group of so many: 1 up to 32, then one more each time
/// that it doubles.
pub(super) fn push_pull_scale(members: u32) -> u64 {
    if members <= 32 { 1 } else { u64::from((members - 1).ilog2() + 1 - 5 + 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::disallowed_methods,
        reason = "a test of integers against floats, which no run sees"
    )]
    fn logarithms_are_those_of_a_calculator() {
        for number in (1..200_000).chain([1_000_000, 10_000_000, u32::MAX]) {
            let expected = (f64::from(number).log10() * 1_000.0 + 1e-9).floor() as u64;
            assert_eq!(log10_thousandths(number), expected, "of {number}");
        }
    }

    #[test]
    fn an_update_is_passed_on_by_the_digits_of_the_group() {
        for (members, times) in [(0, 0), (1, 4), (9, 4), (10, 8), (99, 8), (100, 12), (10_000, 20)] {
            assert_eq!(retransmit_limit(4, members), times, "{members} members");
        }
    }

    #[test]
    fn suspicions_stand_as_memberlist_has_them() {
        let second = Span::secs(1);
        for (members, millis) in [(1, 4_000), (10, 4_000), (30, 5_908), (100, 8_000), (10_000, 16_000)] {
            assert_eq!(suspicion_min(4, members, second), Span::millis(millis), "{members} members");
        }
        let left = |confirmed| suspicion_left(Span::secs(2), Span::secs(30), confirmed, 3);
        let table = [(0, 30_000), (1, 16_000), (2, 7_810), (3, 2_000), (9, 2_000)];
        for (confirmed, millis) in table {
            assert_eq!(left(confirmed), Span::millis(millis), "{confirmed} confirmations");
        }
        assert_eq!(suspicion_left(Span::secs(2), Span::secs(30), 0, 0), Span::secs(2));
    }

    #[test]
    fn large_groups_sync_more_seldom() {
        let table = [(1, 1), (32, 1), (33, 2), (64, 2), (65, 3), (128, 3), (10_000, 10)];
        for (members, scale) in table {
            assert_eq!(push_pull_scale(members), scale, "{members} members");
        }
    }
}
