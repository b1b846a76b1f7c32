//! Which way a message takes between nodes that are not linked: the shortest usable path.
//!
//! The length of a path is the sum of the shortest latencies of its links; of equally long ones the path with
//! fewer links wins, and of these the one whose nodes, read backwards from the receiver, have the lower ids.
//! A link is usable if no cut or partition severs it and the node before it forwards.
//!
//! One run of Dijkstra's algorithm serves all receivers of a sender. The results of a few senders are kept
//! until something usable changes. They are functions of the network's state, so what is kept never changes a
//! run.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use super::topology::Edges;
use crate::id::NodeId;
use crate::time::Span;

/// How many senders' paths are kept.
const TREES_MAX: usize = 64;

/// No node comes before this one: it is the sender, or out of reach.
const NONE: u32 = u32::MAX;

/// The links of a network, and the paths found in it.
#[derive(Clone, Debug)]
pub(super) struct Router {
    /// `None` where everybody is linked with everybody.
    links: Option<Arc<Links>>,
    is_forwarding: Vec<bool>,
    trees: Vec<Tree>,
    /// The tree that is given up next.
    oldest: usize,
}

/// Sorted neighbours of all nodes in one list: those of node k are `neighbours[starts[k]..starts[k + 1]]`.
#[derive(Debug)]
struct Links {
    starts: Vec<u32>,
    neighbours: Vec<u32>,
}

/// The shortest paths from one node: for each other node the one before it.
#[derive(Clone, Debug)]
struct Tree {
    source: u32,
    before: Arc<[u32]>,
}

impl Router {
    pub(super) fn new(nodes: u32, edges: Option<&Edges>) -> Self {
        let links = edges.map(|edges| Arc::new(Links::new(nodes, edges)));
        let is_forwarding = if links.is_some() { vec![true; nodes as usize] } else { Vec::new() };
        Self { links, is_forwarding, trees: Vec::new(), oldest: 0 }
    }

    /// Whether everybody is linked with everybody, so that there is nothing to route.
    pub(super) const fn is_mesh(&self) -> bool {
        self.links.is_none()
    }

    /// Whether messages go directly. Nodes count as linked with themselves.
    pub(super) fn are_linked(&self, from: NodeId, to: NodeId) -> bool {
        self.links
            .as_ref()
            .is_none_or(|links| from == to || links.of(from.raw()).binary_search(&to.raw()).is_ok())
    }

    /// Starts or stops passing on others' messages at `node`.
    pub(super) fn set_forwarding(&mut self, node: NodeId, is_forwarding: bool) {
        if let Some(before) = self.is_forwarding.get_mut(node.index())
            && *before != is_forwarding
        {
            *before = is_forwarding;
            self.forget();
        }
    }

    /// Forgets all paths, as links have become usable or unusable.
    pub(super) fn forget(&mut self) {
        self.trees.clear();
        self.oldest = 0;
    }

    /// The nodes on the shortest path, both ends included, or `None` if there is none. `length` gives the
    /// length of a link, or `None` if it is not usable.
    pub(super) fn path(
        &mut self,
        from: NodeId,
        to: NodeId,
        length: impl Fn(NodeId, NodeId) -> Option<Span>,
    ) -> Option<Vec<NodeId>> {
        let before = self.tree(from.raw(), length);
        let mut path = vec![to];
        let mut node = to.raw();
        while node != from.raw() {
            node = before[node as usize];
            if node == NONE {
                return None;
            }
            path.push(NodeId::new(node));
        }
        path.reverse();
        Some(path)
    }

    fn tree(&mut self, source: u32, length: impl Fn(NodeId, NodeId) -> Option<Span>) -> Arc<[u32]> {
        if let Some(tree) = self.trees.iter().find(|tree| tree.source == source) {
            return Arc::clone(&tree.before);
        }
        let links = self.links.as_ref().expect("a mesh has no paths to find");
        let before: Arc<[u32]> = shortest_paths(links, &self.is_forwarding, source, length).into();
        let tree = Tree { source, before: Arc::clone(&before) };
        if self.trees.len() < TREES_MAX {
            self.trees.push(tree);
        } else {
            self.trees[self.oldest] = tree;
            self.oldest = (self.oldest + 1) % TREES_MAX;
        }
        before
    }
}

impl Links {
    fn new(nodes: u32, edges: &Edges) -> Self {
        let mut lists = vec![Vec::new(); nodes as usize];
        for &(a, b) in edges {
            lists[a as usize].push(b);
            lists[b as usize].push(a);
        }
        let (mut starts, mut neighbours) = (vec![0], Vec::with_capacity(2 * edges.len()));
        for mut list in lists {
            list.sort_unstable();
            neighbours.extend(list);
            starts.push(
                u32::try_from(neighbours.len()).expect("4,096 nodes have fewer links than a u32 counts"),
            );
        }
        Self { starts, neighbours }
    }

    fn of(&self, node: u32) -> &[u32] {
        let node = node as usize;
        &self.neighbours[self.starts[node] as usize..self.starts[node + 1] as usize]
    }
}

