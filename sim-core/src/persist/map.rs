//! An ordered map that is cheap to clone.

use std::fmt;
use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap, Serializer};

/// Entries of a full leaf.
const LEAF_MAX: usize = 64;
/// Leaves of a full group.
const GROUP_MAX: usize = 128;

type Leaf<K, V> = Vec<(K, V)>;
type Group<K, V> = Vec<Branch<K, Leaf<K, V>>>;

/// A child and the smallest key it may hold. The first child of a list also takes what is smaller.
#[derive(Clone)]
struct Branch<K, C> {
    pivot: K,
    child: Arc<C>,
}

/// A map in key order whose clones share their leaves.
///
/// A B-tree of fixed depth: sorted leaves of at most 64 entries under groups of at most 128 leaves. A leaf that
/// is full splits in two, or stays full where the new key comes after all of it; one that empties is dropped; half-empty
/// neighbours are not merged, so the spine follows the largest size where removals are scattered.
#[derive(Clone)]
pub struct PersistentMap<K, V> {
    groups: Vec<Branch<K, Group<K, V>>>,
    len: u64,
}

impl<K, V> Default for PersistentMap<K, V> {
    fn default() -> Self {
        Self { groups: Vec::new(), len: 0 }
    }
}

impl<K, V> PersistentMap<K, V> {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of entries.
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is no entry.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// All entries in key order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let leaves = self.groups.iter().flat_map(|group| group.child.iter());
        leaves.flat_map(|leaf| leaf.child.iter()).map(|(key, value)| (key, value))
    }
}

impl<K: Ord + Clone, V: Clone> PersistentMap<K, V> {
    /// The value of `key`.
    #[inline]
    pub fn get(&self, key: &K) -> Option<&V> {
        let group = &self.groups.get(child_of(&self.groups, key))?.child;
        let leaf = &group[child_of(group, key)].child;
        let at = find(leaf, key).ok()?;
        Some(&leaf[at].1)
    }

    /// The entries from `key` on, in key order.
    pub fn iter_from(&self, key: K) -> impl Iterator<Item = (&K, &V)> {
        let groups = &self.groups[child_of(&self.groups, &key)..];
        let leaves_before = groups.first().map_or(0, |group| child_of(&group.child, &key));
        let leaves = groups.iter().flat_map(|group| group.child.iter()).skip(leaves_before);
        let entries = leaves.flat_map(|leaf| leaf.child.iter()).map(|(key, value)| (key, value));
        entries.skip_while(move |(other, _)| **other < key)
    }

    /// Whether `key` has a value.
    pub fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// The value of `key`, to change. Copies nothing where the key is absent.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let (group, leaf, at) = self.locate(key)?;
        let group = Arc::make_mut(&mut self.groups[group].child);
        let leaf = Arc::make_mut(&mut group[leaf].child);
        Some(&mut leaf[at].1)
    }

    /// Sets the value of `key` and returns the one it had.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        if self.groups.is_empty() {
            let leaf = Branch { pivot: key.clone(), child: Arc::default() };
            self.groups.push(Branch { pivot: key.clone(), child: Arc::new(vec![leaf]) });
        }
        let group_at = child_of(&self.groups, &key);
        let group = Arc::make_mut(&mut self.groups[group_at].child);
        let leaf_at = child_of(group, &key);
        let leaf = Arc::make_mut(&mut group[leaf_at].child);
        let at = match find(leaf, &key) {
            Ok(at) => return Some(std::mem::replace(&mut leaf[at].1, value)),
            Err(at) => at,
        };
        self.len += 1;
        let upper = put(leaf, at, (key, value), LEAF_MAX)?;
        let leaf = Branch { pivot: upper[0].0.clone(), child: Arc::new(upper) };
        let upper = put(group, leaf_at + 1, leaf, GROUP_MAX)?;
        self.groups.insert(group_at + 1, Branch { pivot: upper[0].pivot.clone(), child: Arc::new(upper) });
        None
    }

    /// Removes `key` and returns its value. Copies nothing where the key is absent.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let (group_at, leaf_at, at) = self.locate(key)?;
        let group = Arc::make_mut(&mut self.groups[group_at].child);
        let leaf = Arc::make_mut(&mut group[leaf_at].child);
        let (_, value) = leaf.remove(at);
        self.len -= 1;
        if leaf.is_empty() {
            group.remove(leaf_at);
        }
        if group.is_empty() {
            self.groups.remove(group_at);
        }
        Some(value)
    }

    /// Positions of group, leaf and entry of `key`.
    fn locate(&self, key: &K) -> Option<(usize, usize, usize)> {
        let group_at = child_of(&self.groups, key);
        let group = &self.groups.get(group_at)?.child;
        let leaf_at = child_of(group, key);
        let at = find(&group[leaf_at].child, key).ok()?;
        Some((group_at, leaf_at, at))
    }
}

/// Position of the child that holds `key`, if any does: the last whose pivot is not above it.
fn child_of<K: Ord, C>(branches: &[Branch<K, C>], key: &K) -> usize {
    branches.partition_point(|branch| branch.pivot <= *key).saturating_sub(1)
}

fn find<K: Ord, V>(leaf: &[(K, V)], key: &K) -> Result<usize, usize> {
    leaf.binary_search_by(|(other, _)| other.cmp(key))
}

