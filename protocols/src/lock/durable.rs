//! What a restart must find again, and what waits for the disk.
//!
//! A node has one region, a cell: the server's with locks and sessions, the resource's with its last write. Workers keep
//! nothing: one that crashes has lost its lock, and asks anew.

use std::sync::Arc;

use serde::Serialize;
use sim_core::disk::{self, RegionId};
use sim_core::service::Outcome;
use sim_core::{NodeId, OpId};

use super::message::Token;
use super::resource::Stored;
use super::server::Books;

/// The region of a node that has one.
pub const STATE: RegionId = RegionId::new(0);

/// What is written to disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Record {
    /// Of the server.
    Server(Arc<Books>),
    /// Of the resource.
    Resource(Stored),
}

impl disk::Record for Record {
    fn size(&self) -> u64 {
        match self {
            Self::Server(books) => books.size(),
            Self::Resource(_) => 12,
        }
    }
}

/// Something that must not happen before what led to it is on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Act {
    /// The server gives a worker the lock.
    Grant {
        /// Whom.
        to: NodeId,
        /// Which attempt of it.
        attempt: u64,
        /// With which token.
        token: Token,
    },
    /// The server tells a worker that somebody else has the lock.
    Refuse {
        /// Whom.
        to: NodeId,
        /// Which attempt of it.
        attempt: u64,
        /// The token that was given out last.
        token: Token,
    },
    /// The server answers a client.
    Reply {
        /// Which operation.
        op: OpId,
        /// With what.
        outcome: Outcome,
        /// Whether it was answered before, and asks again.
        novelty: Novelty,
    },
    /// The resource has written.
    Acknowledge {
        /// For whom.
        to: NodeId,
        /// With which token.
        token: Token,
        /// The how-manieth with it.
        number: u32,
        /// Whether it was written before, and the acknowledgement lost.
        novelty: Novelty,
    },
    /// The resource refuses a write.
    Fence {
        /// Whose.
        to: NodeId,
        /// The token of the write.
        token: Token,
        /// The higher one that it has taken a write of.
        highest: Token,
    },
}

/// Whether something happens for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Novelty {
    /// It does.
    New,
    /// It has happened already.
    Repeated,
}
