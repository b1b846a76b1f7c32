//! `log`: an append-only log in partitions.

use serde::{Deserialize, Serialize};

use super::Value;

/// What can be asked of a `log` service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// Append to a partition: `Ticket` with the offset.
    Append {
        /// The partition, from 0.
        partition: u32,
        /// What is appended.
        value: Value,
    },
    /// Read from an offset on: `Values` in order of offset, as many as the server likes.
    Poll {
        /// The partition, from 0.
        partition: u32,
        /// The first offset wanted.
        offset: u64,
    },
    /// A consumer group has handled everything below an offset: `Done`.
    Commit {
        /// The partition, from 0.
        partition: u32,
        /// The first offset not handled.
        offset: u64,
    },
    /// The committed offset: `Ticket`.
    Committed {
        /// The partition, from 0.
        partition: u32,
    },
}
