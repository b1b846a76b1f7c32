//! A site's copy of the database: items by key, and checksums of them that follow each change.
//!
//! ```text
//!           root                    a Merkle tree of depth 2: node i has the children 2i and 2i + 1,
//!          /    \                   the root is 1, and the leaves 4 to 7 are the buckets 0 to 3
//!        2        3
//!       / \      / \                a leaf is the sum of the checksums of its items,
//!      4   5    6   7               an inner node that of its children, mixed
//! ```
//!
//! With depth 0 the tree is one checksum. A change of an item costs a step a level.

use std::collections::BTreeSet;

use serde::Serialize;
use sim_core::fingerprint::{fingerprint, fold};
use sim_core::persist::PersistentMap;
use sim_core::service::Key;

use super::item::{Item, Moment, Version};
use super::mutants::Mutant;

/// A node of the tree of checksums: 1 is the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Branch(pub u32);

impl Branch {
    /// The whole database.
    pub const ROOT: Self = Self(1);
}

/// Which keys are meant: a bucket of the tree.
type Bucket = u32;

/// A site's copy.
#[derive(Clone, Debug, Serialize)]
pub struct Database {
    items: PersistentMap<(Bucket, Key), Item>,
    /// Levels of the tree below the root.
    depth: u32,
    /// The tree, by number of node; place 0 is unused.
    checksums: Vec<u64>,
    /// The sum of the checksums of the values, without death certificates: what clients can see.
    visible: u64,
    /// The keys by the age of what is under them, the oldest first.
    by_age: BTreeSet<(Moment, Key)>,
    /// Those of death certificates, in the same order.
    certificates: BTreeSet<(Moment, Key)>,
    #[serde(skip)]
    mutant: Option<Mutant>,
}

impl Database {
    /// An empty copy with a tree of this depth.
    pub(super) fn new(depth: u32, mutant: Option<Mutant>) -> Self {
        let mut empty = Self {
            items: PersistentMap::new(),
            depth,
            checksums: vec![0; 2 << depth],
            visible: 0,
            by_age: BTreeSet::new(),
            certificates: BTreeSet::new(),
            mutant,
        };
        for branch in (1..1 << depth).rev() {
            empty.mix(branch);
        }
        empty
    }

    // ----- queries -----

    /// The item under a key.
    pub fn get(&self, key: Key) -> Option<&Item> {
        self.items.get(&(self.bucket(key), key))
    }

