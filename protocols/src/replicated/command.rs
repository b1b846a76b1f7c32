//! What nodes agree on.

use std::fmt;

use serde::Serialize;
use sim_core::OpId;
use sim_core::service::kv;

/// What an entry can ask of a state machine.
pub trait Agreeable: Copy + Eq + fmt::Debug + fmt::Display + Serialize + Send + Sync + 'static {
    /// Size on disk and on the wire in bytes.
    const SIZE: u64;
    /// Nothing. New leaders need it: Raft's to commit what earlier terms left behind.
    const NOOP: Self;

    /// What it does, in a word or two, for people who see many of them.
    fn label(&self) -> String {
        self.to_string()
    }
}

/// What an entry asks of the [`StateMachine`](super::StateMachine).
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

impl Agreeable for Command {
    const SIZE: u64 = Self::SIZE;
    const NOOP: Self = Self::Noop;

    fn label(&self) -> String {
        match self {
            Self::Noop => self.to_string(),
            Self::Client { operation, .. } => operation.to_string(),
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Noop => f.write_str("noop"),
            Self::Client { op, operation } => write!(f, "{op} {operation}"),
        }
    }
}
