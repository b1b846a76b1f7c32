//! `queue`: a work queue with acknowledgement.

use serde::{Deserialize, Serialize};

use super::Value;

/// What can be asked of a `queue` service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// Append a message: `Done`.
    Enqueue(Value),
    /// Take the next message: `Received`, or `Value(None)` where there is none.
    Dequeue,
    /// A received message is done with: `Done`, or `Rejected` where the receipt is void.
    Acknowledge {
        /// From `Received`.
        receipt: u64,
    },
}
