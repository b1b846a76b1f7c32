//! What a node states about itself.

use sim_core::OpId;
use sim_core::service::Value;

/// A statement of one node about what it has just done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A client asked it.
    Asked {
        /// Which operation.
        op: OpId,
        /// What was to be echoed.
        value: Value,
    },
    /// It answered a client.
    Answered {
        /// Which operation.
        op: OpId,
        /// With what.
        value: Value,
    },
}
