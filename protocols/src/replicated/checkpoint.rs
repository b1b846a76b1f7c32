//! A state machine on its way to another node.

use std::fmt;

use serde::Serialize;

use super::machine::StateMachine;

/// A state machine on its way. Copies share their contents.
#[derive(Clone, Serialize)]
pub struct Checkpoint(pub StateMachine);

impl Checkpoint {
    /// Size on the wire in bytes: key and value of each register, client and window of each session.
    pub fn size(&self) -> u64 {
        16 * self.0.register_count() + 24 * self.0.session_count()
    }
}

impl fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checkpoint({}, {})", self.0.applied(), self.0.chain())
    }
}

/// By the chain of what was executed.
impl PartialEq for Checkpoint {
    fn eq(&self, other: &Self) -> bool {
        (self.0.applied(), self.0.chain()) == (other.0.applied(), other.0.chain())
    }
}

impl Eq for Checkpoint {}
