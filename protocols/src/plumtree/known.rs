//! What a node has received, and what it has only heard of.

use std::collections::BTreeMap;

use serde::Serialize;
use sim_core::NodeId;
use sim_core::persist::{AppendLog, PersistentMap};
use sim_core::service::Value;
use smallvec::SmallVec;

use super::message::Announcement;

/// A value that a node has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Held {
    /// How many hops it has made; 0 from a client.
    pub round: u32,
    /// Who sent it; `None`: a client.
    pub from: Option<NodeId>,
}

/// All values that a node has, with the order in which they came.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Known {
    held: PersistentMap<Value, Held>,
    order: AppendLog<Value>,
}

impl Known {
    pub(super) fn get(&self, value: Value) -> Option<&Held> {
        self.held.get(&value)
    }

    pub(super) fn insert(&mut self, value: Value, held: Held) {
        let before = self.held.insert(value, held);
        assert_eq!(before, None, "{value} is received once");
        self.order.push(value);
    }

    /// In order of value.
    pub(super) fn all(&self) -> impl Iterator<Item = (Value, Held)> {
        self.held.iter().map(|(value, held)| (*value, *held))
    }

    pub(super) const fn count(&self) -> u64 {
        self.order.len()
    }

    /// What to say of the values with these numbers, in the order in which they came.
    pub(super) fn announcements(&self, numbers: std::ops::Range<u64>) -> Vec<Announcement> {
        self.order.range(numbers).map(|value| self.announcement(*value)).collect()
    }

    /// # Panics
    /// If the value is not known.
    fn announcement(&self, value: Value) -> Announcement {
        let held = self.get(value).expect("what came in order is held");
        Announcement { value, round: held.round + 1 }
    }

    /// The values with these numbers, in the order in which they came.
    pub(super) fn values(&self, numbers: std::ops::Range<u64>) -> impl Iterator<Item = Value> {
        self.order.range(numbers).copied()
    }
}

/// Who has announced a value that has not come, with the hops that it would have made; the next to be asked first. Never
/// empty.
pub(super) type Announcers = SmallVec<[(NodeId, u32); 2]>;

/// What a node has heard of and not received.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Missing(#[serde(serialize_with = "in_order")] BTreeMap<Value, Announcers>);

fn in_order<S: serde::Serializer>(
    all: &BTreeMap<Value, Announcers>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(all.iter().map(|(value, announcers)| (value, announcers.as_slice())))
}

impl Missing {
    /// Takes note that `from` has a value; whether nobody had said so before.
    pub(super) fn add(&mut self, from: NodeId, what: Announcement) -> bool {
        let announcers = self.0.entry(what.value).or_default();
        let is_new = announcers.is_empty();
        if !announcers.iter().any(|(node, _)| *node == from) {
            announcers.push((from, what.round));
        }
        is_new
    }

    /// The next to be asked for a value. It has its turn again after all others.
    pub(super) fn next(&mut self, value: Value) -> Option<NodeId> {
        let announcers = self.0.get_mut(&value)?;
        announcers.rotate_left(1);
        announcers.last().map(|(node, _)| *node)
    }

    pub(super) fn remove(&mut self, value: Value) -> Option<Announcers> {
        self.0.remove(&value)
    }

    /// Forgets what one has announced; which values nobody else has.
    pub(super) fn forget(&mut self, node: NodeId) -> Vec<Value> {
        let mut orphans = Vec::new();
        self.0.retain(|value, announcers| {
            announcers.retain(|(announcer, _)| *announcer != node);
            if announcers.is_empty() {
                orphans.push(*value);
            }
            !announcers.is_empty()
        });
        orphans
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (Value, &Announcers)> {
        self.0.iter().map(|(value, announcers)| (*value, announcers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODES: [NodeId; 3] = [NodeId::new(0), NodeId::new(1), NodeId::new(2)];

    #[test]
    fn announcers_are_asked_in_turn_and_forgotten_with_their_link() {
        let mut missing = Missing::default();
        let what = Announcement { value: 7, round: 3 };
        assert!(missing.add(NODES[0], what));
        assert!(!missing.add(NODES[1], Announcement { round: 2, ..what }));
        assert!(!missing.add(NODES[0], what), "it is there once");
        let mut alone = Missing::default();
        assert!(alone.add(NODES[0], what) && !alone.add(NODES[0], what), "nor does it begin anew");
        let asked: Vec<_> = (0..3).filter_map(|_| missing.next(7)).collect();
        assert_eq!(asked, [NODES[0], NODES[1], NODES[0]]);
        assert_eq!(missing.forget(NODES[0]), []);
        assert_eq!(missing.forget(NODES[2]), []);
        assert_eq!(missing.forget(NODES[1]), [7], "nobody is left");
        assert_eq!(missing.next(7), None);
    }

    #[test]
    fn values_are_told_in_the_order_in_which_they_came() {
        let mut known = Known::default();
        for (value, round) in [(9, 0), (4, 2)] {
            known.insert(value, Held { round, from: None });
        }
        let told = [Announcement { value: 9, round: 1 }, Announcement { value: 4, round: 3 }];
        assert_eq!(known.announcements(0..5), told);
        assert_eq!(known.announcements(1..2), told[1..]);
        let values: Vec<Value> = known.all().map(|(value, _)| value).collect();
        assert_eq!(values, [4, 9]);
    }
}
