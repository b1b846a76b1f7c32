//! `broadcast`: values that reach every node.

use serde::{Deserialize, Serialize};

use super::Value;

/// What can be asked of a `broadcast` service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// Spread a value: `Done` once the asked node has it.
    Send(Value),
    /// What the asked node has: `Values` in rising order.
    Read,
}
