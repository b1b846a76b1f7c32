//! Sessions: what makes a retried command take effect once.

use serde::Serialize;
use sim_core::service::Outcome;

use super::index::Index;

/// Operations of one client that a session can tell apart: how many a client may have open at a time.
const WINDOW: u32 = u64::BITS;

/// What a client's commands came to, for those among the client's last 64 operations.
///
/// Bit b of a map stands for the operation `newest - b`. A command's outcome is one of two, so a bit holds it.
/// Reads take ordinals too, and leave their bits at 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Session {
    newest: u32,
    applied: u64,
    rejected: u64,
    /// Where its last command was executed.
    used: Index,
}

/// What becomes of sessions. All nodes must have the same policy: what expires is decided by the log alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum SessionPolicy {
    /// Every client's session is kept for ever.
    #[default]
    KeepAll,
    /// At most so many, at least 1. One more, and the session whose last command is the oldest expires. Of an expired
    /// session stays the number of its newest operation: nothing up to it is executed any more.
    AtMost(u64),
    /// None: a command that comes twice is executed twice. For mutants.
    Forget,
}

/// What is known of an operation that arrives, perhaps for the second time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Memory {
    /// It was not executed.
    Unknown,
    /// It was, and this came of it.
    Executed(Outcome),
    /// It is so old that the client has long given up on it; it is not executed any more.
    TooOld,
}

impl Session {
    /// A session whose first operation is the `ordinal`-th of its client.
    pub(super) fn new(ordinal: u32) -> Self {
        Self { newest: ordinal, ..Self::default() }
    }

    /// The client's newest operation.
    pub(super) const fn newest(&self) -> u32 {
        self.newest
    }

    /// Where its last command was executed.
    pub(super) const fn used(&self) -> Index {
        self.used
    }

    /// A command of it was executed at `index`.
    pub(super) const fn touch(&mut self, index: Index) {
        self.used = index;
    }

    pub(super) fn recall(&self, ordinal: u32) -> Memory {
        let Some(age) = self.newest.checked_sub(ordinal) else { return Memory::Unknown };
        if age >= WINDOW {
            return Memory::TooOld;
        }
        match (self.applied >> age & 1, self.rejected >> age & 1) {
            (0, _) => Memory::Unknown,
            (_, 0) => Memory::Executed(Outcome::Done),
            (_, _) => Memory::Executed(Outcome::Rejected),
        }
    }

    pub(super) fn remember(&mut self, ordinal: u32, outcome: &Outcome) {
        let shift = ordinal.saturating_sub(self.newest);
        self.applied = self.applied.checked_shl(shift).unwrap_or(0);
        self.rejected = self.rejected.checked_shl(shift).unwrap_or(0);
        self.newest = self.newest.max(ordinal);
        let bit = 1 << (self.newest - ordinal);
        self.applied |= bit;
        if *outcome == Outcome::Rejected {
            self.rejected |= bit;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_session_is_a_table_of_the_last_64_operations(ordinals in prop::collection::vec(0_u32..200, 1..60)) {
            let mut session = Session::new(ordinals[0]);
            let mut table = std::collections::BTreeMap::new();
            for ordinal in ordinals {
                let newest = table.keys().next_back().copied().unwrap_or(ordinal);
                let outcome = if ordinal % 3 == 0 { Outcome::Rejected } else { Outcome::Done };
                let expected = match table.get(&ordinal).cloned() {
                    _ if ordinal + WINDOW <= newest => Memory::TooOld,
                    Some(outcome) => Memory::Executed(outcome),
                    None => Memory::Unknown,
                };
                prop_assert_eq!(session.recall(ordinal), expected.clone());
                if expected == Memory::Unknown {
                    session.remember(ordinal, &outcome);
                    table.insert(ordinal, outcome);
                }
            }
        }
    }
}