    /// All items, in an order that is the same at all sites.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().map(|(_, item)| item)
    }

    /// How many items there are, death certificates included.
    pub fn len(&self) -> u64 {
        self.items.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How many of them are death certificates.
    pub fn certificate_count(&self) -> usize {
        self.certificates.len()
    }

    /// A number that is the same where clients see the same.
    pub const fn visible(&self) -> u64 {
        self.visible
    }

    /// The checksum of a node of the tree; `None` for a node that the tree does not have.
    pub fn checksum(&self, branch: Branch) -> Option<u64> {
        self.checksums.get(branch.0 as usize).copied().filter(|_| branch.0 > 0)
    }

    /// The checksum of all.
    pub fn root(&self) -> u64 {
        self.checksums[Branch::ROOT.0 as usize]
    }

    /// The children of a node of the tree, with their checksums; none of a leaf.
    pub fn children(&self, branch: Branch) -> impl Iterator<Item = (Branch, u64)> {
        let children = [2 * branch.0, 2 * branch.0 + 1].map(Branch);
        children.into_iter().filter_map(|child| Some((child, self.checksum(child)?)))
    }

    /// The items below a node of the tree.
    pub fn below(&self, branch: Branch) -> impl Iterator<Item = &Item> {
        let levels_below = self.depth - branch.0.ilog2();
        let first = (branch.0 << levels_below) - (1 << self.depth);
        let buckets = first..first + (1 << levels_below);
        let found =
            self.items.iter_from((first, Key(0))).take_while(move |((bucket, _), _)| *bucket < buckets.end);
        found.map(|(_, item)| item)
    }

    /// Whether an item counts for comparisons.
    pub(super) fn is_compared(&self, item: &Item) -> bool {
        !(item.is_certificate() && self.mutant == Some(Mutant::ComparesWithoutCertificates))
    }

    /// The active death certificate that was activated first.
    pub(super) fn oldest_certificate(&self) -> Option<&Item> {
        let (_, key) = self.certificates.first()?;
        self.get(*key)
    }

    /// What was written, or activated, after `moment`.
    pub fn since(&self, moment: Moment) -> impl Iterator<Item = &Item> {
        self.by_age.range((Moment(moment.0 + 1), Key(0))..).filter_map(|(_, key)| self.get(*key))
    }

    fn bucket(&self, key: Key) -> Bucket {
        if self.depth == 0 {
            return 0;
        }
        let hash = fingerprint(&key) >> (64 - self.depth);
        u32::try_from(hash).expect("a tree has fewer than 2^32 buckets")
    }

    // ----- changes -----

    /// Puts an item under its key, whatever was there.
    pub(super) fn put(&mut self, item: Item) {
        let before = self.items.insert((self.bucket(item.key), item.key), item);
        if let Some(before) = before {
            self.uncount(&before);
        }
        self.count(&item);
    }

    /// Takes away what is under a key.
    pub(super) fn remove(&mut self, key: Key) {
        if let Some(before) = self.items.remove(&(self.bucket(key), key)) {
            self.uncount(&before);
        }
    }

    fn count(&mut self, item: &Item) {
        self.change(item, u64::wrapping_add);
        self.by_age.insert((item.version.activated, item.key));
        if item.is_certificate() {
            self.certificates.insert((item.version.activated, item.key));
        }
    }

    fn uncount(&mut self, item: &Item) {
        self.change(item, u64::wrapping_sub);
        self.by_age.remove(&(item.version.activated, item.key));
        if item.is_certificate() {
            self.certificates.remove(&(item.version.activated, item.key));
        }
    }

    fn change(&mut self, item: &Item, by: fn(u64, u64) -> u64) {
        let checksum = item.checksum();
        if !item.is_certificate() {
            self.visible = by(self.visible, checksum);
        }
        if !self.is_compared(item) {
            return;
        }
        let leaf = (1 << self.depth) + self.bucket(item.key);
        let sum = &mut self.checksums[leaf as usize];
        *sum = match self.mutant {
            Some(Mutant::ChecksumOfKeys) => by(*sum, fingerprint(&(item.key, item.is_certificate()))),
            Some(Mutant::XorOfTimestamps) => *sum ^ item.version.written.as_number(),
            Some(_) | None => by(*sum, checksum),
        };
        for level in 1..=self.depth {
            self.mix(leaf >> level);
        }
    }

    /// Computes an inner node from its children.
    fn mix(&mut self, branch: u32) {
        let left = 2 * branch as usize;
        self.checksums[branch as usize] = fold(0, self.checksums[left], self.checksums[left + 1]);
    }

    /// The version under a key.
    pub fn version(&self, key: Key) -> Option<Version> {
        self.get(key).map(|item| item.version)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sim_core::NodeId;

    use super::super::item::Timestamp;
    use super::*;

    fn item(key: u32, value: Option<u64>, at: u64) -> Item {
        let written = Timestamp { at: Moment(at), site: NodeId::new(0) };
        let version = Version { written, activated: Moment(at) };
        Item { key: Key(key), value, version, retention: NodeId::new(0) }
    }

    fn filled(depth: u32, items: &[Item]) -> Database {
        let mut database = Database::new(depth, None);
        for item in items {
            database.put(*item);
        }
        database
    }

    #[test]
    fn a_change_shows_on_the_way_from_its_leaf_to_the_root_and_nowhere_else() {
        let items: Vec<Item> = (0..40).map(|key| item(key, Some(1), 5)).collect();
        let (before, mut after) = (filled(3, &items), filled(3, &items));
        after.put(item(7, None, 6));
        let differs = |branch: &u32| before.checksum(Branch(*branch)) != after.checksum(Branch(*branch));
        let differing: Vec<u32> = (1..16).filter(differs).collect();
        assert_eq!(differing.len(), 4, "one a level, from root to leaf: {differing:?}");
        let leaf = differing[3];
        assert_eq!(differing, [leaf >> 3, leaf >> 2, leaf >> 1, leaf]);
        assert!(after.below(Branch(leaf)).any(|item| item.key == Key(7)));
    }

    proptest! {
        #[test]
        fn checksums_depend_on_what_is_there_and_not_on_how_it_came(
            depth in 0_u32..5,
            changes in prop::collection::vec((0_u32..12, prop::option::of(0_u64..4), 0_u64..6), 0..40),
        ) {
            let mut database = Database::new(depth, None);
            for (key, value, at) in &changes {
                if *at == 0 { database.remove(Key(*key)) } else { database.put(item(*key, *value, *at)) }
            }
            let items: Vec<Item> = database.items().copied().collect();
            let again = filled(depth, &items);
            prop_assert_eq!(&database.checksums, &again.checksums);
            prop_assert_eq!((database.visible, &database.certificates), (again.visible, &again.certificates));
            let recent: Vec<Key> = database.since(Moment(3)).map(|item| item.key).collect();
            let mut expected: Vec<&Item> = items.iter().filter(|item| item.version.activated > Moment(3)).collect();
            expected.sort_by_key(|item| (item.version.activated, item.key));
            prop_assert!(recent.into_iter().eq(expected.into_iter().map(|item| item.key)));
            let leaves = (1 << depth)..(2 << depth);
            let by_leaf: Vec<Item> = leaves.flat_map(|leaf| database.below(Branch(leaf))).copied().collect();
            prop_assert_eq!(&by_leaf, &items, "the leaves have everything once");
            prop_assert!(database.below(Branch::ROOT).eq(&items), "and the root all of it");
        }

        #[test]
        fn other_contents_have_another_checksum(depth in 0_u32..5, key in 0_u32..12, at in 1_u64..6) {
            let base = [item(3, Some(1), 3), item(4, None, 4)];
            let (mut changed, same) = (filled(depth, &base), filled(depth, &base));
            changed.put(item(key, Some(9), at));
            prop_assert_ne!(changed.root(), same.root());
            prop_assert_ne!(changed.visible, same.visible);
        }
    }
}
