//! What a site states about itself.

use sim_core::NodeId;
use sim_core::service::Value;

use super::rumor::Response;

/// A statement of one site about what it has just done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// It has started, and knows nothing.
    Started,
    /// A client broadcasts a value here.
    Asked {
        /// Which.
        value: Value,
    },
    /// It knows a value that it did not know, and spreads it from its next cycle on.
    Learned {
        /// Which.
        value: Value,
    },
    /// It sends a rumor to another site.
    Shared {
        /// Which.
        value: Value,
    },
    /// A cycle is over in which it has shared a rumor, and this is what came of it.
    Judged {
        /// Which.
        value: Value,
        /// What came of it.
        response: Response,
    },
    /// It loses interest in a rumor.
    LostInterest {
        /// Which.
        value: Value,
    },
    /// It calls another site.
    Called {
        /// In which of its cycles.
        cycle: u64,
        /// Which.
        to: NodeId,
    },
    /// It takes a call.
    Took {
        /// In which of its cycles.
        cycle: u64,
    },
}
