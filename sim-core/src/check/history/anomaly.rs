//! Evidence that is a circle: operations of which each must come before the next, and the last before the first.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;

use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;
use serde::Serialize;

use super::recorded::Record;
use super::text::{Line, write_operations};
use crate::OpId;
use crate::history::HistoryOperation;

/// Something that a history shows and that must not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Anomaly {
    /// Its name: `monotonic-reads`, `G-single`.
    pub name: String,
    /// What is wrong, in a sentence.
    pub says: String,
    /// The operations that show it; of a circle, in its order.
    pub operations: Vec<HistoryOperation>,
    /// Of a circle, why each operation comes before the next; empty where it is none.
    pub links: Vec<Link>,
}

/// One operation must come before another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    /// The earlier one.
    pub before: OpId,
    /// The later one.
    pub after: OpId,
    /// Why, as a clause.
    pub why: String,
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.name, self.says)?;
        if self.links.is_empty() {
            return write_operations(f, &self.operations);
        }
        for (operation, link) in self.operations.iter().zip(&self.links) {
            writeln!(f, "  {}", Line(operation))?;
            writeln!(f, "    before {}: {}", link.after, link.why)?;
        }
        Ok(())
    }
}

/// Who comes before whom, and why. Nodes are numbers from 0.
#[derive(Clone, Debug)]
pub(super) struct Order<L> {
    /// For each node those that come after it.
    pub(super) after: Vec<Vec<(u32, L)>>,
}

/// How many pairs are looked at for a shorter circle than the first that was found.
const SHORTEN_STEPS: u64 = 4_000_000;

/// A circle: each node with why it comes before the next.
pub(super) type Circle<L> = Vec<(u32, L)>;

impl<L: Clone> Order<L> {
    pub(super) fn new(len: usize) -> Self {
        Self { after: vec![Vec::new(); len] }
    }

    pub(super) fn add(&mut self, before: u32, after: u32, why: L) {
        self.after[before as usize].push((after, why));
    }

    /// The nodes in an order that keeps to all pairs, `None` if there is a circle (Kahn, 1962).
    pub(super) fn sorted(&self) -> Option<Vec<u32>> {
        let mut before_count = vec![0_u32; self.after.len()];
        for (after, _) in self.after.iter().flatten() {
            before_count[*after as usize] += 1;
        }
        let mut sorted: Vec<u32> =
            (0..).zip(&before_count).filter(|(_, count)| **count == 0).map(|(node, _)| node).collect();
        let mut next = 0;
        while let Some(node) = sorted.get(next).copied() {
            next += 1;
            for (after, _) in &self.after[node as usize] {
                before_count[*after as usize] -= 1;
                if before_count[*after as usize] == 0 {
                    sorted.push(*after);
                }
            }
        }
        (sorted.len() == self.after.len()).then_some(sorted)
    }

    /// A shortest circle, `None` where there is none. Where there are many and long ones it may be a longer one: once
    /// the first is found, about [`SHORTEN_STEPS`] are spent on shorter ones.
    pub(super) fn shortest_circle(&self) -> Option<Circle<L>> {
        self.shortest_circle_through(&self.on_circles())
    }

    /// A shortest circle through one of these nodes, as [`Order::shortest_circle`] finds it.
    pub(super) fn shortest_circle_through(&self, nodes: &[u32]) -> Option<Circle<L>> {
        let mut best: Option<Circle<L>> = None;
        let mut walk = Walk::new(self.after.len());
        for start in nodes.iter().copied() {
            let limit = best.as_ref().map_or(usize::MAX, Vec::len);
            if let Some(circle) = self.circle_through(start, limit, &mut walk) {
                if best.is_none() {
                    walk.steps = 0;
                }
                best = Some(circle);
            }
            if best.as_ref().is_some_and(|best| best.len() <= 2 || walk.steps > SHORTEN_STEPS) {
                break;
            }
        }
        best
    }

    /// The nodes that are on circles, ascending.
    fn on_circles(&self) -> Vec<u32> {
        let pairs = (0_u32..).zip(&self.after).flat_map(|(node, all)| all.iter().map(move |to| (node, to.0)));
        let graph = DiGraph::<(), ()>::from_edges(pairs.clone());
        let components = kosaraju_scc(&graph).into_iter().filter(|component| component.len() > 1);
        let apart = components.flatten().map(|node| u32::try_from(node.index()).expect("no more than nodes"));
        let alone = pairs.filter(|(node, to)| node == to).map(|(node, _)| node);
        let nodes: BTreeSet<u32> = apart.chain(alone).collect();
        nodes.into_iter().collect()
    }

