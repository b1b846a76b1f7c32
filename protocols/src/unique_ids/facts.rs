//! What nodes state about themselves.

use crate::clocks::Timestamp;

/// A statement of one node about what it has just done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// It has given an id to a client.
    Given(u64),
    /// It has started, and positions below this one may have been used.
    Started {
        /// The bound that it found on its disk.
        bound: u64,
    },
    /// A larger bound is on disk.
    Reserved {
        /// Positions below it may be used.
        bound: u64,
    },
    /// It has heard what time it is at another node, and has taken that.
    Heard(Timestamp),
}
