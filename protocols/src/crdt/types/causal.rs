//! Types whose removals affect only what they have seen: values named by dots, and the context of all dots that were seen.
//!
//! A dot that is in the context and has no value was removed or overwritten; one that is not in the context is news.
//! So nothing needs to be kept of what was removed, but that it was seen: a number a replica, mostly.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use sim_core::NodeId;
use sim_core::service::Key;

use super::{Dot, Join};

/// The dots that were seen: all of each replica up to a number, and some beyond, between which others are missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Context {
    vector: BTreeMap<NodeId, u64>,
    cloud: BTreeSet<Dot>,
}

impl Context {
    /// Whether it was seen.
    pub fn contains(&self, dot: Dot) -> bool {
        self.up_to(dot.replica) >= dot.count || self.cloud.contains(&dot)
    }

    /// Up to which number all dots of `replica` were seen.
    pub fn up_to(&self, replica: NodeId) -> u64 {
        self.vector.get(&replica).copied().unwrap_or_default()
    }

    /// The next dot of `replica`, where it is the replica's own context: it has seen all of them.
    pub fn next(&self, replica: NodeId) -> Dot {
        Dot { count: self.up_to(replica) + 1, replica }
    }

    /// All that were seen.
    pub fn dots(&self) -> impl Iterator<Item = Dot> {
        let without_gap = |(replica, up_to): (&NodeId, &u64)| {
            let replica = *replica;
            (1..=*up_to).map(move |count| Dot { count, replica })
        };
        self.vector.iter().flat_map(without_gap).chain(self.cloud.iter().copied())
    }

    /// A dot was seen.
    pub fn insert(&mut self, dot: Dot) {
        if !self.contains(dot) {
            self.cloud.insert(dot);
            self.compact();
        }
    }

    /// How many numbers it takes.
    pub fn len(&self) -> usize {
        self.vector.len() + self.cloud.len()
    }

    /// Whether nothing was seen.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Moves into the vector what has no gap before it. The cloud is in order of count, so once over it is enough.
    fn compact(&mut self) {
        let vector = &mut self.vector;
        self.cloud.retain(|dot| {
            let up_to = vector.get(&dot.replica).copied().unwrap_or_default();
            if dot.count == up_to + 1 {
                vector.insert(dot.replica, dot.count);
            }
            dot.count > up_to + 1
        });
    }

    /// Forgets all replicas but the first few, as a mutant does.
    pub(in super::super) fn truncate(&mut self, replicas: usize) {
        while self.vector.len() > replicas {
            self.vector.pop_last();
        }
    }
}

impl Join for Context {
    fn join(&mut self, other: &Self) {
        for (replica, up_to) in &other.vector {
            let own = self.vector.entry(*replica).or_default();
            *own = (*up_to).max(*own);
        }
        self.cloud.extend(other.cloud.iter().copied());
        self.compact();
    }
}

/// Values under keys, each named by the dot at which it was put there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Causal<K: Ord, V> {
    values: BTreeMap<K, BTreeMap<Dot, V>>,
    context: Context,
}

/// A set in which adding wins over removing at the same time: the removal has not seen the dot.
pub type OrSet<T> = Causal<T, ()>;
/// A register that holds all values of which none had seen another.
pub type MvRegister<V> = Causal<(), V>;
/// Multi-value registers under keys; putting wins over removing at the same time.
pub type OrMap<V> = Causal<Key, V>;

impl<K: Ord, V> Default for Causal<K, V> {
    fn default() -> Self {
        Self { values: BTreeMap::new(), context: Context::default() }
    }
}

impl<K: Ord + Clone, V: Clone> Causal<K, V> {
    /// The delta with which `replica` puts a value under a key, in place of all that it has seen there.
    #[must_use]
    pub fn put(&self, replica: NodeId, key: K, value: V) -> Self {
        let dot = self.context.next(replica);
        let mut context = self.seen_under(&key);
        context.insert(dot);
        Self { values: BTreeMap::from([(key, BTreeMap::from([(dot, value)]))]), context }
    }

    /// The delta that removes all that was seen under a key.
    #[must_use]
    pub fn remove(&self, key: &K) -> Self {
        Self { values: BTreeMap::new(), context: self.seen_under(key) }
    }

    /// The delta that removes what is under a key, and the next that each replica puts anywhere, as a mutant does.
    pub(in super::super) fn remove_unseen(&self, key: &K) -> Self {
        let mut delta = self.remove(key);
        for replica in self.context.vector.keys() {
            delta.context.insert(self.context.next(*replica));
        }
        delta
    }

    /// Takes away what is under a key, and says so to nobody, as a mutant does.
    pub(in super::super) fn forget(&mut self, key: &K) {
        self.values.remove(key);
    }

    fn seen_under(&self, key: &K) -> Context {
        let mut context = Context::default();
        for (dot, _) in self.under(key) {
            context.insert(dot);
        }
        context
    }

    /// What is under a key, by dot: several values where they were put there at the same time.
    pub fn under(&self, key: &K) -> impl Iterator<Item = (Dot, &V)> {
        self.values.get(key).into_iter().flatten().map(|(dot, value)| (*dot, value))
    }