/// How far a node is: latency first, then links.
type Distance = (Span, u32);

/// Dijkstra's algorithm from `source`: for each node the one before it on its path.
fn shortest_paths(
    links: &Links,
    is_forwarding: &[bool],
    source: u32,
    length: impl Fn(NodeId, NodeId) -> Option<Span>,
) -> Vec<u32> {
    let mut before = vec![NONE; is_forwarding.len()];
    let mut distances: Vec<Distance> = vec![(Span::MAX, u32::MAX); is_forwarding.len()];
    distances[source as usize] = (Span::ZERO, 0);
    let mut open = BinaryHeap::from([Reverse((distances[source as usize], source))]);
    while let Some(Reverse((distance, node))) = open.pop() {
        let is_settled = distance > distances[node as usize];
        if is_settled || (node != source && !is_forwarding[node as usize]) {
            continue;
        }
        for &next in links.of(node) {
            let Some(length) = length(NodeId::new(node), NodeId::new(next)) else { continue };
            let (known, candidate) = (distances[next as usize], (distance.0 + length, distance.1 + 1));
            if candidate < known {
                distances[next as usize] = candidate;
                open.push(Reverse((candidate, next)));
            }
            if candidate < known || (candidate == known && node < before[next as usize]) {
                before[next as usize] = node;
            }
        }
    }
    before
}

#[cfg(test)]
mod tests {
    use petgraph::algo::floyd_warshall;
    use petgraph::graph::UnGraph;
    use proptest::prelude::*;

    use super::*;

    /// A symmetric length that the proptest varies by `salt`; few values, so that ties are common.
    fn length(salt: u64, a: usize, b: usize) -> u64 {
        (salt >> ((a * b + a + b) % 60)) % 4
    }

    proptest! {
        #[test]
        fn paths_are_as_short_as_floyd_warshall_says(
            pairs in prop::collection::btree_set((0..9_u32, 0..9_u32), 0..24),
            salt: u64,
        ) {
            let edges: Edges = pairs.into_iter().filter(|(a, b)| a < b).collect();
            let mut graph = UnGraph::<(), ()>::from_edges(edges.iter().copied());
            while graph.node_count() < 9 {
                graph.add_node(());
            }
            let ends = |edge: petgraph::graph::EdgeReference<'_, ()>| {
                use petgraph::visit::EdgeRef;
                length(salt, edge.source().index(), edge.target().index())
            };
            let twin = floyd_warshall(&graph, ends).expect("no negative lengths");
            let mut router = Router::new(9, Some(&edges));
            for (&(from, to), &shortest) in &twin {
                let (from, to) = (from.index(), to.index());
                let node = |index: usize| NodeId::new(u32::try_from(index).expect("below 9"));
                let measure = |a: NodeId, b: NodeId| Some(Span::nanos(length(salt, a.index(), b.index())));
                let path = router.path(node(from), node(to), measure);
                let found = path.map(|path| {
                    path.windows(2).map(|leg| length(salt, leg[0].index(), leg[1].index())).sum::<u64>()
                });
                prop_assert_eq!(found, (shortest != u64::MAX).then_some(shortest), "from {} to {}", from, to);
            }
        }
    }

    #[test]
    fn ties_take_fewer_links_and_then_lower_ids() {
        let edges = Edges::from([(0, 1), (0, 2), (1, 3), (2, 3), (0, 4), (3, 4)]);
        let mut router = Router::new(5, Some(&edges));
        let path = router.path(NodeId::new(0), NodeId::new(3), |_, _| Some(Span::ZERO)).expect("connected");
        assert_eq!(path, [0, 1, 3].map(NodeId::new));
    }

    #[test]
    fn a_node_that_does_not_forward_is_walked_around_but_still_reached() {
        let edges = Edges::from([(0, 1), (1, 2), (0, 3), (3, 4), (2, 4)]);
        let mut router = Router::new(5, Some(&edges));
        router.set_forwarding(NodeId::new(1), false);
        let mut path = |to| router.path(NodeId::new(0), NodeId::new(to), |_, _| Some(Span::nanos(1)));
        assert_eq!(path(2), Some([0, 3, 4, 2].map(NodeId::new).to_vec()));
        assert_eq!(path(1), Some([0, 1].map(NodeId::new).to_vec()));
    }

    #[test]
    fn more_senders_than_are_kept_still_get_their_paths() {
        let edges: Edges = (1..100).map(|node| (node - 1, node)).collect();
        let mut router = Router::new(100, Some(&edges));
        for round in 0..2 {
            for source in 0..100 {
                let path = router.path(NodeId::new(source), NodeId::new(99), |_, _| Some(Span::nanos(1)));
                let links = path.expect("a line is connected").len() - 1;
                assert_eq!(links, 99 - source as usize, "from {source}, round {round}");
            }
        }
        assert_eq!(router.trees.len(), TREES_MAX);
    }
}
