//! Vector clocks.

use std::cmp::Ordering;
use std::fmt;

use serde::Serialize;
use sim_core::NodeId;

/// How many events of each node happened before, this one counted: of as many nodes as it was made for. See the
/// [module documentation](super).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Vector(Box<[u64]>);

impl Vector {
    /// Before the first event of any of so many nodes.
    pub fn new(node_count: usize) -> Self {
        Self(vec![0; node_count].into())
    }

    /// An event of `node`, such as a send: its time.
    ///
    /// # Panics
    /// If the clock was made for fewer nodes.
    pub fn tick(&mut self, node: NodeId) -> Self {
        self.0[node.index()] += 1;
        self.clone()
    }

    /// The receipt at `node` of a message that was sent at `remote`: its time.
    ///
    /// # Panics
    /// If the clocks were made for different numbers of nodes.
    pub fn observe(&mut self, node: NodeId, remote: &Self) -> Self {
        assert_eq!(self.0.len(), remote.0.len(), "clocks of different systems");
        for (own, other) in self.0.iter_mut().zip(&remote.0) {
            *own = (*own).max(*other);
        }
        self.tick(node)
    }

    /// How many events of `node` it knows of.
    pub fn of(&self, node: NodeId) -> u64 {
        self.0[node.index()]
    }

    /// Whether the event of this time happened before that of the other.
    pub fn is_before(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Less)
    }

    /// Whether neither happened before the other.
    pub fn is_concurrent(&self, other: &Self) -> bool {
        self.partial_cmp(other).is_none()
    }
}

/// Less if it is at most as large everywhere, and not the same.
impl PartialOrd for Vector {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let pairs = || self.0.iter().zip(&other.0);
        let (is_below, is_above) = (pairs().all(|(a, b)| a <= b), pairs().all(|(a, b)| a >= b));
        match (is_below, is_above) {
            (true, true) => Some(Ordering::Equal),
            (true, false) => Some(Ordering::Less),
            (false, true) => Some(Ordering::Greater),
            (false, false) => None,
        }
    }
}

/// `[2 0 1]`.
impl fmt::Display for Vector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts: Vec<String> = self.0.iter().map(u64::to_string).collect();
        write!(f, "[{}]", counts.join(" "))
    }
}
