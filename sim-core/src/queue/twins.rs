//! A queue beside a sorted vector that does the same.

use proptest::prelude::*;

use super::{EventKey, EventQueue};
use crate::time::SimTime;

#[derive(Clone, Debug)]
pub(super) enum Step {
    Push(u8),
    Pop,
    Retain(u8),
    Fork,
    Clear,
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        30 => any::<u8>().prop_map(Step::Push),
        20 => Just(Step::Pop),
        1 => (2..5_u8).prop_map(Step::Retain),
        1 => Just(Step::Fork),
        1 => (0..10_u8).prop_map(|dice| if dice == 0 { Step::Clear } else { Step::Pop }),
    ]
}

/// A queue and its twin, a sorted vector.
#[derive(Default)]
pub(super) struct Twins<Q> {
    pub(super) queue: Q,
    pub(super) sorted: Vec<EventKey>,
    pushed: u32,
}

impl<Q: EventQueue> Twins<Q> {
    pub(super) fn push(&mut self, nanos: u64) {
        let key = EventKey::new(SimTime::from_nanos(nanos), u64::from(self.pushed), self.pushed);
        self.pushed += 1;
        self.queue.push(key);
        self.sorted.insert(self.sorted.partition_point(|other| *other < key), key);
    }

    pub(super) fn pop(&mut self) {
        let expected = if self.sorted.is_empty() { None } else { Some(self.sorted.remove(0)) };
        assert_eq!(self.queue.pop(), expected, "pop");
    }

    pub(super) fn apply(&mut self, step: &Step) {
        match step {
            Step::Push(nanos) => self.push(u64::from(*nanos)),
            Step::Pop => self.pop(),
            Step::Retain(modulus) => {
                self.queue.retain(|key| key.slot() % u32::from(*modulus) > 0);
                self.sorted.retain(|key| key.slot() % u32::from(*modulus) > 0);
            }
            Step::Fork => self.queue = self.queue.clone(),
            Step::Clear => {
                self.queue.clear();
                self.sorted.clear();
            }
        }
        assert_eq!(self.queue.peek(), self.sorted.first().copied(), "peek after {step:?}");
        assert_eq!(self.queue.len(), self.sorted.len(), "length after {step:?}");
        assert_eq!(self.queue.is_empty(), self.sorted.is_empty());
        let mut keys: Vec<_> = self.queue.keys().collect();
        keys.sort_unstable();
        assert_eq!(keys, self.sorted, "keys after {step:?}");
    }
}
