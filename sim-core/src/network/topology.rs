//! Who is linked with whom: the shapes a network may have, as `petgraph` graphs.
//!
//! Only nodes have places in a topology. Clients stand outside and are linked with everybody.

use std::collections::BTreeSet;

use petgraph::graph::{NodeIndex, UnGraph};
use petgraph::unionfind::UnionFind;
use thiserror::Error;

use crate::id::NodeId;
use crate::random::{KeySource, Probability, Purpose, Stream};
use crate::time::Span;

/// The most nodes a topology may have whose links are listed one by one. A mesh is not listed and has no
/// limit.
pub const LISTED_NODES_MAX: u32 = 4_096;

/// The links between nodes; all go both ways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topology {
    /// Everybody with everybody. Takes no memory.
    Mesh,
    /// Everybody with `hub` only.
    Star {
        /// The node in the middle.
        hub: NodeId,
    },
    /// Each with the next, the last with the first.
    Ring,
    /// Each with the next.
    Line,
    /// Row by row, each with its neighbours left, right, above and below; the last row may be short.
    Grid {
        /// Nodes a row, at least 1.
        columns: u32,
    },
    /// The first node is the root; node k (0-based, not the root) hangs on node (k − 1) / arity.
    Tree {
        /// Children a node, at least 1.
        arity: u32,
    },
    /// So many distinct links between drawn pairs that nodes have `degree` on average (Erdős and Rényi's G(n,
    /// m)), plus the fewest that connect what is left apart.
    Random {
        /// Links a node on average, 1 to the number of nodes − 1.
        degree: u32,
    },
    /// A ring where each is linked with its `degree / 2` nearest on both sides, and each link is moved to a
    /// drawn far end with probability `rewire` (Watts and Strogatz, 1998); reconnected as
    /// [`Topology::Random`] is.
    SmallWorld {
        /// Links a node before rewiring, even, 2 to the number of nodes − 1.
        degree: u32,
        /// How likely a link is moved.
        rewire: Probability,
    },
    /// A mesh over data centres: half the round trip between two regions takes the place of the shortest
    /// latency of the link model, whose jitter above its minimum stays.
    Regions {
        /// For each node the index of its region.
        region_of: Vec<u16>,
        /// `rtt[a][b]` is the round trip from region a to region b; square.
        rtt: Vec<Vec<Span>>,
    },
    /// The listed links; it need not be connected.
    Custom {
        /// Pairs of nodes; order and repetitions don't matter.
        edges: Vec<(NodeId, NodeId)>,
    },
}

/// Why a [`Topology`] does not fit a number of nodes.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TopologyError {
    /// More nodes than can be listed.
    #[error("{nodes} nodes: a topology other than a mesh or regions has at most {LISTED_NODES_MAX}")]
    TooManyNodes {
        /// How many there are.
        nodes: u32,
    },
    /// A hub or link end that does not exist.
    #[error("the topology names {node}, but there are {nodes} nodes")]
    UnknownNode {
        /// Who is named.
        node: NodeId,
        /// How many there are.
        nodes: u32,
    },
    /// A number of columns, children or links that makes no graph.
    #[error("{what} is {seen}: allowed are {allowed}")]
    OutOfRange {
        /// The parameter.
        what: &'static str,
        /// Its value.
        seen: u32,
        /// The range.
        allowed: String,
    },
    /// The regions of some nodes are missing or there are more regions than nodes.
    #[error("{listed} nodes have a region, but there are {nodes} nodes")]
    RegionOfMissing {
        /// Entries of `region_of`.
        listed: usize,
        /// How many nodes there are.
        nodes: u32,
    },
    /// A node stands in a region without round trips, or the matrix is not square.
    #[error("the round-trip matrix must be square and have a row for region {region}; it has {rows} rows")]
    Matrix {
        /// The region without a full row.
        region: u16,
        /// Rows of the matrix.
        rows: usize,
    },
}

/// Links as pairs with the lower node first, sorted, without repetition.
pub(super) type Edges = BTreeSet<(u32, u32)>;

