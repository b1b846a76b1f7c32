//! Rounds: how a leader makes sure that it still leads.

use serde::Serialize;

/// A round of messages of one leader to all others, from 1; an answer echoes the round of what it answers. 0 is before
/// the first. A read waits until enough have answered a round that was started after it arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Round(pub u64);

impl Round {
    /// The round after this one.
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}
