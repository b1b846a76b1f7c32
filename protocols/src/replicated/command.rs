//! What nodes agree on.

use std::fmt;

use serde::Serialize;
use sim_core::OpId;
use sim_core::service::kv;

/// What an entry asks of the state machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Command {
    /// Nothing. New leaders need it: Raft's to commit what earlier terms left behind, that of Paxos to fill holes.
    Noop,
    /// A client's operation, with the id under which its retries are recognised.
    Client {
        /// Who asked, and the how-manieth operation of that client it is.
        op: OpId,
        /// What to do to the registers.
        operation: kv::Operation,
    },
}

impl Command {
    /// Size on disk and on the wire in bytes: client, ordinal, key, two values.
    pub const SIZE: u64 = 32;
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Noop => f.write_str("noop"),
            Self::Client { op, operation } => write!(f, "{op} {operation}"),
        }
    }
}