impl Topology {
    /// The topology over `nodes` nodes as a graph whose node indices are those of [`NodeId`]. Random shapes
    /// are drawn from
    /// `keys` with [`Purpose::Topology`].
    ///
    /// # Errors
    ///
    /// If the topology does not fit `nodes`, or has more than [`LISTED_NODES_MAX`]; that limit holds for
    /// meshes here too, as a graph lists its links.
    pub fn graph(&self, nodes: u32, keys: &KeySource) -> Result<UnGraph<(), ()>, TopologyError> {
        require_listable(nodes)?;
        let edges = match self.listed_edges(nodes, keys)? {
            Some(edges) => edges,
            None => all_pairs(nodes).collect(),
        };
        let mut graph = UnGraph::with_capacity(nodes as usize, edges.len());
        for _ in 0..nodes {
            graph.add_node(());
        }
        graph.extend_with_edges(edges.iter().map(|&(a, b)| (NodeIndex::from(a), NodeIndex::from(b))));
        Ok(graph)
    }

    /// The links, or `None` where everybody is linked with everybody.
    pub(super) fn listed_edges(&self, nodes: u32, keys: &KeySource) -> Result<Option<Edges>, TopologyError> {
        self.validate(nodes)?;
        let mut stream = keys.stream(Purpose::Topology, 0, 0);
        Ok(match self {
            Self::Mesh | Self::Regions { .. } => None,
            Self::Star { hub } => Some((0..nodes).filter_map(|node| edge(hub.raw(), node)).collect()),
            Self::Ring => Some((0..nodes).filter_map(|node| edge(node, (node + 1) % nodes)).collect()),
            Self::Line => Some((1..nodes).map(|node| (node - 1, node)).collect()),
            Self::Grid { columns } => Some(grid(nodes, *columns)),
            Self::Tree { arity } => Some((1..nodes).map(|node| ((node - 1) / arity, node)).collect()),
            Self::Random { degree } => Some(random(nodes, *degree, &mut stream)),
            Self::SmallWorld { degree, rewire } => Some(small_world(nodes, *degree, *rewire, &mut stream)),
            Self::Custom { edges } => {
                Some(edges.iter().filter_map(|(a, b)| edge(a.raw(), b.raw())).collect())
            }
        })
    }

    fn validate(&self, nodes: u32) -> Result<(), TopologyError> {
        match self {
            Self::Mesh => return Ok(()),
            Self::Regions { region_of, rtt } => return validate_regions(nodes, region_of, rtt),
            Self::Ring | Self::Line => {}
            Self::Star { hub } => require_node(*hub, nodes)?,
            Self::Grid { columns } => require("columns", *columns, 1, u32::MAX)?,
            Self::Tree { arity } => require("arity", *arity, 1, u32::MAX)?,
            Self::Random { degree } => require("degree", *degree, 1, nodes.saturating_sub(1))?,
            Self::SmallWorld { degree, .. } => {
                require("degree", *degree, 2, nodes.saturating_sub(1))?;
                require("the remainder of degree / 2", degree % 2, 0, 0)?;
            }
            Self::Custom { edges } => {
                edges.iter().flat_map(|&(a, b)| [a, b]).try_for_each(|node| require_node(node, nodes))?;
            }
        }
        require_listable(nodes)
    }
}

fn require_listable(nodes: u32) -> Result<(), TopologyError> {
    if nodes > LISTED_NODES_MAX { Err(TopologyError::TooManyNodes { nodes }) } else { Ok(()) }
}

fn require_node(node: NodeId, nodes: u32) -> Result<(), TopologyError> {
    if node.raw() < nodes { Ok(()) } else { Err(TopologyError::UnknownNode { node, nodes }) }
}

fn require(what: &'static str, seen: u32, low: u32, high: u32) -> Result<(), TopologyError> {
    if (low..=high).contains(&seen) {
        return Ok(());
    }
    Err(TopologyError::OutOfRange { what, seen, allowed: format!("{low} to {high}") })
}

fn validate_regions(nodes: u32, region_of: &[u16], rtt: &[Vec<Span>]) -> Result<(), TopologyError> {
    if region_of.len() != nodes as usize {
        return Err(TopologyError::RegionOfMissing { listed: region_of.len(), nodes });
    }
    let has_row = |region: u16| rtt.get(usize::from(region)).is_some_and(|row| row.len() == rtt.len());
    match region_of.iter().find(|&&region| !has_row(region)) {
        Some(&region) => Err(TopologyError::Matrix { region, rows: rtt.len() }),
        None => Ok(()),
    }
}

/// The pair with the lower node first; nobody is linked with itself.
fn edge(a: u32, b: u32) -> Option<(u32, u32)> {
    (a != b).then(|| (a.min(b), a.max(b)))
}

