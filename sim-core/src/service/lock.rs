//! `lock`: a lock with fencing tokens.

use serde::{Deserialize, Serialize};

/// What can be asked of a `lock` service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// Take the lock: `Ticket` with the fencing token, or `Rejected` while somebody holds it.
    Acquire,
    /// Give it back: `Done`, or `Rejected` where the token does not hold it.
    Release {
        /// From `Ticket`.
        token: u64,
    },
}
