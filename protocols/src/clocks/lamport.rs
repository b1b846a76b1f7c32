//! Lamport's clock.

use serde::Serialize;

/// The clock of one node: a number that is larger than those of all events that happened before. See the [module documentation](super).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Lamport(u64);

impl Lamport {
    /// The time of the last event; 0 before the first.
    pub const fn now(self) -> u64 {
        self.0
    }

    /// An event of this node, such as a send: its time (rule IR1).
    pub const fn tick(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }

    /// The receipt of a message that was sent at `remote`: its time (rule IR2).
    pub fn observe(&mut self, remote: u64) -> u64 {
        self.0 = self.0.max(remote);
        self.tick()
    }
}
