//! Something for each node of a scenario.

use serde::Serialize;
use sim_core::NodeId;

/// A value for each node, the default until it is set. Found by the index of the node, so that ghost state and counters
/// which are touched at every event cost no search.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PerNode<T>(Vec<T>);

impl<T> Default for PerNode<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> PerNode<T> {
    /// The value of a node that was set; `None` if neither it nor one of a higher index was.
    #[inline]
    pub fn get(&self, node: NodeId) -> Option<&T> {
        self.0.get(node.index())
    }

    /// The values of the nodes up to the last that was set, in order of node.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, &T)> {
        (0_u32..).map(NodeId::new).zip(&self.0)
    }
}

impl<T: Default> PerNode<T> {
    /// The value of a node, to change.
    #[inline]
    pub fn at(&mut self, node: NodeId) -> &mut T {
        while self.0.len() <= node.index() {
            self.0.push(T::default());
        }
        &mut self.0[node.index()]
    }

    /// Sets the value of a node and returns the one it had.
    #[inline]
    pub fn replace(&mut self, node: NodeId, value: T) -> T {
        std::mem::replace(self.at(node), value)
    }
}

impl<T: Default + Copy> PerNode<T> {
    /// The value of a node.
    #[inline]
    pub fn of(&self, node: NodeId) -> T {
        self.get(node).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_node_has_its_own_value_and_the_default_before() {
        let [one, three, nine] = [0, 2, 8].map(NodeId::new);
        let mut values = PerNode::default();
        assert_eq!((values.get(three), values.of(three)), (None, 0));
        *values.at(three) += 7;
        assert_eq!((values.replace(one, 5), values.replace(three, 8)), (0, 7));
        assert_eq!((values.of(one), values.of(three), values.of(nine)), (5, 8, 0));
        let all: Vec<_> = values.iter().map(|(node, value)| (node.index(), *value)).collect();
        assert_eq!(all, [(0, 5), (1, 0), (2, 8)]);
    }
}
