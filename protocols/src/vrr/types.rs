//! The paper's words as types: views, entries, nonces, rounds.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::Serialize;

use crate::replicated::{Command, Executable};

/// A view-number (§4): one primary a view, and the views take turns. 0 is the view that a new group begins in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct View(pub u64);

impl View {
    /// The view after this one.
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

/// A log entry: a request, and the view whose primary gave it its op-number. View and op-number together are the
/// viewstamp that the protocol has its name from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The view in which the entry got its place.
    pub view: View,
    /// What it asks of the state machine.
    pub command: Command,
}

impl Executable for Entry {
    fn command(&self) -> Option<&Command> {
        Some(&self.command)
    }
}

impl Entry {
    /// Size on the wire in bytes.
    pub const SIZE: u64 = 8 + Command::SIZE;
}

/// Consecutive entries on their way, shared by all who get the same ones. None take no memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Entries(Option<Arc<[Entry]>>);

impl Entries {
    /// No entries.
    pub const NONE: Self = Self(None);

    /// Size on the wire in bytes.
    pub fn size(&self) -> u64 {
        Entry::SIZE * self.len() as u64
    }
}

impl Deref for Entries {
    type Target = [Entry];

    fn deref(&self) -> &[Entry] {
        self.0.as_deref().unwrap_or(&[])
    }
}

impl FromIterator<Entry> for Entries {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let entries: Arc<[Entry]> = entries.into_iter().collect();
        if entries.is_empty() { Self::NONE } else { Self(Some(entries)) }
    }
}

/// What tells the answers to one recovery from those to an earlier one (§4.3): drawn at random, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Nonce(pub u64);

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0 & 0xffff_ffff)
    }
}

/// A round of messages of one primary, from 1; a `PrepareOk` echoes the round of what it answers. 0 is before the
/// first. It is what a read waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Round(pub u64);

impl Round {
    /// The round after this one.
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_entries_are_no_allocation() {
        assert_eq!(std::iter::empty::<Entry>().collect::<Entries>(), Entries::NONE);
        assert!(Entries::NONE.is_empty());
        assert_eq!(Entries::NONE.size(), 0);
    }
}
