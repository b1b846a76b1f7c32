//! How many are enough.
//!
//! Any two majorities of the same nodes have a node in common. All that consensus decides rests on that.

/// How many of `count` are a majority: the least number that is more than half.
pub const fn majority(count: usize) -> usize {
    count / 2 + 1
}

/// The largest value that at least `quorum` of `values` reach. Counts for each how many reach it: for the few members of a
/// cluster that is faster than to sort them, because no step depends on how an earlier comparison went.
///
/// # Panics
/// If the quorum is 0 or more than all.
#[inline]
pub fn quorum_value<T: Ord + Copy>(values: &[T], quorum: usize) -> T {
    assert!((1..=values.len()).contains(&quorum), "a quorum of {quorum} among {}", values.len());
    let is_reached = |value: &T| values.iter().filter(|other| *other >= value).count() >= quorum;
    values.iter().copied().filter(is_reached).max().expect("all reach the least")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_quorum_value_is_the_largest_that_a_majority_reaches(values in prop::collection::vec(0_u64..20, 1..9)) {
            let quorum = majority(values.len());
            let reached = |value: u64| values.iter().filter(|other| **other >= value).count() >= quorum;
            let expected = (0..20).rev().find(|value| reached(*value)).expect("all values reach 0");
            prop_assert_eq!(quorum_value(&values, quorum), expected);
        }

        #[test]
        fn two_majorities_always_meet(count in 1_usize..100) {
            prop_assert!(2 * majority(count) > count);
            prop_assert!(2 * (majority(count) - 1) <= count, "and no smaller number would do");
        }
    }
}
