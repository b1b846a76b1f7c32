//! The graph of dependencies between transactions.

use std::collections::BTreeSet;
use std::fmt;

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{EdgeFiltered, EdgeRef};

use super::lists::{Append, Lists};
use crate::check::history::recorded::Record;
use crate::service::{Certainty, Key, Operation};

/// What one transaction has to do with a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dependency {
    /// The later appended after the earlier.
    WriteWrite(Key),
    /// The later read what the earlier left.
    WriteRead(Key),
    /// The later appended after what the earlier read.
    ReadWrite(Key),
    /// One client ran both.
    Process,
    /// One had completed before the other was asked for.
    RealTime,
}

impl Dependency {
    /// Whether it comes from the lists, and not from client or clock.
    pub(super) const fn is_of_lists(self) -> bool {
        matches!(self, Self::WriteWrite(_) | Self::WriteRead(_) | Self::ReadWrite(_))
    }
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WriteWrite(key) => write!(f, "that appended to {key} after it (ww)"),
            Self::WriteRead(key) => write!(f, "that read {key} as it left it (wr)"),
            Self::ReadWrite(key) => write!(f, "it read {key} as it was before that appended (rw)"),
            Self::Process => f.write_str("its client ran it first (process)"),
            Self::RealTime => f.write_str("it had completed before that was asked for (real time)"),
        }
    }
}

/// Transactions by their index in the record, and how they depend on one another.
pub(super) type Graph = DiGraph<(), Dependency>;

/// Dependencies by the lists, by clients and by real time.
pub(super) fn build(record: &Record<'_>, lists: &Lists) -> Graph {
    let mut graph = Graph::new();
    record.operations.iter().for_each(|_| {
        graph.add_node(());
    });
    let mut edges = BTreeSet::new();
    list_edges(record, lists, &mut edges);
    let is_txn = |index: &u32| matches!(record.operations[*index as usize].operation, Operation::Txn(_));
    for (before, after) in record.program_order() {
        if is_txn(&before) && is_txn(&after) {
            edges.insert((before, after, Dependency::Process));
        }
    }
    for (before, after) in real_time(record, is_txn) {
        edges.insert((before, after, Dependency::RealTime));
    }
    for (before, after, dependency) in edges.into_iter().filter(|(before, after, _)| before != after) {
        graph.add_edge(node(before), node(after), dependency);
    }
    graph
}

pub(super) fn node(index: u32) -> NodeIndex {
    NodeIndex::new(index as usize)
}

/// What the lists say. A transaction that was aborted is on no circle, so its appends are passed over.
fn list_edges(record: &Record<'_>, lists: &Lists, edges: &mut BTreeSet<(u32, u32, Dependency)>) {
    for (key, list) in &lists.by_key {
        let is_committed = |append: &&Append| {
            record.operations[append.txn as usize].outcome.certainty() != Certainty::DidNotHappen
        };
        let order: Vec<&Append> = list.order.iter().filter(is_committed).collect();
        for pair in order.windows(2) {
            edges.insert((pair[0].txn, pair[1].txn, Dependency::WriteWrite(*key)));
        }
        if let Some(last) = order.last() {
            edges.extend(list.unread.iter().map(|it| (last.txn, it.txn, Dependency::WriteWrite(*key))));
        }
        for read in &list.reads {
            let (seen, later) = list.order.split_at(read.len.min(list.order.len()));
            if let Some(last) = seen.iter().rfind(is_committed) {
                edges.insert((last.txn, read.txn, Dependency::WriteRead(*key)));
            }
            let next = later.iter().find(is_committed).map_or(&list.unread[..], std::slice::from_ref);
            edges.extend(next.iter().map(|next| (read.txn, next.txn, Dependency::ReadWrite(*key))));
        }
    }
}

/// Who had completed before whom was asked for; pairs that follow from others are left out.
fn real_time(record: &Record<'_>, is_txn: impl Fn(&u32) -> bool) -> Vec<(u32, u32)> {
    let mut pairs = Vec::new();
    // What has completed, but for what came before something that has completed, too.
    let mut latest: Vec<u32> = Vec::new();
    let mut before: Vec<Vec<u32>> = vec![Vec::new(); record.operations.len()];
    for end in &record.ends {
        let index = end >> 1;
        if !is_txn(&index) {
            continue;
        }
        if end & 1 == 0 {
            pairs.extend(latest.iter().map(|earlier| (*earlier, index)));
            before[index as usize].clone_from(&latest);
        } else {
            let implied = std::mem::take(&mut before[index as usize]);
            latest.retain(|earlier| !implied.contains(earlier));
            latest.push(index);
        }
    }
    pairs
}

/// For each transaction on a circle of these dependencies the number of its component; `None` for others.
pub(super) fn components(graph: &Graph, allows: impl Fn(Dependency) -> bool) -> Vec<Option<u32>> {
    let filtered = EdgeFiltered::from_fn(graph, |edge| allows(*edge.weight()));
    let mut components = vec![None; graph.node_count()];
    for (number, component) in (0..).zip(kosaraju_scc(&filtered)) {
        if component.len() > 1 {
            for node in component {
                components[node.index()] = Some(number);
            }
        }
    }
    components
}

/// A place for each transaction that never falls along these dependencies: those of a circle share theirs, and of the
/// others, where there is a choice, who was asked for first comes first (Kahn, 1962, on the components).
pub(super) fn ranks(graph: &Graph, allows: impl Fn(Dependency) -> bool) -> Vec<u32> {
    let all = kosaraju_scc(&EdgeFiltered::from_fn(graph, |edge| allows(*edge.weight())));
    let mut component = vec![0; graph.node_count()];
    for (number, nodes) in all.iter().enumerate() {
        for node in nodes {
            component[node.index()] = number;
        }
    }
    let edges = graph.edge_references().filter(|edge| allows(*edge.weight()));
    let ends = edges.map(|edge| (component[edge.source().index()], component[edge.target().index()]));
    let mut after = vec![Vec::new(); all.len()];
    for (from, to) in ends.filter(|(from, to)| from != to) {
        after[from].push(to);
    }
    let asked: Vec<Option<NodeIndex>> = all.iter().map(|nodes| nodes.iter().min().copied()).collect();
    let places = sorted(&after, &asked);
    component.into_iter().map(|number| places[number]).collect()
}

/// The place of each in an order without circles, with the lowest key first where there is a choice.
fn sorted<K: Ord + Copy>(after: &[Vec<usize>], keys: &[K]) -> Vec<u32> {
    let mut before_count = vec![0_u32; after.len()];
    after.iter().flatten().for_each(|next| before_count[*next] += 1);
    let free = (0..after.len()).filter(|number| before_count[*number] == 0);
    let mut ready: BTreeSet<(K, usize)> = free.map(|number| (keys[number], number)).collect();
    let mut places = vec![0; after.len()];
    let mut place = 0;
    while let Some((_, number)) = ready.pop_first() {
        places[number] = place;
        place += 1;
        for next in &after[number] {
            before_count[*next] -= 1;
            if before_count[*next] == 0 {
                ready.insert((keys[*next], *next));
            }
        }
    }
    places
}