fn grid(nodes: u32, columns: u32) -> Edges {
    let right = (1..nodes).filter(|node| node % columns != 0).map(|node| (node - 1, node));
    let below = (columns..nodes).map(|node| (node - columns, node));
    right.chain(below).collect()
}

/// As many links as the average asks for, each set of that size equally likely. Where most pairs are linked, those
/// that are not are drawn: the last few of nearly all pairs would take long to come up by chance.
fn random(nodes: u32, degree: u32, stream: &mut Stream) -> Edges {
    let all = u64::from(nodes) * u64::from(nodes - 1) / 2;
    let wanted = u64::from(nodes) * u64::from(degree) / 2;
    let edges = if wanted > all / 2 {
        let left_out = distinct_pairs(nodes, all - wanted, stream);
        all_pairs(nodes).filter(|pair| !left_out.contains(*pair)).collect()
    } else {
        distinct_pairs(nodes, wanted, stream).into_edges()
    };
    connect(nodes, edges, stream)
}

/// Takes no more than two draws of pairs for each that is wanted, on average, as long as no more than half are.
fn distinct_pairs(nodes: u32, count: u64, stream: &mut Stream) -> PairSet {
    let mut pairs = PairSet::new(nodes);
    while pairs.count < count {
        if let Some(pair) = edge(draw_below(nodes, stream), draw_below(nodes, stream)) {
            pairs.insert(pair);
        }
    }
    pairs
}

/// Pairs that come up in any order: a bit for each pair that there is, so that the millionth costs what the first did.
/// At most 2 MiB.
struct PairSet {
    nodes: u32,
    bits: Vec<u64>,
    count: u64,
}

impl PairSet {
    fn new(nodes: u32) -> Self {
        let pairs = nodes as usize * nodes as usize;
        Self { nodes, bits: vec![0; pairs.div_ceil(64)], count: 0 }
    }

    fn place(&self, (low, high): (u32, u32)) -> (usize, u64) {
        let place = low as usize * self.nodes as usize + high as usize;
        (place / 64, 1 << (place % 64))
    }

    fn contains(&self, pair: (u32, u32)) -> bool {
        let (word, bit) = self.place(pair);
        self.bits[word] & bit != 0
    }

    fn insert(&mut self, pair: (u32, u32)) {
        let (word, bit) = self.place(pair);
        self.count += u64::from(self.bits[word] & bit == 0);
        self.bits[word] |= bit;
    }

    fn into_edges(self) -> Edges {
        all_pairs(self.nodes).filter(|pair| self.contains(*pair)).collect()
    }
}

fn all_pairs(nodes: u32) -> impl Iterator<Item = (u32, u32)> {
    (0..nodes).flat_map(move |low| (low + 1..nodes).map(move |high| (low, high)))
}

fn small_world(nodes: u32, degree: u32, rewire: Probability, stream: &mut Stream) -> Edges {
    let mut edges = PairSet::new(nodes);
    for (node, distance) in (0..nodes).flat_map(|node| (1..=degree / 2).map(move |distance| (node, distance)))
    {
        let near = (node + distance) % nodes;
        let far = draw_below(nodes, stream);
        let end = if stream.chance(rewire) { far } else { near };
        // A link to itself or one that exists stays where it was.
        let moved = edge(node, end).filter(|moved| !edges.contains(*moved));
        if let Some(pair) = moved.or_else(|| edge(node, near)) {
            edges.insert(pair);
        }
    }
    connect(nodes, edges.into_edges(), stream)
}

/// Links each node that the first one cannot reach with a drawn earlier one, which by then it can.
fn connect(nodes: u32, mut edges: Edges, stream: &mut Stream) -> Edges {
    let mut reached = UnionFind::<u32>::new(nodes as usize);
    for &(a, b) in &edges {
        reached.union(a, b);
    }
    for node in 1..nodes {
        if !reached.equiv(0, node) {
            let earlier = draw_below(node, stream);
            reached.union(earlier, node);
            edges.insert((earlier, node));
        }
    }
    edges
}

fn draw_below(bound: u32, stream: &mut Stream) -> u32 {
    u32::try_from(stream.below(u64::from(bound))).expect("a number below a u32 is one")
}

#[cfg(test)]
mod tests {
    use petgraph::algo::connected_components;
    use proptest::prelude::*;

    use super::*;

    fn keys() -> KeySource {
        KeySource::new(7)
    }

