//! Kinds of facts, and who hears them.
//!
//! Most facts are about logs, and most invariants are not. So an invariant says once which kinds it hears
//! ([`Invariant::hears`]), and an event that states none of them does not reach it.

use std::ops::{Index, IndexMut};

use super::Invariant;
use crate::process::Process;

/// A set of kinds of facts: of numbers below 64, which [`Process::kind_of`] gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds(u64);

impl Kinds {
    /// How many kinds there can be.
    pub const LIMIT: usize = 64;
    /// Every kind.
    pub const ALL: Self = Self(u64::MAX);

    /// Whether this kind is among them.
    pub const fn has(self, kind: u32) -> bool {
        self.0 >> kind & 1 == 1
    }
}

impl FromIterator<u32> for Kinds {
    fn from_iter<I: IntoIterator<Item = u32>>(kinds: I) -> Self {
        Self(kinds.into_iter().fold(0, |all, kind| all | 1 << kind))
    }
}

/// The invariants of a world that still hold, in order, and which of them hears what.
pub(crate) struct Invariants<P: Process> {
    all: Vec<Box<dyn Invariant<P>>>,
    /// For each kind of fact the places of those who hear it, as bits.
    hearers: [u64; Kinds::LIMIT],
}

impl<P: Process> Invariants<P> {
    /// How many there can be.
    const LIMIT: usize = u64::BITS as usize;

    /// These.
    ///
    /// # Panics
    /// If there are more than 64.
    pub(crate) fn new(all: Vec<Box<dyn Invariant<P>>>) -> Self {
        assert!(all.len() <= Self::LIMIT, "{} invariants; a world takes {}", all.len(), Self::LIMIT);
        let mut hearers = [0; Kinds::LIMIT];
        for (place, invariant) in all.iter().enumerate() {
            let heard = invariant.hears();
            for (hearers, _) in hearers.iter_mut().zip(0..).filter(|(_, kind)| heard.has(*kind)) {
                *hearers |= 1 << place;
            }
        }
        Self { all, hearers }
    }

    /// The places of those who hear any of these facts, ascending.
    #[inline]
    pub(crate) fn hearers(&self, facts: &[P::Fact]) -> impl Iterator<Item = usize> + use<P> {
        let mut rest = facts.iter().fold(0, |all, fact| all | self.hearers[P::kind_of(fact) as usize]);
        std::iter::from_fn(move || {
            let place = rest.trailing_zeros() as usize;
            rest &= rest.checked_sub(1)?;
            Some(place)
        })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &dyn Invariant<P>> {
        self.all.iter().map(AsRef::as_ref)
    }

    /// Takes one out: it is violated, and is not asked again.
    pub(crate) fn remove(&mut self, place: usize) -> Box<dyn Invariant<P>> {
        let removed = self.all.remove(place);
        *self = Self::new(std::mem::take(&mut self.all));
        removed
    }
}

impl<P: Process> Index<usize> for Invariants<P> {
    type Output = dyn Invariant<P>;

    fn index(&self, place: usize) -> &Self::Output {
        self.all[place].as_ref()
    }
}

impl<P: Process> IndexMut<usize> for Invariants<P> {
    fn index_mut(&mut self, place: usize) -> &mut Self::Output {
        self.all[place].as_mut()
    }
}

impl<P: Process> Clone for Invariants<P> {
    fn clone(&self) -> Self {
        Self { all: self.all.clone(), hearers: self.hearers }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_kinds_has_what_it_was_made_of_and_nothing_else() {
        let kinds: Kinds = [0, 5, 63].into_iter().collect();
        let had: Vec<u32> = (0..64).filter(|kind| kinds.has(*kind)).collect();
        assert_eq!(had, [0, 5, 63]);
        assert!((0..64).all(|kind| Kinds::ALL.has(kind)));
    }
}
