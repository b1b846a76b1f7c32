//! What nodes send each other.

use std::fmt;

use serde::Serialize;
use sim_core::process;

/// A fencing token: it rises with every time a lock is given, and never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Token(u64);

impl Token {
    /// Before the first: nobody has it.
    pub const ZERO: Self = Self(0);

    /// The token with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The one after it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t{}", self.0)
    }
}

/// A message between nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Message {
    /// A worker wants the lock. The server answers `Granted` or `Held`.
    Acquire {
        /// Tells this attempt of the worker from its others.
        attempt: u64,
    },
    /// The worker has the lock, for a TTL from when it asked.
    Granted {
        /// Which attempt is answered.
        attempt: u64,
        /// With which token.
        token: Token,
    },
    /// Somebody else has it.
    Held {
        /// Which attempt is answered.
        attempt: u64,
        /// The token that was given out last.
        token: Token,
    },
    /// A worker wants to keep the lock for a TTL from now. The server answers `Renewed` or `Expired`.
    Renew {
        /// What it holds it with.
        token: Token,
        /// Tells this renewal from others of the same token.
        renewal: u64,
    },
    /// It may.
    Renewed {
        /// What it holds it with.
        token: Token,
        /// Which renewal is answered.
        renewal: u64,
    },
    /// It may not: its lease has run out at the server.
    Expired {
        /// The token that is worth nothing any more.
        token: Token,
    },
    /// A worker gives the lock back. Nobody answers: if this is lost, the lease runs out.
    Release {
        /// What it held it with.
        token: Token,
    },
    /// A worker writes to the resource, which answers `Written` or `Fenced`.
    Write {
        /// What it holds the lock with.
        token: Token,
        /// The how-manieth write with this token, from 1.
        number: u32,
    },
    /// The write is on disk.
    Written {
        /// The token of the write.
        token: Token,
        /// Its number.
        number: u32,
    },
    /// The resource has seen a higher token, and does not write.
    Fenced {
        /// The token of the write.
        token: Token,
        /// The one it has seen.
        highest: Token,
    },
}

impl process::Message for Message {
    const KINDS: &'static [&'static str] = &[
        "Acquire", "Granted", "Held", "Renew", "Renewed", "Expired", "Release", "Write", "Written", "Fenced",
    ];

    fn kind(&self) -> u8 {
        match self {
            Self::Acquire { .. } => 0,
            Self::Granted { .. } => 1,
            Self::Held { .. } => 2,
            Self::Renew { .. } => 3,
            Self::Renewed { .. } => 4,
            Self::Expired { .. } => 5,
            Self::Release { .. } => 6,
            Self::Write { .. } => 7,
            Self::Written { .. } => 8,
            Self::Fenced { .. } => 9,
        }
    }

    fn size(&self) -> u64 {
        match self {
            Self::Acquire { .. } | Self::Expired { .. } | Self::Release { .. } => 8,
            Self::Granted { .. }
            | Self::Held { .. }
            | Self::Renew { .. }
            | Self::Renewed { .. }
            | Self::Fenced { .. } => 16,
            Self::Write { .. } | Self::Written { .. } => 12,
        }
    }

    /// The number of an attempt is drawn, and says nothing to people.
    fn describe(&self) -> String {
        match self {
            Self::Acquire { .. } => "Acquire".to_owned(),
            Self::Granted { token, .. } => format!("Granted {token}"),
            Self::Held { token, .. } => format!("Held last={token}"),
            Self::Renew { token, renewal } => format!("Renew {token} renewal={renewal}"),
            Self::Renewed { token, renewal } => format!("Renewed {token} renewal={renewal}"),
            Self::Expired { token } => format!("Expired {token}"),
            Self::Release { token } => format!("Release {token}"),
            Self::Write { token, number } => format!("Write {token} number={number}"),
            Self::Written { token, number } => format!("Written {token} number={number}"),
            Self::Fenced { token, highest } => format!("Fenced {token} highest={highest}"),
        }
    }
}