    fn links(topology: &Topology, nodes: u32) -> Vec<(u32, u32)> {
        topology.listed_edges(nodes, &keys()).expect("valid").expect("listed").into_iter().collect()
    }

    #[test]
    fn regular_shapes_have_the_links_their_names_promise() {
        assert_eq!(links(&Topology::Star { hub: NodeId::new(1) }, 4), [(0, 1), (1, 2), (1, 3)]);
        assert_eq!(links(&Topology::Ring, 4), [(0, 1), (0, 3), (1, 2), (2, 3)]);
        assert_eq!(links(&Topology::Ring, 2), [(0, 1)]);
        assert_eq!(links(&Topology::Line, 3), [(0, 1), (1, 2)]);
        assert_eq!(links(&Topology::Grid { columns: 2 }, 5), [(0, 1), (0, 2), (1, 3), (2, 3), (2, 4)]);
        assert_eq!(links(&Topology::Tree { arity: 2 }, 5), [(0, 1), (0, 2), (1, 3), (1, 4)]);
    }

    #[test]
    fn a_mesh_is_listed_only_as_a_graph() {
        assert_eq!(Topology::Mesh.listed_edges(100_000, &keys()), Ok(None));
        assert_eq!(Topology::Mesh.graph(5, &keys()).expect("small").edge_count(), 10);
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        let nodes = LISTED_NODES_MAX + 1;
        assert_eq!(Topology::Ring.graph(nodes, &keys()).err(), Some(TopologyError::TooManyNodes { nodes }));
        let hub = NodeId::new(3);
        let unknown = TopologyError::UnknownNode { node: hub, nodes: 3 };
        assert_eq!(Topology::Star { hub }.graph(3, &keys()).err(), Some(unknown));
        assert!(Topology::Random { degree: 3 }.graph(3, &keys()).is_err(), "3 links each among 3 nodes");
        let regions = Topology::Regions { region_of: vec![0, 1], rtt: vec![vec![Span::ZERO]] };
        assert_eq!(regions.graph(2, &keys()).err(), Some(TopologyError::Matrix { region: 1, rows: 1 }));
    }

    #[test]
    fn nearly_all_pairs_are_drawn_as_fast_as_few() {
        let count = |nodes: u32, degree| links(&Topology::Random { degree }, nodes).len();
        assert_eq!(count(LISTED_NODES_MAX, LISTED_NODES_MAX - 1), 4_096 * 4_095 / 2);
        assert_eq!(count(1_000, 998), 1_000 * 998 / 2);
        assert_eq!(count(LISTED_NODES_MAX, 2_048), 4_096 * 2_048 / 2);
        assert_eq!(count(2, 1), 1);
    }

    #[test]
    fn every_degree_gives_as_many_links_as_it_asks_for() {
        for (nodes, degree) in (5..30).flat_map(|nodes| (4..nodes).map(move |degree| (nodes, degree))) {
            let topology = Topology::Random { degree };
            let wanted = nodes * degree / 2;
            // What falls apart gets links more, one for each part beyond the first.
            let more = links(&topology, nodes).len() - wanted as usize;
            assert!(more <= nodes as usize / 5, "{more} more than {wanted} links of {nodes} nodes");
            assert!(more == 0 || degree <= nodes / 2, "dense graphs are connected");
        }
    }

    #[test]
    fn sparse_links_are_the_first_pairs_that_come_up() {
        let mut stream = keys().stream(Purpose::Topology, 0, 0);
        let mut drawn = Edges::new();
        while drawn.len() < 20 * 19 {
            drawn.extend(edge(draw_below(40, &mut stream), draw_below(40, &mut stream)));
        }
        let random = links(&Topology::Random { degree: 19 }, 40);
        assert_eq!(random, connect(40, drawn, &mut stream).into_iter().collect::<Vec<_>>());
    }

    proptest! {
        #[test]
        fn drawn_topologies_are_connected(nodes in 3..60_u32, seed: u64, half in 1..3_u32) {
            let rewire = Probability::from_ratio(1, 3).expect("a ratio");
            let degree = (2 * half).min((nodes - 1) / 2 * 2);
            for topology in [Topology::Random { degree: half }, Topology::SmallWorld { degree, rewire }] {
                let graph = topology.graph(nodes, &KeySource::new(seed)).expect("valid");
                prop_assert_eq!(connected_components(&graph), 1, "{:?} fell apart", topology);
            }
        }
    }
}
