//! What stands between endpoints: cuts of single links, partitions of the whole network, and held links.
//!
//! A partition is compiled to one number an endpoint, or to arithmetic, so that its test takes constant time
//! and its memory is linear in endpoints. Several may be active; a message passes if it passes each. Nobody
//! is ever parted from itself.
//!
//! Clients stay with everybody, as long as a shape does not name them.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::DropReason;
use super::ordinal::Population;
use crate::id::{Endpoint, NodeId};

/// The name of a partition, chosen by whoever makes it, to heal it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartitionId(u32);

impl PartitionId {
    /// The `number`-th name.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number of this name.
    pub const fn raw(self) -> u32 {
        self.0
    }
}

impl fmt::Display for PartitionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}", self.0)
    }
}

/// Who can no longer talk with whom. Nodes that a shape with groups does not name form one more group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PartitionShape {
    /// Only within each group. Who is named twice belongs to the later group.
    Groups(Vec<Vec<Endpoint>>),
    /// One endpoint with nobody, the others as before.
    Isolate(Endpoint),
    /// The minority among themselves, and all other nodes among themselves.
    MajorityMinority {
        /// The smaller side; that it is smaller is not checked.
        minority: Vec<NodeId>,
    },
    /// With all nodes in a ring, each only with its nearest: about a quarter of all nodes on either side, so
    /// that each sees a majority but no two see the same (Jepsen's `majorities-ring`). Parts nobody below 4
    /// nodes.
    RingOfMajorities,
    /// Left among themselves, right among themselves, and the bridge with everybody.
    Bridge {
        /// The node that both sides can talk with.
        bridge: NodeId,
        /// One side.
        left: Vec<NodeId>,
        /// The other.
        right: Vec<NodeId>,
    },
    /// Messages from `from` to `to` are dropped, all others pass.
    OneWay {
        /// Who is not heard.
        from: Vec<NodeId>,
        /// By whom.
        to: Vec<NodeId>,
    },
}

impl PartitionShape {
    /// Everybody the shape names, in order, with repetitions.
    pub fn named(&self) -> Vec<Endpoint> {
        let both = |left: &[NodeId], right: &[NodeId]| -> Vec<Endpoint> {
            left.iter().chain(right).copied().map(Endpoint::from).collect()
        };
        match self {
            Self::Groups(groups) => groups.concat(),
            Self::Isolate(endpoint) => vec![*endpoint],
            Self::MajorityMinority { minority } => both(minority, &[]),
            Self::RingOfMajorities => Vec::new(),
            Self::Bridge { bridge, left, right } => both(&[&[*bridge], left.as_slice()].concat(), right),
            Self::OneWay { from, to } => both(from, to),
        }
    }
}

/// A [`PartitionShape`] made ready for fast tests; the vectors have one entry an endpoint.
#[derive(Clone, Debug)]
enum Compiled {
    /// Parts who has different groups, unless one of them is [`EVERY_GROUP`].
    Groups(Arc<[u32]>),
    /// Parts nodes farther apart than `reach` in the ring of `nodes`.
    Ring { nodes: u32, reach: u32 },
    /// Parts senders marked with [`IS_UNHEARD`] from receivers marked with [`IS_DEAF`].
    OneWay(Arc<[u8]>),
}

/// The group of those who talk with everybody.
const EVERY_GROUP: u32 = u32::MAX;
/// The group of nodes that no group names.
const UNNAMED: u32 = 0;
const IS_UNHEARD: u8 = 1;
const IS_DEAF: u8 = 2;

impl Compiled {
    fn new(shape: &PartitionShape, population: Population) -> Self {
        let nodes = |nodes: &[NodeId]| nodes.iter().copied().map(Endpoint::from).collect::<Vec<_>>();
        match shape {
            PartitionShape::Groups(groups) => Self::groups(groups, None, population),
            PartitionShape::Isolate(endpoint) => Self::groups(&[vec![*endpoint]], None, population),
            PartitionShape::MajorityMinority { minority } => {
                Self::groups(&[nodes(minority)], None, population)
            }
            PartitionShape::RingOfMajorities => {
                Self::Ring { nodes: population.nodes, reach: (population.nodes / 2).div_ceil(2) }
            }
            PartitionShape::Bridge { bridge, left, right } => {
                Self::groups(&[nodes(left), nodes(right)], Some(*bridge), population)
            }
            PartitionShape::OneWay { from, to } => Self::one_way(from, to, population),
        }
    }

