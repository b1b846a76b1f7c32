//! Entries on their way.

use std::ops::Deref;
use std::sync::Arc;

use serde::Serialize;

/// Consecutive entries on their way to others, shared by all who get the same ones. None take no memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Entries<E>(Option<Arc<[E]>>);

impl<E> Entries<E> {
    /// No entries: a heartbeat.
    pub const NONE: Self = Self(None);
}

impl<E> Default for Entries<E> {
    fn default() -> Self {
        Self::NONE
    }
}

impl<E> Deref for Entries<E> {
    type Target = [E];

    fn deref(&self) -> &[E] {
        self.0.as_deref().unwrap_or(&[])
    }
}

impl<E> FromIterator<E> for Entries<E> {
    fn from_iter<I: IntoIterator<Item = E>>(entries: I) -> Self {
        let entries: Arc<[E]> = entries.into_iter().collect();
        if entries.is_empty() { Self::NONE } else { Self(Some(entries)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_entries_are_no_allocation() {
        assert_eq!(std::iter::empty::<u64>().collect::<Entries<u64>>(), Entries::NONE);
        assert!(Entries::<u64>::NONE.is_empty());
    }
}
