//! What a consumer knows of a partition that it has.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use serde::Serialize;
use sim_core::service::Value;

use super::producing::Producing;

/// A partition that it has.
#[derive(Clone, Debug, Serialize)]
pub struct Share {
    /// Tells it from earlier times that it had the partition.
    pub(super) tenure: u64,
    pub(super) stage: Stage,
    /// Whether it gives the partition up when what is in hand is done.
    pub(super) gives_up: bool,
    /// Where it reads next.
    pub(super) position: u64,
    /// What was read and nobody has in hand.
    pub(super) backlog: VecDeque<(u64, Value)>,
    /// What is done above `done`.
    pub(super) done_above: BTreeSet<u64>,
    /// Everything below is done.
    pub(super) done: u64,
    /// Everything below is kept, as far as it knows.
    pub(super) kept: u64,
    /// With transactions: how far it is with its own.
    pub(super) producing: Option<Box<Producing>>,
}

/// How far it is with a partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Stage {
    /// It asks how far anybody has come.
    Asks,
    /// It reads and handles.
    Works,
    /// At most once: what it has read it may handle when it is kept as handled.
    Claims(Arc<[Value]>),
}

impl Share {
    /// Everything below is done.
    pub const fn done(&self) -> u64 {
        self.done
    }

    /// Everything below is kept, as far as the consumer knows.
    pub const fn kept(&self) -> u64 {
        self.kept
    }

    /// Where it reads next.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// How many records wait for a worker.
    pub fn backlog_len(&self) -> u64 {
        self.backlog.len() as u64
    }

    /// With transactions: how far it is with its own.
    pub fn producing(&self) -> Option<&Producing> {
        self.producing.as_deref()
    }

    /// Whether a worker may take something of it.
    pub(super) fn has_work(&self) -> bool {
        let may_begin = self.producing.as_ref().is_none_or(|producing| producing.is_open());
        may_begin && !self.backlog.is_empty()
    }

    /// A record is done.
    pub(super) fn finish(&mut self, offset: u64) {
        self.done_above.insert(offset);
        while self.done_above.remove(&self.done) {
            self.done += 1;
        }
    }
}
