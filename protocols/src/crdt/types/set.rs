//! Sets that need no names of events: one that grows, and one from which an element goes once and for good.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Join;

/// A set that grows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GSet<T: Ord> {
    elements: BTreeSet<T>,
}

impl<T: Ord> Default for GSet<T> {
    fn default() -> Self {
        Self { elements: BTreeSet::new() }
    }
}

impl<T: Ord> GSet<T> {
    /// The delta that adds an element.
    pub fn of(element: T) -> Self {
        Self { elements: BTreeSet::from([element]) }
    }

    /// What is in it, in order.
    pub fn elements(&self) -> impl ExactSizeIterator<Item = &T> {
        self.elements.iter()
    }

    /// Whether it is in it.
    pub fn contains(&self, element: &T) -> bool {
        self.elements.contains(element)
    }
}

impl<T: Ord + Clone> Join for GSet<T> {
    fn join(&mut self, other: &Self) {
        self.elements.extend(other.elements.iter().cloned());
    }

    fn covers(&self, other: &Self) -> bool {
        self.elements.is_superset(&other.elements)
    }
}

/// A set from which an element goes once and for good: it cannot be added again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TwoPhaseSet<T: Ord> {
    added: GSet<T>,
    removed: GSet<T>,
}

impl<T: Ord> Default for TwoPhaseSet<T> {
    fn default() -> Self {
        Self { added: GSet::default(), removed: GSet::default() }
    }
}

impl<T: Ord + Clone> TwoPhaseSet<T> {
    /// The delta that adds an element.
    pub fn adding(element: T) -> Self {
        Self { added: GSet::of(element), removed: GSet::default() }
    }

    /// The delta that removes an element, if it is in the set.
    #[must_use]
    pub fn removing(&self, element: &T) -> Self {
        if !self.contains(element) {
            return Self::default();
        }
        Self { added: GSet::default(), removed: GSet::of(element.clone()) }
    }

    /// Whether it is in it.
    pub fn contains(&self, element: &T) -> bool {
        self.added.contains(element) && !self.removed.contains(element)
    }

    /// What is in it, in order.
    pub fn elements(&self) -> impl Iterator<Item = &T> {
        self.added.elements().filter(|element| !self.removed.contains(element))
    }
}

impl<T: Ord + Clone> Join for TwoPhaseSet<T> {
    fn join(&mut self, other: &Self) {
        self.added.join(&other.added);
        self.removed.join(&other.removed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_removed_from_a_two_phase_set_never_comes_back() {
        let mut set = TwoPhaseSet::adding(7);
        set.join(&TwoPhaseSet::adding(8));
        set.join(&set.removing(&7));
        set.join(&TwoPhaseSet::adding(7));
        assert_eq!(set.elements().collect::<Vec<_>>(), [&8]);
        assert_eq!(set.removing(&9), TwoPhaseSet::default(), "what is not there cannot be removed");
    }
}
