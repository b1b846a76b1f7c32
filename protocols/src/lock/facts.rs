//! What nodes state about themselves.

use sim_core::LocalTime;

use super::message::Token;
use super::server::{Name, Tenant};

/// A statement of one node about what it has just done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The server was asked for a lock that is free, and sets it aside: the lease counts from now. Nobody hears of the token before
    /// it is on disk.
    Reserved {
        /// Which lock.
        name: Name,
        /// With which token.
        token: Token,
    },
    /// The server gives a lock; the token is on disk.
    Granted {
        /// Which lock.
        name: Name,
        /// With which token.
        token: Token,
        /// To whom; the same again where the answer was lost.
        to: Tenant,
    },
    /// At the server a lease has run out.
    Lapsed {
        /// Of which lock.
        name: Name,
        /// Which token held it.
        token: Token,
    },
    /// The server takes a lock back that was given back.
    Freed {
        /// Which lock.
        name: Name,
        /// The token it was given back with.
        token: Token,
    },
    /// The server has restarted, and keeps a lock for whoever had it by its disk: for a whole lease from now.
    Resumed {
        /// Which lock.
        name: Name,
        /// Which token holds it.
        token: Token,
    },
    /// A worker has the lock, or keeps it.
    Leased {
        /// With which token.
        token: Token,
        /// Until when by its clock.
        until: LocalTime,
    },
    /// A worker has the lock no more, for whatever reason.
    Ended {
        /// Which token it had it with.
        token: Token,
    },
    /// A worker sends a write.
    Sent {
        /// With which token.
        token: Token,
        /// The how-manieth with it.
        number: u32,
    },
    /// The resource has taken a write, and it is on disk.
    Accepted {
        /// With which token.
        token: Token,
        /// The how-manieth with it.
        number: u32,
    },
    /// The resource refuses a write; the higher token is on disk.
    Refused {
        /// With which token.
        token: Token,
        /// The one that it has taken a write of.
        highest: Token,
    },
}
