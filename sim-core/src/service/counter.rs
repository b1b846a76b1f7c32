//! `counter`: a number that is added to.

use serde::{Deserialize, Serialize};

/// What can be asked of a `counter` service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// Add (or subtract): `Done`.
    Add(i64),
    /// The sum: `Value`, two's complement.
    Read,
}
