//! What a replica states about itself.

use std::sync::Arc;

use super::data::Data;

/// A statement of one replica about what it has just done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// It has started, and goes on from what is on its disk.
    Started,
    /// It makes a change that a client asked for; it is not on disk yet.
    Made(Arc<Data>),
    /// A change is on disk, and it has joined it: one of its own, or another replica's.
    Joined(Arc<Data>),
    /// It told a client that a change is done.
    Acknowledged(Arc<Data>),
}
