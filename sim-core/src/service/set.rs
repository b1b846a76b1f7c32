//! `set`: a set that grows.

use serde::{Deserialize, Serialize};

use super::Value;

/// What can be asked of a `set` service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// Put a value in: `Done`.
    Add(Value),
    /// All values: `Values` in rising order.
    Read,
}
