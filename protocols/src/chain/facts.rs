//! What nodes state about themselves.

use std::sync::Arc;

use super::types::Configuration;
use crate::replicated::{Chain, Index};

/// A statement of one node about what it has just done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The master issues a configuration; that is on disk.
    Issued(Arc<Configuration>),
    /// The master is about to issue a configuration, and writes it.
    Decided(Arc<Configuration>),
    /// A server goes on in this configuration.
    Entered(Arc<Configuration>),
    /// A server that joins takes part from now on: it is the tail.
    Joined,
    /// A server was removed, and forgets everything.
    Left,
    /// A server has one more update in its history.
    Applied {
        /// Its index.
        index: Index,
        /// The chain up to and including it.
        chain: Chain,
    },
    /// The history of a server is that of another.
    Installed {
        /// Up to where.
        index: Index,
        /// The chain up to there.
        chain: Chain,
    },
    /// The tail has an update, and so everybody: it is committed.
    Committed {
        /// Its index.
        index: Index,
        /// The chain up to and including it.
        chain: Chain,
    },
    /// A server knows that the tail has everything up to here.
    Acknowledged {
        /// The last update of it.
        index: Index,
    },
    /// A server has answered a query from what it has, or as the tail which version is the last.
    Answered,
}

impl Fact {
    /// What it is about, as a number: see [`sim_core::Process::kind_of`].
    pub(super) const fn kind(&self) -> u32 {
        match self {
            Self::Issued(_) => ISSUED,
            Self::Entered(_) => ENTERED,
            Self::Joined => JOINED,
            Self::Left => LEFT,
            Self::Applied { .. } => APPLIED,
            Self::Installed { .. } => INSTALLED,
            Self::Committed { .. } => COMMITTED,
            Self::Acknowledged { .. } => ACKNOWLEDGED,
            Self::Answered => ANSWERED,
            Self::Decided(_) => DECIDED,
        }
    }
}

/// [`Fact::Issued`].
pub(super) const ISSUED: u32 = 0;
/// [`Fact::Entered`].
pub(super) const ENTERED: u32 = 1;
/// [`Fact::Joined`].
pub(super) const JOINED: u32 = 2;
/// [`Fact::Left`].
pub(super) const LEFT: u32 = 3;
/// [`Fact::Applied`].
pub(super) const APPLIED: u32 = 4;
/// [`Fact::Installed`].
pub(super) const INSTALLED: u32 = 5;
/// [`Fact::Committed`].
pub(super) const COMMITTED: u32 = 6;
/// [`Fact::Acknowledged`].
pub(super) const ACKNOWLEDGED: u32 = 7;
/// [`Fact::Answered`].
pub(super) const ANSWERED: u32 = 8;
/// [`Fact::Decided`].
pub(super) const DECIDED: u32 = 9;