/// Puts `item` at `at` of a list that has room for `max`. A full one keeps its lower half, and the upper one is returned: or
/// `item` alone where it comes last, so that keys that rise leave full lists behind.
fn put<T>(list: &mut Vec<T>, at: usize, item: T, max: usize) -> Option<Vec<T>> {
    if list.len() < max {
        list.insert(at, item);
        return None;
    }
    let half = max / 2;
    let mut upper = Vec::with_capacity(max);
    if at == max {
        upper.push(item);
        return Some(upper);
    }
    upper.extend(list.drain(half..));
    if at <= half {
        list.insert(at, item);
    } else {
        upper.insert(at - half, item);
    }
    Some(upper)
}

impl<K: Ord + Clone, V: Clone> Extend<(K, V)> for PersistentMap<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl<K: Ord + Clone, V: Clone> FromIterator<(K, V)> for PersistentMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::new();
        map.extend(entries);
        map
    }
}

/// Equal when the entries are, however they came about.
impl<K: Serialize, V: Serialize> Serialize for PersistentMap<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(usize::try_from(self.len()).ok())?;
        for (key, value) in self.iter() {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<K: PartialEq, V: PartialEq> PartialEq for PersistentMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl<K: Eq, V: Eq> Eq for PersistentMap<K, V> {}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for PersistentMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u16, u32),
        /// Inserts this many keys from the given one on.
        InsertRun(u16, u16),
        Remove(u16),
        RemoveRun(u16, u16),
        Change(u16),
        Fork,
    }

    fn step() -> impl Strategy<Value = Step> {
        let key = 0_u16..20_000;
        prop_oneof![
            4 => (key.clone(), any::<u32>()).prop_map(|(key, value)| Step::Insert(key, value)),
            3 => (key.clone(), 0_u16..6_000).prop_map(|(key, count)| Step::InsertRun(key, count)),
            3 => key.clone().prop_map(Step::Remove),
            1 => (key.clone(), 0_u16..6_000).prop_map(|(key, count)| Step::RemoveRun(key, count)),
            2 => key.prop_map(Step::Change),
            1 => Just(Step::Fork),
        ]
    }

    fn take(step: &Step, map: &mut PersistentMap<u16, u32>, twin: &mut BTreeMap<u16, u32>) {
        match *step {
            Step::Insert(key, value) => assert_eq!(map.insert(key, value), twin.insert(key, value)),
            Step::InsertRun(key, count) => {
                let run = (key..key + count).map(|key| (key, u32::from(count)));
                map.extend(run.clone());
                twin.extend(run);
            }
            Step::Remove(key) => assert_eq!(map.remove(&key), twin.remove(&key)),
            Step::RemoveRun(key, count) => {
                for key in key..key + count {
                    assert_eq!(map.remove(&key), twin.remove(&key));
                }
            }
            Step::Change(key) => {
                let (ours, theirs) = (map.get_mut(&key), twin.get_mut(&key));
                assert_eq!(ours, theirs);
                if let (Some(ours), Some(theirs)) = (ours, theirs) {
                    *ours = ours.wrapping_add(1);
                    *theirs = theirs.wrapping_add(1);
                }
            }
            Step::Fork => {}
        }
    }

    fn assert_same(map: &PersistentMap<u16, u32>, twin: &BTreeMap<u16, u32>) {
        assert_eq!(map.len(), twin.len() as u64);
        assert!(map.iter().eq(twin.iter()), "iteration differs from key order");
        for key in (0..20_000).step_by(97) {
            assert_eq!(map.get(&key), twin.get(&key), "value of {key}");
            assert!(map.iter_from(key).take(70).eq(twin.range(key..).take(70)), "entries from {key} on");
        }
        for group in &map.groups {
            assert!((1..=GROUP_MAX).contains(&group.child.len()), "a group of {}", group.child.len());
            let sizes = group.child.iter().map(|leaf| leaf.child.len());
            assert!(
                sizes.into_iter().all(|size| (1..=LEAF_MAX).contains(&size)),
                "a leaf is empty or too big"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_map_behaves_as_a_btree_map_and_clones_are_independent(steps in prop::collection::vec(step(), 1..60)) {
            let (mut map, mut twin) = (PersistentMap::new(), BTreeMap::new());
            let mut kept = Vec::new();
            for step in steps {
                if matches!(step, Step::Fork) {
                    kept.push((map.clone(), twin.clone()));
                }
                take(&step, &mut map, &mut twin);
            }
            assert_same(&map, &twin);
            for (map, twin) in &kept {
                assert_same(map, twin);
            }
        }
    }

    #[test]
    fn a_write_after_a_clone_copies_one_leaf() {
        let mut map: PersistentMap<u32, u32> = (0..10_000).map(|key| (key, key)).collect();
        let clone = map.clone();
        map.insert(5_000, 0);
        let leaves = |map: &PersistentMap<u32, u32>| -> Vec<*const Leaf<u32, u32>> {
            map.groups
                .iter()
                .flat_map(|group| group.child.iter())
                .map(|leaf| Arc::as_ptr(&leaf.child))
                .collect()
        };
        let (ours, theirs) = (leaves(&map), leaves(&clone));
        assert_eq!(ours.len(), theirs.len());
        assert_eq!(ours.iter().zip(&theirs).filter(|(ours, theirs)| ours != theirs).count(), 1);
        assert_eq!((map.get(&5_000), clone.get(&5_000)), (Some(&0), Some(&5_000)));
    }

    #[test]
    fn looking_for_an_absent_key_copies_nothing() {
        let mut map: PersistentMap<u32, u32> = (0..100).map(|key| (key * 2, key)).collect();
        let clone = map.clone();
        assert_eq!((map.remove(&3), map.get_mut(&5)), (None, None));
        assert!(Arc::ptr_eq(&map.groups[0].child, &clone.groups[0].child), "an absent key unshared a group");
    }
}