    /// A shortest circle through a node, if it is shorter than `limit`; breadth first.
    fn circle_through(&self, start: u32, limit: usize, walk: &mut Walk) -> Option<Circle<L>> {
        walk.begin();
        let mut queue = VecDeque::from([(start, 0)]);
        while let Some((node, length)) = queue.pop_front() {
            if length + 1 >= limit {
                return None;
            }
            walk.steps += self.after[node as usize].len() as u64;
            for (at, (after, _)) in self.after[node as usize].iter().enumerate() {
                if *after == start {
                    return Some(self.walk_back(start, node, at, walk));
                }
                if walk.reach(*after, node, at) {
                    queue.push_back((*after, length + 1));
                }
            }
        }
        None
    }

    fn walk_back(&self, start: u32, last: u32, at: usize, walk: &Walk) -> Circle<L> {
        let why = |node: u32, at: usize| self.after[node as usize][at].1.clone();
        let mut circle = vec![(last, why(last, at))];
        let mut node = last;
        while node != start {
            let (before, at) = walk.way_to(node);
            circle.push((before, why(before, at)));
            node = before;
        }
        circle.reverse();
        circle
    }
}

/// How nodes were reached, walk after walk.
struct Walk {
    /// By node: in which walk it was reached last, and then from which node over which of its pairs.
    reached: Vec<(u32, u32, usize)>,
    /// Which walk is under way, from 1.
    number: u32,
    /// Pairs that were looked at.
    steps: u64,
}

impl Walk {
    fn new(nodes: usize) -> Self {
        Self { reached: vec![(0, 0, 0); nodes], number: 0, steps: 0 }
    }

    fn begin(&mut self) {
        self.number += 1;
    }

    /// Takes note of a way to `node`; whether it is the first of this walk.
    fn reach(&mut self, node: u32, from: u32, at: usize) -> bool {
        let reached = &mut self.reached[node as usize];
        let is_first = reached.0 != self.number;
        if is_first {
            *reached = (self.number, from, at);
        }
        is_first
    }

    fn way_to(&self, node: u32) -> (u32, usize) {
        let (number, from, at) = self.reached[node as usize];
        assert_eq!(number, self.number, "node {node} was reached from the start");
        (from, at)
    }
}

/// A circle of operations of a record as evidence.
pub(super) fn circle_of<L: fmt::Display>(
    record: &Record<'_>,
    name: &str,
    says: &str,
    circle: &[(u32, L)],
) -> Anomaly {
    let op = |index: usize| record.operations[circle[index % circle.len()].0 as usize].op;
    let links = circle.iter().enumerate().map(|(index, (_, why))| Link {
        before: op(index),
        after: op(index + 1),
        why: why.to_string(),
    });
    Anomaly {
        name: name.to_owned(),
        says: says.to_owned(),
        operations: circle.iter().map(|(node, _)| record.operations[*node as usize].owned()).collect(),
        links: links.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(len: usize, pairs: &[(u32, u32)]) -> Order<()> {
        let mut order = Order::new(len);
        for (before, after) in pairs {
            order.add(*before, *after, ());
        }
        order
    }

    #[test]
    fn without_a_circle_there_is_a_sorted_order() {
        let order = order(4, &[(2, 1), (1, 0), (3, 0)]);
        let sorted = order.sorted().expect("no circle");
        let place = |node: u32| sorted.iter().position(|other| *other == node);
        assert!(place(2) < place(1) && place(1) < place(0) && place(3) < place(0));
        assert_eq!(order.shortest_circle(), None);
    }

    #[test]
    fn the_shortest_circle_is_found_in_order() {
        let order = order(6, &[(0, 1), (1, 2), (2, 0), (3, 4), (4, 3), (2, 3), (5, 0)]);
        assert_eq!(order.sorted(), None);
        let circle: Vec<u32> =
            order.shortest_circle().expect("two").into_iter().map(|(node, ())| node).collect();
        assert_eq!(circle, [3, 4]);
    }

    #[test]
    fn nodes_beside_circles_are_on_none() {
        let order = order(7, &[(0, 1), (1, 0), (1, 2), (2, 3), (3, 4), (4, 3), (5, 5), (6, 0)]);
        assert_eq!(order.on_circles(), [0, 1, 3, 4, 5], "2 lies between two circles, 6 before one");
    }

    /// From each of so many nodes to all of the next rank: to find that no circle is shorter takes the cube of them.
    #[test]
    fn a_circle_among_many_is_shown_without_trying_all() {
        let (ranks, width) = (40_u32, 50);
        let ranked = (0..ranks).flat_map(|rank| {
            let ways = (0..width).flat_map(|from| (0..width).map(move |to| (from, to)));
            ways.map(move |(from, to)| (rank * width + from, (rank + 1) % ranks * width + to))
        });
        let order = order((ranks * width) as usize, &ranked.collect::<Vec<_>>());
        let nodes = order.on_circles();
        let mut walk = Walk::new(order.after.len());
        assert_eq!(
            order.circle_through(nodes[0], usize::MAX, &mut walk).map(|circle| circle.len()),
            Some(40)
        );
        assert!(walk.steps * nodes.len() as u64 > 10 * SHORTEN_STEPS, "trying all takes too long");
        assert_eq!(order.shortest_circle().map(|circle| circle.len()), Some(40));
    }
}
