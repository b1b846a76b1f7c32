//! A set of nodes in one word.

use std::fmt;

use serde::Serialize;
use sim_core::NodeId;

/// A set of nodes among the first 64 of a scenario: copied like a number, counted and cut in one instruction.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct NodeSet(u64);

impl NodeSet {
    /// Nodes from this one on (by index) fit in no set.
    pub const LIMIT: usize = 64;
    /// No node.
    pub const EMPTY: Self = Self(0);

    /// The set of one node.
    ///
    /// # Panics
    /// If its index is [`NodeSet::LIMIT`] or more.
    #[inline]
    pub const fn one(node: NodeId) -> Self {
        assert!(node.index() < Self::LIMIT, "a node set holds the first 64 nodes of a scenario");
        Self(1 << node.index())
    }

    /// Whether `node` is in it.
    #[inline]
    pub const fn contains(self, node: NodeId) -> bool {
        node.index() < Self::LIMIT && self.0 >> node.index() & 1 == 1
    }

    /// With `node`.
    #[inline]
    #[must_use]
    pub const fn with(self, node: NodeId) -> Self {
        Self(self.0 | Self::one(node).0)
    }

    /// Without `node`.
    #[must_use]
    pub const fn without(self, node: NodeId) -> Self {
        Self(self.0 & !Self::one(node).0)
    }

    /// What is in this one or the other.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in this one and not in the other.
    #[must_use]
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// How many.
    #[inline]
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The how-manieth of its nodes `node` is, from 0; `None` if it is none of them.
    #[inline]
    pub const fn place(self, node: NodeId) -> Option<usize> {
        if self.contains(node) {
            Some((self.0 & (Self::one(node).0 - 1)).count_ones() as usize)
        } else {
            None
        }
    }

    /// The node at a place, counted from 0.
    ///
    /// # Panics
    /// If it has no more than `place` nodes.
    #[inline]
    pub const fn at(self, place: usize) -> NodeId {
        assert!(place < self.len(), "a set of few nodes has no node at that place");
        let (mut rest, mut before) = (self.0, place);
        while before > 0 {
            rest &= rest - 1;
            before -= 1;
        }
        NodeId::new(rest.trailing_zeros())
    }

    /// Whether there is none.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether more than half of it are in `others`. No set has a majority of nobody.
    #[inline]
    pub const fn has_majority_in(self, others: Self) -> bool {
        self.intersection(others).len() > self.len() / 2
    }

    /// Its nodes, ascending.
    #[inline]
    pub fn iter(self) -> impl Iterator<Item = NodeId> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let index = rest.trailing_zeros();
            rest &= rest.checked_sub(1)?;
            Some(NodeId::new(index))
        })
    }
}

impl FromIterator<NodeId> for NodeSet {
    fn from_iter<I: IntoIterator<Item = NodeId>>(nodes: I) -> Self {
        nodes.into_iter().fold(Self::EMPTY, Self::with)
    }
}

/// `n1,n2,n5`.
impl fmt::Display for NodeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, node) in self.iter().enumerate() {
            write!(f, "{}{node}", if at == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

/// `{n1, n2, n5}`.
impl fmt::Debug for NodeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn set(indices: &BTreeSet<u32>) -> NodeSet {
        indices.iter().copied().map(NodeId::new).collect()
    }

    proptest! {
        #[test]
        fn a_node_set_is_a_set_of_nodes(
            ours in prop::collection::btree_set(0_u32..64, 0..10),
            theirs in prop::collection::btree_set(0_u32..64, 0..10),
        ) {
            let (one, other) = (set(&ours), set(&theirs));
            prop_assert_eq!(one.len(), ours.len());
            prop_assert_eq!(one.is_empty(), ours.is_empty());
            prop_assert_eq!(one.union(other), set(&(&ours | &theirs)));
            prop_assert_eq!(one.intersection(other), set(&(&ours & &theirs)));
            prop_assert_eq!(one.difference(other), set(&(&ours - &theirs)));
            prop_assert_eq!(one.has_majority_in(other), 2 * (&ours & &theirs).len() > ours.len());
            prop_assert!(one.iter().map(NodeId::raw).eq(ours.iter().copied()));
            for (place, index) in ours.iter().enumerate() {
                let node = NodeId::new(*index);
                prop_assert_eq!((one.place(node), one.at(place)), (Some(place), node));
            }
            for index in 0..70 {
                let node = NodeId::new(index);
                prop_assert_eq!(one.place(node).is_some(), one.contains(node));
                prop_assert_eq!(one.contains(node), ours.contains(&index));
                if index < 64 {
                    prop_assert!(one.with(node).contains(node) && !one.without(node).contains(node));
                }
            }
        }
    }

    #[test]
    fn a_set_is_written_as_its_nodes() {
        let set: NodeSet = [4, 0, 1].map(NodeId::new).into_iter().collect();
        assert_eq!((set.to_string(), format!("{set:?}")), ("n1,n2,n5".to_owned(), "{n1, n2, n5}".to_owned()));
    }
}
