//! What mattered in a run: changes of standing, crashes, restarts, commands. Few of them even in a long run,
//! so they are always kept; `run` prints them, and triggers of a plan wait for them.

use serde::Serialize;

use crate::status::Status;
use crate::{NodeId, SimTime};

/// Something that mattered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Milestone {
    /// When.
    pub at: SimTime,
    /// After so many events of the run.
    pub event: u64,
    /// What.
    pub what: Happening,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Happening {
    /// A process changed its standing or its epoch while standing as leader or candidate.
    Stands {
        /// Whose process.
        node: NodeId,
        /// How it stands now.
        status: Status,
    },
    /// A node crashed.
    Crashed(NodeId),
    /// A node started again.
    Restarted(NodeId),
    /// A command was applied, as text: `partition {n1,n2 | n3,n4,n5}`.
    Command(String),
}
