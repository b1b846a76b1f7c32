//! Counters: each replica counts for itself, and the value is the sum.

use std::collections::BTreeMap;

use serde::Serialize;
use sim_core::NodeId;

use super::Join;

/// A counter that grows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GCounter {
    /// What each replica has added, in all; none that has added nothing.
    counts: BTreeMap<NodeId, u64>,
}

impl GCounter {
    /// The delta with which `replica` adds `amount`; nothing for 0.
    #[must_use]
    pub fn add(&self, replica: NodeId, amount: u64) -> Self {
        let count = self.of(replica).saturating_add(amount);
        Self { counts: (amount > 0).then_some((replica, count)).into_iter().collect() }
    }

    /// What `replica` has added.
    pub fn of(&self, replica: NodeId) -> u64 {
        self.counts.get(&replica).copied().unwrap_or_default()
    }

    /// The sum; it wraps around.
    pub fn value(&self) -> u64 {
        self.counts.values().fold(0, |sum, count| sum.wrapping_add(*count))
    }

    /// What each replica has added.
    pub fn counts(&self) -> impl ExactSizeIterator<Item = (NodeId, u64)> {
        self.counts.iter().map(|(replica, count)| (*replica, *count))
    }

    /// Joins as a mutant does: what both have counts twice.
    pub(in super::super) fn join_by_sum(&mut self, other: &Self) {
        for (replica, count) in other.counts() {
            let sum = self.of(replica).saturating_add(count);
            self.counts.insert(replica, sum);
        }
    }
}

impl Join for GCounter {
    fn join(&mut self, other: &Self) {
        for (replica, count) in other.counts() {
            let own = self.counts.entry(replica).or_default();
            *own = count.max(*own);
        }
    }

    fn covers(&self, other: &Self) -> bool {
        other.counts().all(|(replica, count)| self.of(replica) >= count)
    }
}

/// A counter that grows and falls: two that grow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PnCounter {
    /// What was added.
    pub up: GCounter,
    /// What was taken away.
    pub down: GCounter,
}

impl PnCounter {
    /// The delta with which `replica` adds `amount`, or takes it away where it is below zero.
    #[must_use]
    pub fn add(&self, replica: NodeId, amount: i64) -> Self {
        let size = amount.unsigned_abs();
        if amount < 0 {
            Self { down: self.down.add(replica, size), ..Self::default() }
        } else {
            Self { up: self.up.add(replica, size), ..Self::default() }
        }
    }

    /// The sum; it wraps around.
    pub fn value(&self) -> i64 {
        self.up.value().wrapping_sub(self.down.value()).cast_signed()
    }
}

impl Join for PnCounter {
    fn join(&mut self, other: &Self) {
        self.up.join(&other.up);
        self.down.join(&other.down);
    }

    fn covers(&self, other: &Self) -> bool {
        self.up.covers(&other.up) && self.down.covers(&other.down)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::laws::{Step, joined, run, steps};
    use super::*;

    proptest! {
        #[test]
        fn the_value_is_the_sum_of_all_that_was_added(steps in steps(-5_i64..6)) {
            let (states, _) = run::<PnCounter, i64>(&steps, |state, replica, by| state.add(replica, *by));
            let whole = states.iter().fold(PnCounter::default(), |whole, state| joined(&whole, state));
            let added = steps.iter().filter_map(|step| match step {
                Step::Change(_, by) => Some(*by),
                Step::Take { .. } => None,
            });
            prop_assert_eq!(whole.value(), added.sum::<i64>());
        }
    }

    #[test]
    fn a_counter_that_was_joined_twice_counts_once() {
        let one = GCounter::default().add(NodeId::new(0), 5);
        let mut other = one.clone();
        other.join(&one);
        assert_eq!(other.value(), 5);
        other.join_by_sum(&one);
        assert_eq!(other.value(), 10, "which is what the mutant is about");
    }
}