    fn groups(groups: &[Vec<Endpoint>], bridge: Option<NodeId>, population: Population) -> Self {
        let mut group_of = vec![UNNAMED; population.count()];
        group_of[population.nodes as usize..].fill(EVERY_GROUP);
        for (members, group) in groups.iter().zip(UNNAMED + 1..) {
            for &member in members {
                group_of[population.position(member)] = group;
            }
        }
        if let Some(bridge) = bridge {
            group_of[bridge.index()] = EVERY_GROUP;
        }
        Self::Groups(group_of.into())
    }

    fn one_way(from: &[NodeId], to: &[NodeId], population: Population) -> Self {
        let mut marks = vec![0; population.count()];
        for node in from {
            marks[node.index()] |= IS_UNHEARD;
        }
        for node in to {
            marks[node.index()] |= IS_DEAF;
        }
        Self::OneWay(marks.into())
    }

    fn parts(&self, from: Endpoint, to: Endpoint, population: Population) -> bool {
        let of = |endpoint| population.position(endpoint);
        match self {
            Self::Groups(group_of) => {
                let (a, b) = (group_of[of(from)], group_of[of(to)]);
                a != b && a != EVERY_GROUP && b != EVERY_GROUP
            }
            Self::Ring { nodes, reach } => match (from.node(), to.node()) {
                (Some(a), Some(b)) => {
                    let apart = a.raw().abs_diff(b.raw());
                    apart.min(nodes - apart) > *reach
                }
                (None, _) | (_, None) => false,
            },
            Self::OneWay(marks) => marks[of(from)] & IS_UNHEARD != 0 && marks[of(to)] & IS_DEAF != 0,
        }
    }
}

/// A set of directed links. Asking for a sender without any takes a few instructions.
#[derive(Clone, Debug, Default)]
pub(super) struct LinkSet {
    links: BTreeSet<(Endpoint, Endpoint)>,
    /// A bit for each sender in `links`, modulo 64: a clear bit means none.
    senders: u64,
}

impl LinkSet {
    pub(super) fn insert(&mut self, from: Endpoint, to: Endpoint) {
        self.links.insert((from, to));
        self.senders |= sender_bit(from);
    }

    pub(super) fn remove(&mut self, from: Endpoint, to: Endpoint) {
        self.links.remove(&(from, to));
        self.senders = self.links.iter().fold(0, |bits, &(from, _)| bits | sender_bit(from));
    }

    fn contains(&self, from: Endpoint, to: Endpoint) -> bool {
        self.senders & sender_bit(from) != 0 && self.links.contains(&(from, to))
    }
}

const fn sender_bit(from: Endpoint) -> u64 {
    1 << (from.raw() % 64)
}

/// All that stands between endpoints at the moment.
#[derive(Clone, Debug)]
pub(super) struct Barriers {
    population: Population,
    pub(super) cuts: LinkSet,
    pub(super) holds: LinkSet,
    /// Sorted by name.
    partitions: Vec<(PartitionId, Compiled)>,
}

impl Barriers {
    pub(super) fn new(population: Population) -> Self {
        Self { population, cuts: LinkSet::default(), holds: LinkSet::default(), partitions: Vec::new() }
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.cuts.links.is_empty() && self.holds.links.is_empty() && self.partitions.is_empty()
    }

    /// What drops a message from `from` to `to`, if anything does.
    pub(super) fn obstacle(&self, from: Endpoint, to: Endpoint) -> Option<DropReason> {
        if self.cuts.contains(from, to) {
            return Some(DropReason::Cut);
        }
        let parts = |(_, partition): &(_, Compiled)| partition.parts(from, to, self.population);
        (from != to && self.partitions.iter().any(parts)).then_some(DropReason::Partition)
    }

    pub(super) fn is_held(&self, from: Endpoint, to: Endpoint) -> bool {
        self.holds.contains(from, to)
    }

    /// Makes a partition; one of the same name is replaced. Everybody named must exist.
    pub(super) fn part(&mut self, id: PartitionId, shape: &PartitionShape) {
        let compiled = Compiled::new(shape, self.population);
        match self.partitions.binary_search_by_key(&id, |(known, _)| *known) {
            Ok(index) => self.partitions[index].1 = compiled,
            Err(index) => self.partitions.insert(index, (id, compiled)),
        }
    }

    /// Ends a partition; one that is not active needs nothing.
    pub(super) fn heal(&mut self, id: PartitionId) {
        self.partitions.retain(|(known, _)| *known != id);
    }

    pub(super) fn heal_all(&mut self) {
        *self = Self::new(self.population);
    }

    /// Bytes of partitions on the heap.
    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        let bytes = |(_, partition): &(PartitionId, Compiled)| match partition {
            Compiled::Groups(group_of) => size_of_val(&**group_of),
            Compiled::OneWay(marks) => size_of_val(&**marks),
            Compiled::Ring { .. } => 0,
        };
        self.partitions.iter().map(bytes).sum()
    }
}