    /// The keys that have values, in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &K> {
        self.values.keys()
    }

    /// All values with their keys and dots.
    pub fn values(&self) -> impl Iterator<Item = (&K, Dot, &V)> {
        self.values.iter().flat_map(|(key, values)| values.iter().map(move |(dot, value)| (key, *dot, value)))
    }

    /// The dots that were seen.
    pub const fn context(&self) -> &Context {
        &self.context
    }

    /// The same, to change.
    pub(in super::super) const fn context_mut(&mut self) -> &mut Context {
        &mut self.context
    }
}

impl<K: Ord + Clone, V: Clone + PartialEq> Join for Causal<K, V> {
    fn join(&mut self, other: &Self) {
        // What the other has seen and does not have any more goes.
        self.values.retain(|key, values| {
            let others = other.values.get(key);
            let stays = |dot: &Dot| {
                others.is_some_and(|others| others.contains_key(dot)) || !other.context.contains(*dot)
            };
            values.retain(|dot, _| stays(dot));
            !values.is_empty()
        });
        // What the other has and was not seen here comes.
        for (key, dot, value) in other.values() {
            if !self.context.contains(dot) {
                self.values.entry(key.clone()).or_default().insert(dot, value.clone());
            }
        }
        self.context.join(&other.context);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use sim_core::service::Value;

    use super::super::laws::{Step, steps};
    use super::*;

    const N1: NodeId = NodeId::new(0);
    const N2: NodeId = NodeId::new(1);

    fn elements(set: &OrSet<Value>) -> Vec<Value> {
        set.keys().copied().collect()
    }

    #[test]
    fn adding_wins_over_removing_at_the_same_time() {
        let mut one = OrSet::default();
        one.join(&one.put(N1, 7, ()));
        let mut other = one.clone();
        one.join(&one.remove(&7));
        other.join(&other.put(N2, 7, ()));
        assert_eq!((elements(&one), elements(&other)), (vec![], vec![7]));
        one.join(&other);
        other.join(&one);
        assert_eq!((elements(&one), elements(&other)), (vec![7], vec![7]));
        one.join(&one.remove(&7));
        other.join(&one);
        assert_eq!(elements(&other), [], "this one has seen both");
    }

    #[test]
    fn a_register_keeps_what_was_written_at_the_same_time_until_somebody_who_has_seen_it_writes() {
        let (mut one, mut other) = (MvRegister::default(), MvRegister::default());
        one.join(&one.put(N1, (), 7));
        other.join(&other.put(N2, (), 8));
        one.join(&other);
        assert_eq!(one.under(&()).map(|(_, value)| *value).collect::<Vec<_>>(), [7, 8]);
        one.join(&one.put(N1, (), 9));
        other.join(&one);
        assert_eq!(other.under(&()).map(|(_, value)| *value).collect::<Vec<_>>(), [9]);
    }

    #[test]
    fn a_context_without_gaps_is_a_number_a_replica() {
        let dot = |count, replica| Dot { count, replica };
        let mut context = Context::default();
        for seen in [dot(3, N1), dot(2, N1), dot(1, N2)] {
            context.insert(seen);
        }
        assert_eq!((context.len(), context.up_to(N1), context.up_to(N2)), (3, 0, 1));
        assert!(context.contains(dot(3, N1)) && !context.contains(dot(1, N1)));
        context.insert(dot(1, N1));
        assert_eq!((context.len(), context.up_to(N1)), (2, 3));
    }

    /// The set as a log of what was done: an element is in if one of its additions was removed by nobody who is known.
    #[derive(Clone, Default)]
    struct Log {
        added: BTreeSet<(Value, usize)>,
        removed: BTreeSet<usize>,
    }

    proptest! {
        #[test]
        fn a_set_is_what_its_log_says(steps in steps((0_u64..4, any::<bool>()))) {
            let (mut sets, mut logs) = (vec![OrSet::<Value>::default(); 3], vec![Log::default(); 3]);
            for (name, step) in steps.iter().enumerate() {
                match step {
                    Step::Change(replica, (value, adds)) => {
                        let (set, log) = (&mut sets[*replica as usize], &mut logs[*replica as usize]);
                        // Adding what is there replaces the dots that were seen, as removing takes them.
                        log.removed.extend(log.added.iter().filter(|(one, _)| one == value).map(|(_, name)| *name));
                        if *adds {
                            log.added.insert((*value, name));
                            set.join(&set.put(NodeId::new(*replica), *value, ()));
                        } else {
                            set.join(&set.remove(value));
                        }
                    }
                    Step::Take { by, from } => {
                        let (set, log) = (sets[*from as usize].clone(), logs[*from as usize].clone());
                        sets[*by as usize].join(&set);
                        logs[*by as usize].added.extend(log.added);
                        logs[*by as usize].removed.extend(log.removed);
                    }
                }
            }
            for (set, log) in sets.iter().zip(&logs) {
                let stays = log.added.iter().filter(|(_, name)| !log.removed.contains(name));
                let expected: BTreeSet<Value> = stays.map(|(value, _)| *value).collect();
                prop_assert_eq!(elements(set), expected.into_iter().collect::<Vec<_>>());
            }
        }
    }
}
