//! Evidence that is a circle: operations of which each must come before the next, and the last before the first.

use std::collections::VecDeque;
use std::fmt;

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

    /// A shortest circle, `None` where there is none. Takes time in proportion to nodes on circles times pairs.
    pub(super) fn shortest_circle(&self) -> Option<Circle<L>> {
        if self.sorted().is_some() {
            return None;
        }
        self.shortest_circle_through(&(0..).take(self.after.len()).collect::<Vec<u32>>())
    }

    /// A shortest circle through one of these nodes.
    pub(super) fn shortest_circle_through(&self, nodes: &[u32]) -> Option<Circle<L>> {
        let mut best: Option<Circle<L>> = None;
        for start in nodes.iter().copied() {
            let limit = best.as_ref().map_or(usize::MAX, Vec::len);
            if let Some(circle) = self.circle_through(start, limit) {
                best = Some(circle);
            }
            if best.as_ref().is_some_and(|best| best.len() <= 2) {
                break;
            }
        }
        best
    }

    /// A shortest circle through a node, if it is shorter than `limit`; breadth first.
    fn circle_through(&self, start: u32, limit: usize) -> Option<Circle<L>> {
        let mut from: Vec<Option<(u32, usize)>> = vec![None; self.after.len()];
        let mut queue = VecDeque::from([(start, 0)]);
        while let Some((node, length)) = queue.pop_front() {
            if length + 1 >= limit {
                return None;
            }
            for (at, (after, _)) in self.after[node as usize].iter().enumerate() {
                if *after == start {
                    return Some(self.walk_back(start, node, at, &from));
                }
                if from[*after as usize].is_none() {
                    from[*after as usize] = Some((node, at));
                    queue.push_back((*after, length + 1));
                }
            }
        }
        None
    }

    fn walk_back(&self, start: u32, last: u32, at: usize, from: &[Option<(u32, usize)>]) -> Circle<L> {
        let why = |node: u32, at: usize| self.after[node as usize][at].1.clone();
        let mut circle = vec![(last, why(last, at))];
        let mut node = last;
        while node != start {
            let (before, at) = from[node as usize].expect("it was reached from the start");
            circle.push((before, why(before, at)));
            node = before;
        }
        circle.reverse();
        circle
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
}
