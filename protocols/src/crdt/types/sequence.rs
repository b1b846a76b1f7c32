//! A sequence: the replicated growable array of Roh et al.
//!
//! Each element knows after which other one it was inserted, and never moves. Those that were inserted after the same one
//! stand in falling order of their dots, so that what was inserted last, as far as its replica knew, comes first.

use std::collections::BTreeMap;

use serde::Serialize;
use sim_core::NodeId;

use super::{Dot, Join};

/// An element, or what is left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Vertex<V> {
    /// The element after which it was inserted; `None`: at the beginning.
    after: Option<Dot>,
    value: V,
    /// It was removed, and others may still stand after it.
    is_removed: bool,
}

/// A sequence. Elements are found by their place among those that are there, from 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rga<V> {
    vertices: BTreeMap<Dot, Vertex<V>>,
}

impl<V> Default for Rga<V> {
    fn default() -> Self {
        Self { vertices: BTreeMap::new() }
    }
}

impl<V: Clone> Rga<V> {
    /// The delta with which `replica` inserts a value at a place, or at the end if the sequence is shorter.
    #[must_use]
    pub fn insert(&self, replica: NodeId, place: usize, value: V) -> Self {
        let before: Vec<Dot> =
            self.order().into_iter().filter(|dot| self.is_there(*dot)).take(place).collect();
        // Higher than all that it has seen, as a Lamport clock is.
        let count = self.vertices.last_key_value().map_or(0, |(dot, _)| dot.count) + 1;
        let vertex = Vertex { after: before.last().copied(), value, is_removed: false };
        Self { vertices: BTreeMap::from([(Dot { count, replica }, vertex)]) }
    }

    /// The delta that removes the value at a place, if there is one.
    #[must_use]
    pub fn remove(&self, place: usize) -> Self {
        let found = self.order().into_iter().filter(|dot| self.is_there(*dot)).nth(place);
        let vertex = |dot| Vertex { is_removed: true, ..self.vertices[&dot].clone() };
        Self { vertices: found.map(|dot| (dot, vertex(dot))).into_iter().collect() }
    }

    /// The values in order.
    pub fn values(&self) -> Vec<&V> {
        let there = self.order().into_iter().filter(|dot| self.is_there(*dot));
        there.map(|dot| &self.vertices[&dot].value).collect()
    }

    fn is_there(&self, dot: Dot) -> bool {
        !self.vertices[&dot].is_removed
    }

    /// All elements in order, removed ones too: each before those that were inserted after it. An element whose
    /// predecessor has not come yet waits for it.
    fn order(&self) -> Vec<Dot> {
        let mut after: BTreeMap<Option<Dot>, Vec<Dot>> = BTreeMap::new();
        for (dot, vertex) in &self.vertices {
            after.entry(vertex.after).or_default().push(*dot);
        }
        let mut order = Vec::new();
        // The next one is on top; dots come in rising order, so the highest is taken first.
        let mut open = after.remove(&None).unwrap_or_default();
        while let Some(dot) = open.pop() {
            order.push(dot);
            open.extend(after.remove(&Some(dot)).unwrap_or_default());
        }
        order
    }
}

impl<V: Clone + PartialEq> Join for Rga<V> {
    fn join(&mut self, other: &Self) {
        for (dot, vertex) in &other.vertices {
            let own = self.vertices.entry(*dot).or_insert_with(|| vertex.clone());
            own.is_removed |= vertex.is_removed;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::laws::{joined, run, steps};
    use super::*;

    fn text(sequence: &Rga<char>) -> String {
        sequence.values().into_iter().collect()
    }

    fn typed(sequence: &mut Rga<char>, replica: u32, at: usize, word: &str) {
        for (place, letter) in (at..).zip(word.chars()) {
            sequence.join(&sequence.insert(NodeId::new(replica), place, letter));
        }
    }

    #[test]
    fn words_that_are_typed_at_the_same_place_do_not_mix() {
        let mut one = Rga::default();
        typed(&mut one, 0, 0, "ac");
        let mut other = one.clone();
        typed(&mut one, 0, 1, "xyz");
        typed(&mut other, 1, 1, "uvw");
        assert_eq!(text(&joined(&one, &other)), "auvwxyzc");
        assert_eq!(text(&joined(&other, &one)), "auvwxyzc");
    }

    #[test]
    fn what_is_inserted_after_something_that_is_removed_stays_where_it_is() {
        let mut one = Rga::default();
        typed(&mut one, 0, 0, "abc");
        let mut other = one.clone();
        one.join(&one.remove(1));
        typed(&mut other, 1, 2, "x");
        assert_eq!(text(&joined(&one, &other)), "axc");
        assert_eq!(one.remove(7), Rga::default(), "nothing is there");
    }

    proptest! {
        #[test]
        fn two_elements_stand_in_the_same_order_in_all_replicas(
            steps in steps((0_usize..6, prop::option::of(0_u64..9))),
        ) {
            let (states, _) = run::<Rga<u64>, _>(&steps, |state, replica, (place, value)| match value {
                Some(value) => state.insert(replica, *place, *value),
                None => state.remove(*place),
            });
            let whole = states.iter().fold(Rga::default(), |whole, state| joined(&whole, state));
            let order = whole.order();
            prop_assert_eq!(order.len(), whole.vertices.len(), "every element has its predecessor");
            for state in &states {
                let own = state.order();
                let known: Vec<Dot> = order.iter().filter(|dot| state.vertices.contains_key(dot)).copied().collect();
                prop_assert_eq!(own, known);
            }
        }
    }
}
