//! The paper's words as types: views, entries, nonces, rounds.

use std::fmt;

use serde::Serialize;

use crate::replicated::{Command, Executable};

pub use crate::replicated::Round;

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

/// Consecutive entries on their way to others.
pub type Entries = crate::replicated::Entries<Entry>;

/// What tells the answers to one recovery from those to an earlier one (§4.3): drawn at random, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Nonce(pub u64);

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0 & 0xffff_ffff)
    }
}
